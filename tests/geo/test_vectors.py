"""Points and polygons in and out of files, and what is refused."""

from __future__ import annotations

import sqlite3
import unicodedata
from contextlib import closing
from pathlib import Path

import numpy as np
import pyogrio.raw
import pytest
import shapely

from overcast.geo.layers import is_vector
from overcast.geo.legend import LandClass, Legend, load_legend
from overcast.geo.raster import UNKNOWN
from overcast.geo.vectors import Features, read_features, write_points

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


def classes_of(folder: Path, text: str, legend: str = "simplified-igbp") -> list[int]:
    """Class positions of one text in a CSV."""
    path = folder / "a.csv"
    path.write_text(f'lon,lat,class\n8,47,"{text}"\n', encoding="utf-8")
    return read_features(path).classes("class", load_legend(legend)).tolist()


@pytest.mark.parametrize("text", ["4", "4.0", "4.", "4,0", " 4 ", "04", "GRASSLAND"])
def test_a_code_may_be_written_in_many_ways(tmp_path: Path, text: str) -> None:
    assert classes_of(tmp_path, text) == [3]


@pytest.mark.parametrize("text", ["4.5", "4.01", "-4", "four", "4 5"])
def test_what_is_no_code_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(ValueError, match=r"a\.csv: row 1 has class"):
        classes_of(tmp_path, text)


@pytest.mark.parametrize("text", ["311", "311.0", "Broad-leaved forest", "23"])
def test_corine_is_known_by_code_and_name(tmp_path: Path, text: str) -> None:
    assert classes_of(tmp_path, text, "corine") == [22]


@pytest.mark.parametrize("form", ["NFC", "NFD", "NFKC", "NFKD"])
def test_letters_are_the_same_however_composed(tmp_path: Path, form: str) -> None:
    legend = Legend("w", (LandClass(1, "Gew\u00e4sser a", "0000ff"),))
    text = unicodedata.normalize(form, "  gEW\u00c4SSER\u00a0A ")
    path = tmp_path / "a.csv"
    path.write_text(f"lon,lat,class\n8,47,{text}\n", encoding="utf-8")
    assert read_features(path).classes("class", legend).tolist() == [0]


def test_a_name_that_is_the_code_of_another_is_refused(tmp_path: Path) -> None:
    legend = Legend("w", (LandClass(1, "2", "0000ff"), LandClass(2, "B", "00ff00")))
    path = tmp_path / "a.csv"
    path.write_text("lon,lat,class\n8,47,2\n")
    with pytest.raises(ValueError, match=r"code of one class .* the name of another"):
        read_features(path).classes("class", legend)


def test_columns_are_found_as_formats_cut_them(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("lon,lat,Class,stratum_pi\n8,47,4,9\n")
    found = read_features(path)
    assert found.column("class") == ["4"]
    assert found.column("stratum_pixels") == ["9"]
    assert found.named("stratum_share") is None


def saved(path: Path, shapes: list[object], kind: str = "Unknown") -> Features:
    pyogrio.raw.write(
        path,
        shapely.to_wkb(np.array(shapes, object)),
        [np.arange(len(shapes))],
        np.array(["class"], object),
        driver="GPKG",
        geometry_type=kind,
        crs="EPSG:32632",
    )
    return read_features(path)


def test_several_points_in_a_row_are_points(tmp_path: Path) -> None:
    shapes: list[object] = [
        shapely.MultiPoint([(1, 2)]),
        shapely.MultiPoint([(3, 4), (5, 6)]),
    ]
    found = saved(tmp_path / "a.gpkg", shapes, "MultiPoint")
    assert found.are_points
    assert shapely.get_coordinates(found.shapes).tolist() == [[1, 2], [3, 4], [5, 6]]
    assert found.column("class") == ["0", "1", "1"]


def test_heights_and_collections_are_taken_off(tmp_path: Path) -> None:
    square = shapely.box(0, 0, 1, 1)
    shapes: list[object] = [
        shapely.force_3d(square, 7.0),
        shapely.GeometryCollection([square]),
        shapely.GeometryCollection([square, shapely.box(2, 2, 3, 3)]),
    ]
    found = saved(tmp_path / "a.gpkg", shapes)
    assert [s.geom_type for s in found.shapes] == ["Polygon", "Polygon", "MultiPolygon"]
    assert not shapely.has_z(found.shapes).any()
    assert shapely.area(found.shapes).tolist() == [1, 1, 2]
    points = saved(tmp_path / "b.gpkg", [shapely.Point(1, 2, 3)], "Point Z")
    assert points.are_points
    assert shapely.get_coordinates(points.shapes).tolist() == [[1, 2]]


def test_an_empty_column_takes_texts_of_any_length(tmp_path: Path) -> None:
    """QGIS would take one character where the file declares TEXT(1)."""
    path = tmp_path / "a.gpkg"
    columns = {"reference": np.full(2, ""), "name": np.array(["Tree", "Water"])}
    write_points(path, np.zeros((2, 2)), "EPSG:32631", columns, {})
    with closing(sqlite3.connect(path)) as file:
        rows = file.execute("PRAGMA table_info(a)").fetchall()
    kinds = {row[1]: row[2] for row in rows}
    assert kinds["reference"] == kinds["name"] == "TEXT"
