"""Label cells: pixels of one label are one cell, blocks are whole cells."""

from __future__ import annotations

import numpy as np
import pytest
from affine import Affine
from odc.geo.geobox import GeoBox

from overcast.geo.arrays import LabelArray
from overcast.geo.legend import LandClass, Legend
from overcast.geo.raster import Labels
from overcast.label_quality.cells import LabelCells
from tests.rasters import CELL_M, SINUSOIDAL, utm

SCENE = utm((200, 260))


def sinusoidal(shape: tuple[int, int] = (14, 14)) -> GeoBox:
    """Cells of 463 m in the projection of MODIS, under and around the scene."""
    box = SCENE.extent.to_crs(SINUSOIDAL).boundingbox
    left, top = box.left - 2 * CELL_M, box.top + 2 * CELL_M
    return GeoBox(shape, Affine(CELL_M, 0, left, 0, -CELL_M, top), SINUSOIDAL)


def test_pixels_of_one_label_are_one_cell() -> None:
    """Labels that differ from cell to cell, read as any labels are."""
    grid = sinusoidal()
    legend = Legend("many", tuple(LandClass(k, f"c{k}", "000000") for k in range(196)))
    values = np.arange(196, dtype=np.uint8).reshape(14, 14)
    labels = LabelArray(Labels(values=values, grid=grid, legend=legend))
    cells = LabelCells.of(grid, SCENE)
    assert cells.are_labels
    cell, _ = cells.numbers(SCENE)
    read = labels.read(SCENE).values
    # Reading warps with GDAL, which may take a pixel at an edge for the next cell's.
    of_cell = {c: np.bincount(read[cell == c]).argmax() for c in np.unique(cell)}
    assert len(set(of_cell.values())) == len(of_cell) > 30
    alike = np.vectorize(of_cell.get)(cell) == read
    assert alike.mean() > 0.999
    assert cell.max() < cells.count


def test_blocks_are_whole_cells_of_about_the_size_asked_for() -> None:
    hundred = GeoBox((30, 30), SCENE.affine * Affine.scale(10), SCENE.crs)
    cells = LabelCells.of(hundred, SCENE)
    cell, block = cells.numbers(SCENE)
    pairs = np.unique(np.stack([cell.ravel(), block.ravel()]), axis=1)
    assert pairs.shape[1] == len(np.unique(cell))
    side = np.sqrt(np.bincount(block.ravel()).max())
    assert side == pytest.approx(26, abs=6)
    assert block.max() < cells.blocks


def test_fine_labels_are_taken_by_squares() -> None:
    cells = LabelCells.of(SCENE, SCENE)
    assert not cells.are_labels
    cell, _ = cells.numbers(SCENE)
    np.testing.assert_array_equal(np.bincount(cell[:16].ravel())[:16], 256)
    assert cells.count == 13 * 17


def test_a_window_has_the_numbers_of_the_whole() -> None:
    cells = LabelCells.of(sinusoidal(), SCENE)
    window = np.s_[37:90, 11:200]
    for whole, part in zip(
        cells.numbers(SCENE), cells.numbers(SCENE[window]), strict=True
    ):
        np.testing.assert_array_equal(whole[window], part)


def test_pixels_beside_the_labels_have_no_cell() -> None:
    part = SCENE[:100, :100]
    cell, block = LabelCells.of(part, SCENE).numbers(SCENE)
    assert (cell[100:] == -1).all()
    assert (block[:, 100:] == -1).all()
    assert (cell[:100, :100] >= 0).all()


def test_an_outline_is_where_the_pixels_of_its_cell_are() -> None:
    cells = LabelCells.of(SCENE[:, :250], SCENE)
    cell, _ = cells.numbers(SCENE)
    for number in (0, 7, cells.count - 1):
        rows, columns = np.nonzero(cell == number)
        place = SCENE[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
        assert cells.outline(number) == place


def test_labels_elsewhere_are_refused() -> None:
    with pytest.raises(ValueError, match="do not overlap"):
        LabelCells.of(utm((10, 10), east=700_000), SCENE)
