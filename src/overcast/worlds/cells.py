"""Coarse class maps: 500 m cells as MODIS gives them, 100 m polygons as CORINE does.

Every 10 m pixel belongs to the cell that its centre falls into. Classes are counted
per cell, window by window, in any order; what becomes of the counts is decided once
all are there.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from affine import Affine
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox
from pyproj import Transformer
from rasterio.features import sieve
from scipy.ndimage import convolve1d, label

from overcast.geo.raster import UNKNOWN
from overcast.worlds.measured import (
    BARREN,
    CROP,
    FOREST,
    GRASS,
    SAVANNA,
    SHRUB,
    URBAN,
    WATER,
    WETLAND,
)

SINUSOIDAL = "+proj=sinu +lon_0=0 +x_0=0 +y_0=0 +R=6371007.181 +units=m +no_defs"
MODIS_M = 463.312716528
LAEA, CORINE_M = "EPSG:3035", 100.0
_CLASSES = 10
REACH_PX = 66
"""Pixels beyond the scene that a 500 m cell touching it may reach."""
_BESIDE, _ABOVE = (0.125, 0.75, 0.125), (0.06, 0.88, 0.06)
"""What a cell sees of its neighbours: MODIS has a triangular response two cells wide
along the scan (Wolfe et al. 2002), and gridding smears a little along the track."""
_CONFUSED = 0.32
"""Chance of a wrong class; three quarters of it in a pure cell, half more in a mixed
one. Set so that the labels have an average accuracy of about .37 at 10 m: those of
MODIS have .372 on DFC2020 (Schmitt et al. 2020, table 3)."""
_SMALLEST_POLYGON = 25
"""Cells of 100 m in CORINE's minimum mapping unit of 25 ha."""
_WRONG_POLYGON = 0.08

MISTAKES = {
    FOREST: {SAVANNA: 0.6, SHRUB: 0.2, GRASS: 0.2},
    SHRUB: {GRASS: 0.4, SAVANNA: 0.4, CROP: 0.2},
    GRASS: {CROP: 0.5, SAVANNA: 0.3, SHRUB: 0.2},
    WETLAND: {GRASS: 0.4, CROP: 0.2, SAVANNA: 0.2, WATER: 0.2},
    CROP: {GRASS: 0.8, SAVANNA: 0.2},
    URBAN: {CROP: 0.7, GRASS: 0.3},
    BARREN: {GRASS: 0.5, SHRUB: 0.3, CROP: 0.2},
    WATER: {WETLAND: 0.7, GRASS: 0.3},
}
"""Which class is given instead. Directions follow the measured confusion of global
products (grass for crops 10 to 20 %, crops for grass 40 %, shrub called grass or
forest, half of the urban points called vegetation; n 3621, 930 and 768 points);
Savanna for half-open woods is that of MODIS, and its shares are chosen by hand."""


@dataclass(frozen=True, slots=True)
class LabelGridCells:
    """Cells of `grid`, which covers a scene, found from pixels of `pixels`."""

    grid: GeoBox
    pixels: GeoBox

    @classmethod
    def covering(cls, pixels: GeoBox, crs: str, side_m: float) -> LabelGridCells:
        """All cells that the scene `pixels` touches."""
        h, w = pixels.shape
        along = np.linspace(0, 1, 4 * max(h, w))
        rows, columns = 0.5 + (h - 1) * along, 0.5 + (w - 1) * along
        low, high = np.zeros_like(along), np.ones_like(along)
        y = np.concatenate([rows, rows, 0.5 + low, h - 0.5 * high])
        x = np.concatenate([0.5 + low, w - 0.5 * high, columns, columns])
        down, right = _cell_of(pixels, y, x, crs, side_m)
        top, left = int(down.min()), int(right.min())
        shape = (int(down.max()) - top + 1, int(right.max()) - left + 1)
        transform = Affine(side_m, 0, left * side_m, 0, -side_m, -top * side_m)
        return cls(GeoBox(shape, transform, crs), pixels)

    def of(self, rows: range, columns: range) -> NDArray[np.int64]:
        """Cell of every pixel ``[H, W]``, row-major in `grid`, -1 outside of it."""
        y = np.array(rows)[:, None] + 0.5 + np.zeros(len(columns))
        x = np.array(columns)[None, :] + 0.5 + np.zeros((len(rows), 1))
        a = self.grid.affine
        down, right = _cell_of(self.pixels, y, x, str(self.grid.crs), a.a)
        down -= round(-a.f / a.a)
        right -= round(a.c / a.a)
        height, width = self.grid.shape
        inside = (down >= 0) & (down < height) & (right >= 0) & (right < width)
        return np.where(inside, down * width + right, -1)


def _cell_of(
    pixels: GeoBox,
    y: NDArray[np.float64],
    x: NDArray[np.float64],
    crs: str,
    side: float,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    a = pixels.affine
    transformer = Transformer.from_crs(str(pixels.crs), crs, always_xy=True)
    east, north = transformer.transform(
        a.c + a.a * x + a.b * y, a.f + a.d * x + a.e * y
    )
    down, right = np.floor(-north / side), np.floor(east / side)
    return down.astype(np.int64), right.astype(np.int64)


def count_classes(
    truth: NDArray[np.uint8], cells: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Tell which pairs of cell and class occur, as ``cell * 10 + class``, and how often."""
    known = cells >= 0
    pairs = cells[known] * _CLASSES + truth[known]
    return np.unique(pairs, return_counts=True)


def shares_of(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Share of every class in every cell ``[..., 10]``; zero where no pixel lies."""
    per_cell = counts.reshape(*counts.shape[:-1], _CLASSES).astype(np.float64)
    return np.asarray(per_cell / np.maximum(per_cell.sum(-1, keepdims=True), 1))


def modis_classes(
    rng: np.random.Generator, shares: NDArray[np.float64]
) -> NDArray[np.uint8]:
    """Class of every 500 m cell ``[H, W]`` from its shares ``[H, W, 10]``.

    What a cell sees reaches into its neighbours; it gets the class that it sees most
    of, Savanna where trees and grass mix, and now and then a class that the product
    is known to confuse with it. `UNKNOWN` where shares are zero.
    """
    seen = convolve1d(shares, _BESIDE, axis=1, mode="nearest")
    seen = convolve1d(seen, _ABOVE, axis=0, mode="nearest")
    seen[shares.sum(-1) == 0] = 0
    return confuse(rng, seen.reshape(-1, _CLASSES)).reshape(shares.shape[:2])


def confuse(rng: np.random.Generator, shares: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Class of every cell ``[N]`` from what it sees ``[N, 10]``."""
    classes = shares.argmax(1)
    purity = shares.max(1)
    chance = rng.random(len(shares))
    draw = rng.random(len(shares))
    out: NDArray[np.uint8] = classes.astype(np.uint8)
    wrong = chance < _CONFUSED * np.where(purity < 0.6, 1.5, 0.75)
    for i in np.flatnonzero(wrong):
        out[i] = mistake(int(classes[i]), float(draw[i]))
    woody = shares[:, FOREST] + shares[:, SHRUB]
    open_land = shares[:, GRASS] + shares[:, SHRUB]
    mixed = (woody > 0.3) & (woody < 0.65) & (open_land > 0.25) & (purity < 0.5)
    out[mixed & (chance < 0.45)] = SAVANNA
    out[shares.sum(1) == 0] = UNKNOWN
    return out


def mistake(c: int, draw: float) -> int:
    """Class given instead of `c`, for a number between 0 and 1."""
    at = int(np.searchsorted(np.cumsum(list(MISTAKES[c].values())), draw))
    return list(MISTAKES[c])[min(at, len(MISTAKES[c]) - 1)]


def corine_classes(
    rng: np.random.Generator, shares: NDArray[np.float64]
) -> NDArray[np.uint8]:
    """Class of every 100 m cell ``[H, W]`` from its shares ``[H, W, 10]``.

    Groups of less than 25 ha join their largest neighbour, as in the minimum mapping
    unit of CORINE, and some polygons are called wrongly as a whole.
    """
    known = shares.sum(-1) > 0
    classes = np.where(known, shares.argmax(-1), UNKNOWN).astype(np.uint8)
    classes = sieve(classes, _SMALLEST_POLYGON, mask=known.astype(np.uint8))
    out = classes.copy()
    for c in MISTAKES:
        polygons, count = label(classes == c)
        called = np.full(count + 1, c, np.uint8)
        for number in np.flatnonzero(rng.random(count) < _WRONG_POLYGON) + 1:
            called[number] = mistake(c, float(rng.random()))
        # Maps drawn by people have no Savanna in Europe: such polygons stay right.
        called[called == SAVANNA] = c
        out = np.where(polygons > 0, called[polygons], out)
    return np.where(known, out, np.uint8(UNKNOWN))
