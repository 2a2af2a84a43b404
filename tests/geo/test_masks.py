"""A mask over an image: hidden pixels are invalid, all others as they were."""

from __future__ import annotations

import numpy as np
import pytest
from affine import Affine
from odc.geo.geobox import GeoBox

from overcast.geo.arrays import ImageArray, LabelArray
from overcast.geo.bands import SENTINEL_1
from overcast.geo.masks import CLOUDED, SCENE_CLASSES, Masked
from overcast.geo.raster import UNKNOWN, Image, Labels
from overcast.geo.stack import ImageSource, Stack
from overcast.geo.tiling import Window

pytestmark = pytest.mark.filterwarnings("ignore:Use .@. matmul")

GRID = GeoBox((8, 12), Affine(10, 0, 500_000, 0, -10, 5_000_000), "EPSG:32633")
COARSE = GeoBox((4, 6), Affine(20, 0, 500_000, 0, -20, 5_000_000), "EPSG:32633")


def image() -> ImageArray:
    values = np.arange(2 * 8 * 12, dtype=np.float32).reshape(2, 8, 12)
    values[:, 0, 0] = np.nan
    return ImageArray(Image.of(values, GRID, SENTINEL_1))


def mask() -> LabelArray:
    """Scene classes at 20 m: one after the other, twice; the last is unknown."""
    values = (np.arange(24) % 12).astype(np.uint8).reshape(4, 6)
    values[3, 5] = UNKNOWN
    return LabelArray(Labels(values=values, grid=COARSE, legend=SCENE_CLASSES))


def test_hidden_classes_are_invalid_and_nothing_else_changes() -> None:
    source: ImageSource = Masked(image(), mask())
    read, plain = source.read(GRID), image().read(GRID)
    fine = mask().labels.values.repeat(2, 0).repeat(2, 1)
    hidden = np.isin(fine, list(CLOUDED))
    np.testing.assert_array_equal(read.valid, plain.valid & ~hidden)
    assert read.valid[7, 11]
    np.testing.assert_array_equal(
        read.values[:, read.valid], plain.values[:, read.valid]
    )
    assert np.isnan(read.values[:, ~read.valid]).all()


def test_a_window_is_part_of_the_whole() -> None:
    masked = Masked(image(), mask(), frozenset({4}))
    stack = Stack(grid=GRID, images={"s1": masked})
    part = stack.read(Window(2, 3, 5, 7)).images["s1"].valid
    np.testing.assert_array_equal(part, masked.read(GRID).valid[2:7, 3:10])


def test_codes_must_be_of_the_mask() -> None:
    with pytest.raises(ValueError, match=r"codes \[12\] are not of the mask's legend"):
        Masked(image(), mask(), frozenset({4, 12}))
