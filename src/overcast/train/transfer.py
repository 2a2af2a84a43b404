"""Starting weights: what one network's encoder has learned, put into another one's.

Weights are matched by name and shape. Those that read the images themselves are matched
band by band, by the bands' names: a network for B02, B03, B04 and B08 takes from one of
ten bands the four columns that it needs, wherever they stand. A band that the other
network did not know begins at zero, so that it changes nothing until it is learned.

What is the encoder, and which of its weights read which bands, is found by looking: the
encoder by the gradient of the features; weights that read images by their shapes, which
change with the number of bands; and their bands by changing one after the other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from overcast.geo.bands import Sensor
from overcast.models.segmenter import Segmenter
from overcast.train.batch import Batch

Channel = tuple[str, str]
"""Name of an image, and of its band; or `VALIDITY`."""
VALIDITY = "validity"
Build = Callable[[Mapping[str, int]], Segmenter]
"""A network, from the number of bands of every image."""

_SIDE = 64


@dataclass(frozen=True, slots=True)
class Reading:
    """Bands that the input channels of a weight are, in order.

    Where a network mixes bands before that weight sees them, they can't be told apart:
    `distinct` is False, and all bands that there are stand in `channels`.
    """

    channels: tuple[Channel, ...]
    distinct: bool = True


def encoder_weights(model: Segmenter) -> list[str]:
    """Names of the weights and buffers that `Segmenter.encode` depends on."""
    named = dict(model.named_parameters())
    fixed = [p for p in named.values() if not p.requires_grad]
    with _looked_at(model), torch.enable_grad():
        model.requires_grad_(True)
        total = model.encode(_batch(model.bands)).sum()
        slopes = torch.autograd.grad(total, list(named.values()), allow_unused=True)
    for parameter in fixed:
        parameter.requires_grad_(False)
    reached = {n for n, slope in zip(named, slopes, strict=True) if slope is not None}
    modules = {_module(name) for name in reached}
    return [
        name
        for name in model.state_dict()
        if name in reached or (name not in named and _module(name) in modules)
    ]


def readings(build: Build, sensors: Mapping[str, Sensor]) -> dict[str, Reading]:
    """Every weight that reads images of `sensors`, by name, and what it reads."""
    bands = {name: len(sensor.bands) for name, sensor in sensors.items()}
    model = build(bands)
    wider = build({name: count + 1 for name, count in bands.items()}).state_dict()
    traced = _traced(model, sensors)
    everything = tuple(
        (n, band) for n, sensor in sensors.items() for band in sensor.names
    )
    return {
        name: Reading(traced[name])
        if name in traced
        else Reading(everything, distinct=False)
        for name, weight in model.state_dict().items()
        if wider[name].shape != weight.shape
    }


@torch.no_grad()
def adopt(
    model: Segmenter,
    own: Mapping[str, Reading],
    weights: Mapping[str, Tensor],
    theirs: Mapping[str, Reading],
) -> list[str]:
    """Put another network's weights into the encoder of `model`, where they fit.

    Parameters
    ----------
    model
        What is changed, in place.
    own
        `readings` of it.
    weights
        The other network's, by name.
    theirs
        `readings` of the other network.

    Returns
    -------
    list[str]
        Names of the weights that were put in; empty if no band is common to both.
    """
    adopted = {}
    for name in encoder_weights(model):
        mine, other = model.state_dict()[name], weights.get(name)
        if other is None:
            continue
        if name in own and name in theirs:
            other = _matched(mine, own[name], other, theirs[name])
        if other is not None and other.shape == mine.shape:
            adopted[name] = other
    if not own.keys() & adopted.keys():
        return []
    model.load_state_dict(adopted, strict=False)
    return list(adopted)


def unread(model: Segmenter, own: Mapping[str, Reading]) -> list[Channel]:
    """Bands that change nothing, since all weights that read them are zero.

    Parameters
    ----------
    model
        A network.
    own
        `readings` of it.
    """
    weights, used, known = model.state_dict(), set[Channel](), dict[Channel, None]()
    for name, reading in own.items():
        if not reading.distinct:
            return []  # which column is of which band can't be said
        for index, channel in enumerate(reading.channels):
            known[channel] = None
            if weights[name][:, index].any():
                used.add(channel)
    return [c for c in known if c not in used and c[1] != VALIDITY]


def _matched(
    mine: Tensor, own: Reading, other: Tensor, theirs: Reading
) -> Tensor | None:
    """The other weight with its input channels as ours are; None if that can't be."""
    if own == theirs:
        return other
    common = set(own.channels) & set(theirs.channels)
    apart = own.distinct and theirs.distinct
    if not apart or all(band == VALIDITY for _, band in common):
        return None
    if other.shape[0] != mine.shape[0] or other.shape[2:] != mine.shape[2:]:
        return None
    new = torch.zeros_like(mine)
    for index, channel in enumerate(own.channels):
        if channel in common:
            new[:, index] = other[:, theirs.channels.index(channel)]
    return new


def _traced(
    model: Segmenter, sensors: Mapping[str, Sensor]
) -> dict[str, tuple[Channel, ...]]:
    """Bands of the input channels of every convolution that reads images band by band.

    A channel is of the one band that changes it, whatever is done to that band before;
    one that no band changes, after those of an image, is the image's validity.
    """
    before = _seen_by_convolutions(model, _batch(model.bands))
    changes: dict[str, list[list[Channel]]] = {
        name: [[] for _ in values] for name, values in before.items()
    }
    for image, sensor in sensors.items():
        for number, band in enumerate(sensor.names):
            other = _batch(model.bands)
            other.images[image][:, number] += 0.25
            after = _seen_by_convolutions(model, other)
            for name in before.keys() & after.keys():
                for channel in (before[name] != after[name]).nonzero()[:, 0].tolist():
                    changes[name][channel].append((image, band))
    traced = {}
    for name, values in before.items():
        channels: list[Channel] = []
        for bands, value in zip(changes[name], values.tolist(), strict=True):
            if not bands and value == 1 and channels:
                channels.append((channels[-1][0], VALIDITY))
            elif len(bands) == 1:
                channels.append(bands[0])
        if len(channels) == len(values) == len(set(channels)):
            traced[f"{name}.weight"] = tuple(channels)
    return traced


def _seen_by_convolutions(model: Segmenter, batch: Batch) -> dict[str, Tensor]:
    """Return what every convolution gets ``[C]``, where that is the same everywhere."""
    means: dict[str, Tensor] = {}

    def look(name: str, image: Tensor) -> None:
        values = image[0].flatten(1)
        if torch.equal(values.amin(1), values.amax(1)):
            means[name] = values[:, 0].clone()

    with _looked_at(model), torch.no_grad():
        hooks = [
            module.register_forward_pre_hook(
                lambda _, inputs, name=name: look(name, inputs[0])
            )
            for name, module in model.named_modules()
            if isinstance(module, nn.Conv2d) and module.groups == 1
        ]
        model.encode(batch)
        for hook in hooks:
            hook.remove()
    return means


def _batch(bands: Mapping[str, int]) -> Batch:
    """One sample, everywhere seen, that is the same everywhere."""
    images = {
        name: torch.full((1, count, _SIDE, _SIDE), 0.5) for name, count in bands.items()
    }
    valid = torch.ones(1, _SIDE, _SIDE, dtype=torch.bool)
    return Batch(images=images, valid=dict.fromkeys(images, valid))


@contextmanager
def _looked_at(model: Segmenter) -> Iterator[None]:
    """Set evaluation mode for a moment, so that looking teaches nothing."""
    training = model.training
    model.eval()
    try:
        yield
    finally:
        model.train(training)


def _module(name: str) -> str:
    return name.rpartition(".")[0]
