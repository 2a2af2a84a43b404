"""Losses of whole class regions, image by image: Dice and Lovasz-softmax.

With p the class probabilities and t_k = [y = k], over the known pixels of an image,

    dice      1 - 2 sum p_k t_k / (sum p_k + sum t_k)
    lovasz    the Lovasz extension of 1 - |A and B| / |A or B| at e = |t_k - p_k|

each a mean over the classes present in the labels of the image, then over images with
known pixels (Milletari 2016; Berman 2018, the variant per image).

Both are ours, not segmentation-models-pytorch's (0.6), for these reasons: its softmax
comes before its mask, so NaN logits at unknown pixels make every gradient NaN; its
Lovasz of nothing but unknown pixels is an empty tensor, not zero, and it fails in
float64; its Dice divides by all classes, so an absent class counts as a perfect one;
and its statistics are those of the share of the batch that one process holds. Where
none of that matters the tests hold both to its values.
"""

from __future__ import annotations

import torch
from torch import Tensor

from overcast.train.losses.reduce import masked_mean
from overcast.train.losses.target import hard_pixels, log_probabilities


def dice_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """One minus the Dice coefficient (F1) of the probabilities.

    Parameters
    ----------
    logits
        ``[B, K, H, W]``.
    labels
        int64 ``[B, H, W]``, `IGNORE` where unknown.

    Returns
    -------
    Tensor
        Scalar; zero, with gradient, if no pixel is known.

    Raises
    ------
    ValueError
        If the shapes don't fit, or the labels are soft.
    """
    p, target, known = _flat(logits, labels)
    p = torch.where(known[:, None], p, 0)
    total = p.sum(2) + target.sum(2)
    overlap = (p * target).sum(2)
    dice = 1 - 2 * overlap / torch.where(total > 0, total, 1)
    return _mean_of_present(dice, target)


def lovasz_softmax(
    logits: Tensor, labels: Tensor, confidence: Tensor | None = None
) -> Tensor:
    """Lovasz-softmax loss: a convex surrogate of one minus the mean IoU.

    Parameters
    ----------
    logits
        ``[B, K, H, W]``.
    labels
        int64 ``[B, H, W]``, `IGNORE` where unknown.
    confidence
        ``[B, H, W]``, how many pixels each pixel counts for in the IoU, 0 or more;
        only ratios within an image matter. (Ours; the paper has none.)

    Returns
    -------
    Tensor
        Scalar; zero, with gradient, if no pixel is known.

    Raises
    ------
    ValueError
        If the shapes don't fit, or the labels are soft.
    """
    p, target, known = _flat(logits, labels)
    area = known.to(p.dtype)
    if confidence is not None:
        if confidence.shape != labels.shape:
            raise ValueError(
                f"confidence is {tuple(confidence.shape)}, expected that of labels, "
                f"{tuple(labels.shape)}"
            )
        area = torch.where(known, confidence.flatten(1).to(p.dtype), 0)
    errors, order = (target - p).abs().sort(dim=2, descending=True)
    area = area[:, None].expand_as(target).gather(2, order)
    inside = target.gather(2, order) * area
    step = _jaccard(inside, area).diff(dim=2, prepend=torch.zeros_like(p[..., :1]))
    return _mean_of_present((errors * step).sum(2), inside)


def _jaccard(inside: Tensor, area: Tensor) -> Tensor:
    """Jaccard loss when the first n pixels are wrong, for every n >= 1: ``[B, K, P]``.

    `inside` is the area of pixels of the class, zero for the others.
    """
    whole = inside.sum(2, keepdim=True)
    left = whole - inside.cumsum(2)
    union = whole + (area - inside).cumsum(2)
    return 1 - left / torch.where(union > 0, union, 1)


def _flat(logits: Tensor, labels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Probabilities and targets ``[B, K, P]``, and known ``[B, P]``, of P pixels."""
    known = hard_pixels(logits, labels)
    p = log_probabilities(logits, known).exp().flatten(2)
    classes = torch.arange(p.shape[1], device=labels.device)[:, None]
    return p, (labels.flatten(1)[:, None] == classes).to(p.dtype), known.flatten(1)


def _mean_of_present(loss: Tensor, inside: Tensor) -> Tensor:
    """Mean of ``[B, K]`` over classes with any area `inside`, then over images."""
    present = inside.amax(2) > 0
    count = present.sum(1)
    of_image = torch.where(present, loss, 0).sum(1) / count.clamp_min(1)
    return masked_mean(of_image, count > 0)
