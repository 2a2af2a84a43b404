"""Spectral indices as further bands of an image, by the names and formulas of spyndex.

spyndex (Montero et al., A standardized catalogue of spectral indices, Scientific Data
10, 2023) has some 280. An index joins the first image that has its bands, which are told
by their names: those of Sentinel-2, or red, green, blue and nir. Reflectances go into
the formulas as they are, backscatter as linear power, constants with their defaults.

A network could find most indices by itself; with few labels it may not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import cache
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox

from overcast.extras import advice
from overcast.geo.bands import Band, Sensor, canonical, from_db, standard_name
from overcast.geo.derived import Derived
from overcast.geo.raster import Image
from overcast.geo.stack import Chip, ImageSource, Stack

_LOW, _HIGH = -1.0, 1.0
"""Of every index: what normalised differences can be."""


def indexed(sensors: Mapping[str, Sensor], names: Sequence[str]) -> dict[str, Sensor]:
    """Sensors with an index as a last band where it belongs.

    Parameters
    ----------
    sensors
        By name of the image.
    names
        Indices as spyndex calls them: ``NDVI``, ``NDWI``, ``DBSI``.

    Raises
    ------
    ValueError
        If spyndex is not installed, has no such index, or no image has its bands.
    """
    extended = dict(sensors)
    for name in names:
        place = next((n for n, s in sensors.items() if _parts(s, name)), None)
        if place is None:
            have = "; ".join(f"{n}: {', '.join(s.names)}" for n, s in sensors.items())
            wanted = ", ".join(_catalogue().indices[name].bands)
            raise ValueError(f"no image has the bands of {name} ({wanted}); {have}")
        own = extended[place]
        if name in own.names:
            raise ValueError(f"index {name} is named twice, or a band of {place}")
        extended[place] = replace(
            own, bands=(*own.bands, Band(name, "index", _LOW, _HIGH))
        )
    return extended


def stack_with_indices(stack: Stack, names: Sequence[str]) -> Stack:
    """Return the stack with indices among the bands of its images.

    Raises
    ------
    ValueError
        As `indexed` does.
    """
    if not names:
        return stack
    images = dict(stack.images)
    for place, sensor in indexed(stack.sensors, names).items():
        if sensor != images[place].sensor:
            images[place] = Indexed(images[place], sensor)
    return replace(stack, images=images)


def chip_with_indices(chip: Chip, names: Sequence[str]) -> Chip:
    """Return the chip with indices among the bands of its images.

    Raises
    ------
    ValueError
        As `indexed` does.
    """
    if not names:
        return chip
    sensors = indexed({n: i.sensor for n, i in chip.images.items()}, names)
    images = {n: image_with_indices(i, sensors[n]) for n, i in chip.images.items()}
    return replace(chip, images=images)


@dataclass(frozen=True, slots=True)
class Indexed(Derived[ImageSource]):
    """An image with indices as its last bands, as an `ImageSource`.

    `sensor` is that of the image, with the indices after its bands.
    """

    sensor: Sensor

    def read(self, grid: GeoBox) -> Image:
        """Values on `grid`, and the indices of these values."""
        return image_with_indices(self.source.read(grid), self.sensor)


def image_with_indices(image: Image, sensor: Sensor) -> Image:
    """Return the image with those bands of `sensor` that it lacks, computed as indices.

    An index whose formula has no finite value at a pixel, such as a share of nothing,
    is 0 there.
    """
    lacking = sensor.names[len(image.sensor.names) :]
    if not lacking:
        return image
    known = len(image.values)
    values = np.empty((known + len(lacking), *image.valid.shape), np.float32)
    values[:known] = image.values
    for place, name in enumerate(lacking, known):
        index = _value(image, name)
        values[place] = np.where(np.isfinite(index) | ~image.valid, index, 0)
    return replace(image, values=values, sensor=sensor)


def _value(image: Image, name: str) -> NDArray[np.float32]:
    parts = _parts(image.sensor, name)
    assert parts is not None
    given: dict[str, Any] = {}
    for symbol, place in parts.items():
        values = image.values[place]
        given[symbol] = from_db(values) if image.sensor.kind == "sar" else values
    constants = _catalogue().constants
    for symbol in _catalogue().indices[name].bands:
        if symbol not in given:
            given[symbol] = constants[symbol].default
    with np.errstate(all="ignore"):
        value = _catalogue().computeIndex(name, given)
    return np.asarray(value, np.float32)


def _parts(sensor: Sensor, name: str) -> dict[str, int] | None:
    """Symbols of a formula to positions of bands; None where a band is not there.

    Raises
    ------
    ValueError
        If there is no such index.
    """
    indices = _catalogue().indices
    if name not in indices:
        near = get_close_matches(name, indices, 1, cutoff=0)[0]
        raise ValueError(f"spyndex has no index {name!r}; did you mean {near}?")
    names = [standard_name(band) for band in sensor.names]
    parts = {}
    for symbol in indices[name].bands:
        band = _bands().get(symbol, symbol)
        if band in names:
            parts[symbol] = names.index(band)
        elif not _is_constant(symbol):
            return None
    return parts or None


def _is_constant(symbol: str) -> bool:
    constants = _catalogue().constants
    return symbol in constants and constants[symbol].default is not None


@cache
def _bands() -> dict[str, str]:
    """Symbols of formulas to bands of Sentinel-2 as overcast writes them."""
    bands = _catalogue().bands
    sentinel = {symbol: getattr(bands[symbol], "sentinel2a", None) for symbol in bands}
    return {
        s: canonical(match.band) for s, match in sentinel.items() if match is not None
    }


@cache
def _catalogue() -> Any:
    try:
        return import_module("spyndex")
    except ImportError as error:
        raise ValueError(f"spectral indices: {advice(error)}") from error
