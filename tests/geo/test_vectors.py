"""Points and polygons in and out of files, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyogrio.raw
import pytest
import shapely

from overcast.geo.layers import is_vector
from overcast.geo.legend import load_legend
from overcast.geo.raster import UNKNOWN
from overcast.geo.vectors import read_features, write_points

POINTS = np.array([[600_005.0, 5_299_995.0], [600_105.0, 5_299_895.0]])
COLUMNS = {"stratum": np.uint8([3, 4]), "reference": ["Forest", ""]}


def write(path: Path) -> Path:
    write_points(path, POINTS, "EPSG:32632", COLUMNS, {"seed": "7"})
    return path


@pytest.mark.parametrize("suffix", [".gpkg", ".csv"])
def test_points_come_back(tmp_path: Path, suffix: str) -> None:
    path = write(tmp_path / f"points{suffix}")
    found = read_features(path)
    assert found.are_points
    assert list(found.columns["stratum"]) == ["3", "4"]
    assert list(found.columns["id"]) == ["1", "2"]
    assert float(found.columns["lon"][0]) == pytest.approx(10.336657, abs=1e-6)
    assert float(found.columns["lat"][0]) == pytest.approx(47.845516, abs=1e-6)
    there = shapely.get_coordinates(found.to_crs("EPSG:32632"))
    np.testing.assert_allclose(there, POINTS, atol=1e-3)
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_a_geopackage_carries_what_it_is_about(tmp_path: Path) -> None:
    path = write(tmp_path / "points.gpkg")
    about = pyogrio.read_info(path)
    assert about["layer_metadata"]["seed"] == "7"
    assert about["layer_name"] == "points"
    assert "32632" in about["crs"]


def test_classes_are_codes_or_names_or_unknown(tmp_path: Path) -> None:
    legend, path = load_legend("simplified-igbp"), tmp_path / "a.csv"
    code = legend.codes[4]
    path.write_text(f"lon,lat,kind\n8,47,{code}\n8,47, forest \n8,47,\n")
    found = read_features(path).classes("kind", legend)
    assert found.tolist() == [4, legend.names.index("Forest"), UNKNOWN]


def test_whole_numbers_with_a_gap_are_still_codes(tmp_path: Path) -> None:
    path = tmp_path / "edited.gpkg"
    pyogrio.raw.write(
        path,
        shapely.to_wkb(shapely.points(POINTS)),
        [np.array([1.0, np.nan])],
        np.array(["reference"], object),
        driver="GPKG",
        geometry_type="Point",
        crs="EPSG:32632",
    )
    found = read_features(path).classes("reference", load_legend("simplified-igbp"))
    assert found.tolist() == [0, UNKNOWN]


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("a.csv", "east,north\n1,2\n", "columns lon and lat"),
        ("a.csv", "x,y\n600005,5299995\n", "row 1 has x '600005', expected degrees"),
        ("a.csv", "lon,lat\n8,north\n", "columns lon and lat"),
        ("a.csv", "lon,lat\n", "columns lon and lat"),
        ("a.gpkg", "no package", "not a readable vector file"),
        ("a.geojson", '{"type": "FeatureCollection", "features": []}', "no features"),
    ],
)
def test_what_is_no_vector_file_is_refused(
    tmp_path: Path, name: str, text: str, says: str
) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(ValueError, match=says) as found:
        read_features(tmp_path / name)
    assert name in str(found.value)


def test_a_missing_file_and_columns_are_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"gone\.gpkg: no such file"):
        read_features(tmp_path / "gone.gpkg")
    legend, features = load_legend("esri"), read_features(write(tmp_path / "a.csv"))
    with pytest.raises(ValueError, match="no column 'kind'; it has id, x, y"):
        features.classes("kind", legend)
    with pytest.raises(ValueError, match="row 1 has reference 'forest'"):
        features.classes("reference", legend)


def test_an_unfilled_form_is_said(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("lon,lat,reference\n8,47,\n")
    with pytest.raises(
        ValueError, match="no row has a class in the column 'reference'"
    ):
        read_features(path).classes("reference", load_legend("esri"))


def test_vector_files_are_known_by_name() -> None:
    assert is_vector(Path("a.GPKG"))
    assert is_vector(Path("a.csv"))
    assert not is_vector(Path("a.tif"))
