"""Which layer of a vector file is read, and what is no vector file."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pyogrio.raw
import pytest
import rasterio
import shapely

from overcast.geo.layers import file_of, is_vector, split_layer
from overcast.geo.vectors import read_features
from tests.rasters import utm, write

BOX = shapely.box(600_000, 5_299_900, 600_100, 5_300_000)


def add(path: Path, layer: str, column: str, value: int, driver: str = "GPKG") -> Path:
    pyogrio.raw.write(
        path,
        shapely.to_wkb(np.array([BOX])),
        [np.array([value])],
        np.array([column], object),
        driver=driver,
        layer=layer,
        geometry_type="Polygon",
        crs="EPSG:32632",
        append=path.exists(),
    )
    return path


def test_a_layer_is_named_as_in_qgis(tmp_path: Path) -> None:
    path = add(tmp_path / "a.gpkg", "roads", "class", 1)
    add(path, "fields", "class", 2)
    for layer, value in (("roads", "1"), ("fields", "2")):
        found = read_features(Path(f"{path}|layername={layer}"), "class")
        assert list(found.column("class")) == [value]
        assert (found.path, found.notes) == (path, ())
    assert split_layer(Path("a.gpkg|layername=b|geometrytype=Polygon"))[1] == "b"
    assert file_of("a.gpkg|layername=b") == file_of("a.gpkg") == Path("a.gpkg")


def test_layers_that_may_be_meant_are_named(tmp_path: Path) -> None:
    path = add(tmp_path / "a.gpkg", "roads", "class", 1)
    add(path, "fields", "Class", 2)
    with pytest.raises(ValueError, match=r"a\.gpkg: holds the layers roads, fields"):
        read_features(path, "class")
    with pytest.raises(ValueError, match="has no layer woods; it has roads, fields"):
        read_features(Path(f"{path}|layername=woods"))


def test_the_only_layer_with_the_column_is_read_and_said(tmp_path: Path) -> None:
    path = add(tmp_path / "a.gpkg", "roads", "width", 1)
    add(path, "fields", "class", 2)
    found = read_features(path, "class")
    assert list(found.column("class")) == ["2"]
    (note,) = found.notes
    assert note == "a.gpkg: layer fields is read, and not roads, without a column class"
    with pytest.raises(ValueError, match="holds the layers roads, fields"):
        read_features(path)


def test_tables_without_geometry_are_no_layers(tmp_path: Path) -> None:
    path = add(tmp_path / "a.gpkg", "fields", "class", 2)
    pyogrio.raw.write(
        path,
        None,
        [np.array(["style"], object)],
        np.array(["qml"], object),
        driver="GPKG",
        layer="layer_styles",
        geometry_type=None,
        append=True,
    )
    found = read_features(path, "class")
    assert (list(found.column("class")), found.notes) == (["2"], ())


def add_raster(path: Path) -> Path:
    with rasterio.open(
        path,
        "w",
        driver="GPKG",
        count=1,
        width=8,
        height=8,
        dtype="uint8",
        crs="EPSG:32632",
        transform=utm((8, 8)).affine,
        RASTER_TABLE="classes",
        APPEND_SUBDATASET="YES" if path.exists() else "NO",
    ) as dataset:
        dataset.write(np.ones((8, 8), np.uint8), 1)
    return path


def test_a_geopackage_is_what_it_holds(tmp_path: Path) -> None:
    assert not is_vector(add_raster(tmp_path / "r.gpkg"))
    path = add(tmp_path / "v.gpkg", "fields", "class", 1)
    assert is_vector(path)
    add_raster(path)
    with pytest.raises(ValueError, match=r"holds a raster and the layers fields"):
        is_vector(path)
    assert is_vector(Path(f"{path}|layername=fields"))


@pytest.mark.parametrize(
    ("name", "driver"),
    [
        ("a.geojson", "GeoJSON"),
        ("a.fgb", "FlatGeobuf"),
        ("a.gml", "GML"),
        ("a.sqlite", "SQLite"),
        ("a.GPKG", "GPKG"),
        ("noname", "GeoJSON"),
    ],
)
def test_formats_are_read_whatever_their_name(
    tmp_path: Path, name: str, driver: str
) -> None:
    path = add(tmp_path / name, "fields", "class", 3, driver)
    assert is_vector(path)
    assert list(read_features(path).column("class")) == ["3"]


def test_rasters_are_told_by_content(tmp_path: Path) -> None:
    path = write(tmp_path / "raster", np.ones((4, 4), np.uint8), utm((4, 4)))
    assert not is_vector(path)
    (tmp_path / "text.xyz").write_text("nothing at all")
    assert not is_vector(tmp_path / "text.xyz")


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.fgb", b"fgb\x03fgb\x00" + bytes(200), "not a readable vector file"),
        ("a.gpkg", b"SQLite format 3\0", "not a readable vector file"),
        (
            "a.geojson",
            b'{"type":"Feature","properties":{},"geometry":{"type":"Polygon",'
            b'"coordinates":[[[0,0],[1,1],[1,0]]]}}',
            "row 1 has a geometry that can't be read",
        ),
        (
            "a.geojson",
            b'{"type":"Feature","properties":{"class":1},"geometry":null}',
            "no geometry",
        ),
    ],
)
def test_damaged_files_are_refused_by_name(
    tmp_path: Path, name: str, content: bytes, says: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=says) as error:
        read_features(tmp_path / name)
    assert name in str(error.value)


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("kind", ["Polygon", "Point", "MultiPolygon", "LineString"])
@pytest.mark.parametrize(("driver", "row"), [("GPKG", 3), ("FlatGeobuf", r"\d")])
def test_coordinates_that_are_no_numbers_are_counted(
    tmp_path: Path, number: float, kind: str, driver: str, row: object
) -> None:
    shapes = np.array([shapely.box(k, 0, k + 1, 1) for k in range(6)], object)
    if kind == "Point":
        shapes = shapely.centroid(shapes)
    elif kind == "LineString":
        shapes = shapely.boundary(shapes)
        shapes = np.array([shapely.LineString(s.coords) for s in shapes], object)
    elif kind == "MultiPolygon":
        shapes = np.array([shapely.MultiPolygon([s]) for s in shapes], object)
    places = shapely.get_coordinates(shapes)
    corners = len(places) // 6
    inner = int(corners > 1)  # the first of a ring is the last one as well
    places[[2 * corners + inner, 4 * corners + inner], 1] = number
    with np.errstate(invalid="ignore"):
        shapes = shapely.set_coordinates(shapes, places)
    path = tmp_path / {"GPKG": "a.gpkg", "FlatGeobuf": "a.fgb"}[driver]
    pyogrio.raw.write(
        path,
        shapely.to_wkb(shapes),
        [np.arange(6)],
        ["class"],
        driver=driver,
        geometry_type=kind,
        crs="EPSG:32632",
    )
    says = rf"{path}: 2 of 6 features have coordinates .*, the first in row {row}; "
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ValueError, match=says):
            read_features(path)
