"""Maps as polygons: nothing lost, nothing doubled, nothing too small."""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Xml

import numpy as np
import pyogrio
import pyproj
import pytest
import rasterio.features
import shapely
from affine import Affine
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox
from scipy import ndimage

from overcast.extras import advice
from overcast.geo.legend import LandClass, Legend
from overcast.geo.raster import UNKNOWN, Labels
from overcast.product import vector
from overcast.product.parquet import require
from overcast.product.rasters import write_labels
from overcast.product.vector import outlined, sieved, smoothed, write_polygons
from tests.rasters import SINUSOIDAL, utm

LEGEND = Legend(
    "mine",
    (
        LandClass(80, "water", "0000ff"),
        LandClass(10, "Wälder", "00ff00"),
        LandClass(0, "town", "ff0000"),
    ),
)
Classes = NDArray[np.uint8]


def patchy(shape: tuple[int, int], seed: int, classes: int = 4) -> Classes:
    """Random classes 0 to classes - 1 in patches of all sizes."""
    random = np.random.default_rng(seed)
    field = ndimage.gaussian_filter(
        random.normal(size=(classes, *shape)), (0, 1.5, 1.5)
    )
    return field.argmax(0).astype(np.uint8)


def sizes(classes: Classes) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Patch of every pixel, -1 for none, and the pixels of every patch."""
    patch = np.full(classes.shape, -1)
    count = 0
    for value in np.unique(classes[classes > 0]):
        found, number = ndimage.label(classes == value)
        patch[found > 0] = found[found > 0] + count - 1
        count += number
    return patch, np.bincount(patch[patch >= 0], minlength=count)


def burnt(patches: list[Any], shape: tuple[int, int]) -> Classes:
    return np.asarray(
        rasterio.features.rasterize(patches, shape, transform=Affine.identity())
    ).astype(np.uint8)


@settings(max_examples=25)
@given(
    st.tuples(st.integers(1, 40), st.integers(1, 40)),
    st.integers(1, 45),
    st.integers(0, 1000),
)
def test_outlines_do_not_depend_on_bands(
    shape: tuple[int, int], band: int, seed: int
) -> None:
    classes = patchy(shape, seed)
    patches = list(outlined(classes, band))
    _, count = sizes(classes)
    # As many as there are patches: none was cut by a seam, none joined with another.
    assert sorted(p.area for p, _ in patches) == sorted(count.tolist())
    assert all(p.is_valid and p.geom_type == "Polygon" for p, _ in patches)
    if patches:
        assert np.array_equal(burnt(patches, shape), classes)
    # At most the corner where a ring begins is one that a seam made.
    rings = sum(1 + len(p.interiors) for p, _ in patches)
    corners, least = (
        sum(int(shapely.count_coordinates(p)) for p, _ in found)
        for found in (patches, outlined(classes, 99))
    )
    assert least <= corners <= least + rings


@settings(
    max_examples=25,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.integers(2, 60), st.integers(0, 1000))
def test_small_patches_go_to_a_neighbour(tmp_path: Path, size: int, seed: int) -> None:
    classes = patchy((40, 50), seed)
    got = sieved(classes.copy(), size, tmp_path)
    assert np.array_equal(got == 0, classes == 0)
    patch, count = sizes(got)
    for small in np.flatnonzero(count < size):
        around = ndimage.binary_dilation(patch == small) & (patch >= 0)
        others = np.unique(patch[around & (patch != small)])
        assert (count[others] < size).all()
    # Where nothing was too small, nothing changed.
    if (sizes(classes)[1] >= size).all():
        assert np.array_equal(got, classes)


def written(path: Path, labels: Labels, mmu_ha: float = 0) -> tuple[Any, Any, Any, int]:
    source = path.with_name("map.tif")
    write_labels(labels, source, {})
    count = write_polygons(source, path, mmu_ha)
    meta, _, shapes, fields = pyogrio.raw.read(path, layer="land_cover")
    columns = dict(zip(meta["fields"], fields, strict=True))
    return meta, shapely.from_wkb(shapes), columns, count


def labels_of(grid: GeoBox, seed: int = 0) -> Labels:
    values = patchy(tuple(grid.shape), seed)
    values[values == 3] = UNKNOWN
    return Labels(values=values, grid=grid, legend=LEGEND)


@pytest.mark.parametrize(
    "grid",
    [
        utm((60, 50)),
        GeoBox((60, 50), Affine(1e-4, 0, 10.0, 0, -1e-4, 50.0), "EPSG:4326"),
        GeoBox((60, 50), Affine(500, 0, 0, 0, -400, 5_000_000), SINUSOIDAL),
    ],
    ids=["utm", "degrees", "sinusoidal"],
)
def test_polygons_cover_the_map_on_its_pixels(tmp_path: Path, grid: GeoBox) -> None:
    labels = labels_of(grid)
    meta, shapes, columns, count = written(tmp_path / "map.gpkg", labels)
    assert count == len(shapes)
    codes = LEGEND.to_codes(labels.values)
    place = list(zip(shapes, columns["code"].tolist(), strict=True))
    back = rasterio.features.rasterize(
        place, grid.shape, fill=255, transform=grid.affine, dtype="uint8"
    )
    assert np.array_equal(back, codes)
    assert pyogrio.read_info(tmp_path / "map.gpkg", layer="land_cover")["crs"]
    names = {c.code: c.name for c in LEGEND.classes}
    assert [names[c] for c in columns["code"].tolist()] == columns["name"].tolist()
    pixels = {c: (codes == c).sum() for c in names}
    shares = {c: columns["area_ha"][columns["code"] == c].sum() for c in names}
    ratio = [shares[c] / pixels[c] for c in names]
    assert ratio == pytest.approx([ratio[0]] * 3, rel=1e-3)
    if str(grid.crs) == "EPSG:32632":
        assert meta["crs"] == "EPSG:32632"
        assert ratio[0] == pytest.approx(0.01, rel=2e-3)


def test_minimum_mapping_unit_is_in_hectares(tmp_path: Path) -> None:
    values = np.zeros((40, 40), np.uint8)
    values[5:10, 5:10] = 1  # 25 pixels of 10 m: a quarter of a hectare
    values[20:30, 20:30] = 2  # a hectare
    labels = Labels(values=values, grid=utm((40, 40)), legend=LEGEND)
    for mmu, expected in ((0.2, [0, 10, 80]), (0.3, [0, 80]), (1.1, [80])):
        _, _, columns, _ = written(tmp_path / "map.gpkg", labels, mmu)
        assert sorted(columns["code"].tolist()) == expected


def test_layer_carries_its_style(tmp_path: Path) -> None:
    path = tmp_path / "map.gpkg"
    written(path, labels_of(utm((20, 20))))
    meta, _, _, fields = pyogrio.raw.read(path, layer="layer_styles")
    row = {n: v[0] for n, v in zip(meta["fields"], fields, strict=True)}
    assert (row["f_table_name"], bool(row["useAsDefault"])) == ("land_cover", True)
    assert pyogrio.list_layers(path)[0, 0] == "land_cover"
    assert Xml.fromstring(row["styleQML"]).tag == "qgis"


def test_what_fails_leaves_nothing(tmp_path: Path, monkeypatch: Any) -> None:
    source = tmp_path / "map.tif"
    write_labels(labels_of(utm((20, 20))), source, {})
    before = sorted(tmp_path.iterdir())

    def fail(*_: object, **__: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(pyogrio.raw, "write", fail)
    with pytest.raises(OSError, match="disk full"):
        write_polygons(source, tmp_path / "map.gpkg")
    assert sorted(tmp_path.iterdir()) == before


def test_smooth_borders_stay_shared() -> None:
    classes = ndimage.uniform_filter(
        np.random.default_rng(4).random((4, 60, 70)), (0, 5, 5)
    )
    values = (classes.argmax(0) + 1).astype(np.uint8)
    values[:9, :9] = 0
    rough = list(outlined(values))
    smooth = list(smoothed(rough, 2))
    assert [value for _, value in smooth] == [value for _, value in rough]
    shapes = np.array([polygon for polygon, _ in smooth], object)
    assert shapely.coverage_is_valid(shapes)  # neither gaps nor overlaps along borders
    assert shapely.area(shapes).sum() == pytest.approx(60 * 70 - 81)
    assert shapely.area(shapely.union_all(shapes)) == pytest.approx(60 * 70 - 81)
    before = shapely.get_num_coordinates([polygon for polygon, _ in rough]).sum()
    assert shapely.get_num_coordinates(shapes).sum() < 0.75 * before
    turned = [shapely.length(p) for p, _ in rough]
    assert shapely.length(shapes).sum() < 0.9 * sum(turned)


def test_smooth_polygons_as_flatgeobuf(tmp_path: Path) -> None:
    values = patchy((40, 50), 3, 3)
    grid = utm((40, 50))
    write_labels(
        Labels(values=values, grid=grid, legend=LEGEND), tmp_path / "m.tif", {}
    )
    count = write_polygons(tmp_path / "m.tif", tmp_path / "m.fgb", 0.05, smooth_m=20)
    info, _, shapes, columns = pyogrio.raw.read(tmp_path / "m.fgb")
    assert len(shapes) == count
    assert info["crs"] == "EPSG:32632"
    area = columns[list(info["fields"]).index("area_ha")]
    assert area.sum() == pytest.approx(40 * 50 * 0.01, rel=2e-3)
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "m.fgb",
        "m.tif",
        "m.tif.aux.xml",
    ]


def test_polygons_as_geoparquet(tmp_path: Path, monkeypatch: Any) -> None:
    """As geoparquet.org/releases/v1.1.0 has it, in several row groups."""
    parquet = pytest.importorskip("pyarrow.parquet")
    monkeypatch.setattr(vector, "_BATCH", 50)
    grid = utm((40, 50))
    labels = Labels(values=patchy((40, 50), 3, 3), grid=grid, legend=LEGEND)
    write_labels(labels, tmp_path / "m.tif", {})
    count = write_polygons(tmp_path / "m.tif", tmp_path / "m.parquet")
    file = parquet.ParquetFile(tmp_path / "m.parquet")
    assert file.num_row_groups == math.ceil(count / 50) > 1
    table = file.read()
    shapes = shapely.from_wkb(table["geometry"].to_pylist())
    assert table["code"].to_pylist()[0] in LEGEND.codes
    assert sum(table["area_ha"].to_pylist()) == pytest.approx(20, rel=2e-3)
    assert shapely.area(shapely.union_all(shapes)) == pytest.approx(200_000)
    geo = json.loads(file.metadata.metadata[b"geo"])
    (column,) = geo["columns"].values()
    assert geo["version"] == "1.1.0"
    assert geo["primary_column"] in table.column_names
    assert column["bbox"] == shapely.total_bounds(shapes).tolist()
    assert pyproj.CRS.from_json_dict(column["crs"]).to_epsg() == 32632
    assert all(shape.exterior.is_ccw for shape in shapes)


def test_geoparquet_without_pyarrow_is_refused_at_once(
    tmp_path: Path, monkeypatch: Any
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(ModuleNotFoundError):
        require(tmp_path / "a.parquet")
    require(tmp_path / "a.gpkg")
    lacking = ModuleNotFoundError("No module named 'pyarrow'", name="pyarrow")
    assert "overcast[parquet]" in advice(lacking)


def test_a_flatgeobuf_that_lacks_polygons_is_no_success(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """GDAL says nothing where the disk is full while it puts such a file together."""
    write = pyogrio.raw.write

    def cut(path: Path, shapes: Any, values: Any, *more: Any, **words: Any) -> None:
        write(path, shapes[:-1], [value[:-1] for value in values], *more, **words)

    monkeypatch.setattr("pyogrio.raw.write", cut)
    layer = vector._Layer(tmp_path / "m.fgb", LEGEND, utm((9, 9)), 0.01)
    for k in range(3):
        layer.add((shapely.box(k, 0, k + 1, 1), 1))
    with pytest.raises(OSError, match="No space left"):
        layer.close()
    monkeypatch.undo()
    layer.close()
    assert len(pyogrio.raw.read(tmp_path / "m.fgb")[2]) == 3
