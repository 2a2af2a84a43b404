import numpy as np
import pytest
from affine import Affine
from odc.geo.geobox import GeoBox
from pyproj import Transformer

from overcast.worlds.labels import CELL_M, SINUSOIDAL, cell_shares, confuse, find_cells
from overcast.worlds.measured import CROP, FOREST, GRASS, SAVANNA, URBAN

GRID = GeoBox((90, 120), Affine(10, 0, 431_230, 0, -10, 5_321_980), "EPSG:32632")
WHOLE = (slice(None), slice(None))


def test_every_pixel_lies_in_its_cell() -> None:
    cells = find_cells(GRID, WHOLE)
    back = Transformer.from_crs("EPSG:32632", SINUSOIDAL, always_xy=True)
    transform = cells.grid.affine
    for row, column in [(0, 0), (89, 0), (0, 119), (89, 119), (41, 77), (60, 13)]:
        x, y = GRID.affine @ (column + 0.5, row + 0.5)
        east, north = back.transform(x, y)
        at = int(cells.index[row, column])
        left, top = transform @ (at % cells.grid.shape[1], at // cells.grid.shape[1])
        assert 0 <= east - left < CELL_M
        assert 0 <= top - north < CELL_M


def test_cells_are_those_of_modis() -> None:
    transform = find_cells(GRID, WHOLE).grid.affine
    for origin in (transform.c, transform.f):
        assert origin / CELL_M == pytest.approx(round(origin / CELL_M), abs=1e-6)
    # The MODIS grid starts 43,200 cells west of the origin.
    assert abs(43_200 * CELL_M - 20_015_109.354) < 0.01


def test_only_cells_of_the_core_are_kept() -> None:
    cells = find_cells(GRID, (slice(30, 60), slice(40, 80)))
    inner = find_cells(GRID[30:60, 40:80], WHOLE)
    assert cells.grid == inner.grid
    assert np.array_equal(cells.index[30:60, 40:80], inner.index)
    assert (cells.index >= 0).sum() > inner.index.size


def test_shares_are_counts_and_sum_to_one() -> None:
    cells = find_cells(GRID, WHOLE)
    truth = np.random.default_rng(0).choice([FOREST, CROP], GRID.shape).astype(np.uint8)
    shares = cell_shares(truth, cells)
    assert set(shares.sum(1).round(9)) <= {0.0, 1.0}
    cell = int(cells.index[45, 60])
    inside = truth[cells.index == cell]
    assert shares[cell, CROP] == pytest.approx((inside == CROP).mean())


def test_most_pure_cells_keep_their_class_and_none_becomes_impossible() -> None:
    shares = np.tile(np.eye(10)[URBAN], (4000, 1))
    labels = confuse(np.random.default_rng(0), shares)
    assert (labels == URBAN).mean() == pytest.approx(0.91, abs=0.02)
    assert set(np.unique(labels)) == {GRASS, CROP, URBAN}


def test_half_open_woods_become_savanna_and_empty_cells_unknown() -> None:
    mixed = np.zeros((1000, 10))
    mixed[:, [FOREST, GRASS, CROP]] = 0.40, 0.35, 0.25
    labels = confuse(np.random.default_rng(0), mixed)
    assert 0.35 < (labels == SAVANNA).mean() < 0.65
    assert confuse(np.random.default_rng(0), np.zeros((3, 10))).tolist() == [255] * 3
