"""Whether labels of cells lie beside the land that they are of."""

from __future__ import annotations

import numpy as np
import pytest
from affine import Affine
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox
from scipy.ndimage import gaussian_filter

from overcast.geo.arrays import LabelArray
from overcast.geo.raster import Labels
from overcast.label_quality.registration import Shift
from overcast.methods.place.beside import beside_land
from overcast.methods.place.consistency import place_by_consistency
from tests.methods.test_place import GRID, LEGEND, Looking, stack_of


def land() -> NDArray[np.uint8]:
    """Four classes in patches of many cells, ``[120, 120]``."""
    field = gaussian_filter(np.random.default_rng(2).normal(size=(120, 120)), 9)
    return np.digitize(field, np.quantile(field, (0.25, 0.5, 0.75))).astype(np.uint8)


def labels(down: int, right: int, side: int = 6) -> LabelArray:
    """Cells of the land, which lie so many pixels beside it."""
    values = land()[side // 2 :: side, side // 2 :: side]
    place = GRID.affine * Affine.translation(right, down) * Affine.scale(side)
    grid = GeoBox(values.shape, place, GRID.crs)
    return LabelArray(Labels(values=values, grid=grid, legend=LEGEND))


def seen() -> NDArray[np.float32]:
    every = [np.where(land() == k, 0.7, 0.1) for k in range(4)]
    return np.stack(every).astype(np.float32)


@pytest.mark.parametrize(("down", "right"), [(6, -6), (-3, 0), (0, 6)])
def test_labels_beside_the_land_must_be_moved_back(down: int, right: int) -> None:
    found = beside_land(labels(down, right), [(GRID, seen())], 6)
    assert found == Shift(-down, -right)


def test_labels_in_their_place_and_noise_are_not_moved() -> None:
    assert beside_land(labels(0, 0), [(GRID, seen())], 6) is None
    random = np.random.default_rng(1)
    noise = random.dirichlet(np.ones(4), (120, 120)).transpose(2, 0, 1)
    view = GRID, noise.astype(np.float32)
    assert beside_land(labels(0, 0), [view], 6) is None
    assert beside_land(labels(0, 0), [], 6) is None


def test_few_or_small_cells_say_nothing() -> None:
    assert beside_land(labels(6, 6), [(GRID, seen())], 3) is None
    part = GRID[40:60, 40:60]
    assert beside_land(labels(6, 6), [(part, seen()[:, 40:60, 40:60])], 6) is None


def test_a_note_says_where_labels_lie() -> None:
    stack = stack_of(labels(6, 0), land())
    (note,) = place_by_consistency(Looking(), stack, 0).notes
    assert "about 60 m to the south of where they belong" in note
    (note,) = place_by_consistency(Looking(), stack_of(labels(0, 0), land()), 0).notes
    assert "where they belong" not in note
