"""Spectra that drift across a scene: soil, phenology and moisture differ from part to part.

Every class has one slow field, and one direction in which its bands move together, drawn
from the measured covariance between sites. A place moves its class by field times
direction, so what tells two classes apart in one part of a scene may not in another.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from overcast.worlds.measured import CLASSES, statistics
from overcast.worlds.noise import Floats, Fractal, Places, key_of, stream

_WAVELENGTH, _FINEST = 700.0, 90.0
_STRENGTH = 0.55
"""Standard deviation of the drift over that between sites (by hand: a site of the
measured statistics is one scene, and scenes vary in themselves by about half)."""
_LIMIT = 1.8


@lru_cache(maxsize=8)
def directions(seed: int, season: str) -> Floats:
    """Change of every class per unit of its field, float32 ``[10, 12]``.

    Ten reflectances, then VV and VH in dB.
    """
    out = np.zeros((10, 12))
    for c in CLASSES:
        of = statistics(c, season)
        scores = of.factor @ stream(seed, f"drift-{c}").standard_normal(12)
        scores /= np.sqrt(np.mean(scores**2))
        out[c] = _STRENGTH * of.std * scores
    return np.round(out, 5).astype(np.float32)


def drift_of(
    seed: int,
    season: str,
    cover: NDArray[np.uint8],
    y: Places,
    x: Places,
    columns: slice,
) -> Floats:
    """Drift of every pixel float32 ``[C, H, W]``.

    Parameters
    ----------
    seed, season
        Of the world.
    cover
        Class of every pixel ``[H, W]``.
    y, x
        Centres of its rows and columns in pixels.
    columns
        Which of the twelve columns of `directions` are asked for.
    """
    change = directions(seed, season)[:, columns]
    out = np.zeros((change.shape[1], *cover.shape), np.float32)
    for c in CLASSES:
        mine = cover == c
        if not mine.any():
            continue
        key = key_of(seed, f"drift-{c}")
        slow = Fractal(key, _WAVELENGTH, 3.4, finest=_FINEST).at(y, x)
        slow = slow.clip(-_LIMIT, _LIMIT)
        for band, per_unit in enumerate(change[c]):
            out[band][mine] = per_unit * slow[mine]
    return out
