"""Sets of classes that hold the true one as often as stated: conformal prediction.

Split conformal prediction (Vovk et al. 2005): with scores s_1..s_n of held-out pixels,
larger for a worse class, the set of all classes whose score is at most the k-th smallest,
k = ⌈(n + 1) c⌉, holds the true class with probability c or more, whatever the
predictor, if the pixels are exchangeable with those that were held out. The score is

    LAC (Sadinle et al. 2019)   1 - p_y                             smallest sets
    APS (Romano et al. 2020)    sum of p_j over j with p_j > p_y    sets that adapt

LAC leaves a set empty where every class is improbable. APS has a class's own probability
left out of its score, so that the most probable class is in every set and nothing needs
to be drawn at random; where the map is right more often than the coverage asks for, its
sets are that class alone, and hold the truth as often as the map does.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from overcast.accuracy.calibration import Floats, HeldOut

Score = Literal["lac", "aps"]


@dataclass(frozen=True, slots=True)
class ConformalSets:
    """Which classes a pixel may have, at a stated coverage; make it with `fit`.

    Attributes
    ----------
    score
        ``lac`` or ``aps``, as in the module.
    coverage
        Share of pixels whose set shall hold their true class.
    thresholds
        ``[K]``, largest score with which a class is in a set; infinite where there
        were too few held-out pixels to tell.
    """

    score: Score
    coverage: float
    thresholds: NDArray[np.float64]

    @classmethod
    def fit(
        cls,
        held: HeldOut,
        coverage: float = 0.9,
        score: Score = "lac",
        by_class: bool = False,
    ) -> ConformalSets:
        """Learn thresholds from held-out pixels.

        With `by_class`, coverage holds within every class (Vovk 2012), for larger sets;
        without, rare classes may be covered less than frequent ones.

        Raises
        ------
        ValueError
            If `coverage` is not between 0 and 1.
        """
        if not 0 < coverage < 1:
            raise ValueError(f"coverage is {coverage:g}, expected between 0 and 1")
        own = held.own(_scores(held.probabilities, score))
        everyone = np.ones(len(own), np.bool_)
        limits = [
            _threshold(own[group], held.weights[group], coverage)
            for k in range(len(held.probabilities))
            for group in [held.classes == k if by_class else everyone]
        ]
        return cls(score, coverage, np.array(limits))

    @property
    def by_class(self) -> bool:
        """Return whether every class has a threshold of its own."""
        return len(np.unique(self.thresholds)) > 1

    def of(self, probabilities: Floats) -> NDArray[np.bool_]:
        """Return whether a class is in the set of a pixel ``[K, ...]``.

        A pixel without probabilities (all 0) has every class.
        """
        shape = (-1,) + (1,) * (probabilities.ndim - 1)
        values = np.asarray(probabilities, np.float64)
        inside = _scores(values, self.score) <= self.thresholds.reshape(shape)
        return np.asarray(inside | (values.sum(0) == 0))


def _scores(probabilities: NDArray[np.float64], score: Score) -> NDArray[np.float64]:
    """Score ``[K, ...]`` of every class."""
    if score == "lac":
        return 1 - probabilities
    order = np.argsort(-probabilities, 0, kind="stable")
    ranked = np.take_along_axis(probabilities, order, 0)
    above = np.cumsum(ranked, 0) - ranked
    # Classes of one probability share the score of the first of them.
    for k in range(1, len(above)):
        above[k] = np.where(ranked[k] == ranked[k - 1], above[k - 1], above[k])
    scores = np.empty_like(above)
    np.put_along_axis(scores, order, above, 0)
    return scores


def _threshold(scores: Floats, weights: Floats, coverage: float) -> float:
    """Smallest score that enough of the weight lies at or below.

    A new pixel counts as one more, at infinity (Tibshirani et al. 2019, NeurIPS, for
    weights): where all weights are 1, this is the k-th smallest score.
    """
    if not len(scores):
        return math.inf
    order = np.argsort(scores)
    sums = np.cumsum(weights[order])
    wanted = coverage * (sums[-1] + weights.max())
    place = int(np.searchsorted(sums, wanted * (1 - 1e-12)))
    return float(scores[order[place]]) if place < len(scores) else math.inf
