"""More speckle, as a radar of fewer looks would show it.

Speckle multiplies power: a homogeneous surface seen with L looks has the mean of L
intensities of complex Gaussian fields, here each smoothed with a Gaussian of standard
deviation s pixels, so that neighbours correlate as they do in a real image. In decibels

    y = x + 10 log10(S),    E[S] = 1

An image of M looks seen through S has an equivalent number of 1 / (1/L + 1/M + 1/(LM)).
A network that meets the same surface under ever new speckle can't learn its grain.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import ceil, log

import torch
import torch.nn.functional as F
from torch import Tensor

from overcast.geo.bands import SENTINEL_1
from overcast.learn.batch import Batch

SPAN_DB = tuple(band.high - band.low for band in SENTINEL_1.bands)
"""Decibels from 0 to 1 in network units, of the bands of Sentinel-1."""


def speckle(
    batch: Batch,
    sensor: str,
    looks: int,
    correlation_px: float = 1.2,
    span_db: Sequence[float] = SPAN_DB,
) -> Batch:
    """Multiply the power of an image in decibels with speckle, drawn anew.

    Parameters
    ----------
    batch
        What is seen, in network units.
    sensor
        Name of the radar image.
    looks
        L; 1 is the strongest speckle there is.
    correlation_px
        s; 1.2 as measured on Sentinel-1 GRD images.
    span_db
        Decibels of a network unit, for every band.

    Raises
    ------
    ValueError
        If there is no such image, it has not as many bands as `span_db`, or a number
        is not positive.
    """
    if sensor not in batch.images:
        raise ValueError(f"no sensor {sensor!r}; there are {', '.join(batch.images)}")
    image = batch.images[sensor]
    if image.shape[1] != len(span_db):
        raise ValueError(
            f"{sensor} has {image.shape[1]} bands, span_db {len(span_db)} numbers"
        )
    if looks < 1 or correlation_px <= 0 or min(span_db) <= 0:
        raise ValueError(
            f"looks must be 1 or more, the others positive, got looks={looks}, "
            f"correlation_px={correlation_px}, span_db={tuple(span_db)}"
        )
    factor = _draw(image.shape, looks, correlation_px).to(image)
    unit = torch.tensor(span_db).to(image)[:, None, None]
    decibels = 10 / log(10) * factor.log()
    return replace(batch, images={**batch.images, sensor: image + decibels / unit})


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
