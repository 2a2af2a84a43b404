"""Suspicion of cells and of pixels, against the plainest computation."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from affine import Affine
from odc.geo.geobox import GeoBox

from overcast.label_quality.audit.suspicion import CellSums, pixel_suspicion
from overcast.label_quality.cells import LabelCells
from tests.rasters import utm

SCENE = utm((80, 80))
COARSE = GeoBox((8, 8), SCENE.affine * Affine.scale(10), SCENE.crs)


@pytest.fixture
def counted(tmp_path: Path) -> CellSums:
    """64 cells, label and agreement of each by its number."""
    cells = LabelCells.of(COARSE, SCENE)
    sums = CellSums(cells, tmp_path)
    cell, _ = cells.numbers(SCENE)
    for rows in (slice(0, 33), slice(33, 79)):  # the last row was not seen
        here = cell[rows].ravel()
        agreement = (here / 64).astype(np.float32)
        sums.add(here, agreement, (here % 3).astype(np.uint8))
    return sums


def test_cells_have_the_mean_of_their_pixels(counted: CellSums) -> None:
    every = np.arange(64)
    np.testing.assert_allclose(counted.suspicion(every), 1 - every / 64, atol=1e-6)
    np.testing.assert_array_equal(counted.pixels[:56], 100)
    np.testing.assert_array_equal(counted.pixels[56:], 90)


def test_a_cell_without_pixels_has_no_suspicion(tmp_path: Path) -> None:
    sums = CellSums(LabelCells.of(COARSE, SCENE), tmp_path)
    sums.add(np.array([5]), np.float32([0.25]), np.uint8([1]))
    found = sums.suspicion(np.array([[5, 6]]))
    assert found[0, 0] == pytest.approx(0.75)
    assert np.isnan(found[0, 1])


def test_the_worst_are_of_several_labels(counted: CellSums) -> None:
    assert counted.worst(4, each=2) == [0, 1, 2, 3]
    assert counted.worst(8, each=1) == [0, 1, 2]
    counted.label[:] = 1
    assert counted.worst(8, each=2) == [0, 1]


def test_cells_of_which_little_is_seen_are_not_shown(counted: CellSums) -> None:
    counted.pixels[0] = 49
    assert counted.worst(2, each=2) == [1, 2]


def test_squares_of_fine_labels_are_not_told_apart(tmp_path: Path) -> None:
    cells = LabelCells.of(SCENE, SCENE)
    sums = CellSums(cells, tmp_path)
    cell = cells.numbers(SCENE)[0].ravel()
    sums.add(cell, (cell / 25).astype(np.float32), np.zeros(cell.size, np.uint8))
    assert sums.worst(5, each=2) == [0, 1, 2, 3, 4]


def test_pixels_have_what_their_label_lacks() -> None:
    probabilities = np.float32([[[0.9, 0.2, 0.3]], [[0.1, 0.8, 0.7]]])
    labels, known = np.uint8([[0, 0, 255]]), np.array([[True, True, False]])
    found = pixel_suspicion(probabilities, labels, known)
    np.testing.assert_allclose(found, [[0.1, 0.8, np.nan]], atol=1e-6)
