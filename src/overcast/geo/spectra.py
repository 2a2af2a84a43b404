"""Whether bands are in the order that is assumed: land and water betray it.

Every pixel is compared with typical spectra by its angle to the nearest of them, which
no brightness changes. The right order is near for most pixels; if another order that
files come in is much nearer, the assumed one is wrong.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations

import numpy as np
from numpy.typing import NDArray

_NAMES = ("B02", "B03", "B04", "B05", "B06", "B07", "B08", "B8A", "B11", "B12")
_TYPICAL = np.array(
    [
        [0.038, 0.058, 0.040, 0.096, 0.264, 0.322, 0.329, 0.347, 0.180, 0.093],  # trees
        [0.020, 0.035, 0.020, 0.060, 0.180, 0.220, 0.235, 0.245, 0.110, 0.050],  # fir
        [0.035, 0.070, 0.035, 0.110, 0.360, 0.450, 0.460, 0.480, 0.210, 0.095],  # lush
        [0.058, 0.089, 0.078, 0.145, 0.305, 0.357, 0.373, 0.385, 0.253, 0.150],  # grass
        [0.072, 0.102, 0.100, 0.151, 0.297, 0.355, 0.362, 0.379, 0.246, 0.166],  # crops
        [0.070, 0.100, 0.130, 0.170, 0.210, 0.230, 0.245, 0.260, 0.320, 0.240],  # dry
        [0.129, 0.150, 0.163, 0.180, 0.225, 0.245, 0.239, 0.259, 0.259, 0.214],  # town
        [0.121, 0.162, 0.197, 0.226, 0.276, 0.299, 0.296, 0.317, 0.335, 0.272],  # bare
        [0.100, 0.170, 0.270, 0.310, 0.340, 0.360, 0.370, 0.390, 0.480, 0.430],  # sand
        [0.060, 0.080, 0.100, 0.115, 0.130, 0.140, 0.145, 0.155, 0.220, 0.190],  # soil
        [0.040, 0.045, 0.045, 0.055, 0.070, 0.080, 0.085, 0.090, 0.130, 0.130],  # burnt
        [0.050, 0.040, 0.025, 0.020, 0.015, 0.014, 0.013, 0.012, 0.008, 0.006],  # clear
        [0.045, 0.065, 0.045, 0.035, 0.022, 0.022, 0.020, 0.018, 0.010, 0.008],  # lake
        [0.070, 0.100, 0.095, 0.085, 0.045, 0.045, 0.035, 0.030, 0.012, 0.008],  # mud
        [0.062, 0.068, 0.062, 0.070, 0.068, 0.071, 0.063, 0.072, 0.058, 0.048],  # shoal
        [0.900, 0.900, 0.890, 0.880, 0.860, 0.840, 0.830, 0.800, 0.100, 0.090],  # snow
        [0.550, 0.540, 0.560, 0.570, 0.580, 0.590, 0.590, 0.600, 0.420, 0.320],  # cloud
        [0.250, 0.250, 0.250, 0.280, 0.360, 0.390, 0.390, 0.400, 0.290, 0.210],  # haze
    ],
    np.float32,
)
_HAZE = np.array([0.09, 0.06, 0.04, 0.03, 0.025, 0.02, 0.02, 0.01, 0, 0], np.float32)
"""What air adds above the ground: products of the top of the atmosphere have it."""
_PIXELS = 3000
_FAR, _NEARER = 0.17, 0.6
"""Mean angle in radians from which an order is doubted, and how much nearer another
one must be."""
_FEWEST = 4
_SOIL, _BLUE_SOIL = 0.01, 0.85
"""Share of soil among the pixels that is enough, and red over blue that it never has."""
_LUSH, _LUSH_SHARE, _FALLS = 2.5, 0.02, 0.9
"""Near infrared over visible bands in lush vegetation, the share of such pixels that is
enough, and the share of them in which a step that goes the wrong way is a mistake. On 24
real scenes it was 0.033 at most (tests/geo/test_gate_limits.py looks at them)."""
_STEPS = (("B04", "B05"), ("B05", "B06"), ("B06", "B07"), ("B12", "B11"))
"""Neighbours of which the second is brighter in lush vegetation: chlorophyll is dark up
to the red edge, and water in leaves is darker at 2.2 than at 1.6 micrometres."""


def likelier_order(
    values: NDArray[np.float32], names: tuple[str, ...], stacked: bool
) -> tuple[str, ...] | None:
    """Order of bands that fits a sample ``[C, N]`` much better than `names` does.

    None where no other order fits better, or where the sample can't tell: fewer than
    four bands, or bands that no typical spectrum has.

    Parameters
    ----------
    values
        Reflectance; only its shape counts.
    names
        The order that is assumed, as Sentinel-2 calls bands.
    stacked
        Whether only orders are tried that files are stacked in.
    """
    places = [i for i, name in enumerate(names) if name in _NAMES]
    if len(places) < _FEWEST or len(set(names)) < len(names):
        return None
    step = max(1, values.shape[1] // _PIXELS)
    pixels = np.maximum(values[:, ::step], 0)
    pixels = pixels[:, (pixels > 0).any(0)]
    if not pixels.size:
        return None
    assumed = _angle(pixels, names)
    if assumed < _FAR:
        return _exchanged(pixels, names)
    angles = {order: _angle(pixels, order) for order in _orders(names, stacked)}
    best = min(angles, key=lambda order: angles[order], default=names)
    if angles.get(best, np.inf) < _NEARER * assumed:
        return best
    return _exchanged(pixels, names)


def _exchanged(
    pixels: NDArray[np.float32], names: tuple[str, ...]
) -> tuple[str, ...] | None:
    """The order with two bands exchanged, where soil or vegetation betrays them."""
    return _red_for_blue(pixels, names) or _neighbours(pixels, names)


def _neighbours(
    pixels: NDArray[np.float32], names: tuple[str, ...]
) -> tuple[str, ...] | None:
    """The order with two neighbours exchanged where lush vegetation has a wrong step."""
    of = dict(zip(names, pixels, strict=True))
    if not {"B03", "B04", "B08"} <= set(of):
        return None
    lush = of["B08"] > _LUSH * np.maximum(of["B03"], of["B04"])
    if lush.mean() < _LUSH_SHARE:
        return None
    for dark, bright in _STEPS:
        if not {dark, bright} <= set(of):
            continue
        if (of[dark] > of[bright])[lush].mean() > _FALLS:
            exchanged = {dark: bright, bright: dark}
            return tuple(exchanged.get(n, n) for n in names)
    return None


def _red_for_blue(
    pixels: NDArray[np.float32], names: tuple[str, ...]
) -> tuple[str, ...] | None:
    """The order with red and blue exchanged where soil is blue, which it never is."""
    of = dict(zip(names, pixels, strict=True))
    if not {"B02", "B03", "B04", "B08", "B11"} <= set(of):
        return None
    blue, green, red, near, short = (of[b] for b in ("B02", "B03", "B04", "B08", "B11"))
    soil = (
        (short > near) & (near > 1.15 * np.maximum(red, blue)) & (short > 1.5 * green)
    )
    if soil.mean() < _SOIL:
        return None
    ratio = float(np.median(red[soil] / np.maximum(blue[soil], 1e-6)))
    exchanged = {"B02": "B04", "B04": "B02"}
    return tuple(exchanged.get(n, n) for n in names) if ratio < _BLUE_SOIL else None


def _angle(pixels: NDArray[np.float32], names: tuple[str, ...]) -> float:
    """Mean angle in radians between pixels ``[C, N]`` and the nearest spectrum."""
    places = [i for i, name in enumerate(names) if name in _NAMES]
    columns = [_NAMES.index(names[i]) for i in places]
    spectra = np.concatenate([_TYPICAL, _TYPICAL + _HAZE])[:, columns]
    spectra = spectra / np.linalg.norm(spectra, axis=1, keepdims=True)
    chosen = pixels[places]
    length = np.maximum(np.linalg.norm(chosen, axis=0), 1e-9)
    cosine = (spectra @ (chosen / length)).max(0)
    return float(np.arccos(np.clip(cosine, -1, 1)).mean())


def _orders(names: tuple[str, ...], stacked: bool) -> Iterator[tuple[str, ...]]:
    """Other orders that files with these bands come in."""
    seen = {names}
    candidates = _stacked(names) if stacked or len(names) > 5 else permutations(names)
    for order in candidates:
        if order not in seen:
            seen.add(order)
            yield order


def _stacked(names: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    of = set(names)
    by_name = tuple(sorted(names))  # B11, B12 before B8A
    by_text = tuple(sorted(names, key=lambda n: n.replace("B0", "B")))
    by_wave = tuple(n for n in ("B01", *_NAMES[:8], "B09", "B10", "B11", "B12"))
    by_wave = tuple(n for n in by_wave if n in of)
    fine = tuple(n for n in ("B02", "B03", "B04", "B08") if n in of)
    rgb = tuple(n for n in ("B04", "B03", "B02", "B08") if n in of)
    nrg = tuple(n for n in ("B08", "B04", "B03", "B02") if n in of)
    short = tuple(n for n in ("B12", "B11") if n in of)
    for order in (by_name, by_text, by_wave, names):
        yield order
        yield order[::-1]
    for first in (fine, rgb, rgb[:3], nrg, short):
        rest = tuple(n for n in by_wave if n not in first)
        for tail in (rest, tuple(n for n in by_name if n not in first)):
            yield first + tail
