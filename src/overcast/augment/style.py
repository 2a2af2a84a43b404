"""Images of one batch with the light, season and air of another.

    y = (x - mean(x)) / std(x) * std(t) + mean(t)

band by band: colour transfer (Reinhard 2001), in the bands themselves. Haze is nearly
such a change, and season in part. Moments are those of what was observed of a sample x
and of a sample t of the other batch, or of all samples of either: a window is forest and
another one a town, so its own moments tell more of what grows there than of the air.
That the two places differ in that as well is why it is done to some samples only, and to
every one by another share.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from overcast.train.batch import Batch


def restyle(
    batch: Batch, other: Batch, probability: float = 0.5, whole: bool = False
) -> Batch:
    """Give samples the mean and spread, band by band, of those of `other`.

    Parameters
    ----------
    batch
        What is changed.
    other
        Sample n of it is what sample n is made to look like; it needs as many.
    probability
        Chance of a sample to be changed; by how much, 0 to 1, is drawn too.
    whole
        Take moments over all samples of a batch, instead of those of each.

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
        mean, spread = _moments(image, batch.valid[name], whole)
        theirs = _moments(other.images[name], other.valid[name], whole)
        their_mean, their_spread = theirs
        moved = (image - mean) / spread * their_spread + their_mean
        here, other_any = (_any(b.valid[name], whole) for b in (batch, other))
        weight = share.to(image) * (here & other_any)[:, None, None, None]
        images[name] = torch.where(weight > 0, image.lerp(moved, weight), image)
    return replace(batch, images=images)


def _moments(image: Tensor, valid: Tensor, whole: bool) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation of what was observed, ``[B or 1, C, 1, 1]``."""
    axes = (0, 2, 3) if whole else (2, 3)
    where = valid[:, None]
    count = where.sum(axes, keepdim=True).clamp_min(1)
    mean = torch.where(where, image, 0).sum(axes, keepdim=True) / count
    square = torch.where(where, image - mean, 0).square().sum(axes, keepdim=True)
    return mean, (square / count).sqrt().clamp_min(1e-3)


def _any(valid: Tensor, whole: bool) -> Tensor:
    """Return whether anything was observed, of every sample ``[B]`` or at all ``[1]``."""
    return valid.any()[None] if whole else valid.any((1, 2))
