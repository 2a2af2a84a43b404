"""Effective rank: how many directions a set of feature vectors really uses.

With s_k the singular values of the vectors, each scaled to length one, and
p_k = s_k / sum(s),

    rank = exp(- sum_k p_k log p_k)

(Roy and Vetterli 2007). It is 1 where all vectors are one and the same, which is what
learning from unlabelled images collapses to if it goes wrong, and at most their number
of channels. Garrido 2023 finds that it tells, without labels, how useful features are.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


@torch.no_grad()
def effective_rank(vectors: Tensor) -> Tensor:
    """Effective rank of ``[N, D]``, a float32 scalar; 0 if there are no vectors.

    Examples
    --------
    >>> effective_rank(torch.eye(3)).item()
    3.0
    """
    values = torch.linalg.svdvals(F.normalize(vectors.float(), dim=1))
    shares = values / values.sum().clamp_min(1e-12)
    entropy = -torch.special.xlogy(shares, shares).sum()
    return entropy.exp() if len(vectors) else vectors.new_zeros(())
