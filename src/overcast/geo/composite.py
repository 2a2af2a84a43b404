"""One image of a season from many dates: every pixel from the dates that saw it.

Values have the axes time, band, row, column (``[T, C, H, W]``), NaN where a date did not
see the pixel.

- **median** of every band alone. Cheap and robust; its bands may be of several dates.
- **geomedian**, the point x that minimises sum_t ||x_t - x||: robust, and spectra stay
  spectra (Roberts et al. 2017, IEEE TGRS 55(11), 6254-6264), by the iteration of Weiszfeld.
- **medoid**, the date whose spectrum is nearest to all others (Flood 2013, Remote
  Sensing 5, 6481-6500): a value that was measured.
- **mean** in linear power, for SAR: it takes speckle away.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from overcast.geo.bands import from_db, to_db

Floats = NDArray[np.float32]
_TURNS = 30
_NEAR = 1e-5
"""Reflectance below which two spectra are one."""


def median(values: Floats) -> Floats:
    """Median ``[C, H, W]`` of the dates that saw a pixel, band by band."""
    ranked = np.sort(values, 0)  # NaN comes last
    seen = np.isfinite(values).sum(0)
    low, high = np.maximum(seen - 1, 0) // 2, np.minimum(seen // 2, len(values) - 1)
    both = [np.take_along_axis(ranked, at[None], 0)[0] for at in (low, high)]
    return np.asarray((both[0] + both[1]) / 2, np.float32)


def geomedian(values: Floats) -> Floats:
    """Geometric median ``[C, H, W]`` of spectra."""
    seen = np.asarray(np.isfinite(values).all(1))[:, None]
    known = np.where(seen, values, 0).astype(np.float32)
    centre = known.sum(0) / np.maximum(seen.sum(0), 1)
    for _ in range(_TURNS):
        away = np.sqrt(((known - centre) ** 2).sum(1, keepdims=True))
        weight = seen / np.maximum(away, _NEAR)
        moved = (weight * known).sum(0) / np.maximum(weight.sum(0), 1e-9)
        still = np.abs(moved - centre).max(initial=0) < _NEAR
        centre = moved
        if still:
            break
    return np.where(seen.any(0), centre, np.nan).astype(np.float32)


def medoid(values: Floats) -> Floats:
    """Spectrum ``[C, H, W]`` of the date that is nearest to all others."""
    seen = np.asarray(np.isfinite(values).all(1))
    known = np.where(seen[:, None], values, 0)
    total = np.zeros(seen.shape, np.float32)
    for one, is_seen in zip(known, seen, strict=True):
        total += np.sqrt(((known - one) ** 2).sum(1)) * is_seen
    best = np.where(seen, total, np.inf).argmin(0)
    chosen = np.take_along_axis(known, best[None, None], 0)[0]
    return np.where(seen.any(0), chosen, np.nan).astype(np.float32)


def mean_power(values: Floats) -> Floats:
    """Mean ``[C, H, W]`` of backscatter in dB, taken in linear power."""
    power = from_db(values)
    seen = np.isfinite(power)
    total = np.where(seen, power, 0).sum(0) / np.maximum(seen.sum(0), 1)
    filled = to_db(np.where(seen.any(0), total, 1).astype(np.float32))
    return np.where(seen.any(0), filled, np.nan).astype(np.float32)


WAYS: Mapping[str, Callable[[Floats], Floats]] = {
    "median": median,
    "geomedian": geomedian,
    "medoid": medoid,
}
"""How optical dates become one image, by name."""
