"""How well clusters explain the labels of cells that they were not fitted on.

Cells are divided at random into folds. Class shares of clusters are fitted without each
fold in turn, and the labels of its cells are judged by them:

    r = sum_j w_j sum_c y_jc log((1 - e) p_jc + e / C) / sum_j w_j

with p the class shares of a cell raised to the power of the belief, and e a share of
labels that may be anything. Dates are ranked by r (`overcast.methods.by_date`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from overcast.methods.weak.proportions import Cells, LabelNoise

Floats = NDArray[np.float64]
Sources = Sequence[tuple[Cells, LabelNoise]]
_FOLDS = 4
_ANYTHING = 0.1
_TINY = 1e-9


def held_out_fit(
    sources: Sources, fit: Callable[[Sources], NDArray[np.floating]], seed: int
) -> float:
    """Mean log-likelihood of held-out labels; 0 is best, -log C what chance has.

    Parameters
    ----------
    sources
        Cells and belief of every source of labels.
    fit
        Class shares ``[K, C]`` of clusters by some of the cells.
    seed
        Of the division into folds.
    """
    random = np.random.default_rng((seed, 31))
    folds = [random.permutation(len(cells.weight)) % _FOLDS for cells, _ in sources]
    total = weight = 0.0
    for fold in range(_FOLDS):
        parts = [
            (_some(cells, own != fold), belief)
            for (cells, belief), own in zip(sources, folds, strict=True)
        ]
        if any(not len(cells.weight) for cells, _ in parts):
            continue
        shares = fit(parts)
        for (cells, belief), own in zip(sources, folds, strict=True):
            held = _some(cells, own == fold)
            total += _likelihood(held, shares, belief.power)
            weight += float(held.weight.sum())
    return total / max(weight, _TINY)


def _some(cells: Cells, rows: NDArray[np.bool_]) -> Cells:
    """Some of the cells, and what is known of clusters besides."""
    some = np.flatnonzero(rows)
    return replace(
        cells,
        shares=cells.shares[some],
        labels=cells.labels[some],
        weight=cells.weight[some],
    )


def _likelihood(cells: Cells, shares: NDArray[np.floating], power: float) -> float:
    """Weighted log-likelihood of the labels of cells, in all."""
    held = (cells.shares @ shares + _TINY) ** power
    chance = held / held.sum(1, keepdims=True)
    classes = cells.labels.shape[1]
    sure = (1 - _ANYTHING) * chance + _ANYTHING / classes
    return float((cells.weight[:, None] * cells.labels * np.log(sure)).sum())
