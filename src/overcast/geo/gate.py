"""The gate: what an image has to be before anything is learned or mapped from it.

A file and an array pass it alike, as `overcast.geo.stored.Stored`. Names settle which
band is which, tags and values settle units, and both settle what was not seen. What was
corrected or assumed is a note; what is not clear is refused.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from overcast.geo.band_names import Order, band_order
from overcast.geo.bands import (
    Encoding,
    Sensor,
)
from overcast.geo.stored import Stored, raw_sample, seen_sample
from overcast.geo.validity import Validity, decode, fills_in, misfits

Floats = NDArray[np.float32]
_LEVEL = 0.005
"""Share of the pixels from which one value in all bands is said."""

_SEVERAL = 64
"""Pixels among which a band has more than one value."""


@dataclass(frozen=True, slots=True)
class Admitted:
    """How an image is read: its bands, their encoding, and what was not seen.

    `places` are those of the sensor's bands in the image, from 0.
    """

    sensor: Sensor
    places: tuple[int, ...]
    encoding: Encoding
    validity: Validity
    notes: tuple[str, ...] = ()


@dataclass(slots=True)
class Look:
    """An image at the gate: its bands, a sample of them, and what was noticed so far."""

    stored: Stored
    sensor: Sensor
    order: Order
    places: tuple[int, ...]
    validity: Validity
    encoding: Encoding
    notes: list[str]

    @property
    def what(self) -> str:
        return self.stored.what

    def note(self, text: str) -> None:
        self.notes.append(f"{self.what}: {text}")

    def admitted(self) -> Admitted:
        rule = self.validity
        return Admitted(
            self.sensor, self.places, self.encoding, rule, tuple(self.notes)
        )


def match(
    stored: Stored, sensor: Sensor, bands: tuple[str, ...] | None = None
) -> Admitted:
    """Return which bands are those of `sensor`; values are not looked at.

    Raises
    ------
    ValueError
        If the bands are not the sensor's, or are complex numbers.
    """
    return look_at(stored, sensor, Encoding(), bands).admitted()


def look_at(
    stored: Stored, sensor: Sensor, encoding: Encoding, bands: tuple[str, ...] | None
) -> Look:
    names = [tag.name for tag in stored.tags]
    order = band_order(stored.what, names, sensor, bands, stored.how)
    wanted = sensor.select(tuple(b for b in sensor.names if b in order.names))
    places = tuple(order.names.index(name) for name in wanted.names)
    tags = [stored.tags[place] for place in places]
    if any("complex" in tag.dtype for tag in tags):
        raise ValueError(
            f"{stored.what}: complex values; give detected backscatter, not single-look "
            "complex data"
        )
    nodata = tuple(tag.nodata for tag in tags)
    validity = Validity(tags=nodata if any(t is not None for t in nodata) else ())
    look = Look(stored, wanted, order, places, validity, encoding, [])
    if order.ignored:
        look.note(f"left out, no band of {sensor.name}: {', '.join(order.ignored)}")
    for tag in misfits(nodata, tuple(tag.dtype for tag in tags)):
        look.note(f"the nodata tag {tag:g} is no {tags[0].dtype}, so it hides nothing")
    return look


def seen_values(look: Look, places: tuple[int, ...], trust: bool) -> Floats:
    """Seen pixels of a sample as they are stored ``[C, N]``, known fills left out.

    Raises
    ------
    ValueError
        If no pixel is seen, or (unless `trust`) every one has the same values.
    """
    validity = look.validity
    if places != look.places:
        validity = replace(validity, tags=tuple(t.nodata for t in look.stored.tags))
    encoding = Encoding(nodata=look.encoding.nodata)
    raw = seen_sample(look.stored, places, encoding, validity)
    same = (raw == raw[:1]).all(0)
    for fill in fills_in(raw):
        if (known := ~(same & (raw[0] == fill))).any() and len(raw) > 1:
            raw, same = raw[:, known], same[known]
    alike = (raw == raw[:, :1]).all(1)
    if alike.all() and trust:
        look.note("every pixel has the same values; is it an image?")
    elif alike.all():
        if raw.shape[1] == 1:
            raise ValueError(
                f"{look.what}: one pixel alone was observed; check nodata tags and masks, "
                "or give --trust if it is really so"
            )
        raise ValueError(
            f"{look.what}: every pixel has the same values, which tells nothing of land; "
            "give another image, or --trust if it is really so"
        )
    if places == look.places and raw.shape[1] >= _SEVERAL:
        for name in np.array(look.sensor.names)[alike & ~alike.all()]:
            look.note(f"band {name} has the same value in every pixel; is it broken?")
    return np.asarray(raw, np.float32)


def say_copies(look: Look, raw: NDArray[Any]) -> None:
    """Say which bands of a sample ``[C, N]`` are copies, and what fills all of them.

    One value in all bands of many pixels is no measurement: it is a fill value that
    could be one, or saturation.
    """
    for i, j in combinations(range(len(raw)), 2):
        if (raw[i] == raw[j]).all() and (raw[i] != raw[i, :1]).any():
            look.note(
                f"bands {look.sensor.names[i]} and {look.sensor.names[j]} have the same "
                "value in every pixel; is one of them there twice?"
            )
    level = np.asarray(raw[0][(raw == raw[:1]).all(0)])
    if len(raw) < 2 or not level.size or level.size == raw.shape[1]:
        return
    values, counts = np.unique(level, return_counts=True)
    share = counts.max() / raw.shape[1]
    if share > _LEVEL:
        value = values[counts.argmax()]
        look.note(
            f"{value:g} in all bands of {share:.1%} of the pixels; if nothing was "
            f"observed there, set the tag: gdal_edit.py -a_nodata {value:g} FILE"
        )


def tags_of(look: Look) -> tuple[Floats, Floats, bool]:
    """Scale and offset tags ``[C, 1]``, and whether there are any."""
    tags = [look.stored.tags[place] for place in look.places]
    scales = np.array([[tag.scale] for tag in tags])
    offsets = np.array([[tag.offset] for tag in tags])
    if not (np.isfinite(scales) & np.isfinite(offsets) & (scales != 0)).all():
        look.note(f"{in_words(scales, offsets)} of the file's tags are passed over")
        scales, offsets = np.ones_like(scales), np.zeros_like(offsets)
    return scales, offsets, bool((scales != 1).any() or (offsets != 0).any())


def one_or_each(values: Any) -> float | tuple[float, ...]:
    """One number where it is the same for all bands."""
    flat = [float(value) for value in np.ravel(values)]
    return flat[0] if len(set(flat)) == 1 else tuple(flat)


def in_words(scales: Any, offsets: Any) -> str:
    """Tags in words."""
    shown = [", ".join(f"{n:g}" for n in np.unique(a)) for a in (scales, offsets)]
    return f"scale {shown[0]} and offset {shown[1]}"


def settle_fills(look: Look, limits: tuple[float, float], same_is_enough: bool) -> None:
    """Find fill values without a tag, say them, and leave them out from now on."""
    rule = look.validity
    raw, hidden = raw_sample(look.stored, look.places)
    bare = replace(rule, limits=None, faint=None)
    finite = np.isfinite(decode(raw, look.encoding, bare, hidden))
    before: NDArray[np.bool_] = np.asarray(finite.all(0))
    if rule.faint is not None and len(raw) >= 3:  # the dark edge of a scene is no fill
        before &= ~((raw >= 0) & (raw <= rule.faint)).all(0)
    shares = fills_in(raw[:, before]) if before.any() else {}
    low, high = limits
    fills = []
    for fill, share in shares.items():
        column = np.full((len(raw), 1), fill, np.float32)
        physical = look.encoding.decode(column)
        beyond = (~np.isfinite(physical) | (physical < low) | (physical > high)).all()
        if beyond or same_is_enough:
            fills.append(fill)
            look.note(
                f"{fill:g} in all bands of {share:.1%} of the pixels is taken for not "
                "observed, though no nodata tag says so"
            )
    look.validity = replace(look.validity, fills=tuple(fills))
    after = np.isfinite(decode(raw, look.encoding, look.validity, hidden)).all(0)
    for fill in fills:
        before = np.asarray(before & ~(raw == fill).all(0))
    impossible = np.asarray(before & ~after)
    if impossible.any():
        worst = np.asarray(raw[:, impossible], np.float64)
        look.note(
            f"{impossible.sum() / before.size:.1%} of the pixels have values that can't be "
            f"({worst.min():g} to {worst.max():g} as stored); they are taken for not "
            "observed"
        )


def admit_own(
    stored: Stored, sensor: Sensor, encoding: Encoding, trust: bool = False
) -> Admitted:
    """Look at a user's own sensor; values far outside its bands' range are said.

    Scale and offset tags of the file count where the sensor's description has none.

    Raises
    ------
    ValueError
        If the image lacks a band of the sensor, or (unless `trust`) every pixel has the
        same values.
    """
    look = look_at(stored, sensor, encoding, None)
    if missing := [n for n in sensor.names if n not in look.sensor.names]:
        raise ValueError(
            f"{stored.what}: no band {', '.join(missing)} of the sensor {sensor.name}; "
            f"its bands are {', '.join(tag.name or 'unnamed' for tag in stored.tags)}. "
            "Name the bands alike in both, or leave the missing ones out of the sensor"
        )
    scales, offsets, tagged = tags_of(look)
    if tagged and encoding.scale == 1 and encoding.offset == 0:
        look.encoding = replace(
            encoding, scale=one_or_each(scales), offset=one_or_each(offsets)
        )
        look.note(f"{in_words(scales, offsets)} taken from the file's tags")
    elif tagged and (
        (scales != encoding.scale).any() or (offsets != encoding.offset).any()
    ):
        look.note(
            f"the file's tags say {in_words(scales, offsets)}, the sensor's description "
            f"{in_words(encoding.scale, encoding.offset)}, which counts"
        )
    dark_zero = sensor.kind == "optical" and encoding.nodata == 0 == encoding.offset
    look.validity = replace(look.validity, dark_zero=dark_zero)
    raw = seen_values(look, look.places, trust)
    ends = np.array([(b.low, b.high) for b in look.sensor.bands])
    reach = np.ptp(ends, axis=1)
    for band, values in zip(look.sensor.bands, look.encoding.decode(raw), strict=True):
        middle, wide = float(np.nanmedian(values)), band.high - band.low
        if not band.low - wide <= middle <= band.high + wide:
            look.note(
                f"band {band.name} has a median of {middle:g} {band.unit}, expected "
                f"{band.low:g} to {band.high:g}; is the scale right?"
            )
    low, high = (ends[:, 0] - reach).min(), (ends[:, 1] + reach).max()
    settle_fills(look, (float(low), float(high)), same_is_enough=False)
    return look.admitted()
