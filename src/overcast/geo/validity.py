"""What counts as not seen: one rule for files and arrays.

A pixel is not seen where a mask or an alpha band hides it, where a band has the value
of its nodata tag, where all bands have a fill value, or where a band is no number or
beyond anything that a sensor can measure. All of this is looked at before arithmetic.
Zero is the exception: in Sentinel-2, a single band of 0 is a dark surface whatever the
tag says, and only 0 in all bands is no observation.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from overcast.geo.bands import Encoding

FILLS = (
    *(-9999.0, -99999.0, -999.0, -32768.0, -32767.0, -1000.0, -128.0, -100.0, -99.0),
    *(9999.0, 32767.0, 65535.0),
)
"""Values by which programs fill what was not seen, where all bands have them."""
_HUGE = 1e9
_COMMON = 0.002
"""A fill value without a tag is believed from this share of the sampled pixels on."""
_SUREST = (-9999.0, -99999.0, -32768.0, -32767.0)
"""Fill values that no product of any sensor here holds as a measurement."""


@dataclass(frozen=True, slots=True)
class Validity:
    """Which stored values of an image mean that nothing was seen.

    Attributes
    ----------
    tags
        Nodata tag of every band, or None; no tags at all where it is empty.
    dark_zero
        Whether 0 is a dark surface unless all bands are 0.
    fills
        Values without a tag that fill what was not seen, where all bands have them.
    faint
        Where all of three or more bands are at most this, nothing was seen: the digital
        number 1 at the edges of Sentinel-2 scenes.
    limits
        Lowest and highest physical value that can be; beyond it nothing was seen.
    """

    tags: tuple[float | None, ...] = ()
    dark_zero: bool = False
    fills: tuple[float, ...] = ()
    faint: float | None = None
    limits: tuple[float, float] | None = None

    def select(self, places: tuple[int, ...]) -> Validity:
        """Return the same rule for the bands at `places` alone."""
        if not self.tags:
            return self
        return replace(self, tags=tuple(self.tags[place] for place in places))


def decode(
    stored: NDArray[Any],
    encoding: Encoding,
    validity: Validity,
    hidden: NDArray[np.bool_] | None = None,
) -> NDArray[np.float32]:
    """Physical values ``[C, ...]`` of stored ones; NaN in all bands where not seen.

    `hidden` says where a mask hides the pixel.
    """
    values = encoding.decode(stored)
    unseen = ~np.isfinite(values).all(0)
    for where in _unseen(stored, encoding, validity):
        unseen |= where
    if validity.limits is not None:
        low, high = validity.limits
        unseen |= ((values < low) | (values > high)).any(0)
    if hidden is not None:
        unseen |= hidden
    values[:, unseen] = np.nan
    return values


def _unseen(
    stored: NDArray[Any], encoding: Encoding, validity: Validity
) -> Iterator[NDArray[np.bool_]]:
    for raw, tag in zip(stored, validity.tags, strict=False):
        if tag is not None and not (validity.dark_zero and tag == 0):
            yield np.asarray(raw == tag)
    together = set(validity.fills)
    if encoding.nodata is not None:
        together.add(encoding.nodata)
    if validity.dark_zero:
        together.add(0.0)
    for value in sorted(together):
        yield np.asarray((stored == value).all(0))
    if validity.faint is not None and len(stored) >= 3:
        yield np.asarray((stored <= validity.faint).all(0))


def numbers(stored: NDArray[Any]) -> NDArray[np.bool_]:
    """Bool ``[N]``: pixels whose bands are all numbers that can be a measurement.

    NaN, infinity, -9999 and the like are none, nor are values beyond 10^9.
    """
    with np.errstate(invalid="ignore"):  # a NaN that signals, in damaged files
        values = stored.astype(np.float64)
    good = np.isfinite(values) & (np.abs(values) < _HUGE)
    for fill in _SUREST:
        good &= values != fill
    return np.asarray(good.all(0), np.bool_)


def fills_in(stored: NDArray[Any]) -> dict[float, float]:
    """Fill values without a tag in a sample ``[C, N]``, and the share of each.

    A fill value is the same in all bands, and often there.
    """
    shares = {}
    same = (stored == stored[:1]).all(0)
    for fill in FILLS:
        share = float((same & (stored[0] == fill)).mean()) if same.size else 0.0
        if share > (0 if fill in _SUREST else _COMMON):
            shares[fill] = share
    return shares


def misfits(tags: tuple[float | None, ...], dtypes: tuple[str, ...]) -> list[float]:
    """Nodata tags that no stored value can have, such as -9999 in unsigned numbers."""
    out = set()
    for tag, name in zip(tags, dtypes, strict=True):
        dtype = np.dtype(name)
        if tag is None or dtype.kind not in "ui":
            continue
        ends = np.iinfo(dtype)
        if not (ends.min <= tag <= ends.max and float(tag).is_integer()):
            out.add(tag)
    return sorted(out)
