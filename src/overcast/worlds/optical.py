"""What Sentinel-2 sees: ten surface bands, blurred, textured, lit by the relief."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from overcast.worlds.drift import drift_of
from overcast.worlds.land import FINE, Land
from overcast.worlds.measured import (
    BANDS,
    BARREN,
    BLUR_SIGMA_PX,
    CLASSES,
    URBAN,
    statistics,
    texture_factor,
)
from overcast.worlds.noise import Floats, Fractal, block_mean, copy_finer, white
from overcast.worlds.region import WorldRegion
from overcast.worlds.world import WorldView

NATIVE_20_M = frozenset({"B05", "B06", "B07", "B8A", "B11", "B12"})
SCALE = 10_000
_LOWEST, _HIGHEST = 1, 12_000  # digital numbers; 0 means not observed
_TEXTURE_SHARE = {URBAN: 0.35, BARREN: 0.4}
"""Towns get most of theirs from houses and streets; that of bare land (2 regions) is
long slopes of brightness, which its stands bring."""
_HAZE = np.array([6, 4.5, 3.5, 3, 2, 2, 2, 2, 1, 1]) / 6
_HEIGHT_M = 25.0
"""Metres to a unit of relief, for its shading."""
_NEAR = np.float32(2 * np.sqrt(np.pi))
"""Undoes what a Gaussian of 1 px leaves of the spread of a white field."""


def see_optical(view: WorldView) -> NDArray[np.uint16]:
    """Digital numbers uint16 ``[10, H, W]`` of a window.

    Reflectance times 10,000 without an offset, as Level-2A before baseline 04.00. The
    20 m bands are copied onto 10 m, as products on one grid have them.
    """
    world, land = view.world, view.land
    light = world.sky.light * _illumination(world.sky, land.relief)
    scores = _texture_scores(view)
    spread = _texture_spread(land)
    moved = _drift(view, land.cover) if world.nature.drift else None
    out = np.empty((len(BANDS), *land.truth.shape), np.uint16)
    for b, name in enumerate(BANDS):
        step = 2 if name in NATIVE_20_M else 1
        seen = block_mean(world.spectra[:, b][land.look], FINE * step)
        detail = np.zeros(land.cover.shape, np.float32)
        for weight, score in zip(_factor()[b], scores, strict=True):
            if weight:
                detail += weight * score
        if moved is not None:
            seen += block_mean(moved[b], step)
        seen = gaussian_filter(seen, BLUR_SIGMA_PX[10 * step])
        seen += block_mean(detail * spread[b], step)
        lit = light if step == 1 else block_mean(light, step)
        haze = np.float32(world.sky.haze * _HAZE[b])
        seen = lit * seen * (1 - 2 * haze) + haze
        numbers = np.rint(seen * np.float32(SCALE)).clip(_LOWEST, _HIGHEST)
        out[b] = copy_finer(numbers.astype(np.uint16), step)
    return out[:, *view.inner]


def _drift(view: WorldView, cover: NDArray[np.uint8]) -> Floats:
    world, bands = view.world, slice(0, len(BANDS))
    return drift_of(world.seed, world.sky.season, cover, *view.centres, bands)


@cache
def _factor() -> Floats:
    # Rounded, since factors of matrices differ between machines in their last bits.
    return np.round(texture_factor(), 4).astype(np.float32)


def _illumination(region: WorldRegion, relief: Floats) -> Floats:
    """Brightness of slopes around 1, by the cosine law for gentle slopes."""
    down, right = np.gradient(gaussian_filter(relief, 2))
    toward = np.cos(region.sun_bearing) * down - np.sin(region.sun_bearing) * right
    steep = (
        region.ruggedness * _HEIGHT_M / 10 / np.tan(np.radians(region.sun_elevation))
    )
    # Land rises away from the sun on the slopes that face it.
    slope = np.float32(round(float(steep), 6)) * toward.astype(np.float32)
    return np.asarray(1 + slope.clip(-0.25, 0.25), np.float32)


def _texture_scores(view: WorldView) -> list[Floats]:
    """Independent fields of variance 1 with the measured autocorrelation.

    A field smoothed over 1 px plus a wider one: about .8, .5 and .35 at lags 1 to 3
    (crops .87, .64, .43 and forest .78, .52, .41 in B04, n 90 and 12 region-dates).
    """
    fields: list[Floats] = []
    for pair in range(len(BANDS) // 2):
        for i, grain in enumerate(white(view.day_key(f"grain-{pair}"), *view.whole)):
            near = gaussian_filter(grain, 1.0) * _NEAR
            wide = Fractal(view.key(f"texture-{pair}-{i}"), 15.0).at(*view.centres)
            fields.append(np.float32(0.8) * near + np.float32(0.6) * wide)
    return fields


@cache
def _texture_table() -> Floats:
    table = np.zeros((len(BANDS), 256), np.float32)
    for c in CLASSES:
        table[:, c] = statistics(c).texture * _TEXTURE_SHARE.get(c, 1.0)
    return table


def _texture_spread(land: Land) -> list[Floats]:
    """Standard deviation of the texture, per band, soft across borders."""
    return [gaussian_filter(row[land.cover], 0.7) for row in _texture_table()]
