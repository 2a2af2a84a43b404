"""Per-pixel losses. Each is a pure function that skips unknown pixels."""

from __future__ import annotations

import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import Tensor

from overcast.learn.batch import IGNORE


def masked_mean(value: Tensor, mask: Tensor) -> Tensor:
    """Mean of `value` where `mask`; zero, with gradient, if nowhere.

    With several processes the divisor is the mean of their counts. Averaging the
    gradients of the processes, as distributed training does, then gives the gradient
    of one process that sees the whole batch, however unevenly `mask` is spread.

    >>> masked_mean(torch.tensor([1.0, 5.0]), torch.tensor([True, False])).item()
    1.0
    >>> masked_mean(torch.tensor([1.0]), torch.tensor([False])).item()
    0.0
    """
    count = mask.sum().to(value.dtype)
    if dist.is_available() and dist.is_initialized():
        dist.all_reduce(count)
        count = count / dist.get_world_size()
    total = torch.where(mask, value, 0).sum()
    # Not clamped at 1: with several processes the mean count may be a fraction.
    return total / torch.where(count > 0, count, 1)


def cross_entropy(
    logits: Tensor, labels: Tensor, weight: Tensor | None = None
) -> Tensor:
    """Cross-entropy of logits ``[B, K, H, W]`` over known `labels` ``[B, H, W]``.

    ``-log softmax(logits)[label]``, times ``weight[label]`` where weights ``[K]`` are
    given, averaged over the pixels whose label is known.
    """
    loss = F.cross_entropy(
        logits.float(), labels, weight=weight, ignore_index=IGNORE, reduction="none"
    )
    return masked_mean(loss, labels != IGNORE)
