"""The gate: what an image has to be before anything is learned or mapped from it.

A file and an array pass it alike, as `overcast.geo.stored.Stored`. Names settle which
band is which, tags and values settle units, and both settle what was not seen. What was
corrected or assumed is a note; what is not clear is refused.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from overcast.geo.band_names import Order, band_order, resolve
from overcast.geo.bands import (
    SENTINEL_2,
    SENTINEL_2_ENCODING,
    SENTINEL_2_L1C,
    SENTINEL_2_OFFSET,
    Encoding,
    Sensor,
)
from overcast.geo.spectra import likelier_order
from overcast.geo.stored import Stored, raw_sample, seen_sample
from overcast.geo.units import (
    Scale,
    backscatter_units,
    below_zero,
    darkest,
    reflectance_scale,
    vegetated,
)
from overcast.geo.validity import Validity, decode, fills_in, misfits

Units = Literal["auto", "db", "linear", "amplitude"]
Floats = NDArray[np.float32]

_OFFSET_FLOOR, _DARK = 0.09, 0.07
"""Without the offset of 0.1, some pixel of a scene is darker than the first in a band:
desert and clouds are not. With it applied, a pixel of water or shadow is darker than the
second in most bands; where there is none, vegetation tells."""
_REFLECTANCE = (-0.5, 6.4)
_BACKSCATTER = (-200.0, 39.0)
"""Lowest and highest physical values that there can be."""
_SWAPPED_DB = -0.5
_SAY_SCALE = "set the right scale in the file (gdal_edit.py -scale 0.0001 FILE)"
_CALLED = {"db": "dB", "linear": "linear power", "amplitude": "amplitude"}


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
class _Look:
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
    """Which bands are those of `sensor`; values are not looked at.

    Raises
    ------
    ValueError
        If the bands are not the sensor's, or are complex numbers.
    """
    return _look(stored, sensor, Encoding(), bands).admitted()


def _look(
    stored: Stored, sensor: Sensor, encoding: Encoding, bands: tuple[str, ...] | None
) -> _Look:
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
    look = _Look(stored, wanted, order, places, validity, encoding, [])
    if order.ignored:
        look.note(f"left out, no band of {sensor.name}: {', '.join(order.ignored)}")
    for tag in misfits(nodata, tuple(tag.dtype for tag in tags)):
        look.note(f"the nodata tag {tag:g} is no {tags[0].dtype}, so it hides nothing")
    return look


def admit_sentinel_2(
    stored: Stored,
    offset: int | None = None,
    bands: tuple[str, ...] | None = None,
    trust: bool = False,
    sensor: Sensor | None = None,
    stated: bool = False,
) -> Admitted:
    """Look at Sentinel-2 reflectance, L2A or L1C, on whatever scale it is stored.

    See `overcast.geo.check.open_sentinel_2`. Where scale and offset are `stated` by the
    metadata of a product, values are not asked for them.
    """
    names = bands or tuple(tag.name for tag in stored.tags)
    if sensor is None:
        cirrus = "B10" in resolve(names, SENTINEL_2_L1C)
        level_1 = len(stored.tags) == 13 or cirrus
        sensor = SENTINEL_2_L1C if level_1 else SENTINEL_2
    look = _look(stored, sensor, SENTINEL_2_ENCODING, bands)
    whole = all(np.dtype(stored.tags[p].dtype).kind in "ui" for p in look.places)
    look.validity = replace(look.validity, dark_zero=True, faint=1.0 if whole else 0.0)
    everything = tuple(range(len(stored.tags)))
    sampled = look.places if look.order.named else everything
    raw = _sample(look, sampled)
    own = raw if look.order.named else raw[list(look.places)]
    if stated:
        _settle_stated(look, offset, trust)
    else:
        _settle_scale(look, own, whole, trust and offset is not None)
    seen = _refined(look, own)
    own, raw = own[:, seen], raw[:, seen]
    if not stated:
        _settle_offset(look, own, offset, trust)
    _check_order(look, raw, bands, trust)
    _settle_fills(look, _REFLECTANCE, same_is_enough=len(look.places) >= 3)
    return look.admitted()


def _sample(look: _Look, places: tuple[int, ...]) -> Floats:
    """Seen pixels of a sample as they are stored ``[C, N]``, known fills left out."""
    validity = look.validity
    if places != look.places:
        validity = replace(validity, tags=tuple(t.nodata for t in look.stored.tags))
    encoding = Encoding(nodata=look.encoding.nodata)
    raw = seen_sample(look.stored, places, encoding, validity)
    same = (raw == raw[:1]).all(0)
    for fill in fills_in(raw):
        if (kept := ~(same & (raw[0] == fill))).any() and len(raw) > 1:
            raw, same = raw[:, kept], same[kept]
    return np.asarray(raw, np.float32)


def _refined(look: _Look, raw: Floats) -> NDArray[np.bool_]:
    """Which pixels of a sample are still seen now that the encoding is known."""
    seen = np.isfinite(decode(raw, look.encoding, look.validity)).all(0)
    return np.asarray(seen if seen.any() else np.ones_like(seen))


def _tagged(look: _Look) -> tuple[Floats, Floats, bool]:
    """Scale and offset tags ``[C, 1]``, and whether there are any."""
    tags = [look.stored.tags[place] for place in look.places]
    scales = np.array([[tag.scale] for tag in tags])
    offsets = np.array([[tag.offset] for tag in tags])
    return scales, offsets, bool((scales != 1).any() or (offsets != 0).any())


def _numbers(values: Any) -> float | tuple[float, ...]:
    """One number where it is the same for all bands."""
    flat = [float(value) for value in np.ravel(values)]
    return flat[0] if len(set(flat)) == 1 else tuple(flat)


def _said(scales: Any, offsets: Any) -> str:
    """Tags in words."""
    shown = [", ".join(f"{n:g}" for n in np.unique(a)) for a in (scales, offsets)]
    return f"scale {shown[0]} and offset {shown[1]}"


def _settle_scale(look: _Look, raw: Floats, whole: bool, trust: bool) -> None:
    """Find the scale by tags and values; a ValueError where they don't say it."""
    names = look.sensor.names
    scales, offsets, tagged = _tagged(look)
    plain = reflectance_scale(raw, names, whole)
    found = plain
    if tagged:
        found = reflectance_scale((raw * scales + offsets).astype("f4"), names, False)
        if found.scale is None and plain.scale is not None:
            look.note(
                f"{_said(scales, offsets)} of the file's tags are passed over, for the "
                f"values would make no sense; they are taken for {plain.called}"
            )
            tagged, found = False, plain
    if found.scale is None:
        if not trust:
            raise ValueError(f"{look.what}: {found.called}; {_SAY_SCALE}")
        found = Scale(1e-4, "reflectance x 10,000")
    if found.scale not in (1e-4, 1.0):
        look.note(f"{found.called}, converted to reflectance")
    factor = 1e-4 if found.scale is None else found.scale
    scale: float | tuple[float, ...] = factor
    offset: float | tuple[float, ...] = 0.0
    if tagged:
        scale, offset = _numbers(factor * scales), _numbers(factor * offsets)
    faint = {1e-4: 1.0, 1.0: 1e-4}.get(scale if isinstance(scale, float) else 0)
    visible = {"B02", "B03"} & set(names)
    look.validity = replace(
        look.validity, faint=faint if visible else None, limits=_REFLECTANCE
    )
    look.encoding = replace(look.encoding, scale=scale, offset=offset)


def _settle_stated(look: _Look, said: int | None, trust: bool) -> None:
    """Take scale and offset of the product's metadata; refuse to hear otherwise."""
    scales, offsets, _ = _tagged(look)
    if said is not None and not np.allclose(offsets, said * scales, atol=1e-6):
        stated = ", ".join(f"{n:g}" for n in np.unique((offsets / scales).round()))
        if not trust:
            raise ValueError(
                f"{look.what}: said to have offset {said}, but its own metadata says "
                f"{stated}; leave --s2-offset out, or give --trust if it is really so"
            )
        offsets = said * scales
    scale, offset = _numbers(scales), _numbers(offsets)
    look.encoding = replace(look.encoding, scale=scale, offset=offset)
    # Since there is an offset, no measurement is 0: that is no data, band by band.
    dark_zero = not (offsets != 0).all()
    look.validity = replace(look.validity, dark_zero=dark_zero, limits=_REFLECTANCE)


def _settle_offset(look: _Look, raw: Floats, said: int | None, trust: bool) -> None:
    """Apply the product's offset: as tagged, as said, or as values give it away."""
    tagged = np.any(np.asarray(look.encoding.offset) != 0)
    plain = replace(look.encoding, offset=0.0)
    dark = np.where(raw == 0, np.inf, plain.decode(raw))
    floor = darkest(dark[:, np.isfinite(dark).any(0)])
    pending = _pending(plain.decode(raw), floor, look.sensor.names)
    if said is not None:
        _settle_said(look, raw, said, floor, pending, trust)
        return
    if tagged and below_zero(look.encoding.decode(raw), raw):
        look.note(
            f"offset {_said(1, look.encoding.offset).split()[-1]} of the file's tags is "
            "passed over: with it, reflectance is negative in many pixels"
        )
        look.encoding = plain
    elif tagged:
        shown = _said(1, look.encoding.offset).split("offset ")[1]
        look.note(f"offset {shown} taken from the file's tags")
    elif pending:
        look.note(
            "the product's offset of -1000 was not applied in the file (no pixel is "
            f"darker than {floor:.3f}); overcast applies it; say --s2-offset 0 if that "
            "is wrong"
        )
        look.encoding = replace(plain, offset=SENTINEL_2_OFFSET)
    elif floor > _OFFSET_FLOOR:
        look.note(
            f"no pixel is darker than {floor:.3f}: snow, sand or clouds everywhere, or "
            "the product's offset of -1000 was not applied; say --s2-offset -1000 then"
        )


def _pending(values: Floats, floor: float, names: tuple[str, ...]) -> bool:
    """Whether the offset of -1000 is still to be applied."""
    if floor <= _OFFSET_FLOOR:
        return False
    applied = values + np.float32(SENTINEL_2_OFFSET)
    dark = float(np.percentile(np.median(applied, 0), 0.1))
    return bool(dark < _DARK or vegetated(applied, names).mean() > 0.02)


def _settle_said(
    look: _Look, raw: Floats, said: int, floor: float, pending: bool, trust: bool
) -> None:
    """Take the offset that the user says, unless values contradict it."""
    encoding = replace(look.encoding, offset=said * 1e-4)
    values = encoding.decode(raw)
    if not trust and said > -500 and pending:
        raise ValueError(
            f"{look.what}: said to have offset {said}, but no pixel is darker than "
            f"{floor:.3f} in every band, as if the offset of -1000 was not applied; give "
            "--s2-offset -1000, or --trust if it is really so"
        )
    if not trust and (said > 0 or said < -1500 or below_zero(values, raw)):
        raise ValueError(
            f"{look.what}: said to have offset {said}, but reflectance would be from "
            f"{values.min():.3g} to {values.max():.3g} then; give --s2-offset 0, or "
            "--trust if it is really so"
        )
    look.encoding = encoding


def _check_order(
    look: _Look, raw: Floats, said: tuple[str, ...] | None, trust: bool
) -> None:
    """Refuse an order that was only counted, and doubt one that was said."""
    named = look.order.named
    names = look.sensor.names if named else look.order.names
    encoding = look.encoding
    if not named and isinstance(encoding.scale, tuple | list):
        return
    if isinstance(encoding.offset, tuple):
        return
    likelier = likelier_order(encoding.decode(raw), names, not named)
    if likelier is None:
        return
    order = ", ".join(likelier)
    if named or trust:
        source = "they are said to be" if said else "their names say"
        look.note(
            f"spectra of land and water look as if bands were not what {source}: "
            f"{', '.join(names)} look like {order}; check the names"
        )
        return
    raise ValueError(
        f"{look.what}: {len(names)} bands without names are expected in the order "
        f"{', '.join(names)}, but spectra of land and water look like {order}; "
        f"{look.stored.how}, or say --s2-bands"
    )


def _settle_fills(
    look: _Look, limits: tuple[float, float], same_is_enough: bool
) -> None:
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


def admit_sentinel_1(
    stored: Stored, sensor: Sensor, units: Units = "auto", trust: bool = False
) -> Admitted:
    """Look at Sentinel-1 backscatter in dB, as linear power or as amplitude.

    See `overcast.geo.check.open_sentinel_1`.
    """
    look = _look(stored, sensor, Encoding(nodata=0.0), None)
    raw = _sample(look, look.places)
    _settle_backscatter(look, raw, units, trust)
    if not trust:
        look.validity = replace(look.validity, limits=_BACKSCATTER)
    values = decode(raw, look.encoding, look.validity)
    _check_polarisations(look, values[:, np.isfinite(values).all(0)], trust)
    _settle_fills(look, (-60.0, _BACKSCATTER[1]), same_is_enough=False)
    return look.admitted()


def _settle_backscatter(look: _Look, raw: Floats, said: Units, trust: bool) -> None:
    names = look.sensor.names
    scales, offsets, tagged = _tagged(look)
    found = backscatter_units(raw, names)
    if tagged:
        by_tag = backscatter_units((raw * scales + offsets).astype("f4"), names)
        if by_tag.units is None and not by_tag.likely and found.units is not None:
            look.note(
                f"{_said(scales, offsets)} of the file's tags are passed over, for the "
                f"values would make no sense; they are {_CALLED[found.units]}"
            )
        else:
            found = by_tag
            scale, offset = _numbers(scales), _numbers(offsets)
            look.encoding = replace(look.encoding, scale=scale, offset=offset)
            look.note(f"{_said(scales, offsets)} taken from the file's tags")
    _refuse_backscatter(look, found.units, found.seen, found.likely, said, trust)
    units = found.units if said == "auto" else said
    if found.doubt:
        look.note(found.doubt)
    if units == "linear" and said == "auto":
        look.note("linear power, converted to dB (values are never negative)")
    look.encoding = replace(
        look.encoding, power=units == "linear", amplitude=units == "amplitude"
    )


def _refuse_backscatter(
    look: _Look, found: Any, seen: str, likely: Any, said: Units, trust: bool
) -> None:
    """Refuse units that are not clear, or other ones than were said."""
    if (trust and said != "auto") or said == found or (not found and said in likely):
        return
    if said not in ("auto", found) and found is not None:
        raise ValueError(
            f"{look.what}: said to be {_CALLED[said]}, but its values look like "
            f"{_CALLED[found]} ({seen}); give --s1-units {found}, or --trust if it is "
            "really so"
        )
    if found == "amplitude":
        raise ValueError(
            f"{look.what}: values look like amplitude, the square root of power "
            f"({seen}); give --s1-units amplitude, or linear with --trust"
        )
    if found is None and likely:
        raise ValueError(
            f"{look.what}: values may be linear power or amplitude, its square root "
            f"({seen}); say --s1-units linear or --s1-units amplitude"
        )
    if found is None:
        raise ValueError(f"{look.what}: backscatter has {seen}")


def _check_polarisations(look: _Look, values: Floats, trust: bool) -> None:
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


def admit_own(stored: Stored, sensor: Sensor, encoding: Encoding) -> Admitted:
    """Look at a user's own sensor; values far outside its bands' range are said.

    Scale and offset tags of the file count where the sensor's description has none.
    """
    look = _look(stored, sensor, encoding, None)
    scales, offsets, tagged = _tagged(look)
    if tagged and encoding.scale == 1 and encoding.offset == 0:
        look.encoding = replace(
            encoding, scale=_numbers(scales), offset=_numbers(offsets)
        )
        look.note(f"{_said(scales, offsets)} taken from the file's tags")
    elif tagged and (
        (scales != encoding.scale).any() or (offsets != encoding.offset).any()
    ):
        look.note(
            f"the file's tags say {_said(scales, offsets)}, the sensor's description "
            f"{_said(encoding.scale, encoding.offset)}, which counts"
        )
    dark_zero = sensor.kind == "optical" and encoding.nodata == 0 == encoding.offset
    look.validity = replace(look.validity, dark_zero=dark_zero)
    raw = _sample(look, look.places)
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
    _settle_fills(look, (float(low), float(high)), same_is_enough=False)
    return look.admitted()
