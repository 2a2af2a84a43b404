"""Cells of labels on a fine grid that are a coarser map's, and their polygons."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from odc.geo.crs import CRS

from overcast.geo.arrays import ImageArray, LabelArray
from overcast.geo.bands import SENTINEL_1
from overcast.geo.label_cells import CellNumbers, count_pieces
from overcast.geo.legend import LandClass, Legend, load_legend
from overcast.geo.raster import UNKNOWN, Image, Labels
from overcast.geo.stack import Stack
from overcast.geo.warp import warp_classes
from tests.rasters import backscatter, utm

LEGEND = load_legend("simplified-igbp")
SHAPE = (240, 240)
GRID = utm(SHAPE)


def stack_of(classes: NDArray[np.integer]) -> Stack:
    """Labels on the very grid of the image; what that shows is of no matter."""
    labels = Labels(values=classes.astype(np.uint8), grid=GRID, legend=LEGEND)
    image = Image.of(backscatter(SHAPE), GRID, SENTINEL_1)
    return Stack(grid=GRID, images={"s1": ImageArray(image)}, labels=LabelArray(labels))


def random_classes(side: int) -> NDArray[np.uint8]:
    return np.random.default_rng(1).integers(0, 4, (side, side), np.uint8)


def test_cells_are_the_blocks_of_a_resampled_map() -> None:
    places = CellNumbers([stack_of(random_classes(12).repeat(20, 0).repeat(20, 1))], 4)
    assert places.together == [20]
    number = places.of(0, GRID)
    assert np.array_equal(np.unique(number, return_counts=True)[1], np.full(144, 400))
    assert (places.size(np.arange(144)) == 1).all()


def test_blocks_of_uneven_width_are_found() -> None:
    """Cells of 230 m in the next zone of UTM, by nearest neighbour."""
    there = GRID.to_crs(CRS("EPSG:32633"))
    edge = there.boundingbox
    grid = utm((30, 30), east=edge.left, north=edge.top, size=230, zone=33)
    classes = warp_classes(random_classes(30), grid, GRID)
    assert len(np.unique(classes)) == 4
    (together,) = CellNumbers([stack_of(classes)], 4).together
    assert together == pytest.approx(23, abs=1)


def test_fine_labels_and_larger_cells_stay_squares() -> None:
    fine = stack_of(random_classes(240))
    coarse = stack_of(random_classes(24).repeat(10, 0).repeat(10, 1))
    assert CellNumbers([fine, coarse], 4).together == [4, 10]
    assert CellNumbers([coarse], 30).together == [30]


def test_polygons_are_drawn_in_blocks_too() -> None:
    drawn = np.zeros((24, 24), np.uint8)
    drawn[3:7, 2:8], drawn[12:20, 10:14], drawn[15:18, 2:6] = 1, 2, 3
    drawn[:, 17:] = drawn[:, :7]
    places = CellNumbers([stack_of(drawn.repeat(10, 0).repeat(10, 1))], 4)
    assert places.together == [10]
    sizes = places.size(np.arange(24 * 24)).reshape(24, 24)
    assert (sizes[3:7, 2:8] == 24).all()
    assert (sizes[12:20, 10:14] == 32).all()
    assert (sizes[15:18, 2:6] == 12).all()


def test_pieces_of_drawn_labels_are_counted_by_class() -> None:
    grid = utm((60, 60))
    values = np.full((60, 60), UNKNOWN, np.uint8)
    values[2:10, 2:10], values[2:10, 10:12] = 0, 1
    values[30:40, 30:40] = values[50, 50] = 0
    names = (LandClass(1, "a", "000000"), LandClass(2, "b", "ffffff"))
    labels = Labels(values=values, grid=grid, legend=Legend("two", names))
    image = ImageArray(Image.of(np.ones((2, 60, 60), np.float32), grid, SENTINEL_1))
    stack = Stack(grid=grid, images={"s1": image}, labels=LabelArray(labels))
    assert count_pieces(stack) == 4
