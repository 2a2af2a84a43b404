"""What Sentinel-2 sees: ten surface bands, blurred, textured, lit by the relief."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from overcast.worlds.measured import (
    BANDS,
    BARREN,
    BLUR_SIGMA_PX,
    CLASSES,
    URBAN,
    statistics,
    texture_factor,
)
from overcast.worlds.noise import Floats, block_mean, copy_finer, fractal, stream

_NATIVE_20_M = frozenset({"B05", "B06", "B07", "B8A", "B11", "B12"})
_FINE = 4  # 2.5 m pixels along a side of 10 m
_LOWEST, _HIGHEST = 1, 12_000  # digital numbers; 0 means not observed
_TEXTURE_SHARE = {URBAN: 0.35, BARREN: 0.4}
"""Towns get most of theirs from houses and streets; that of bare land (2 regions) is
long slopes of brightness, which its stands bring."""
_HAZE = np.array([6, 4.5, 3.5, 3, 2, 2, 2, 2, 1, 1]) / 6


def render_optical(
    seed: int,
    patch: NDArray[np.int32],
    truth: NDArray[np.uint8],
    spectra: Floats,
    relief: Floats,
) -> NDArray[np.uint16]:
    """Digital numbers uint16 ``[10, H, W]`` from patches ``[4H, 4W]``.

    Reflectance times 10,000 without an offset, as Level-2A before baseline 04.00. The
    20 m bands are copied onto 10 m, as products on one grid have them.
    """
    rng = stream(seed, "atmosphere")
    haze = abs(rng.normal(0, 0.003)) * _HAZE
    light = rng.normal(1, 0.03) * _illumination(relief)
    scores = _texture_scores(seed, truth.shape)
    spread = _texture_spread(truth)
    out = np.empty((len(BANDS), *truth.shape), np.uint16)
    for b, name in enumerate(BANDS):
        step = 2 if name in _NATIVE_20_M else 1
        seen = block_mean(spectra[:, b][patch], _FINE * step)
        sigma = BLUR_SIGMA_PX[10 * step]
        detail = sum(w * s for w, s in zip(texture_factor()[b], scores, strict=True))
        seen = gaussian_filter(seen, sigma) + block_mean(detail * spread[b], step)
        lit = copy_finer(seen, step) * light + haze[b]
        out[b] = np.rint(lit * 10_000).clip(_LOWEST, _HIGHEST)
    return out


def _illumination(relief: Floats) -> Floats:
    """Brightness of slopes under a sun from the south-east, around 1."""
    down, right = np.gradient(gaussian_filter(relief, 2))
    slope = (down + right) / (np.hypot(down, right).mean() + 1e-9)
    return np.asarray(1 + 0.03 * np.clip(slope, -2.5, 2.5), np.float32)


def _texture_scores(seed: int, shape: tuple[int, int]) -> list[Floats]:
    """Independent fields of variance 1 with the measured autocorrelation.

    A field smoothed over 1 px plus a wider one: about .8, .5 and .35 at lags 1 to 3
    (crops .87, .64, .43 and forest .78, .52, .41 in B04, n 90 and 12 region-dates).
    """
    rng = stream(seed, "texture")
    fields = []
    for _ in BANDS:
        white = rng.standard_normal(shape, dtype=np.float32)
        near = gaussian_filter(white, 1.0) * np.float32(2 * np.sqrt(np.pi))
        fields.append(0.8 * near + 0.6 * fractal(rng, shape, 15.0))
    return fields


def _texture_spread(truth: NDArray[np.uint8]) -> Floats:
    """Standard deviation of the texture, ``[10, H, W]``, soft across borders."""
    table = np.zeros((len(BANDS), 256), np.float32)
    for c in CLASSES:
        table[:, c] = statistics(c).texture * _TEXTURE_SHARE.get(c, 1.0)
    return np.stack([gaussian_filter(row[truth], 0.7) for row in table])
