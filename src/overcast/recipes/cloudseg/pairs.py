"""Two batches of the same places: one image of one in the other, and jitter alike."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from overcast.augment.views import jitter
from overcast.train.batch import Batch


def replaced(batch: Batch, name: str, other: Batch, twin: str) -> Batch:
    """The batch with image `twin` of another one in place of its `name`."""
    return replace(
        batch,
        images={**batch.images, name: other.images[twin]},
        valid={**batch.valid, name: other.valid[twin]},
    )


def chosen_of(chosen: Tensor, one: Batch, other: Batch, name: str) -> Batch:
    """`other`, with the image `name` of `one` in the samples that are chosen."""
    image, valid = (
        torch.where(chosen.view(-1, *[1] * (a.dim() - 1)), a, b)
        for a, b in (
            (one.images[name], other.images[name]),
            (one.valid[name], other.valid[name]),
        )
    )
    return replace(
        other,
        images={**other.images, name: image},
        valid={**other.valid, name: valid},
    )


def jittered_alike(clear: Batch, seen: Batch) -> tuple[Batch, Batch]:
    """Both shaken alike: one above the other, they are one image to `jitter`."""
    both = Batch(
        images={n: torch.cat([i, seen.images[n]], 2) for n, i in clear.images.items()},
        valid={n: torch.cat([v, seen.valid[n]], 1) for n, v in clear.valid.items()},
    )
    shaken, rows = jitter(both).images, clear.extent[0]
    return (
        replace(clear, images={n: i[:, :, :rows] for n, i in shaken.items()}),
        replace(seen, images={n: i[:, :, rows:] for n, i in shaken.items()}),
    )
