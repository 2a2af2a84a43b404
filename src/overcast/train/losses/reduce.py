"""The mean over known pixels, of all processes together.

With several processes, each holding a share of the batch, the whole batch is that of
all processes: process r of R returns

    R * (sum over its known pixels) / (number of known pixels of all processes)

so that the mean over processes, which is what data-parallel training makes of
gradients, is exactly the value of one process seeing everything, however unevenly the
unknown pixels are spread. Calling a loss is then a collective operation: every process
must call it equally often.
"""

from __future__ import annotations

import torch
import torch.distributed as dist
from torch import Tensor


def masked_mean(value: Tensor, mask: Tensor, weight: Tensor | None = None) -> Tensor:
    """Mean of `value` where `mask`; zero, with gradient, if nowhere.

    What stands in `value` and `weight` outside the mask never counts, NaN included.

    Parameters
    ----------
    value
        Floating point, any shape.
    mask
        bool, the shape of `value`.
    weight
        The shape of `value`; the mean is then ``sum(weight * value) / sum(weight)``.

    Examples
    --------
    >>> masked_mean(torch.tensor([1.0, 5.0]), torch.tensor([True, False])).item()
    1.0
    >>> masked_mean(torch.tensor([1.0]), torch.tensor([False])).item()
    0.0
    """
    # Half precision can't count the pixels of a batch.
    wide = torch.promote_types(value.dtype, torch.float32)
    masked = torch.where(mask, value, 0)
    if weight is None:
        return _over_all(masked.sum(dtype=wide), mask.sum())
    weights = torch.where(mask, weight, 0).to(wide)
    return _over_all((masked * weights).sum(dtype=wide), weights.sum())


def _over_all(total: Tensor, count: Tensor) -> Tensor:
    """Divide `total` by the mean of `count` over all processes; 0 / 0 is 0."""
    count = count.detach()
    processes = 1
    if dist.is_available() and dist.is_initialized():
        processes = dist.get_world_size()
        dist.all_reduce(count)
    return total * processes / torch.where(count > 0, count, 1)
