"""Speckle of one orbit of SAR, filtered over its dates.

What a pixel shows on a day is what it reflects, times speckle that no other day repeats.
The filter of Quegan and Yu (2001, IEEE Transactions on Geoscience and Remote Sensing
39(11), 2373-2379, for dates that do not correlate) divides every date by its local mean,
averages that ratio over all dates, and gives it the local mean of one date again:

    J_k = m_k / M  sum_i I_i / m_i

with the intensities I_i, i = 1 ... M, in linear power, and m_i their mean over a box
around the pixel. What changes between dates stays in m_k. What is fine and lasts stays in
the ratio. Dates of one orbit belong together: another orbit looks from elsewhere.

A date that did not see a pixel does not count there, and is not filled: M is the number
of dates that saw the pixel.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import correlate1d

from overcast.geo.bands import from_db, to_db

Floats = NDArray[np.float32]
RADIUS = 3
"""Of the box of a local mean, in pixels: 7 x 7."""


def filter_dates(values: Floats, radius: int = RADIUS) -> Floats:
    """Dates of one orbit with less speckle.

    Parameters
    ----------
    values
        Backscatter in dB ``[T, C, H, W]``; NaN where a date did not see the pixel.
    radius
        Of the box of a local mean, in pixels. A pixel depends on pixels so far away.

    Returns
    -------
    The same in dB ``[T, C, H, W]``, NaN where it was; a single date as it is.

    Raises
    ------
    ValueError
        If the values do not have four axes.
    """
    if values.ndim != 4:
        raise ValueError(
            f"expected the axes time, band, row, column; got {values.ndim} axes"
        )
    if len(values) == 1:
        return values
    power = from_db(values)
    seen = np.isfinite(power)
    known = np.where(seen, power, np.float32(0))
    means = _box_sum(known, radius) / np.maximum(_box_sum(seen, radius), 1)
    means = np.where(means > 0, means, np.float32(1))
    ratio = (known / means).sum(0) / np.maximum(seen.sum(0), 1)
    return to_db(np.where(seen, means * ratio, np.float32(np.nan)))


def _box_sum(values: NDArray[np.float32] | NDArray[np.bool_], radius: int) -> Floats:
    """Sums over boxes ``[T, C, H, W]``; beyond the borders there is nothing.

    Each depends on its own box alone, so that windows give the same as the whole.
    """
    ones = np.ones(2 * radius + 1, np.float32)
    down = correlate1d(values.astype(np.float32), ones, axis=-2, mode="constant")
    return np.asarray(correlate1d(down, ones, axis=-1, mode="constant"), np.float32)


def looks(single: float, dates: int, pixels: float) -> float:
    """Equivalent number of looks of a filtered date over a homogeneous surface.

    An intensity of L looks has the relative variance 1 / L, and the mean of N of them
    1 / (L N). A ratio I_i / m_i varies by (1 - 1 / N) / L, since m_i holds the pixel too.
    It does not correlate with m_i, so that to the first order J_k has the relative
    variance

        1 / L_J = 1 / (L N) + (1 - 1 / N) / (L M)

    Parameters
    ----------
    single
        L, equivalent number of looks of a date before.
    dates
        M, dates that saw the pixel.
    pixels
        N, independent pixels of the box.

    Examples
    --------
    >>> looks(4.4, 1, 49), round(looks(4.4, 8, 49), 1)
    (4.4, 30.8)
    """
    spread = 1 / (single * pixels) + (1 - 1 / pixels) / (single * dates)
    return round(1 / spread, 9)
