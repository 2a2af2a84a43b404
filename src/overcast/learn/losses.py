"""Per-pixel losses: pure functions in which unknown pixels never count.

All are means over the known pixels of the whole batch. With several processes, each
holding a share of the batch, the whole batch is that of all processes: process r of R
returns

    R * (sum over its known pixels) / (number of known pixels of all processes)

so that the mean over processes, which is what data-parallel training makes of
gradients, is exactly the value of one process seeing everything, however unevenly the
unknown pixels are spread. Calling a loss is then a collective operation: every process
must call it equally often.
"""

from __future__ import annotations

import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import Tensor

from overcast.learn.batch import IGNORE


def masked_mean(value: Tensor, mask: Tensor) -> Tensor:
    """Mean of `value` where `mask`; zero, with gradient, if nowhere.

    What stands in `value` outside the mask never counts, NaN included.

    Parameters
    ----------
    value
        Floating point, any shape.
    mask
        bool, the shape of `value`.

    >>> masked_mean(torch.tensor([1.0, 5.0]), torch.tensor([True, False])).item()
    1.0
    >>> masked_mean(torch.tensor([1.0]), torch.tensor([False])).item()
    0.0
    """
    # Half precision can't count the pixels of a batch.
    wide = torch.promote_types(value.dtype, torch.float32)
    return _over_all(torch.where(mask, value, 0).sum(dtype=wide), mask.sum())


def cross_entropy(
    logits: Tensor, labels: Tensor, weight: Tensor | None = None
) -> Tensor:
    """Cross-entropy, ``-log softmax(logits)[label]``, over known pixels.

    Parameters
    ----------
    logits
        ``[B, K, H, W]``.
    labels
        int64 ``[B, H, W]``, `IGNORE` where unknown.
    weight
        ``[K]``, of the classes; the mean is then over weights, not pixels.

    Returns
    -------
    Tensor
        Scalar; zero, with gradient, if no pixel is known.
    """
    loss = F.cross_entropy(
        logits, labels, weight=weight, ignore_index=IGNORE, reduction="none"
    )
    known = labels != IGNORE
    if weight is None:
        return masked_mean(loss, known)
    weights = torch.where(known, weight[torch.where(known, labels, 0)], 0)
    return _over_all(torch.where(known, loss, 0).sum(), weights.sum())


def _over_all(total: Tensor, count: Tensor) -> Tensor:
    """Divide `total` by the mean of `count` over all processes; 0 / 0 is 0."""
    count = count.detach()
    processes = 1
    if dist.is_available() and dist.is_initialized():
        processes = dist.get_world_size()
        dist.all_reduce(count)
    return total * processes / torch.where(count > 0, count, 1)
