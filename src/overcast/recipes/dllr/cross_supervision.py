"""Losses of several predictions of one image that teach each other.

With J the Jensen-Shannon divergence of p and q over log 2, 0 to 1,

    complementary   J CE(z_q, p)  where p is surer than q, else  J CE(z_p, q)
    cross pseudo    mean over pairs u, v of  w_uv [max y_v >= t] CE(z_u, argmax y_v)

where what teaches has no gradient. Both follow the abstract of Han 2025 (DLLR), which
gives no formula: the first is ours; the second is cross pseudo-supervision (Chen 2021)
with the threshold of FixMatch (Sohn 2020), for any number of predictions.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from overcast.train.batch import IGNORE
from overcast.train.losses import cross_entropy, masked_mean


def cross_pseudo_loss(
    logits: Tensor,
    shares: Tensor,
    where: Tensor,
    namers: Sequence[float],
    threshold: float = 0.0,
    own: float = 0.0,
) -> Tensor:
    """Cross-entropy of each of V predictions under the classes that each one names.

    Parameters
    ----------
    logits
        ``[V, B, K, H, W]``.
    shares
        ``[V, B, K, H, W]``, probabilities of the classes that are named.
    where
        bool ``[V, B, H, W]``, pixels of which each prediction knows anything; a pair
        is compared where both do.
    namers
        V weights, 0 or more: how much the classes that each prediction names count.
    threshold
        Lowest probability of a class that is learned; a pixel below counts as one
        without loss.
    own
        Factor of the classes that a prediction names itself; that of others is 1.

    Returns
    -------
    Tensor
        Scalar, the weighted mean over pairs.
    """
    highest, classes = shares.max(2)
    sure = (highest >= threshold).to(highest.dtype)
    labels = torch.where(where, classes, IGNORE)
    losses, weights = [], []
    for learner, mine in enumerate(logits):
        for namer, theirs in enumerate(labels):
            if weight := namers[namer] * (own if learner == namer else 1.0):
                given = torch.where(where[learner], theirs, IGNORE)
                loss = cross_entropy(mine, given, confidence=sure[namer])
                losses.append(weight * loss)
                weights.append(weight)
    return torch.stack(losses).sum() / sum(weights) if losses else 0 * logits.sum()


def complementary_loss(one: Tensor, other: Tensor, where: Tensor) -> Tensor:
    """Cross-entropy of the less sure prediction under the surer one, where they differ.

    Parameters
    ----------
    one, other
        Logits ``[B, K, H, W]`` of two predictions.
    where
        bool ``[B, H, W]``.

    Returns
    -------
    Tensor
        Scalar: the mean over `where` of divergence times cross-entropy; only the less
        sure prediction of a pixel has a gradient.
    """
    log_p, log_q = (z.float().log_softmax(1) for z in (one, other))
    p, q = log_p.detach().exp(), log_q.detach().exp()
    log_middle = torch.logaddexp(log_p, log_q).detach() - math.log(2)
    divergence = (p * (log_p.detach() - log_middle)).sum(1)
    divergence = divergence + (q * (log_q.detach() - log_middle)).sum(1)
    surer = p.amax(1) >= q.amax(1)
    loss = torch.where(surer, -(p * log_q).sum(1), -(q * log_p).sum(1))
    return masked_mean(divergence / (2 * math.log(2)) * loss, where)
