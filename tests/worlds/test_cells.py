import numpy as np
import pytest
from affine import Affine
from odc.geo.geobox import GeoBox
from pyproj import Transformer
from scipy.ndimage import label

from overcast.worlds.cells import (
    CORINE_M,
    LAEA,
    MODIS_M,
    SINUSOIDAL,
    LabelGridCells,
    confuse,
    corine_classes,
    count_classes,
    modis_classes,
    shares_of,
)
from overcast.worlds.measured import CROP, FOREST, GRASS, SAVANNA, URBAN, WATER

GRID = GeoBox((90, 120), Affine(10, 0, 431_230, 0, -10, 5_321_980), "EPSG:32632")


@pytest.mark.parametrize(("crs", "side"), [(SINUSOIDAL, MODIS_M), (LAEA, CORINE_M)])
def test_every_pixel_lies_in_its_cell(crs: str, side: float) -> None:
    cells = LabelGridCells.covering(GRID, crs, side)
    index = cells.of(range(90), range(120))
    assert (index >= 0).all()
    there = Transformer.from_crs("EPSG:32632", crs, always_xy=True)
    for row, column in [(0, 0), (89, 0), (0, 119), (89, 119), (41, 77), (60, 13)]:
        x, y = GRID.affine @ (column + 0.5, row + 0.5)
        east, north = there.transform(x, y)
        at = int(index[row, column])
        width = cells.grid.shape[1]
        left, top = cells.grid.affine @ (at % width, at // width)
        assert 0 <= east - left < side
        assert 0 <= top - north < side


def test_cells_are_those_of_modis() -> None:
    transform = LabelGridCells.covering(GRID, SINUSOIDAL, MODIS_M).grid.affine
    for origin in (transform.c, transform.f):
        assert origin / MODIS_M == pytest.approx(round(origin / MODIS_M), abs=1e-6)
    # The MODIS grid starts 43,200 cells west of the origin.
    assert abs(43_200 * MODIS_M - 20_015_109.354) < 0.01


def test_every_cell_of_the_grid_is_touched_and_pixels_beyond_have_none() -> None:
    cells = LabelGridCells.covering(GRID, LAEA, CORINE_M)
    used = np.unique(cells.of(range(90), range(120)))
    rows, columns = np.divmod(used, cells.grid.shape[1])
    assert len(np.unique(rows)) == cells.grid.shape[0]
    assert len(np.unique(columns)) == cells.grid.shape[1]
    assert (cells.of(range(-80, -60), range(120)) == -1).all()


def test_shares_are_counts_and_sum_to_one() -> None:
    cells = LabelGridCells.covering(GRID, SINUSOIDAL, MODIS_M)
    index = cells.of(range(90), range(120))
    truth = np.random.default_rng(0).choice([FOREST, CROP], GRID.shape).astype(np.uint8)
    pairs, often = count_classes(truth, index)
    counts = np.zeros(cells.grid.shape[0] * cells.grid.shape[1] * 10, int)
    counts[pairs] = often
    shares = shares_of(counts.reshape(-1, 10))
    assert set(shares.sum(1).round(9)) <= {0.0, 1.0}
    cell = int(index[45, 60])
    assert shares[cell, CROP] == pytest.approx((truth[index == cell] == CROP).mean())


def test_most_pure_cells_keep_their_class_and_none_becomes_impossible() -> None:
    shares = np.tile(np.eye(10)[URBAN], (4000, 1))
    labels = confuse(np.random.default_rng(0), shares)
    assert (labels == URBAN).mean() == pytest.approx(0.76, abs=0.02)
    assert set(np.unique(labels)) == {GRASS, CROP, URBAN}


def test_half_open_woods_become_savanna_and_empty_cells_unknown() -> None:
    mixed = np.zeros((1000, 10))
    mixed[:, [FOREST, GRASS, CROP]] = 0.40, 0.35, 0.25
    labels = confuse(np.random.default_rng(0), mixed)
    assert 0.35 < (labels == SAVANNA).mean() < 0.65
    assert confuse(np.random.default_rng(0), np.zeros((3, 10))).tolist() == [255] * 3


def test_a_modis_cell_sees_its_neighbours() -> None:
    shares = np.zeros((30, 30, 10))
    shares[..., GRASS] = 1
    shares[15, 15] = 0.55 * np.eye(10)[URBAN] + 0.45 * np.eye(10)[GRASS]
    found = [
        modis_classes(np.random.default_rng(seed), shares)[15, 15] for seed in range(40)
    ]
    # Half a cell of town, diluted by grass all around: never seen as town.
    assert URBAN not in found
    alone = [
        confuse(np.random.default_rng(seed), shares[15, 15][None])[0]
        for seed in range(40)
    ]
    assert alone.count(URBAN) > 15


def test_corine_has_no_small_polygons_and_calls_some_wrongly() -> None:
    rng = np.random.default_rng(1)
    blocks = rng.choice([FOREST, GRASS, CROP, WATER], (12, 12))
    classes = blocks.repeat(10, 0).repeat(10, 1)
    classes[rng.random(classes.shape) < 0.1] = URBAN
    shares = np.eye(10)[classes]
    found = corine_classes(np.random.default_rng(3), shares)
    assert URBAN not in found
    assert SAVANNA not in found
    sizes = [
        np.bincount(label(found == c)[0].ravel())[1:].min() for c in np.unique(found)
    ]
    assert min(sizes) >= 25
    right = (found == blocks.repeat(10, 0).repeat(10, 1)).mean()
    assert 0.75 < right < 0.99
