"""Class probabilities in a file: an image with a band for every class."""

from __future__ import annotations

from collections.abc import Sequence

from overcast.geo.bands import Band, Encoding, Sensor
from overcast.geo.dataset import open_raster
from overcast.geo.image_file import ImageFile, open_image
from overcast.geo.location import FilePath

SENSOR = "class-probabilities"


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


def open_probabilities(path: FilePath) -> ImageFile:
    """Open a raster such as ``overcast predict --probabilities`` writes.

    Every band is named by its class, and the file's own scale applies.

    Raises
    ------
    ValueError
        If the file is refused, or a band has no name.
    """
    dataset = open_raster(path)
    names = [name or "" for name in dataset.descriptions]
    if not all(names):
        raise ValueError(
            f"{path}: band {names.index('') + 1} has no name; a raster of class "
            "probabilities names every band by its class"
        )
    encoding = Encoding(scale=float(dataset.scales[0]))
    return open_image(path, probability_sensor(names), encoding)
