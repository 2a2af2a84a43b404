"""Pixels land where they belong: rasters whose values are their own coordinates."""

from __future__ import annotations

import numpy as np
import pyproj
import pytest
from affine import Affine
from odc.geo.geobox import GeoBox

from overcast.geo.raster import UNKNOWN
from overcast.geo.warp import (
    aligned,
    class_fractions,
    overlap,
    pixel_of,
    warp_classes,
    warp_values,
)
from tests.rasters import CELL_M, SINUSOIDAL, utm


def centres(grid: GeoBox) -> tuple[np.ndarray, np.ndarray]:
    """Coordinates of the pixels' centres."""
    columns, rows = np.meshgrid(
        np.arange(grid.shape[1]) + 0.5, np.arange(grid.shape[0]) + 0.5
    )
    a = grid.affine
    return a.a * columns + a.b * rows + a.c, a.d * columns + a.e * rows + a.f


def ramp(grid: GeoBox, origin: tuple[float, float]) -> np.ndarray:
    """Image of its own coordinates, from `origin` so that float32 holds them."""
    x, y = centres(grid)
    return np.stack([x - origin[0], y - origin[1]]).astype(np.float32)


def cells_around(grid: GeoBox, size: float = CELL_M) -> GeoBox:
    """Sinusoidal grid of cells that covers `grid`."""
    box = grid.extent.to_crs(SINUSOIDAL, resolution=100).boundingbox
    x0, y0 = np.floor(box.left / size) * size, np.ceil(box.top / size) * size
    shape = (
        int(np.ceil((y0 - box.bottom) / size)),
        int(np.ceil((box.right - x0) / size)),
    )
    return GeoBox(shape, Affine(size, 0, x0, 0, -size, y0), SINUSOIDAL)


def test_neighbouring_zone_lands_within_a_twentieth_pixel() -> None:
    target = utm((300, 300), east=702_000, north=5_300_000)
    move = pyproj.Transformer.from_crs("EPSG:32632", "EPSG:32633", always_xy=True)
    x, y = move.transform(*centres(target))
    east, north = np.floor(x.min() / 10) * 10 - 200, np.ceil(y.max() / 10) * 10 + 200
    source = utm((400, 400), east=east, north=north, zone=33)
    found = warp_values(ramp(source, (east, north)), source, target)
    error = np.hypot(found[0] - (x - east), found[1] - (y - north))
    assert np.isfinite(error).all()
    assert error.max() < 0.05 * 10


@pytest.mark.parametrize("size", [20, 37])
def test_ramps_survive_a_change_of_resolution(size: int) -> None:
    source, target = utm((240, 240), size=10), utm((40, 40), size=size)
    origin = (600_000, 5_300_000)
    found = warp_values(ramp(source, origin), source, target)
    inner = np.s_[:, 1:-2, 1:-2]
    np.testing.assert_allclose(found[inner], ramp(target, origin)[inner], atol=0.5)


def test_coarse_labels_stay_in_their_cells() -> None:
    target = utm((512, 512), east=705_000)
    cells = cells_around(target)
    names = (np.arange(cells.shape[0] * cells.shape[1]) % 251).astype(np.uint8)
    names = names.reshape(cells.shape)
    found = warp_classes(names, cells, target)
    move = pyproj.Transformer.from_crs("EPSG:32632", SINUSOIDAL, always_xy=True)
    x, y = move.transform(*centres(target))
    columns = np.floor((x - cells.affine.c) / CELL_M).astype(int)
    rows = np.floor((cells.affine.f - y) / CELL_M).astype(int)
    wrong = (found != names[rows, columns]).mean()
    assert wrong <= 0.015


def test_fractions_are_areas() -> None:
    source = utm((8, 8), size=100)
    target = utm((32, 32), size=25).translate_pix(0.5, 0)
    classes = np.tile(np.uint8([0, 1]), (8, 4))
    shares = class_fractions(classes, 2, source, target)
    # Pixels of 25 m that straddle a border of 100 m cells are half and half.
    np.testing.assert_allclose(shares[:, 4, 3], [0.5, 0.5], atol=0.01)
    np.testing.assert_allclose(shares[:, 4, 0], [1, 0], atol=0.01)
    np.testing.assert_allclose(shares.sum(0)[:, :-1], 1, atol=1e-6)


def test_fractions_of_finer_labels_count_their_pixels() -> None:
    source, target = utm((60, 60), size=10), utm((6, 6), size=100)
    classes = np.random.default_rng(0).integers(0, 3, (60, 60)).astype(np.uint8)
    shares = class_fractions(classes, 3, source, target)
    blocks = classes.reshape(6, 10, 6, 10)
    expected = np.stack([(blocks == k).mean((1, 3)) for k in range(3)])
    np.testing.assert_allclose(shares, expected, atol=1e-6)


def test_nan_takes_no_part() -> None:
    source, target = utm((40, 40)), utm((80, 80), size=5)
    values = np.full((1, 40, 40), 7.0, np.float32)
    values[:, 10:20, 10:20] = np.nan
    found = warp_values(values, source, target)
    assert np.isnan(found[0, 24:36, 24:36]).all()
    assert np.nanmax(np.abs(found - 7)) < 1e-5


def test_outside_is_nothing() -> None:
    source, target = utm((20, 20)), utm((20, 20), east=650_000)
    assert overlap(source, target) is None
    assert np.isnan(warp_values(np.ones((1, 20, 20), np.float32), source, target)).all()
    assert (warp_classes(np.ones((20, 20), np.uint8), source, target) == UNKNOWN).all()


def test_alignment_is_noticed_and_refused() -> None:
    grid = utm()
    assert aligned(grid, grid[3:9, 5:7]) == (3, 5)
    assert aligned(grid[3:, 5:], grid) == (-3, -5)
    assert aligned(grid, grid.translate_pix(0.5, 0)) is None
    assert aligned(grid, utm(size=20)) is None
    assert aligned(grid, utm(zone=33)) is None
    # 0.1 % of a pixel a pixel is more than a pixel across a scene.
    assert aligned(utm((4000, 4000)), utm((4000, 4000), size=10.01)) is None


def test_pixel_of_is_exact_across_projections() -> None:
    source = GeoBox(
        (40, 60), Affine(463.3, 0, 600_000, 0, -463.3, 5_330_000), SINUSOIDAL
    )
    target = GeoBox((30, 20), Affine(10, 0, 400_000, 0, -10, 5_300_000), "EPSG:32632")
    row, column = pixel_of(source, target)
    there = pyproj.Transformer.from_crs("EPSG:32632", SINUSOIDAL, always_xy=True)
    for i, j in ((0, 0), (29, 19), (13, 7)):
        east, north = there.transform(
            400_000 + 10 * (j + 0.5), 5_300_000 - 10 * (i + 0.5)
        )
        assert column[i, j] == np.floor((east - 600_000) / 463.3)
        assert row[i, j] == np.floor((5_330_000 - north) / 463.3)
    assert np.array_equal(pixel_of(target, target)[0][:, 0], np.arange(30))
