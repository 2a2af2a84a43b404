"""More speckle, as a radar of fewer looks would show it.

Speckle multiplies power: a homogeneous surface seen with L looks has the mean of L
intensities of complex Gaussian fields, here each smoothed with a Gaussian of standard
deviation s pixels, so that neighbours correlate as they do in a real image. What is
stored changes by the unit of the band, with E[S] = 1:

    power       y = x S
    amplitude   y = x sqrt(S)
    dB          y = x + 10 log10(S)

An image of M looks seen through S has an equivalent number of 1 / (1/L + 1/M + 1/(LM)).
A network that meets the same surface under ever new speckle can't learn its grain.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from math import ceil, log

import torch
import torch.nn.functional as F
from torch import Tensor

from overcast.geo.bands import NETWORK_RANGE, SENTINEL_1, Band, Sensor
from overcast.train.batch import Batch

_CHANGES: Mapping[str, Callable[[Tensor, Tensor], Tensor]] = {
    "db": lambda values, factor: values + 10 / log(10) * factor.log(),
    "power": lambda values, factor: values * factor,
    "amplitude": lambda values, factor: values * factor.sqrt(),
}
"""What becomes of values in a unit, in lower case, when power is multiplied."""


def speckle(
    batch: Batch,
    name: str,
    looks: int,
    sensor: Sensor = SENTINEL_1,
    correlation_px: float = 1.2,
) -> Batch:
    """Multiply the power of a radar image with speckle, drawn anew.

    Parameters
    ----------
    batch
        What is seen, in network units.
    name
        Which of its images.
    looks
        L; 1 is the strongest speckle there is.
    sensor
        What the image is of: its bands say in which unit it is stored, dB, power or
        amplitude, and where that lies in network units.
    correlation_px
        s; 1.2 as measured on Sentinel-1 GRD images.

    Raises
    ------
    ValueError
        If there is no such image, it has not the bands of `sensor`, that is no radar
        or in another unit, or a number is not positive.
    """
    check_radar(name, sensor)
    if name not in batch.images:
        raise ValueError(f"no image {name!r}; there are {', '.join(batch.images)}")
    image = batch.images[name]
    if image.shape[1] != len(sensor.bands):
        raise ValueError(
            f"{name} has {image.shape[1]} bands, {sensor.name} {len(sensor.bands)}"
        )
    if looks < 1 or correlation_px <= 0:
        raise ValueError(
            "looks must be 1 or more and correlation_px positive, got "
            f"{looks=}, {correlation_px=}"
        )
    factor = _draw(image.shape, looks, correlation_px).to(image)
    bands = zip(sensor.bands, image.unbind(1), factor.unbind(1), strict=True)
    changed = torch.stack([_change(*band) for band in bands], 1)
    return replace(batch, images={**batch.images, name: changed})


def check_radar(name: str, sensor: Sensor) -> None:
    """Refuse an image that speckle has no meaning for.

    Raises
    ------
    ValueError
        If `sensor` is no radar, or a band is neither in dB nor in power nor amplitude.
    """
    if sensor.kind != "sar":
        raise ValueError(
            f"{name} ({sensor.name}) is {sensor.kind}; speckle is of radar images, so "
            "name one of those, or set looks: 0"
        )
    for band in sensor.bands:
        if band.unit.lower() not in _CHANGES:
            raise ValueError(
                f"band {band.name} of {name} ({sensor.name}) is in {band.unit!r}; "
                "speckle changes values in dB, power or amplitude: say in the sensor's "
                "file which of them it is, or set looks: 0"
            )


def _change(band: Band, values: Tensor, factor: Tensor) -> Tensor:
    """Values ``[B, H, W]`` in network units after their power is multiplied."""
    span = band.high - band.low
    stored = _CHANGES[band.unit.lower()](band.low + span * values, factor)
    return ((stored - band.low) / span).clamp(*NETWORK_RANGE)


def _draw(shape: torch.Size, looks: int, sigma_px: float) -> Tensor:
    """Speckle of mean 1 with the shape of an image ``[B, C, H, W]``."""
    samples, bands, height, width = shape
    reach = ceil(3 * sigma_px)
    away = torch.arange(-reach, reach + 1)
    kernel = torch.exp(-0.5 * (away / sigma_px) ** 2)
    # The smoothed field keeps a variance of one, so that its square has a mean of one.
    kernel = kernel / kernel.square().sum().sqrt()
    total = torch.zeros(samples * bands, 1, height, width)
    for _ in range(2 * looks):  # real and imaginary parts
        white = torch.randn(len(total), 1, height + 2 * reach, width + 2 * reach)
        field = F.conv2d(white, kernel.view(1, 1, -1, 1))
        total += F.conv2d(field, kernel.view(1, 1, 1, -1)).square()
    return total.view(shape) / (2 * looks)
