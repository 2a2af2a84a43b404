"""Clouds over a scene: fractal opacity, shadows, and the image that is left.

    seen = (1 - o) * (shadow * clear) + o * cloud

with the opacity o from 0 to 1. Most power of the field lies at kilometres, since most
windows of 640 m are measured to be all clear (43 %) or all cloud (33 %, n 336).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from overcast.worlds.measured import BANDS
from overcast.worlds.noise import (
    Floats,
    Fractal,
    Places,
    block_mean,
    centres_of,
    copy_finer,
    key_of,
    stream,
)
from overcast.worlds.optical import NATIVE_20_M, SCALE, see_optical
from overcast.worlds.world import World, WorldView

CLEAR, THIN, THICK, SHADOW = range(4)
"""Codes of the mask."""
LOWEST_OPACITY, THICK_OPACITY, LOWEST_SHADOW = 0.04, 0.6, 0.15
"""Below the first a pixel counts as clear; what is darkened less is no shadow."""

THICK_SPECTRUM = (0.652, 0.615, 0.594, 0.650, 0.660, 0.663, 0.671, 0.656, 0.469, 0.388)
"""Mean reflectance of opaque cloud (144,502 pixels, 213 scene-dates)."""
BETWEEN_DATES, WITHIN = 0.2, 0.05
"""Its spread between dates and within a window of 640 m (87 dates)."""
SHADOW_SPECTRUM = (0.318, 0.321, 0.354, 0.312, 0.322, 0.329, 0.319, 0.312, 0.252, 0.227)
"""Reflectance in shadow over that in the sun (28 dates, weak: the dark ones)."""
_WAVELENGTH = 420.0
SOFTNESS = 0.45
"""Rise of the field from the edge of a cloud to full opacity."""
RISE = (float(np.sqrt(0.16 + 2.4 * LOWEST_OPACITY)) - 0.4) / 1.2 * SOFTNESS
"""Rise of the field from the edge of a cloud to the least opacity that counts."""
_SAMPLES = 192


@dataclass(frozen=True)
class Clouds:
    """Clouds of one date over a world.

    `level` is the value of the field from which it is cloud, `cast` the pixels down and
    right from a cloud to its shadow, `bright` the reflectance of the thickest.
    """

    key: int
    level: float
    cast: tuple[float, float]
    bright: Floats

    def opacity(self, y: Places, x: Places) -> Floats:
        """0 to 1, ``[H, W]``."""
        above = _field(self.key, y, x) - np.float32(self.level)
        part = (above * np.float32(1 / SOFTNESS)).clip(0, 1)
        # Thin edges are wide: opacity rises slowly first.
        return np.asarray(part * (np.float32(0.4) + np.float32(0.6) * part))

    def shadow(self, y: Places, x: Places) -> Floats:
        """Opacity of the cloud between the sun and the ground ``[H, W]``."""
        return self.opacity(y - self.cast[0], x - self.cast[1])

    def detail(self, y: Places, x: Places) -> Floats:
        """Return how a cloud's reflectance differs from place to place ``[H, W]``."""
        return np.float32(WITHIN) * Fractal(self.key + 9, 40.0).at(y, x)


def draw_clouds(world: World, cover: float, date: int = 0) -> Clouds:
    """Clouds over `cover` of the scene, the same for the same `date`.

    Raises
    ------
    ValueError
        If `cover` isn't between 0 and .9.
    """
    if not 0 <= cover <= 0.9:
        raise ValueError(f"cloud cover is {cover}, expected a share from 0 to 0.9")
    rng = stream(world.seed, f"clouds-{date}")
    key = key_of(world.seed, f"cloud-field-{date}")
    count = min(world.size, _SAMPLES)
    at = centres_of(range(count)) * (world.size / count)
    level = float(np.quantile(_field(key, at, at), 1 - cover)) - RISE
    if cover == 0:
        level = float(np.inf)
    height_px = rng.uniform(80, 250) / np.tan(np.radians(world.sky.sun_elevation))
    bearing = world.region.sun_bearing
    # Away from the sun: down is south.
    cast = (height_px * np.cos(bearing), -height_px * np.sin(bearing))
    date_score, tint = rng.standard_normal(), rng.standard_normal(len(BANDS))
    spread = 0.97 * date_score + 0.25 * tint
    bright = (
        np.array(THICK_SPECTRUM)
        + BETWEEN_DATES * np.array(THICK_SPECTRUM) / 0.65 * spread
    )
    return Clouds(
        key=key,
        level=round(level, 6),
        cast=(round(float(cast[0]), 2), round(float(cast[1]), 2)),
        bright=np.round(bright.clip(0.25, 1.1), 4).astype(np.float32),
    )


def see_cloudy(
    view: WorldView, clouds: Clouds, clear: NDArray[np.uint16] | None = None
) -> tuple[NDArray[np.uint16], NDArray[np.uint8]]:
    """Digital numbers uint16 ``[10, H, W]`` under clouds, and the mask uint8 ``[H, W]``.

    `clear` is the image without them, if it is at hand.
    """
    clear = see_optical(view) if clear is None else clear
    y, x = (c[s] for c, s in zip(view.centres, view.inner, strict=True))
    # Whole 20 m pixels, though the window may end with half of one.
    y, x = (np.append(c, c[-1] + 1) if len(c) % 2 else c for c in (y, x))
    opacity, shadow = clouds.opacity(y, x), clouds.shadow(y, x)
    detail = clouds.detail(y, x)
    out = np.empty_like(clear)
    _, h, w = clear.shape
    for b, name in enumerate(BANDS):
        step = 2 if name in NATIVE_20_M else 1
        o, s, d = (_native(field, step)[:h, :w] for field in (opacity, shadow, detail))
        lit = 1 - s * np.float32(1 - SHADOW_SPECTRUM[b])
        cloud = (clouds.bright[b] + d) * np.float32(SCALE)
        seen = (1 - o) * lit * clear[b] + o * cloud
        out[b] = np.rint(seen).clip(1, 15_000)
    return out, classify(opacity, shadow)[:h, :w]


def classify(opacity: Floats, shadow: Floats) -> NDArray[np.uint8]:
    """Mask: `CLEAR`, `THIN`, `THICK` or `SHADOW`; cloud comes before shadow."""
    mask = np.full(opacity.shape, CLEAR, np.uint8)
    mask[shadow > LOWEST_SHADOW] = SHADOW
    mask[opacity > LOWEST_OPACITY] = THIN
    mask[opacity > THICK_OPACITY] = THICK
    return mask


def _native(field: Floats, step: int) -> Floats:
    return field if step == 1 else copy_finer(block_mean(field, step), step)


def _field(key: int, y: Places, x: Places) -> Floats:
    large = Fractal(key, _WAVELENGTH * 4, 3.6, finest=60.0).at(y, x)
    small = Fractal(key + 5, _WAVELENGTH, 3.2).at(y, x)
    return np.asarray(large + np.float32(0.55) * small, np.float32)
