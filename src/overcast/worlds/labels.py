"""A coarse land-cover map as MODIS would give it: 500 m cells, some of them wrong.

Cells lie on the MODIS sinusoidal grid; every 10 m pixel belongs to the cell that its
centre falls into. A cell gets the class that most of its pixels have, Savanna where
trees and grass mix, and in some cells a class that the product is known to confuse.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from affine import Affine
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox
from pyproj import Transformer

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
CELL_M = 463.312716528
_CLASSES = 10
_UNKNOWN = 255
_CONFUSED = 0.12
"""Chance of a wrong class in a pure cell; twice that in a cell of many classes."""

_MISTAKES = {
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
class Cells:
    """Which cell of `grid` every pixel lies in: int64 ``[H, W]``, row-major."""

    grid: GeoBox
    index: NDArray[np.int64]


def find_cells(pixels: GeoBox, core: tuple[slice, slice]) -> Cells:
    """Cells of `pixels`; the grid covers those that `core` touches.

    Pixels outside the grid have index -1.
    """
    h, w = pixels.shape
    column, row = np.meshgrid(np.arange(w) + 0.5, np.arange(h) + 0.5)
    a = pixels.affine
    x, y = a.c + a.a * column + a.b * row, a.f + a.d * column + a.e * row
    to_grid = Transformer.from_crs(str(pixels.crs), SINUSOIDAL, always_xy=True)
    east, north = to_grid.transform(x, y)
    right = np.floor(east / CELL_M).astype(np.int64)
    down = np.floor(-north / CELL_M).astype(np.int64)
    left, top = int(right[core].min()), int(down[core].min())
    columns = int(right[core].max()) - left + 1
    rows = int(down[core].max()) - top + 1
    transform = Affine(CELL_M, 0, left * CELL_M, 0, -CELL_M, -top * CELL_M)
    inside = (right >= left) & (right < left + columns)
    inside &= (down >= top) & (down < top + rows)
    index = np.where(inside, (down - top) * columns + right - left, -1)
    return Cells(GeoBox((rows, columns), transform, SINUSOIDAL), index)


def cell_shares(truth: NDArray[np.uint8], cells: Cells) -> NDArray[np.float64]:
    """Share of every class in every cell, ``[cells, 10]``; zero where no pixel lies."""
    rows, columns = cells.grid.shape
    known = cells.index >= 0
    code = cells.index[known] * _CLASSES + truth[known]
    count = np.bincount(code, minlength=rows * columns * _CLASSES)
    count = count.reshape(-1, _CLASSES).astype(np.float64)
    return np.asarray(count / np.maximum(count.sum(1, keepdims=True), 1))


def confuse(rng: np.random.Generator, shares: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Class of every cell from its shares; `_UNKNOWN` where they are zero."""
    classes = shares.argmax(1)
    purity = shares.max(1)
    chance = rng.random(len(shares))
    draw = rng.random(len(shares))
    out: NDArray[np.uint8] = classes.astype(np.uint8)
    for i in np.flatnonzero(chance < _CONFUSED * np.where(purity < 0.6, 1.5, 0.75)):
        mistakes = _MISTAKES[int(classes[i])]
        at = np.searchsorted(np.cumsum(list(mistakes.values())), draw[i])
        out[i] = list(mistakes)[min(int(at), len(mistakes) - 1)]
    woody = shares[:, FOREST] + shares[:, SHRUB]
    open_land = shares[:, GRASS] + shares[:, SHRUB]
    mixed = (woody > 0.3) & (woody < 0.65) & (open_land > 0.25) & (purity < 0.5)
    out[mixed & (chance < 0.45)] = SAVANNA
    out[shares.sum(1) == 0] = _UNKNOWN
    return out
