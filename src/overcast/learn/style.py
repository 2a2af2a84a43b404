"""Images of one batch with the light, season and air of another.

    y = (x - mean(x)) / std(x) * std(t) + mean(t)

band by band, over what was observed of a sample x and of a sample t of the other batch:
colour transfer (Reinhard 2001), in the bands themselves. Haze is nearly such a change;
that the two places also differ in what grows there is why it is done to some samples,
and to every one by another share.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from overcast.learn.batch import Batch


def restyle(batch: Batch, other: Batch, probability: float = 0.5) -> Batch:
    """Give samples the mean and spread, band by band, of those of `other`.

    Parameters
    ----------
    batch
        What is changed.
    other
        Sample n of it is what sample n is made to look like; it needs as many.
    probability
        Chance of a sample to be changed; by how much, 0 to 1, is drawn too.

    Raises
    ------
    ValueError
        If the batches differ in images or number of samples.
    """
    shapes = [{n: i.shape[:2] for n, i in b.images.items()} for b in (batch, other)]
    if shapes[0] != shapes[1]:
        raise ValueError(
            "batches must have the same images and as many samples, got "
            f"{shapes[0]} and {shapes[1]}"
        )
    samples = len(next(iter(batch.valid.values())))
    draws = torch.rand(2, samples)
    share = torch.where(draws[0] < probability, draws[1], 0.0)[:, None, None, None]
    images = {}
    for name, image in batch.images.items():
        mean, spread = _moments(image, batch.valid[name])
        their_mean, their_spread = _moments(other.images[name], other.valid[name])
        moved = (image - mean) / spread * their_spread + their_mean
        seen = batch.valid[name].any((1, 2)) & other.valid[name].any((1, 2))
        weight = share.to(image) * seen[:, None, None, None]
        images[name] = torch.where(weight > 0, image.lerp(moved, weight), image)
    return replace(batch, images=images)


def _moments(image: Tensor, valid: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation ``[B, C, 1, 1]`` of what was observed."""
    where = valid[:, None]
    count = where.sum((2, 3), keepdim=True).clamp_min(1)
    mean = torch.where(where, image, 0).sum((2, 3), keepdim=True) / count
    square = torch.where(where, image - mean, 0).square().sum((2, 3), keepdim=True)
    return mean, (square / count).sqrt().clamp_min(1e-3)
