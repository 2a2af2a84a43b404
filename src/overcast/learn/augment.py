"""Views of a batch. Each function returns a new batch; the old one is not changed.

Random numbers come from torch's default generator on the CPU, so that a view is the
same on every device.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor

from overcast.learn.batch import Batch


def dihedral(batch: Batch) -> Batch:
    """Turn every sample by a multiple of 90 degrees and mirror it, at random.

    Windows that are not square are mirrored and turned by 180 degrees only.
    """
    first = next(iter(batch.valid.values()))
    square = first.shape[-1] == first.shape[-2]
    turns = torch.randint(4, (len(first),)) if square else _halves(len(first))
    mirrored = torch.rand(len(first)) < 0.5

    def view(tensor: Tensor) -> Tensor:
        samples = [
            torch.rot90(t.flip(-1) if m else t, k, (-2, -1))
            for t, m, k in zip(tensor, mirrored.tolist(), turns.tolist(), strict=True)
        ]
        return torch.stack(samples)

    return batch.map(view)


def _halves(n: int) -> Tensor:
    return 2 * torch.randint(2, (n,))


def jitter(batch: Batch, amount: float = 0.1) -> Batch:
    """Scale and shift each band of each sample: radiometry, not geometry."""

    def shake(image: Tensor) -> Tensor:
        shape = (*image.shape[:2], 1, 1)
        gain, bias = torch.randn(shape), torch.randn(shape)
        return image * (1 + amount * gain.to(image)) + amount * bias.to(image)

    return _with_images(batch, shake)


def hide(batch: Batch, sensor: str, fraction: float, block: int = 4) -> Batch:
    """Mark random square blocks of one sensor as not observed, like clouds."""
    b, h, w = batch.valid[sensor].shape
    coarse = torch.rand(b, -(-h // block), -(-w // block)) >= fraction
    kept = coarse.repeat_interleave(block, 1).repeat_interleave(block, 2)
    kept = kept[:, :h, :w].to(batch.valid[sensor].device)
    return replace(batch, valid={**batch.valid, sensor: batch.valid[sensor] & kept})


def drop_sensor(batch: Batch, probability: float) -> Batch:
    """Take one sensor away from some samples, never the last one that saw anything.

    With one sensor, or for samples in which only one was observed, nothing happens.
    """
    names = sorted(batch.valid)
    if len(names) < 2:
        return batch
    seen = torch.stack([batch.valid[n].flatten(1).any(1) for n in names]).cpu()
    chosen = torch.randint(len(names), seen.shape[1:])
    drop = (torch.rand(seen.shape[1:]) < probability) & (seen.sum(0) > 1)
    kept = {
        name: valid & ~(drop & (chosen == i)).to(valid.device)[:, None, None]
        for i, (name, valid) in enumerate((n, batch.valid[n]) for n in names)
    }
    return replace(batch, valid={n: kept[n] for n in batch.valid})


def _with_images(batch: Batch, fn: Callable[[Tensor], Tensor]) -> Batch:
    return replace(batch, images={n: fn(image) for n, image in batch.images.items()})
