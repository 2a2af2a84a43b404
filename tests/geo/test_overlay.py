"""Points and polygons against rasters, where a pixel's class is its place."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import shapely

from overcast.geo.arrays import LabelArray
from overcast.geo.legend import load_legend
from overcast.geo.overlay import PolygonLabels, classes_under, lay, pixels_under
from overcast.geo.raster import UNKNOWN, Labels
from overcast.geo.vectors import Features
from tests.rasters import utm

LEGEND = load_legend("simplified-igbp")
SHAPE = (600, 530)


def source() -> LabelArray:
    rows, columns = np.indices(SHAPE)
    values = ((rows * 7 + columns * 3) % 10).astype(np.uint8)
    return LabelArray(Labels(values=values, grid=utm(SHAPE), legend=LEGEND))


def points(rows: np.ndarray, columns: np.ndarray) -> Features:
    x, y = 600_000 + 10 * columns, 5_300_000 - 10 * rows
    return Features(Path("p.gpkg"), shapely.points(x, y), {}, "EPSG:32632")


def laid(
    shapes: np.ndarray, classes: np.ndarray, shape: tuple[int, int]
) -> PolygonLabels:
    features = Features(Path("p.gpkg"), shapes, {}, "EPSG:32632")
    labels = lay(features, classes, LEGEND, utm(shape))
    assert isinstance(labels, PolygonLabels)
    return labels


def test_points_find_their_pixel() -> None:
    random = np.random.default_rng(0)
    rows, columns = random.uniform(0, SHAPE[0], 300), random.uniform(0, SHAPE[1], 300)
    there = source()
    found = classes_under(there, points(rows, columns))
    expected = there.labels.values[rows.astype(int), columns.astype(int)]
    np.testing.assert_array_equal(found, expected)


def test_points_outside_are_unknown() -> None:
    rows, columns = np.array([-0.5, 5.5, 600.5]), np.array([5.5, 530.5, 5.5])
    assert (classes_under(source(), points(rows, columns)) == UNKNOWN).all()


def test_points_of_another_projection_find_the_same_pixel() -> None:
    there = points(np.array([10.5, 599.5]), np.array([20.5, 0.5]))
    degrees = Features(there.path, there.to_crs("EPSG:4326"), {}, "EPSG:4326")
    rows, columns = pixels_under(utm(SHAPE), degrees)
    assert rows.tolist() == [10, 599]
    assert columns.tolist() == [20, 0]


def test_polygons_take_the_pixels_whose_centre_they_hold() -> None:
    shapes = np.array(
        [
            shapely.box(600_000, 5_299_960, 600_054, 5_300_000),  # 4 rows, 5 columns
            shapely.box(600_040, 5_299_990, 600_060, 5_300_000),  # later ones count
        ]
    )
    labels = laid(shapes, np.uint8([2, 6]), SHAPE)
    values = labels.read(labels.grid[0:6, 0:8]).values
    expected = np.full((6, 8), UNKNOWN, np.uint8)
    expected[:4, :5] = 2
    expected[0, 4:6] = 6
    np.testing.assert_array_equal(values, expected)
    assert (labels.read(labels.grid[100:110, 0:8]).values == UNKNOWN).all()


def test_polygons_are_the_same_by_windows() -> None:
    random = np.random.default_rng(0)
    centres = shapely.points(
        random.uniform(600_000, 601_000, 40), random.uniform(5_299_000, 5_300_000, 40)
    )
    shapes = shapely.buffer(centres, random.uniform(20, 200, 40))
    classes = random.integers(0, 10, 40).astype(np.uint8)
    labels = laid(shapes, classes, (100, 100))
    whole = labels.read(labels.grid).values
    assert 0.2 < (whole != UNKNOWN).mean() < 1
    for y in (0, 37):
        for x in (0, 51):
            part = labels.read(labels.grid[y : y + 37, x : x + 49]).values
            np.testing.assert_array_equal(part, whole[y : y + 37, x : x + 49])


def test_an_outline_without_an_end_is_looked_at_on_the_grid_alone() -> None:
    """A bit that flipped in a file's coordinate must not cost time or memory."""
    x, y = 600_000 + 10 * 5.2, 5_300_000 - 10 * 5.2
    high = shapely.Polygon([(x, y), (x + 1, y), (x, 2e16)])
    wide = shapely.Polygon([(x, y), (x + 3e16, y), (x, y - 1)])
    near = shapely.Polygon([(x, y), (x + 1, y), (x, y - 1)])
    shapes, classes = np.array([high, wide, near]), np.array([1, 2, 3], np.uint8)
    values = laid(shapes, classes, (20, 20)).read(utm((20, 20))).values
    assert values[5, 5] == 3
