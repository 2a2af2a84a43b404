"""Relief, rivers and towns, and which land each class finds suitable.

Suitability is a field per class; classes take their share of the land in turn, each
where it suits best. Levels are found once on a sparse grid over the whole scene, so
that the shares of the region hold in it; from then on every place stands for itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from overcast.worlds.measured import (
    BARREN,
    FOREST,
    GRASS,
    SHRUB,
    URBAN,
    WATER,
    WETLAND,
)
from overcast.worlds.noise import (
    Floats,
    Fractal,
    Places,
    centres_of,
    key_of,
    stream,
)
from overcast.worlds.region import WorldRegion
from overcast.worlds.rivers import STEP, Rivers, run_rivers

_SAMPLES = 192
"""Rows and columns of the grid on which levels are found."""
_MARGIN = 12
"""Nodes of the coarse grid beyond the scene."""
_TOWN_CELL = 374.0
"""Pixels along the square that holds one town: 14 km²."""
_TRIES = 16
_NOWHERE = 6.0
"""Distance from a town, in its own kilometres, beyond which it has no effect."""
_TILT = 1.6
_REGIONAL = 3000.0
"""Wavelength, in pixels, of what makes one part of a large scene unlike another."""


@dataclass(frozen=True, slots=True)
class Town:
    """Centre in pixels down and right, size relative to others, and its number."""

    y: float
    x: float
    size: float
    number: int


@dataclass(frozen=True, slots=True)
class _Fields:
    """Fields ``[H, W]`` that classes choose by."""

    relief: Floats
    near_river: Floats
    near_town: Floats
    noise: Callable[[int, float, float], Floats]
    rough: float


@dataclass(frozen=True)
class Terrain:
    """Relief, rivers and towns of a scene of `size` by `size` pixels of 10 m.

    `levels` holds for every class the suitability that it needs to take land.
    """

    key: int
    size: int
    region: WorldRegion
    rivers: Rivers
    towns: tuple[Town, ...]
    levels: dict[int, np.float32]

    def relief(self, y: Places, x: Places) -> Floats:
        """Height without unit ``[H, W]``; rivers lie in valleys."""
        valley = _valley(self.rivers.distance(y, x))
        return _raw_relief(self.key, self.size, self.region, y, x) + valley

    def nearness(self, y: Places, x: Places) -> Floats:
        """Minus the distance to the nearest town in km over its size ``[H, W]``."""
        return _nearness(self.towns, y, x)

    def margins(self, y: Places, x: Places) -> dict[int, Floats]:
        """Per class a field that is positive where it would take the land.

        Ordered: an earlier class keeps what it took.
        """
        relief, rough = self.relief(y, x), self.region.rough
        fields = _fields(self.key, relief, self.rivers, self.towns, (y, x), rough)
        return _settle(fields, lambda c, field, free: self.levels[c])


def shape_terrain(seed: int, size: int, region: WorldRegion) -> Terrain:
    """Terrain of a scene; a pure function of its arguments."""
    key = key_of(seed, "terrain")
    first = -STEP * _MARGIN
    count = 2 * _MARGIN + int(np.ceil(size / STEP)) + 1
    nodes = first + STEP * np.arange(count, dtype=np.float64)
    coarse = _raw_relief(key, size, region, nodes, nodes)
    rivers = run_rivers(key_of(seed, "rivers"), coarse, first)
    towns = _found_towns(seed, size, region, rivers)
    count = min(size, _SAMPLES)
    at = centres_of(range(count)) * (size / count)
    raised = _valley(rivers.distance(at, at))
    relief = np.asarray(_raw_relief(key, size, region, at, at) + raised, np.float32)
    levels: dict[int, np.float32] = {}

    def find(c: int, field: Floats, free: NDArray[np.bool_]) -> np.float32:
        levels[c] = _level(field, free, region.shares[c])
        return levels[c]

    fields = _fields(key, relief, rivers, towns, (at, at), region.rough)
    _settle(fields, find)
    return Terrain(key, size, region, rivers, towns, levels)


def _raw_relief(
    key: int, size: int, region: WorldRegion, y: Places, x: Places
) -> Floats:
    far = Fractal(key + 50, _REGIONAL, finest=_REGIONAL / 16).at(y, x)
    hills = Fractal(key, 420.0, 4.0).at(y, x) + np.float32(0.6) * far
    if not region.coast:
        return hills
    # Towards the sea the land sinks; hills stay, so the coast has bays and islands.
    down, right = -np.cos(region.sea_bearing), np.sin(region.sea_bearing)
    down, right = np.round(2 * _TILT * np.array([down, right]) / size, 9)
    tilt = (y - size / 2)[:, None] * down + (x - size / 2)[None, :] * right
    return np.asarray(hills - tilt.astype(np.float32), np.float32)


def _valley(distance: Floats) -> Floats:
    away = distance * np.float32(1 / 40)
    return np.asarray(1.1 * away / (1 + away) - 0.8, np.float32)


def _fields(
    key: int,
    relief: Floats,
    rivers: Rivers,
    towns: tuple[Town, ...],
    at: tuple[Places, Places],
    rough: float,
) -> _Fields:
    y, x = at
    away = rivers.distance(y, x) * np.float32(1 / 30)

    def noise(c: int, wavelength: float, slope: float) -> Floats:
        near = Fractal(key + 101 * (c + 1), wavelength, slope, finest=5.0)
        far = Fractal(key + 101 * (c + 1) + 50, _REGIONAL, finest=_REGIONAL / 16)
        return near.at(y, x) + np.float32(0.6) * far.at(y, x)

    near_river = np.asarray(1 / (1 + away * away), np.float32)
    return _Fields(relief, near_river, _nearness(towns, y, x), noise, rough)


def _settle(
    on: _Fields, level: Callable[[int, Floats, NDArray[np.bool_]], np.float32]
) -> dict[int, Floats]:
    """Let every class take land in turn, above the level that it is told."""
    rough = np.float32(on.rough) * on.noise(20, 14.0, 3.0)
    free = np.ones(on.relief.shape, np.bool_)
    margin: dict[int, Floats] = {}

    def take(c: int, field: Floats) -> None:
        margin[c] = np.asarray(field - level(c, field, free), np.float32)
        free[margin[c] > 0] = False

    low = 0.6 * on.near_river - 0.9 * on.relief
    take(WATER, 0.55 * on.noise(WATER, 150, 4.2) + low + 0.04 * rough)
    shore = margin[WATER].clip(-1.4, 0)
    wet = 0.9 * on.noise(WETLAND, 160, 4.4) - 0.4 * on.relief + 0.6 * on.near_river
    take(WETLAND, wet + 0.8 * shore + 0.08 * rough)
    take(URBAN, on.near_town + 0.16 * on.noise(URBAN, 45, 2.8))
    take(BARREN, on.noise(BARREN, 190, 4.2) + 0.6 * on.relief + 0.06 * rough)
    take(FOREST, on.noise(FOREST, 190, 3.7) + 0.5 * on.relief + 0.1 * rough)
    edge = margin[FOREST].clip(-1.4, 0)
    exposed = on.noise(SHRUB, 190, 4.2) + 0.3 * on.relief
    take(SHRUB, exposed + 0.5 * edge + 0.1 * rough)
    take(GRASS, on.noise(GRASS, 170, 4.0) + 0.2 * on.near_river + 0.08 * rough)
    return margin


def _level(field: Floats, free: NDArray[np.bool_], wanted: float) -> np.float32:
    """Value above which `wanted` of the whole area lies on free land."""
    values = field[free]
    part = min(wanted * field.size / max(values.size, 1), 1.0)
    return np.float32(np.quantile(values, 1 - part)) if values.size else np.float32(9e9)


def _found_towns(
    seed: int, size: int, region: WorldRegion, rivers: Rivers
) -> tuple[Town, ...]:
    """One town to a square, at the lowest and driest of some random places."""
    rng = stream(seed, "towns")
    key = key_of(seed, "terrain")
    origin = rng.uniform(-_TOWN_CELL, 0, 2)
    cells = [int(np.ceil((size - o) / _TOWN_CELL)) for o in origin]
    towns = []
    for number, (row, column) in enumerate(np.ndindex(*cells)):
        corner = origin + _TOWN_CELL * np.array([row, column])
        y, x = corner[:, None] + _TOWN_CELL * rng.uniform(0.15, 0.85, (2, _TRIES))
        height = np.array(
            [
                _raw_relief(key, size, region, y[i : i + 1], x[i : i + 1])[0, 0]
                for i in range(_TRIES)
            ]
        )
        best = int(np.abs(height + 0.2).argmin())
        grown = float(np.round(np.exp(rng.normal(0, 0.3)), 4))
        place = (round(float(y[best]), 1), round(float(x[best]), 1))
        towns.append(Town(*place, grown, number))
    return tuple(towns)


def _nearness(towns: tuple[Town, ...], y: Places, x: Places) -> Floats:
    """Minus the distance to the nearest town in kilometres over its size."""
    nearest = np.full((len(y), len(x)), _NOWHERE, np.float32)
    for t in towns:
        reach = 100 * t.size * _NOWHERE
        aside = max(y[0] - t.y, t.y - y[-1], x[0] - t.x, t.x - x[-1])
        if aside > reach:
            continue
        down = ((y - t.y) / (100 * t.size)).astype(np.float32)[:, None]
        right = ((x - t.x) / (100 * t.size)).astype(np.float32)[None, :]
        nearest = np.minimum(nearest, np.sqrt(down * down + right * right))
    return -nearest
