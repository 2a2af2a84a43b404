"""What values say about their units: reflectance or backscatter, on which scale.

Decisions are by what land, water, snow and clouds can show. A decade of brightness
tells fractions, percent, thousandths and ten-thousandths apart; where it does not, the
shape of the brightest spectra does. What is not clear is refused, never guessed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from overcast.geo.bands import to_db

Floats = NDArray[np.float32]
Backscatter = Literal["db", "linear", "amplitude"]

_BRIGHTEST = 2.2
"""Of 99 in 100 pixels, no band is brighter: clouds under a low sun are."""
_DARK_FRACTION = 0.004
_LUSH = (0.1, 0.95)
"""Reflectance of vegetation in the near infrared; an NDVI above a half knows no other."""
_LAND_DN, _SURE_LAND_DN, _WATER_DN, _VISIBLE_DN = 800.0, 1300.0, 100.0, 200.0
"""Brightest digital numbers x 10,000 of dark land, any land, water, and where only
visible bands are there; darker ones may be thousandths."""
_WATER_RATIO, _WHITE = 0.65, 0.2
_VEGETATED = 0.05
_FAR_TO_RED, _FAR_TO_SHORT = 0.3, 0.42
"""B12 over B04 of vegetation, and over B11 of other land: radiance has up to 0.2 and
0.35, reflectance from 0.6 and 0.5 on."""
_DARK_SHORT = 0.03
"""B11 over the brightest band: less in radiance of water, and in clear water."""
_NEGATIVE = 0.05
_APPLIED_TWICE = -0.03


@dataclass(frozen=True, slots=True)
class Scale:
    """The scale that values are on, and what it is called; or why none is clear."""

    scale: float | None
    called: str


def reflectance_scale(values: Floats, names: tuple[str, ...], whole: bool) -> Scale:
    """Scale that makes values ``[C, N]`` reflectance.

    Parameters
    ----------
    values
        As stored, or after scale and offset tags; without fill values.
    names
        Bands, as Sentinel-2 calls them.
    whole
        Whether values are stored as whole numbers.
    """
    brightness = values.max(0)
    top = float(np.percentile(brightness, 99))
    seen = f"bands up to {top:.3g} (99 % of the pixels are darker)"
    if top <= _DARK_FRACTION or top * 1e-4 > _BRIGHTEST:
        what = "dark for any scale" if top < 1 else "bright for reflectance x 10,000"
        return Scale(None, f"{seen}: too {what}")
    if top <= _BRIGHTEST and _near_infrared(values, names) <= _LUSH[1]:
        return Scale(1.0, "fractions")
    bright = values[:, brightness >= np.percentile(brightness, 90)]
    shape = _shape(bright, values, names)
    green = _near_infrared(values, names)
    if top >= _SURE_LAND_DN and not (shape == "vegetation" and 1e-4 * green < _LUSH[0]):
        return Scale(1e-4, "reflectance x 10,000")
    broken = not whole and (values != np.round(values)).mean() > 0.5
    if broken and (1 if shape == "water" else 8) <= top <= 160:
        if 1e-2 * green > _LUSH[1]:
            return Scale(None, f"{seen}: too bright for vegetation in percent")
        return Scale(1e-2, "percent")
    return _between(top, shape, seen)


def _between(top: float, shape: str, seen: str) -> Scale:
    """Scale of what is darker than land usually is in digital numbers x 10,000."""
    unclear = Scale(
        None,
        f"{seen}: percent, bytes of a picture, reflectance x 1000 or x 10,000 can't be "
        "told apart",
    )
    least = {"water": _WATER_DN, "unknown": _VISIBLE_DN, "other": _LAND_DN}
    if top >= least.get(shape, np.inf) and not (shape == "unknown" and top < 256):
        return Scale(1e-4, "reflectance x 10,000")
    if shape in ("vegetation", "white") and top >= 256:
        return Scale(1e-3, "reflectance x 1000")
    return unclear


def _shape(bright: Floats, values: Floats, names: tuple[str, ...]) -> str:
    """Return what the brightest spectra look like, whatever their scale."""
    of = dict(zip(names, bright, strict=True))
    near = of.get("B08", of.get("B8A", of.get("B07")))
    visible = of.get("B03", of.get("B02"))
    if near is None or visible is None:
        return "unknown"
    ratio = float(np.median(near / np.maximum(visible, 1e-6)))
    if ratio < _WATER_RATIO:
        return "water"
    if vegetated(values, names).mean() > _VEGETATED:
        return "vegetation"
    whole = np.stack([of[n] for n in ("B02", "B03", "B04") if n in of] + [near])
    spread = np.ptp(np.median(whole, 1)) / max(float(np.median(whole)), 1e-6)
    return "white" if len(whole) == 4 and spread < _WHITE else "other"


def _near_infrared(values: Floats, names: tuple[str, ...]) -> float:
    """Return what nine in ten vegetated pixels are below in the near infrared, or 0."""
    of = dict(zip(names, values, strict=True))
    near = of.get("B08", of.get("B8A"))
    green = vegetated(values, names)
    if near is None or green.mean() <= _VEGETATED:
        return 0.0
    return float(np.percentile(near[green], 90))


def vegetated(values: Floats, names: tuple[str, ...]) -> NDArray[np.bool_]:
    """Bool ``[N]``: NDVI above one half, which no scale changes."""
    of = dict(zip(names, values, strict=True))
    near, red = of.get("B08", of.get("B8A")), of.get("B04")
    if near is None or red is None:
        return np.zeros(values.shape[1], np.bool_)
    return np.asarray((near - red > 0.5 * (near + red)) & (near > 0), np.bool_)


def looks_like_radiance(values: Floats, names: tuple[str, ...]) -> bool:
    """Return whether spectra ``[C, N]`` fall towards the short wave like sunlight.

    The sun gives 1512 W/m2/um in B04, 245 in B11 and 85 in B12. Divided by it, land is
    not that dark in B12: dense vegetation has about twice its red reflectance there
    (Kaufman et al. 1997, "The MODIS 2.1 um channel", IEEE TGRS 35, 1286-1298), soil,
    roofs, snow and clouds at least half of that in B11. Water alone does not tell.
    """
    of = dict(zip(names, values, strict=True))
    if not {"B04", "B11", "B12"} <= set(of):
        return False
    red, short, far = of["B04"], of["B11"], of["B12"]
    green = vegetated(values, names)
    if green.mean() > _VEGETATED:
        ratio = far[green] / np.maximum(red[green], 1e-6)
        return bool(np.median(ratio) < _FAR_TO_RED)
    bright = short > max(float(np.median(short)), 1e-6)
    if not bright.any() or _is_dark(values, short, bright):
        return False
    ratio = far[bright] / short[bright]
    return bool(np.percentile(ratio, 90) < _FAR_TO_SHORT)


def _is_dark(values: Floats, short: Floats, bright: NDArray[np.bool_]) -> bool:
    """Return whether pixels bright in B11 are dark in other bands, like water and snow."""
    return bool(np.median(short[bright] / values[:, bright].max(0)) < _DARK_SHORT)


def darkest(values: Floats) -> float:
    """Darkest band of the darkest pixels: the 0.1 % quantile of the bands' minimum."""
    return float(np.percentile(values.min(0), 0.1))


def below_zero(values: Floats, stored: Floats) -> bool:
    """Return whether reflectance is negative so often that an offset was applied twice.

    Bands that are stored as 0 are left out: they were clipped before.
    """
    negative = (np.where(stored == 0, 0, values) < _APPLIED_TWICE).any(0)
    return bool(negative.mean() > _NEGATIVE)


_VH_LAND = (-38.0, -9.5)
_VV_LAND = (-32.0, 1.5)
_VH_SURE = -14.5
"""Median below it: as an amplitude, it would be below the noise of the sensor."""
_VH_DARK = -21.0
"""Of 1 % of the pixels; below it they would be so as amplitudes."""
_VH_FAINT, _FAR_APART = -31.0, 11.5
_APART = 4.8
"""Decibels between VV and VH; less is more often an amplitude."""


@dataclass(frozen=True, slots=True)
class Units:
    """The units of stored backscatter; None, and why, if they are unclear."""

    units: Backscatter | None
    seen: str
    likely: tuple[Backscatter, ...] = ()
    """What it may be where it is not clear."""
    doubt: str = ""


def backscatter_units(values: Floats, names: tuple[str, ...]) -> Units:
    """Return the units of values ``[C, N]`` of VV and VH: dB, linear power or amplitude."""
    middles = np.median(values, 1)
    seen = "medians of " + " and ".join(
        f"{middle:.3g} in {name}" for middle, name in zip(middles, names, strict=True)
    )
    scattered = (values < 0).mean() > 0.2 and middles.min() < -1
    if scattered:
        return _decibels(middles, names, seen)
    power = np.maximum(values, np.float32(1e-6))
    levels = to_db(np.median(power, 1))
    dark = to_db(np.percentile(power, 1, axis=1).astype(np.float32))
    return _positive(levels, dark, names, seen)


def _decibels(middles: Floats, names: tuple[str, ...], seen: str) -> Units:
    vv, vh = _levels(middles, names)
    if np.nanmin([vv, vh]) < -45:
        return Units(None, f"{seen}, as dB x 10 or x 100 would be; {_SAY_SCALE}")
    if vh < _VH_LAND[0]:
        return Units(None, f"{seen}, twice what dB are: 20 log10 of power?")
    if vv > _VV_LAND[1] + 2:
        return Units(None, f"{seen}, too bright for dB")
    if vh > _VH_LAND[1] and vv - vh < _APART:
        return Units(None, f"{seen}, half of what dB are: 10 log10 of amplitude?")
    doubt = ""
    if vh < _VH_FAINT and vv - vh > _FAR_APART:
        doubt = f"{seen}, as 20 log10 of power would have over land; is it dB?"
    return Units("db", seen, doubt=doubt)


_SAY_SCALE = "set the scale in the file (gdal_edit.py -scale 0.01 FILE)"


def _positive(levels: Floats, dark: Floats, names: tuple[str, ...], seen: str) -> Units:
    """Linear power or amplitude, by what their decibels would be."""
    vv, vh = _levels(levels, names)
    if np.nanmax([vv, vh]) > _VV_LAND[1]:
        return Units(
            None,
            f"{seen}: neither dB nor linear power; calibrate it (digital numbers are "
            "not placed on any scale, dB have a minus sign over land)",
        )
    if np.isnan(vh):  # VV alone
        likely = "linear" if vv < -7.5 else None
        return Units(likely, seen, ("amplitude", "linear"))  # type: ignore[arg-type]
    apart = np.inf if np.isnan(vv) else abs(vv - vh)
    vh = vh if np.isnan(vv) else min(vv, vh)
    if vh < _VH_SURE or dark.min() < _VH_DARK:
        return Units("linear", seen)
    if vh > _VH_LAND[1]:
        return Units("amplitude", seen, ("amplitude",))
    if apart >= _APART and np.isfinite(apart):
        return Units("linear", seen)
    return Units(None, seen, ("amplitude", "linear"))


def _levels(middles: Floats, names: tuple[str, ...]) -> tuple[float, float]:
    """Medians of VV and of VH; NaN where a band is not there."""
    of = dict(zip(names, map(float, middles), strict=True))
    return of.get("VV", np.nan), of.get("VH", np.nan)
