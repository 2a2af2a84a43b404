"""From scores of change to its probability, learned on pairs that are surely changed.

Several scores speak of change, and none is a probability: they overlap in what they know,
and some of it twice. What they are worth together is learned here from the scene itself.
Pixels of the first date are paired with pixels of the second date from elsewhere. Weighted
by how probable transitions make such a pair, these are change as this scene has it. With
f1 the density of the scores of such pairs, f0 that of land that stays, and ρ the unknown
share of change, the scene is a mixture::

    f = (1 - ρ) f0 + ρ f1,        log f1 / f0 = β · s + b
    P(change | s) = ρ f1 / f

β, b and ρ are what makes it most likely which pairs were shuffled and which are of the
scene as it is. This is logistic regression where one of two classes is unlabelled (Ward
et al. 2009, Biometrics 65, 554-563), and ρ is the prior that Bruzzone and Prieto 2000
(IEEE Trans. Geosci. Remote Sens. 38, 1171-1182) find for the difference of two images.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit, logit

Floats = NDArray[np.float32]

_RIDGE = 1e-3
_FIRST = 0.02
"""Share of change that the search begins with."""
_PRIOR = (1.0, 9.0)
"""Of ρ: beta distribution as of so many pixels changed, and not."""


@dataclass(frozen=True, slots=True)
class Odds:
    """What scores of change are worth.

    Attributes
    ----------
    share
        ρ, the share of the land that changed.
    weights, offset
        β ``[F]`` and b.
    """

    share: float
    weights: NDArray[np.float64]
    offset: float

    def probability(self, scores: Floats) -> Floats:
        """Probability of change ``[N]`` from scores ``[N, F]``."""
        odds = scores @ self.weights + self.offset + logit(self.share)
        return np.asarray(expit(odds), np.float32)


def estimate_odds(
    scene: Floats, shuffled: Floats, weights: NDArray[np.floating]
) -> Odds:
    """Learn what scores are worth.

    Parameters
    ----------
    scene
        Scores ``[N, F]`` of the scene as it is.
    shuffled
        Scores ``[M, F]`` of pairs from two places.
    weights
        ``[M]``: likelihood ratio of change by the transitions, of pairs
        against places drawn apart.
    """
    mean, spread = scene.mean(0), scene.std(0) + 1e-6
    even = np.full(len(scene), 1 / len(scene))
    sides = (
        _Side((scene - mean) / spread, even, -1),
        _Side((shuffled - mean) / spread, weights / weights.sum(), 1),
    )
    size = scene.shape[1]
    first = np.full(size + 2, 0.5)
    first[size:] = 0, logit(_FIRST)
    best = minimize(
        _loss, first, (sides, 1 / len(scene)), jac=True, method="L-BFGS-B"
    ).x
    slope = best[:size] / spread
    return Odds(float(expit(best[-1])), slope, float(best[size] - slope @ mean))


@dataclass(frozen=True, slots=True)
class _Side:
    """Scores ``[N, F]`` of one kind, their weights, which sum to 1, and their sign."""

    scores: NDArray[np.floating]
    weights: NDArray[np.floating]
    sign: int


def _loss(
    x: NDArray[np.float64], sides: tuple[_Side, _Side], pixel: float
) -> tuple[float, NDArray[np.float64]]:
    """Logistic loss of telling both sides apart by f1 / f, and its gradient.

    `x` is β, b and the logit of ρ; `pixel` is the weight of one pixel of the scene.
    """
    slope, offset, rho = x[:-2], x[-2], expit(x[-1])
    value, gradient = 0.0, np.zeros(len(x))
    for side in sides:
        ratio = np.exp(np.clip(side.scores @ slope + offset, -30, 30))
        mixed = (1 - rho) + rho * ratio
        right = side.sign * (np.log(ratio) - np.log(mixed))
        value += float(side.weights @ np.logaddexp(0, -right))
        pull = -side.sign * expit(-right) * side.weights / mixed
        gradient[:-2] += side.scores.T @ (pull * (1 - rho))
        gradient[-2] += (pull * (1 - rho)).sum()
        gradient[-1] += (pull * (1 - ratio)).sum() * rho * (1 - rho)
    value += _RIDGE * float(slope @ slope)
    gradient[:-2] += 2 * _RIDGE * slope
    changed, stayed = _PRIOR
    value -= pixel * float(changed * np.log(rho) + stayed * np.log1p(-rho))
    gradient[-1] -= pixel * float(changed * (1 - rho) - stayed * rho)
    return value, gradient
