"""Pasting parts of one batch over another.

    mixed = front where mask, back elsewhere

for images, validity and labels alike, so that a mixed pixel keeps the sensors and the
class that it had. Draws come from torch's default generator on the CPU and are made
for every sample on its own, as in `overcast.augment.views`. What else belongs to pixels,
such as confidence, is mixed by ``torch.where`` with the same mask.
"""

from __future__ import annotations

import torch
from torch import Tensor

from overcast.train.batch import IGNORE, Batch


def rolled(batch: Batch) -> Batch:
    """The same samples, each in the place of the next: partners to mix within a batch."""
    return batch.map(lambda tensor: tensor.roll(1, 0))


def class_mask(labels: Tensor) -> Tensor:
    """Pixels of a random half of the classes of every sample: bool ``[B, H, W]``.

    The mask of ClassMix (Olsson 2021), where both batches are unlabelled and the front
    carries pseudo-labels, and of DACS (Tranheden 2021), where it carries true ones.
    Edges of classes become edges of the mixture, which a network has to find.

    Of an odd number of classes the larger half, as both papers do; a pixel of unknown
    class is never chosen.
    """
    flat = labels.flatten(1)
    present = torch.zeros(len(flat), IGNORE + 1, dtype=torch.bool, device=labels.device)
    present = present.scatter(1, flat, True)
    present[:, IGNORE] = False
    order = torch.rand(present.shape).to(labels.device)
    rank = torch.where(present, order, 2).argsort(1).argsort(1)
    chosen = present & (rank < (present.sum(1, keepdim=True) + 1) // 2)
    return chosen.gather(1, flat).view_as(labels)


def box_mask(shape: torch.Size, area: float = 0.5) -> Tensor:
    """A rectangle in every sample, inside which is True: bool ``[B, H, W]``.

    The mask of CutMix (Yun 2019), as French 2020 uses it for segmentation.

    It has a share `area` of the pixels, but for rounding; its aspect and place are
    random.

    Raises
    ------
    ValueError
        If `area` is not in 0 to 1.
    """
    if not 0 <= area <= 1:
        raise ValueError(f"area is {area}, expected a share from 0 to 1")
    samples, height, width = shape
    draws = torch.rand(3, samples)
    # Relative height between `area` and 1 on a log scale, so that both sides fit.
    tall = area ** draws[0] if area > 0 else torch.zeros(samples)
    wide = area / tall if area > 0 else torch.zeros(samples)
    rows = _stretch(height, tall, draws[1])
    columns = _stretch(width, wide, draws[2])
    return rows[:, :, None] & columns[:, None, :]


def paste(front: Batch, back: Batch, mask: Tensor) -> Batch:
    """`front` where `mask` ``[B, H, W]``, else `back`; labels if both have them.

    Raises
    ------
    ValueError
        If the batches differ in images or size.
    """
    shapes = [{n: i.shape for n, i in b.images.items()} for b in (front, back)]
    if shapes[0] != shapes[1]:
        raise ValueError(
            f"batches to be mixed must have the same images and sizes, got {shapes[0]} "
            f"and {shapes[1]}"
        )
    labels = None
    if front.labels is not None and back.labels is not None:
        labels = torch.where(mask, front.labels, back.labels)
    return Batch(
        images={
            name: torch.where(mask[:, None], image, back.images[name])
            for name, image in front.images.items()
        },
        valid={
            name: torch.where(mask, valid, back.valid[name])
            for name, valid in front.valid.items()
        },
        labels=labels,
    )


def _stretch(length: int, share: Tensor, place: Tensor) -> Tensor:
    """A stretch of `length` pixels in every sample: bool ``[B, length]``."""
    count = (share * length).round()
    first = (place * (length - count + 1)).floor().clamp(max=length - 1)
    at = torch.arange(length)
    return (at >= first[:, None]) & (at < (first + count)[:, None])
