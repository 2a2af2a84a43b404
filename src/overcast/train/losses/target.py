"""What labels say of pixels: which are known, and expectations under the label.

Labels are hard, int64 ``[B, H, W]``, or soft, floating point ``[B, K, H, W]``: the
probability of each class, all zero (or NaN) where nothing is known.
"""

from __future__ import annotations

import torch
from torch import Tensor

from overcast.train.batch import IGNORE


def known_pixels(logits: Tensor, labels: Tensor) -> Tensor:
    """Return where the class, or a distribution over classes, is known: bool ``[B, H, W]``.

    Raises
    ------
    ValueError
        If `labels` is neither ``[B, H, W]`` integers nor ``[B, K, H, W]`` floating
        point, with the sizes of `logits`.
    """
    soft = labels.is_floating_point()
    pixels = (logits.shape[0], *logits.shape[2:])
    if logits.dim() != 4 or labels.shape != (logits.shape if soft else pixels):
        raise ValueError(
            f"logits are {tuple(logits.shape)} and labels {tuple(labels.shape)} of "
            f"{labels.dtype}; expected [B, K, H, W] logits with [B, H, W] integer "
            "labels or [B, K, H, W] soft ones"
        )
    # A comparison with NaN is False.
    return labels.sum(1) > 0 if soft else labels != IGNORE


def hard_pixels(logits: Tensor, labels: Tensor) -> Tensor:
    """`known_pixels` of a loss that is defined for hard labels alone.

    Raises
    ------
    ValueError
        If `labels` is not ``[B, H, W]`` integers.
    """
    if labels.is_floating_point():
        raise ValueError(
            f"this loss is defined for integer labels [B, H, W], got {labels.dtype} "
            f"{tuple(labels.shape)}; take their argmax over classes, IGNORE if unknown"
        )
    return known_pixels(logits, labels)


def log_probabilities(logits: Tensor, known: Tensor) -> Tensor:
    """Log-softmax over classes, in float32 or better; uniform where not known.

    The logits are replaced before the softmax, not after: the gradient of a softmax
    of NaN is NaN even if nobody asks for it.
    """
    wide = torch.promote_types(logits.dtype, torch.float32)
    return torch.where(known[:, None], logits, 0).to(wide).log_softmax(1)


def expected(values: Tensor, labels: Tensor, known: Tensor) -> Tensor:
    """Mean of `values` ``[B, K, H, W]`` under the label: ``[B, H, W]``.

    That is ``values[label]`` for hard labels; zero or any number where not known.
    """
    if labels.is_floating_point():
        return (soft_labels(labels, known).to(values.dtype) * values).sum(1)
    index = torch.where(known, labels, 0)[:, None]
    return values.gather(1, index)[:, 0]


def soft_labels(labels: Tensor, known: Tensor) -> Tensor:
    """Soft `labels` with zeros for what stands where not known."""
    return torch.where(known[:, None], labels, 0)
