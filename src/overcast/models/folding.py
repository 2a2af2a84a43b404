r"""The first convolution of published weights, for whatever bands there are.

Published weights expect bands in an order, and values ``z = (x - mean) / spread``; an
encoder here gets network units ``u = (x - low) / (high - low)``, zero where nothing was
seen, and a channel v that is 1 where something was. Both are the same function of the
image when the first convolution is changed: with kernels W of the published bands n,

    sum_n W_n z_n = sum_n (W_n a_n) u_n + (sum_n W_n b_n) v
    a = (high - low) / spread        b = (low - mean) / spread

so kernels are scaled, and offsets go into the channel of validity. A pixel that was not
seen is then at z = 0, as the padding of a published network is.

Bands are matched by name. A published band that is not at hand stands at its typical
value, which is one more offset. A band that the weights don't know has the mean kernel if
it is of their unit, and all kernels are scaled down so that their sum stays as large,
which is how timm and segmentation-models-pytorch fit RGB weights to other images; else
it begins at zero, as do channels that are no bands.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from overcast.geo.bands import Band, standard_name
from overcast.models.published import DISPLAY, Channel, Published


@dataclass(frozen=True, slots=True)
class InputChannels:
    """Channels of an image in an encoder's input: bands, others, and validity."""

    bands: tuple[Band, ...]
    others: int = 0

    @property
    def channels(self) -> int:
        """Return the number of channels."""
        return len(self.bands) + self.others + 1


def fold(kernel: Tensor, weights: Published, images: Sequence[InputChannels]) -> Tensor:
    """Kernels for images in network units, from those for published bands.

    Parameters
    ----------
    kernel
        ``[O, N, h, w]``, of the N bands of `weights`.
    images
        What is seen, in order.

    Returns
    -------
    Tensor
        ``[O, C, h, w]``, C the channels of all images.
    """
    folded, nothing = list[Tensor](), torch.zeros_like(kernel[:, 0])
    for image in images:
        offset, scaled = nothing.clone(), []
        for band in image.bands:
            own, channel = _expected(kernel, weights, band)
            low, high = (0.0, 1.0) if weights.unit == DISPLAY else (band.low, band.high)
            scaled.append(own * ((high - low) / channel.spread))
            offset += own * ((low - channel.mean) / channel.spread)
        folded += [*scaled, *[nothing] * image.others, offset]
    flat = [band for image in images for band in image.bands]
    places = {place for band in flat if (place := _place(band, weights)) is not None}
    if places:
        first = next(i for i, image in enumerate(images) if knows(weights, image.bands))
        validity = sum(image.channels for image in images[: first + 1]) - 1
        folded[validity] += _absent(kernel, weights, places)
    used = sum(_comparable(band, weights) for band in flat)
    return torch.stack(folded, 1) * ((len(places) or len(weights.bands)) / used)


def _expected(kernel: Tensor, weights: Published, band: Band) -> tuple[Tensor, Channel]:
    """Kernel that a band gets, ``[O, h, w]``, and the normalisation that belongs to it."""
    place = _place(band, weights)
    if place is not None:
        return kernel[:, place], weights.channels[place]
    count = len(weights.channels)
    mean = sum(channel.mean for channel in weights.channels) / count
    spread = sum(channel.spread for channel in weights.channels) / count
    share = 1 if _comparable(band, weights) else 0
    return kernel.mean(1) * share, Channel(band.name, mean, spread)


def _absent(kernel: Tensor, weights: Published, places: Collection[int]) -> Tensor:
    """Return what missing bands add ``[O, h, w]``, each at its typical value."""
    total = torch.zeros_like(kernel[:, 0])
    for place, channel in enumerate(weights.channels):
        if place not in places:
            z = (channel.typical - channel.mean) / channel.spread
            total += kernel[:, place] * z
    return total


def knows(weights: Published, bands: Sequence[Band]) -> bool:
    """Return whether the weights were trained on one of some bands."""
    return any(_place(band, weights) is not None for band in bands)


def _place(band: Band, weights: Published) -> int | None:
    """Position of a band among those of the weights, by name and unit."""
    known = [standard_name(name) for name in weights.bands]
    name = standard_name(band.name)
    return known.index(name) if name in known and _comparable(band, weights) else None


def _comparable(band: Band, weights: Published) -> bool:
    """Return whether values of a band mean the same as values of the weights' own bands."""
    return weights.unit in (DISPLAY, band.unit)
