"""Sentinel-2 at the gate: its scale, the product's offset, and the order of its bands."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from overcast.geo.band_names import resolve
from overcast.geo.bands import (
    SENTINEL_2,
    SENTINEL_2_ENCODING,
    SENTINEL_2_L1C,
    SENTINEL_2_OFFSET,
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
from overcast.geo.spectra import likelier_order
from overcast.geo.stored import Stored
from overcast.geo.units import (
    Scale,
    below_zero,
    darkest,
    looks_like_radiance,
    reflectance_scale,
    vegetated,
)
from overcast.geo.validity import decode

_OFFSET_FLOOR, _DARK = 0.09, 0.07
"""Without the offset of 0.1, some pixel of a scene is darker than the first in a band:
desert and clouds are not. With it applied, a pixel of water or shadow is darker than the
second in most bands; where there is none, vegetation tells."""
_REFLECTANCE = (-0.5, 6.4)
"""Lowest and highest reflectance that there can be."""
_SAY_SCALE = "set the right scale in the file (gdal_edit.py -scale 0.0001 FILE)"


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
    look = look_at(stored, sensor, SENTINEL_2_ENCODING, bands)
    whole = all(np.dtype(stored.tags[p].dtype).kind in "ui" for p in look.places)
    look.validity = replace(look.validity, dark_zero=True, faint=1.0 if whole else 0.0)
    everything = tuple(range(len(stored.tags)))
    sampled = look.places if look.order.named else everything
    raw = seen_values(look, sampled, trust)
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
    _refuse_radiance(look, own, trust)
    say_copies(look, own)
    settle_fills(look, _REFLECTANCE, same_is_enough=len(look.places) >= 3)
    return look.admitted()


def offset_of(reflectance: Floats, names: tuple[str, ...]) -> float | None:
    """Offset that values without one show to be missing, 0 if none; None if unclear.

    Parameters
    ----------
    reflectance
        Seen pixels ``[C, N]``, as stored times the scale.
    names
        Of the bands.
    """
    floor = darkest(reflectance)
    if floor <= _OFFSET_FLOOR:
        return 0.0
    return SENTINEL_2_OFFSET if _pending(reflectance, floor, names) else None


def _refined(look: Look, raw: Floats) -> NDArray[np.bool_]:
    """Return which pixels of a sample are still seen now that the encoding is known."""
    seen = np.isfinite(decode(raw, look.encoding, look.validity)).all(0)
    return np.asarray(seen if seen.any() else np.ones_like(seen))


def _refuse_radiance(look: Look, raw: Floats, trust: bool) -> None:
    """Refuse values that the sun's spectrum is still in."""
    if not looks_like_radiance(look.encoding.decode(raw), look.sensor.names):
        return
    text = (
        "far darker in B12 than land is beside other bands, as radiance is, which has "
        "the sun's spectrum in it"
    )
    if trust:
        look.note(f"{text}; is it reflectance?")
        return
    raise ValueError(
        f"{look.what}: {text}; give reflectance (a product of level L2A or L1C), or "
        "--trust if it is really so"
    )


def _settle_scale(look: Look, raw: Floats, whole: bool, trust: bool) -> None:
    """Find the scale by tags and values; a ValueError where they don't say it."""
    names = look.sensor.names
    scales, offsets, tagged = tags_of(look)
    plain = reflectance_scale(raw, names, whole)
    scaling = plain
    if tagged:
        scaling = reflectance_scale((raw * scales + offsets).astype("f4"), names, False)
        if scaling.scale is None and plain.scale is not None:
            look.note(
                f"{in_words(scales, offsets)} of the file's tags are passed over, for the "
                f"values would make no sense; they are taken for {plain.called}"
            )
            tagged, scaling = False, plain
    if scaling.scale is None:
        if not trust:
            raise ValueError(f"{look.what}: {scaling.called}; {_SAY_SCALE}")
        scaling = Scale(1e-4, "reflectance x 10,000")
    if scaling.scale not in (1e-4, 1.0):
        look.note(f"{scaling.called}, converted to reflectance")
    factor = 1e-4 if scaling.scale is None else scaling.scale
    scale: float | tuple[float, ...] = factor
    offset: float | tuple[float, ...] = 0.0
    if tagged:
        scale, offset = one_or_each(factor * scales), one_or_each(factor * offsets)
    faint = {1e-4: 1.0, 1.0: 1e-4}.get(scale if isinstance(scale, float) else 0)
    visible = {"B02", "B03"} & set(names)
    look.validity = replace(
        look.validity, faint=faint if visible else None, limits=_REFLECTANCE
    )
    look.encoding = replace(look.encoding, scale=scale, offset=offset)


def _settle_stated(look: Look, said: int | None, trust: bool) -> None:
    """Take scale and offset of the product's metadata; refuse to hear otherwise."""
    scales, offsets, _ = tags_of(look)
    if said is not None and not np.allclose(offsets, said * scales, atol=1e-6):
        stated = ", ".join(f"{n:g}" for n in np.unique((offsets / scales).round()))
        if not trust:
            raise ValueError(
                f"{look.what}: said to have offset {said}, but its own metadata says "
                f"{stated}; leave --s2-offset out, or give --trust if it is really so"
            )
        offsets = said * scales
    scale, offset = one_or_each(scales), one_or_each(offsets)
    look.encoding = replace(look.encoding, scale=scale, offset=offset)
    # Since there is an offset, no measurement is 0: that is no data, band by band.
    dark_zero = not (offsets != 0).all()
    look.validity = replace(look.validity, dark_zero=dark_zero, limits=_REFLECTANCE)


def _settle_offset(look: Look, raw: Floats, said: int | None, trust: bool) -> None:
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
            f"offset {in_words(1, look.encoding.offset).split()[-1]} of the file's tags is "
            "passed over: with it, reflectance is negative in many pixels"
        )
        look.encoding = plain
    elif tagged:
        shown = in_words(1, look.encoding.offset).split("offset ")[1]
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
    """Return whether the offset of -1000 is still to be applied."""
    if floor <= _OFFSET_FLOOR:
        return False
    applied = values + np.float32(SENTINEL_2_OFFSET)
    dark = float(np.percentile(np.median(applied, 0), 0.1))
    return bool(dark < _DARK or vegetated(applied, names).mean() > 0.02)


def _settle_said(
    look: Look, raw: Floats, said: int, floor: float, pending: bool, trust: bool
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
    look: Look, raw: Floats, said: tuple[str, ...] | None, trust: bool
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
