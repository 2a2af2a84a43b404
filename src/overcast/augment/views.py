"""Other views of a batch: each function returns a new batch and changes none.

Draws come from torch's default generator on the CPU, so that they are the same on
every device, and are made for every sample on its own.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from overcast.train.batch import Batch


def dihedral(batch: Batch) -> Batch:
    """Turn and mirror every sample: one of the 8 symmetries of a square, at random.

    Windows that are not square keep their shape and get one of the 4 of a rectangle.
    A map has no preferred direction; shadows and radar look angles do, and a network
    should not lean on them.
    """
    height, width = _size(batch)[1:]
    draws = torch.randint(0, 2, (_size(batch)[0], 3)).bool()
    draws[:, 2] &= height == width

    def turn(tensor: Tensor) -> Tensor:
        return torch.stack(
            [_turn(t, *d) for t, d in zip(tensor, draws.tolist(), strict=True)]
        )

    return batch.map(turn)


def _turn(tensor: Tensor, down: bool, across: bool, transpose: bool) -> Tensor:
    axes = [axis for axis, flip in ((-2, down), (-1, across)) if flip]
    turned = tensor.flip(axes) if axes else tensor
    return turned.transpose(-2, -1) if transpose else turned


def jitter(batch: Batch, gain: float = 0.03, bias: float = 0.003) -> Batch:
    """Scale and shift every band of every image: radiometry, not geometry.

    ``x (1 + gain a) + bias b`` with standard normal a and b, in network units: what
    haze, season, sun and calibration do between one scene and the next.
    """

    def shake(image: Tensor) -> Tensor:
        a, b = (torch.randn(*image.shape[:2], 1, 1).to(image) for _ in range(2))
        return image * (1 + gain * a) + bias * b

    images = {name: shake(batch.images[name]) for name in sorted(batch.images)}
    return replace(batch, images={name: images[name] for name in batch.images})


def hide(batch: Batch, sensor: str, fraction: float, block: int = 4) -> Batch:
    """Mark random square blocks of one sensor as not observed, as clouds do.

    Parameters
    ----------
    batch
        What is seen.
    sensor
        Name of the image to hide parts of.
    fraction
        Chance of each block to be hidden, 0 to 1.
    block
        Side of a block in pixels.

    Raises
    ------
    ValueError
        If the batch has no such sensor.
    """
    if sensor not in batch.valid:
        raise ValueError(f"no sensor {sensor!r}; there are {', '.join(batch.valid)}")
    samples, height, width = batch.valid[sensor].shape
    visible = torch.rand(samples, -(-height // block), -(-width // block)) >= fraction
    visible = visible.repeat_interleave(block, 1).repeat_interleave(block, 2)
    visible = visible[:, :height, :width].to(batch.valid[sensor].device)
    return replace(batch, valid={**batch.valid, sensor: batch.valid[sensor] & visible})


def drop_sensor(batch: Batch, probability: float) -> Batch:
    """Take one sensor away from a sample, with `probability`; never its last one.

    Which one is drawn among those that see anything of the sample, so that a network
    learns to map with whatever is there.
    """
    names = sorted(batch.valid)
    device = batch.valid[names[0]].device
    samples = _size(batch)[0]
    lucky = (torch.rand(samples) < probability).to(device)
    order = torch.rand(len(names), samples).to(device)
    seen = torch.stack([batch.valid[name].flatten(1).any(1) for name in names])
    chosen = torch.where(seen, order, -1.0).argmax(0)
    lost = torch.where(lucky & (seen.sum(0) > 1), chosen, -1)
    valid = {
        name: batch.valid[name] & (lost != names.index(name))[:, None, None]
        for name in batch.valid
    }
    return replace(batch, valid=valid)


def _size(batch: Batch) -> tuple[int, int, int]:
    """Samples, rows and columns."""
    samples, height, width = next(iter(batch.valid.values())).shape
    return samples, height, width
