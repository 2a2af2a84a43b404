"""Sentinel-1 at the gate: its units, and which polarisation is which."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

import numpy as np

from overcast.geo.bands import (
    Encoding,
    Sensor,
)
from overcast.geo.gate import (
    Admitted,
    Floats,
    Look,
    in_words,
    look_at,
    one_or_each,
    say_copies,
    seen_values,
    settle_fills,
    tags_of,
)
from overcast.geo.stored import Stored
from overcast.geo.units import (
    backscatter_units,
)
from overcast.geo.validity import decode

Units = Literal["auto", "db", "linear", "amplitude"]

_BACKSCATTER = (-200.0, 39.0)
"""Lowest and highest dB that there can be."""
_SWAPPED_DB = -0.5
_CALLED = {"db": "dB", "linear": "linear power", "amplitude": "amplitude"}


def admit_sentinel_1(
    stored: Stored, sensor: Sensor, units: Units = "auto", trust: bool = False
) -> Admitted:
    """Look at Sentinel-1 backscatter in dB, as linear power or as amplitude.

    See `overcast.geo.check.open_sentinel_1`.
    """
    look = look_at(stored, sensor, Encoding(nodata=0.0), None)
    raw = seen_values(look, look.places, trust)
    _settle_backscatter(look, raw, units, trust)
    if not trust:
        look.validity = replace(look.validity, limits=_BACKSCATTER)
    values = decode(raw, look.encoding, look.validity)
    seen = np.isfinite(values).all(0)
    _check_polarisations(look, values[:, seen], trust)
    say_copies(look, raw[:, seen])
    settle_fills(look, (-60.0, _BACKSCATTER[1]), same_is_enough=False)
    return look.admitted()


def _settle_backscatter(look: Look, raw: Floats, said: Units, trust: bool) -> None:
    names = look.sensor.names
    scales, offsets, tagged = tags_of(look)
    reading = backscatter_units(raw, names)
    if tagged:
        by_tag = backscatter_units((raw * scales + offsets).astype("f4"), names)
        if by_tag.units is None and not by_tag.likely and reading.units is not None:
            look.note(
                f"{in_words(scales, offsets)} of the file's tags are passed over, for the "
                f"values would make no sense; they are {_CALLED[reading.units]}"
            )
        else:
            reading = by_tag
            scale, offset = one_or_each(scales), one_or_each(offsets)
            look.encoding = replace(look.encoding, scale=scale, offset=offset)
            look.note(f"{in_words(scales, offsets)} taken from the file's tags")
    _refuse_backscatter(look, reading.units, reading.seen, reading.likely, said, trust)
    units = reading.units if said == "auto" else said
    if reading.doubt:
        look.note(reading.doubt)
    if units == "linear" and said == "auto":
        look.note("linear power, converted to dB (values are never negative)")
    look.encoding = replace(
        look.encoding, power=units == "linear", amplitude=units == "amplitude"
    )


def _refuse_backscatter(
    look: Look, units: Any, seen: str, likely: Any, said: Units, trust: bool
) -> None:
    """Refuse units that are not clear, or other ones than were said."""
    if (trust and said != "auto") or said == units or (not units and said in likely):
        return
    if said not in ("auto", units) and units is not None:
        raise ValueError(
            f"{look.what}: said to be {_CALLED[said]}, but its values look like "
            f"{_CALLED[units]} ({seen}); give --s1-units {units}, or --trust if it is "
            "really so"
        )
    if units == "amplitude":
        raise ValueError(
            f"{look.what}: values look like amplitude, the square root of power "
            f"({seen}); give --s1-units amplitude, or linear with --trust"
        )
    if units is None and likely:
        raise ValueError(
            f"{look.what}: values may be linear power or amplitude, its square root "
            f"({seen}); say --s1-units linear or --s1-units amplitude"
        )
    if units is None:
        raise ValueError(f"{look.what}: backscatter has {seen}")


def _check_polarisations(look: Look, values: Floats, trust: bool) -> None:
    """VV is above VH nearly everywhere, whatever the units."""
    of = dict(zip(look.sensor.names, values, strict=True))
    if not {"VV", "VH"} <= set(of) or not values.size:
        return
    apart = float(np.median(of["VV"] - of["VH"]))
    if apart >= _SWAPPED_DB:
        return
    if look.order.named or trust:
        look.note(
            f"VH is {-apart:.1f} dB above VV, which is the other way round nearly "
            "everywhere on Earth; check the bands' names"
        )
        return
    raise ValueError(
        f"{look.what}: bands without names are expected as VV and VH, but the second is "
        f"{-apart:.1f} dB above the first, as if it was VV; {look.stored.how}"
    )
