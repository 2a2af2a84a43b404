"""A stack with exactly the images that a predictor reads."""

from __future__ import annotations

from collections.abc import Mapping

from overcast.geo.bands import Sensor
from overcast.geo.series import series_of
from overcast.geo.stack import Stack


def matched(stack: Stack, sensors: Mapping[str, Sensor]) -> Stack:
    """Return the stack with exactly the images that a predictor reads, and no labels.

    Raises
    ------
    ValueError
        If an image is missing, or is of another sensor or other bands.
    """
    given = {series_of(n, stack.moments): s for n, s in stack.images.items()}
    missing = sensors.keys() - given.keys()
    if missing:
        raise ValueError(
            f"the run was trained with images {', '.join(sorted(sensors))}; "
            f"{', '.join(sorted(missing))} was not given (predict --without maps without)"
        )
    for name, sensor in sensors.items():
        image = given[name].sensor
        if (image.name, image.names) != (sensor.name, sensor.names):
            raise ValueError(
                f"{name}: the run was trained on {sensor.name} "
                f"({', '.join(sensor.names)}), the image is {image.name} "
                f"({', '.join(image.names)})"
            )
    return stack.only(sensors)
