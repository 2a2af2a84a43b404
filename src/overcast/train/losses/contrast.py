"""Debiased contrast with hard negatives, of pairs of feature vectors.

Every vector has one partner, seen in another view; the other 2 N - 2 vectors of the
batch and the M of a memory are its negatives. With s a cosine over the temperature t,
s+ that of the partner, s_j those of the n negatives,

    L = -log e^s+ / (e^s+ + G)
    G = max[ n (R - tau e^s+) / (1 - tau),  n e^(-1/t) ]
    R = sum_j e^(beta s_j) e^s_j / sum_j e^(beta s_j)

tau is the chance that a negative is of the anchor's own kind: what such negatives add is
taken off (Chuang 2020). beta gives hard negatives, those near the anchor, a larger share
of the mean R (Robinson 2021). G estimates a sum of n numbers, none of which can be below
e^(-1/t): hence its bound. With tau = beta = 0 it is the sum itself, and L is InfoNCE
(van den Oord 2018), as NT-Xent has it (Chen 2020).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from overcast.train.losses.reduce import masked_mean


def contrastive_loss(
    one: Tensor,
    two: Tensor,
    memory: Tensor | None = None,
    *,
    temperature: float = 0.5,
    prior: float = 0.1,
    hardness: float = 1.0,
) -> Tensor:
    """Mean contrastive loss of N pairs, each of both its vectors.

    Parameters
    ----------
    one, two
        ``[N, D]``: row n of both is one place, or region, in two views. Their length
        does not matter. Computed in float32 or better.
    memory
        ``[M, D]``, further negatives; rows of zeros are left out.
    temperature
        t above; small ones tell near negatives from far ones.
    prior
        tau above, 0 to below 1.
    hardness
        beta above, 0 or more.

    Returns
    -------
    Tensor
        Scalar; zero, with gradient, where there are no pairs or no negatives.

    Raises
    ------
    ValueError
        If shapes don't fit or a number is out of its range.
    """
    _check(one, two, memory)
    if not (temperature > 0 and 0 <= prior < 1 and hardness >= 0):
        raise ValueError(
            "temperature must be above 0, prior from 0 to below 1 and hardness 0 or "
            f"more, got {temperature=}, {prior=}, {hardness=}"
        )
    # Half precision would round away the difference between near and nearer.
    with torch.autocast(one.device.type, enabled=False):
        units = _units(torch.cat([one, two]))
        others = units
        if memory is not None:
            others = torch.cat([units, _units(memory[memory.any(1)])])
        near = (units * units.roll(len(one), 0)).sum(1) / temperature
        cosines = units @ others.T / temperature
    negatives = torch.ones_like(cosines, dtype=torch.bool)
    own = torch.eye(len(one), dtype=torch.bool, device=one.device)
    negatives[:, : len(units)] = ~own.repeat(2, 2)
    count = len(others) - 2
    if len(one) == 0 or count == 0:
        return masked_mean(near, torch.zeros_like(near, dtype=torch.bool))
    log_mean = _log_weighted_mean(cosines, negatives, hardness)
    loss = _surprise(near, log_mean, 1 / temperature, (count, prior))
    return masked_mean(loss, torch.ones_like(loss, dtype=torch.bool))


def _units(vectors: Tensor) -> Tensor:
    wide = torch.promote_types(vectors.dtype, torch.float32)
    return F.normalize(vectors.to(wide), dim=1)


def _log_weighted_mean(s: Tensor, which: Tensor, hardness: float) -> Tensor:
    """Logarithm of R above, of those of every row ``[A, J]`` that `which` says."""

    def log_sum(factor: float) -> Tensor:
        return (factor * s).masked_fill(~which, -torch.inf).logsumexp(1)

    return log_sum(1 + hardness) - log_sum(hardness)


def _surprise(
    near: Tensor, log_mean: Tensor, largest: float, negatives: tuple[int, float]
) -> Tensor:
    """L of every anchor ``[A]``, from s+, log R and the number n and prior tau."""
    count, prior = negatives
    # Everything relative to the larger of e^s+ and R: neither it nor what is added to
    # it can then overflow, and their sum can't vanish.
    top = torch.maximum(near, log_mean).detach()
    partner, mean = (near - top).exp(), (log_mean - top).exp()
    floor = (-largest - top).exp()
    unlike = torch.maximum((mean - prior * partner) / (1 - prior), floor)
    return (partner + count * unlike).log() - (near - top)


def _check(one: Tensor, two: Tensor, memory: Tensor | None) -> None:
    fits = one.dim() == 2 and one.shape == two.shape
    if memory is not None:
        fits &= memory.dim() == 2 and memory.shape[1:] == one.shape[1:]
    if not fits:
        shapes = [tuple(t.shape) for t in (one, two, memory) if t is not None]
        raise ValueError(
            f"one, two and memory are {', '.join(map(str, shapes))}; expected [N, D], "
            "[N, D] and [M, D]"
        )
