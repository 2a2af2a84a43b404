"""Relief, rivers and towns, and which land each class finds suitable.

Suitability is a field per class; classes take their share of the land in turn, each
where it suits best. Shares are drawn per world.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt
from scipy.spatial import cKDTree

from overcast.worlds.measured import (
    BARREN,
    FOREST,
    GRASS,
    SHRUB,
    URBAN,
    WATER,
    WETLAND,
)
from overcast.worlds.noise import Floats, fractal, stream

_PIXEL_M = 10.0
_SHARES = {
    WATER: 0.075,
    WETLAND: 0.11,
    URBAN: 0.10,
    BARREN: 0.095,
    FOREST: 0.17,
    SHRUB: 0.10,
    GRASS: 0.06,
}
"""Mean shares of zones, in the order in which they take land; the rest is farmed."""
_CONCENTRATION = 90.0
_TOWN_KM2 = 14.0  # land per town


@dataclass(frozen=True, slots=True)
class Town:
    """Centre in metres down and right, street direction, size relative to others."""

    y: float
    x: float
    angle: float
    size: float


@dataclass(frozen=True, slots=True)
class Terrain:
    """Fields float32 ``[H, W]`` at 10 m.

    `margin` per zone class is positive where the class would take the land if no
    earlier one had; `river_m` is the distance to the nearest stream and `width_m` half
    the width of that stream.
    """

    relief: Floats
    margin: dict[int, Floats]
    river_m: Floats
    width_m: Floats
    towns: tuple[Town, ...]


def shape_terrain(
    seed: int, shape: tuple[int, int], core: tuple[slice, slice]
) -> Terrain:
    """Terrain of `shape`, with the drawn shares holding inside `core`."""
    rng = stream(seed, "terrain")
    river_m, width_m = _rivers(rng, shape)
    raised = fractal(rng, shape, 260.0, 4.0) + 0.7 * np.log1p(river_m / 250)
    relief = np.asarray(raised - raised.mean(), np.float32)
    towns = _towns(rng, shape, core, relief)
    fields = _suitability(rng, relief, river_m, towns)
    share = _draw_shares(rng)
    free = np.ones(shape, np.bool_)
    margin: dict[int, Floats] = {}
    for c, wanted in share.items():
        field = fields[c]
        if c == WETLAND:
            dry = np.log1p(distance_transform_edt(free) / 30)
            field = field - np.asarray(0.5 * dry, np.float32)
        if c == SHRUB:
            woods = np.log1p(distance_transform_edt(margin[FOREST] <= 0) / 20)
            field = field - np.asarray(0.35 * woods, np.float32)
        margin[c] = field - _threshold(field[core], free[core], wanted)
        free &= margin[c] <= 0
    return Terrain(relief, margin, river_m, width_m, towns)


def _threshold(field: Floats, free: NDArray[np.bool_], wanted: float) -> np.float32:
    """Value above which `wanted` of the whole area lies on free land."""
    values = field[free]
    part = min(wanted * field.size / max(values.size, 1), 1.0)
    return np.float32(np.quantile(values, 1 - part)) if values.size else np.float32(9e9)


def _draw_shares(rng: np.random.Generator) -> dict[int, float]:
    mean = np.array([*_SHARES.values(), 1 - sum(_SHARES.values())])
    drawn = rng.dirichlet(mean * _CONCENTRATION)
    # A class that got next to nothing could not be learned from 500 m cells.
    return {c: max(d, 0.7 * _SHARES[c]) for c, d in zip(_SHARES, drawn, strict=False)}


def _suitability(
    rng: np.random.Generator, relief: Floats, river_m: Floats, towns: tuple[Town, ...]
) -> dict[int, Floats]:
    def noise(wavelength: float, slope: float) -> Floats:
        return fractal(rng, relief.shape, wavelength, slope)

    near_river = np.asarray(np.exp(-river_m / 300), np.float32)
    rough = noise(12.0, 3.0)
    return {
        WATER: noise(150.0, 4.6) - 0.9 * relief + 0.5 * near_river + 0.04 * rough,
        WETLAND: noise(160.0, 5.0) - 0.7 * relief + 0.6 * near_river + 0.05 * rough,
        URBAN: _town_field(towns, relief.shape) + 0.13 * noise(45.0, 2.8),
        BARREN: noise(190.0, 5.2) + 0.6 * relief + 0.04 * rough,
        FOREST: noise(190.0, 4.4) + 0.5 * relief + 0.07 * rough,
        SHRUB: noise(190.0, 5.0) + 0.3 * relief + 0.06 * rough,
        GRASS: noise(170.0, 4.8) + 0.05 * rough,
    }


def _towns(
    rng: np.random.Generator,
    shape: tuple[int, int],
    core: tuple[slice, slice],
    relief: Floats,
) -> tuple[Town, ...]:
    """Low and flat places, best of random ones, inside the core."""
    height = core[0].stop - core[0].start
    count = max(1, round((height * _PIXEL_M / 1000) ** 2 / _TOWN_KM2))
    low, high = core[0].start + 0.12 * height, core[0].stop - 0.12 * height
    towns: list[Town] = []
    for _ in range(count):
        tried = rng.uniform(low, high, (24, 2))
        gap = [
            min((np.hypot(*(p * _PIXEL_M - (t.y, t.x))) for t in towns), default=1e9)
            for p in tried
        ]
        level = relief[tuple(tried.astype(int).T)]
        best = tried[np.argmin(np.abs(level + 0.3) + 4 * (np.array(gap) < 1500))]
        angle, size = rng.uniform(0, np.pi / 2), np.exp(rng.normal(0, 0.3))
        y, x = best * _PIXEL_M
        towns.append(Town(float(y), float(x), float(angle), float(size)))
    return tuple(towns)


def _town_field(towns: tuple[Town, ...], shape: tuple[int, int]) -> Floats:
    """Closeness to the nearest town, in kilometres divided by its size."""
    y = (np.arange(shape[0], dtype=np.float32)[:, None] + 0.5) * _PIXEL_M
    x = (np.arange(shape[1], dtype=np.float32)[None, :] + 0.5) * _PIXEL_M
    far = [np.hypot(y - t.y, x - t.x) / (1000 * t.size) for t in towns]
    return np.asarray(-np.minimum.reduce(far), np.float32)


def _rivers(rng: np.random.Generator, shape: tuple[int, int]) -> tuple[Floats, Floats]:
    """Distance in metres to the nearest river or brook, and half its width."""
    extent = np.array(shape) * _PIXEL_M
    length = float(extent.max()) * 1.6
    brooks = max(1, round(length / 4000))
    lines, widths = [], []
    for i in range(1 + brooks):
        middle = extent * rng.uniform(0.3 if i == 0 else 0.1, 0.7 if i == 0 else 0.9, 2)
        angle = rng.uniform(0, np.pi)
        t = np.arange(-length / 2, length / 2, 5.0)
        bend = np.zeros_like(t)
        for wave in (3500.0, 1400.0, 600.0):
            bend += (
                0.055
                * wave
                * rng.normal()
                * np.sin(2 * np.pi * (t / wave + rng.uniform()))
            )
        direction = np.array([np.sin(angle), np.cos(angle)])
        normal = np.array([direction[1], -direction[0]])
        lines.append(middle + t[:, None] * direction + bend[:, None] * normal)
        widths.append(rng.uniform(18, 45) if i == 0 else rng.uniform(3, 7))
    half = np.repeat(widths, [len(line) for line in lines])
    return _nearest_line(np.concatenate(lines), half, shape)


def _nearest_line(
    points: NDArray[np.float64], half: NDArray[np.float64], shape: tuple[int, int]
) -> tuple[Floats, Floats]:
    """Distance to the nearest of `points` and its `half`; to some metres if far."""
    y, x = np.mgrid[: shape[0], : shape[1]] * _PIXEL_M + _PIXEL_M / 2
    pixels = np.stack([y.ravel(), x.ravel()], -1)
    away, nearest = cKDTree(points[::16]).query(pixels)
    nearest *= 16
    close = np.flatnonzero(away < 150)
    away[close], nearest[close] = cKDTree(points).query(pixels[close])
    return (
        away.reshape(shape).astype(np.float32),
        half[nearest].reshape(shape).astype(np.float32),
    )
