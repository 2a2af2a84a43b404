"""Learning from label proportions: classes of clusters from the labels of whole cells.

A coarse label says something about a cell, not about each of its pixels. Let s_jk be
the share of cluster k in cell j, known exactly, and theta_k the unknown class shares of
cluster k. Then the cell's own class shares are

    q_j = sum_k s_jk theta_k

and its label is likely in proportion to them, raised to a power g because the majority
wins, and seen through a matrix M of mistakes:

    p_j = (q_j^g / sum q_j^g) M        L = - sum_j w_j sum_c y_jc log p_jc
                                           + a sum_(k,l) e_kl |theta_k - theta_l|^2

The last term holds clusters together that look alike: without it, with more clusters
than cells, labels are learned by heart. What other scenes say of clusters, pi_k, adds
``- b sum_k m_k sum_c pi_kc log theta_kc``, with m_k the weight of the cells that is in
cluster k. M is estimated in turns with theta (Sukhbaatar et al. 2015 learn one beside a
network).

Several sources of labels are several sets of cells, each with a matrix M of its own. Their
losses add up: given the ground, what one says doesn't depend on what another does.

After Quadrianto et al., Estimating Labels from Label Proportions (2009), and
close in spirit to label super-resolution (Malkin et al. 2019).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

Floats = NDArray[np.float64]
_TINY = 1e-9
_FLOOR = 1e-6
"""A class that other scenes deny is unlikely, not impossible."""


@dataclass(frozen=True, slots=True)
class Cells:
    """The facts of J cells.

    Attributes
    ----------
    shares
        Share of every cluster ``[J, K]``, rows summing to 1.
    labels
        Share of every label ``[J, C]``, rows summing to 1: one 1 for a coarse label.
    weight
        How much a cell counts ``[J]``.
    before
        What other scenes say of the classes of clusters ``[K, C]``, rows summing to 1.
    decisions
        So many times somebody chose a label: fewer than cells where polygons were drawn.
    """

    shares: csr_matrix
    labels: Floats
    weight: Floats
    before: Floats | None = None
    decisions: float = 1.0

    @property
    def independent(self) -> float:
        """So many cells of equal weight would say as much (Kish 1965)."""
        return float(self.weight.sum() ** 2 / (self.weight**2).sum())


@dataclass(frozen=True, slots=True)
class LabelNoise:
    """How labels come about.

    Attributes
    ----------
    power
        g: 1 if a label is drawn from the cell's shares, more if the majority wins.
    smoothness
        a, per cluster.
    mistakes
        First M ``[C, C]``, rows for true classes; its rows are a prior for the later.
    possible
        Classes ``[C]`` that the ground can have; others occur as labels only.
    trust
        Cells' worth of the prior in every row of M.
    rounds
        Turns of theta and M.
    prior
        b: what `Cells.before` counts beside the labels.
    """

    mistakes: Floats
    possible: NDArray[np.bool_]
    power: float = 1.5
    smoothness: float = 1.0
    trust: float = 20.0
    rounds: int = 3
    prior: float = 0.3


Sources = Sequence[tuple[Cells, LabelNoise]]
"""Cells of every source of labels, and how its labels come about."""


def class_shares(sources: Sources, edges: csr_matrix) -> Floats:
    """Class shares theta ``[K, C]`` of clusters; `edges` ``[K, K]`` is symmetric.

    Of the beliefs, those of smoothness, possible classes and rounds are of the first.
    """
    belief = sources[0][1]
    start = np.mean([_vote(cells, own) for cells, own in sources], axis=0)
    scores = np.log(start + 1e-3)
    mistakes = [own.mistakes for _, own in sources]
    for turn in range(belief.rounds):
        scores = _ascend(scores, sources, edges, mistakes)
        if turn + 1 < belief.rounds:
            theta = _softmax(scores, belief)
            mistakes = [_mistakes_of(theta, cells, own) for cells, own in sources]
    return _softmax(scores, belief)


def _vote(cells: Cells, belief: LabelNoise) -> Floats:
    """Labels of the cells that a cluster lies in, every label counting alike."""
    support = (cells.labels * cells.weight[:, None]).sum(0)
    votes = cells.shares.T @ (cells.labels * cells.weight[:, None])
    # A label that can't be true votes for what it is mistaken for.
    back = belief.mistakes * belief.possible[:, None]
    back = back / np.maximum(back.sum(0), _TINY)
    balanced = (votes / np.maximum(support, _TINY)) @ back.T
    return np.asarray(balanced / np.maximum(balanced.sum(1, keepdims=True), _TINY))


def _ascend(
    scores: Floats, sources: Sources, edges: csr_matrix, mistakes: Sequence[Floats]
) -> Floats:
    from scipy.optimize import minimize  # slow to import, and for learning alone

    loss = _loss(sources, edges, mistakes)
    optimum = minimize(
        loss, scores.ravel(), jac=True, method="L-BFGS-B", options={"maxiter": 150}
    )
    return np.asarray(optimum.x.reshape(scores.shape))


def _loss(
    sources: Sources, edges: csr_matrix, mistakes: Sequence[Floats]
) -> Callable[[Floats], tuple[float, Floats]]:
    """L of scores ``[K * C]``, whose softmax is theta, and its slope by them."""
    first, belief = sources[0]
    shape = first.shares.shape[1], len(belief.possible)
    degree = np.asarray(edges.sum(1))
    weight = sum(float(cells.weight.sum()) for cells, _ in sources)
    pull = belief.smoothness * weight / max(degree.sum(), _TINY)
    held = sum((_held(cells, own) for cells, own in sources), np.zeros(shape))

    def loss(flat: Floats) -> tuple[float, Floats]:
        theta = _softmax(flat.reshape(shape), belief)
        parts = [
            _misfit(theta, cells, own.power, wrong)
            for (cells, own), wrong in zip(sources, mistakes, strict=True)
        ]
        value = sum(part[0] for part in parts)
        slope = np.sum([part[1] for part in parts], axis=0)
        bent = degree * theta - edges @ theta
        value += pull * float((theta * bent).sum())
        slope += 2 * pull * bent
        value -= float((held * np.log(theta + _FLOOR)).sum())
        slope -= held / (theta + _FLOOR)
        back = theta * (slope - (theta * slope).sum(1, keepdims=True))
        return value, back.ravel()

    return loss


def _held(cells: Cells, belief: LabelNoise) -> Floats:
    """Weight ``[K, C]`` with which other scenes hold each cluster to each class."""
    if cells.before is None:
        return np.zeros((cells.shares.shape[1], len(belief.possible)))
    before = cells.before * belief.possible
    before = before / np.maximum(before.sum(1, keepdims=True), _TINY)
    mass = np.asarray(cells.shares.T @ cells.weight)[:, None]
    return np.asarray(belief.prior * mass * before)


def _misfit(
    theta: Floats, cells: Cells, power: float, mistakes: Floats
) -> tuple[float, Floats]:
    """Negative log-likelihood of the labels, and its slope by `theta`."""
    q = cells.shares @ theta + _TINY
    raised = q**power
    total = raised.sum(1, keepdims=True)
    seen = raised / total
    p = seen @ mistakes + _TINY
    weighted = cells.weight[:, None] * cells.labels
    by_seen = -(weighted / p) @ mistakes.T
    by_raised = (by_seen - (by_seen * seen).sum(1, keepdims=True)) / total
    by_q = by_raised * power * q ** (power - 1)
    return float(-(weighted * np.log(p)).sum()), np.asarray(cells.shares.T @ by_q)


def _mistakes_of(theta: Floats, cells: Cells, belief: LabelNoise) -> Floats:
    """M from what cells hold and what they are called, with the first M as a prior."""
    raised = (cells.shares @ theta + _TINY) ** belief.power
    held = raised / raised.sum(1, keepdims=True)
    counts = held.T @ (cells.weight[:, None] * cells.labels)
    counts = counts + belief.trust * belief.mistakes
    return np.asarray(counts / counts.sum(1, keepdims=True))


def _softmax(scores: Floats, belief: LabelNoise) -> Floats:
    shifted = np.where(belief.possible, scores, -np.inf)
    shifted = np.exp(shifted - shifted.max(1, keepdims=True))
    return np.asarray(shifted / shifted.sum(1, keepdims=True))
