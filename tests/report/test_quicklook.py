"""Small pictures: right colours, the right ground, and little memory."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import numpy as np
import pyproj
import pytest
import rasterio
from odc.geo.geobox import GeoBox

from overcast.geo.bands import SENTINEL_1, SENTINEL_2
from overcast.geo.extent import areas_ha, width_m
from overcast.geo.image_file import open_image
from overcast.geo.label_file import open_labels
from overcast.geo.legend import load_legend
from overcast.geo.raster import UNKNOWN, Image, Labels
from overcast.report.quicklook import (
    class_picture,
    confidence_picture,
    jpeg,
    look_at_classes,
    look_at_image,
    overview,
    png,
    rgb,
)
from tests.rasters import SINUSOIDAL, backscatter, utm, write

LEGEND = load_legend("simplified-igbp")


def test_png_holds_its_picture() -> None:
    picture = np.random.default_rng(0).integers(0, 255, (5, 7, 4)).astype(np.uint8)
    with (
        rasterio.MemoryFile(png(picture)) as memory,
        pytest.warns(rasterio.errors.NotGeoreferencedWarning),
        memory.open() as dataset,
    ):
        np.testing.assert_array_equal(np.moveaxis(dataset.read(), 0, -1), picture)


def test_classes_have_their_colours() -> None:
    values = np.uint8([[0, 9, UNKNOWN]])
    picture = class_picture(Labels(values=values, grid=utm((1, 3)), legend=LEGEND))
    assert picture[0].tolist() == [
        [*LEGEND.classes[0].rgb, 255],
        [*LEGEND.classes[9].rgb, 255],
        [0, 0, 0, 0],
    ]


def test_images_are_stretched_and_transparent_where_nothing_was_seen() -> None:
    values = backscatter((40, 40))
    values[:, :4] = np.nan
    for image in (
        Image.of(values, utm((40, 40)), SENTINEL_1),
        Image.of(np.repeat(values[:1], 10, 0), utm((40, 40)), SENTINEL_2),
    ):
        picture = rgb(image)
        assert (picture[:4, :, 3] == 0).all()
        assert (picture[4:, :, 3] == 255).all()
        assert picture[4:, :, 0].min() == 0
        assert picture[4:, :, 0].max() == 255


def test_confidence_gets_brighter() -> None:
    picture = confidence_picture(np.float32([[0, 0.3, 0.6, 1, np.nan]]))[0]
    light = picture[:4, :3].astype(int).sum(-1)
    assert (np.diff(light) > 0).all()
    assert picture[4, 3] == 0


def test_overview_covers_the_same_ground() -> None:
    grid = utm((10980, 5490))
    small = overview(grid, 700)
    assert max(small.shape) <= 700
    assert small.boundingbox.left == grid.boundingbox.left
    assert overview(utm((64, 64))) == utm((64, 64))


@pytest.mark.parametrize("crs", ["EPSG:32632", "EPSG:3857", "EPSG:4326"])
def test_areas_are_those_of_the_ellipsoid(crs: str) -> None:
    grid = utm((100, 100))
    if crs != "EPSG:32632":
        box = grid.extent.to_crs(crs).boundingbox
        grid = GeoBox.from_bbox(box.bbox, crs, shape=(100, 100))
    (area,) = areas_ha(np.array([10_000]), grid)
    geod = pyproj.Geod(ellps="WGS84")
    expected = abs(geod.geometry_area_perimeter(grid.geographic_extent.geom)[0]) / 1e4
    assert area == pytest.approx(expected, rel=1e-6)
    assert area == pytest.approx(100, rel=0.04)


def test_jpeg_is_white_where_nothing_was_seen() -> None:
    picture = np.zeros((16, 32, 4), np.uint8)
    picture[:, :, 0] = 200
    picture[:, 16:, 3] = 255
    with (
        rasterio.MemoryFile(jpeg(picture)) as memory,
        pytest.warns(rasterio.errors.NotGeoreferencedWarning),
        memory.open() as dataset,
    ):
        found = dataset.read()
    assert (found[:, :, :15] > 245).all()
    assert np.abs(found[:, :, 17:] - [[[200]], [[0]], [[0]]]).max() < 12


@pytest.mark.parametrize("crs", ["EPSG:32632", SINUSOIDAL])
def test_looks_show_the_ground_that_reading_does(tmp_path: Path, crs: str) -> None:
    grid = utm((900, 700))
    if crs == SINUSOIDAL:
        box = grid.extent.to_crs(crs).boundingbox
        grid = GeoBox.from_bbox(box.bbox, crs, shape=(900, 700))
    ramp = np.add.outer(np.arange(900), np.arange(700)).astype(np.float32) / 160 - 20
    ramp[:90] = np.nan
    source = open_image(
        write(tmp_path / "s1.tif", np.stack([ramp] * 2), grid), SENTINEL_1
    )
    small = overview(utm((900, 700)), 90)
    found, whole = look_at_image(source, small), source.read(small)
    both = found.valid & whole.valid
    assert both.mean() > 0.8
    assert (found.valid == whole.valid).mean() > 0.97
    assert np.abs(found.values - whole.values)[:, both].max() < 10 / 160 * 2
    fields = (np.add.outer(np.arange(900) // 100, np.arange(700) // 100) % 10) + 1
    path = write(tmp_path / "classes.tif", fields.astype(np.uint8), grid)
    labels = open_labels(path, LEGEND)
    same = look_at_classes(labels, small).values == labels.read(small).values
    assert same.mean() > 0.95


def test_labels_coarser_than_the_picture_are_as_they_are_read(tmp_path: Path) -> None:
    codes = np.random.default_rng(0).integers(1, 11, (9, 7)).astype(np.uint8)
    labels = open_labels(
        write(tmp_path / "l.tif", codes, utm((9, 7), size=500)), LEGEND
    )
    grid = utm((450, 350))
    np.testing.assert_array_equal(
        look_at_classes(labels, grid).values, labels.read(grid).values
    )


def test_looking_at_a_large_file_takes_little_memory(tmp_path: Path) -> None:
    """An image of 2 x 3000 x 3000 values as float32 takes 72 MB, and is not held."""
    values = np.broadcast_to(np.float32(-10), (2, 3000, 3000))
    options = {"tiled": True, "blockxsize": 512, "blockysize": 512}
    path = write(tmp_path / "s1.tif", values, utm((3000, 3000)), **options)
    codes = write(
        tmp_path / "c.tif", np.ones((3000, 3000), np.uint8), utm((3000, 3000))
    )
    image, labels = open_image(path, SENTINEL_1), open_labels(codes, LEGEND)
    small = overview(utm((3000, 3000)), 100)
    tracemalloc.start()
    look_at_image(image, small)
    _, peak_image = tracemalloc.get_traced_memory()
    tracemalloc.reset_peak()
    look_at_classes(labels, small)
    _, peak_classes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak_image < 5e6
    assert peak_classes < 60e6


@pytest.mark.parametrize("crs", ["EPSG:32632", "EPSG:4326"])
def test_width_is_measured_on_the_ground(crs: str) -> None:
    grid = utm((100, 200))
    if crs == "EPSG:4326":
        box = grid.extent.to_crs(crs).boundingbox
        grid = GeoBox.from_bbox(box.bbox, crs, shape=(100, 200))
    assert width_m(grid) == pytest.approx(2000, rel=0.02)
