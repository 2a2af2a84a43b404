"""Class probabilities in a file: an image with a band for every class."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from overcast.geo.bands import Band, Encoding, Sensor
from overcast.geo.check import Checked
from overcast.geo.dataset import open_raster
from overcast.geo.image_file import ImageFile, open_image
from overcast.geo.stored import file_bands, seen_sample

SENSOR = "class-probabilities"
_ROUNDING, _TOTAL = 0.02, 0.05
"""What rounding may add to a probability, and to the sum of all."""


def probability_sensor(classes: Sequence[str]) -> Sensor:
    """Sensor whose bands are the probabilities of classes, 0 to 1.

    Raises
    ------
    ValueError
        If two classes have one name.
    """
    if len(set(classes)) < len(classes):
        raise ValueError(f"two classes have one name: {', '.join(classes)}")
    bands = tuple(Band(name, "probability", 0.0, 1.0) for name in classes)
    return Sensor(SENSOR, "optical", bands)


def open_probabilities(path: Path) -> Checked[ImageFile]:
    """Open a raster such as ``overcast predict --probabilities`` writes.

    Every band is named by its class, and the file's own scales and offsets apply.

    Raises
    ------
    ValueError
        If the file is refused, a band has no name, or values are no probabilities.
    """
    dataset = open_raster(path)
    names = [name or "" for name in dataset.descriptions]
    if not all(names):
        raise ValueError(
            f"{path}: band {names.index('') + 1} has no name; a raster of class "
            "probabilities names every band by its class"
        )
    encoding = Encoding(scale=_each(dataset.scales), offset=_each(dataset.offsets))
    sensor = probability_sensor(names)
    image = open_image(path, sensor, encoding)
    raw = seen_sample(
        file_bands(path, sensor), range(len(names)), Encoding(), image.validity
    )
    values = image.physical(raw)
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    if low < -_ROUNDING or high > 1 + _ROUNDING:
        raise ValueError(
            f"{path}: values from {low:g} to {high:g}; probabilities are from 0 to 1: "
            "set the file's scale (gdal_edit.py -scale 0.01 FILE, or 1/255 for bytes)"
        )
    total = float(np.nanmedian(values.sum(0)))
    notes = []
    if abs(total - 1) > _TOTAL:
        notes.append(
            f"{path}: probabilities of all classes sum to {total:.2f}, not 1; is a class "
            "left out, or the scale wrong?"
        )
    return Checked(image, tuple(notes))


def _each(numbers: Sequence[float]) -> float | tuple[float, ...]:
    """One number where all bands have the same."""
    return numbers[0] if len(set(numbers)) == 1 else tuple(numbers)
