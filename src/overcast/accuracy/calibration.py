"""Confidence that means something: calibrated probabilities, and how well they are so.

Everything is learned from pixels that were held out, with classes that can be trusted,
and applied to others. Probabilities are ``[K, ...]``, as predictors give them; class
positions are ``[...]``.

Temperature scaling (Guo et al. 2017, ICML)::

    q_k = p_k^(1/T) / sum_j p_j^(1/T)

which is softmax(logits / T) where p is softmax(logits). T minimises the Brier score, the
mean of sum_k (q_k - [k = y])² (Brier 1950), not the mean of -log q_y: a class that the
training labels never show has probability 0, and in the logarithm a few pixels of it
outweigh all others. (On world 1 it has 4.5 % of the pixels; the forest's calibration
error of .12 becomes .05 by Brier score, and .24 by likelihood.)
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from overcast.geo.raster import UNKNOWN

Floats = NDArray[np.floating]

FLOOR = 1e-9
"""A probability of 0 is taken for this one, so that it has a logarithm."""
_BINS = 15
_RANGE = math.log(20)
"""Temperatures from 1/20 to 20 are searched."""


@dataclass(frozen=True, slots=True)
class HeldOut:
    """Predictions at pixels whose class is known; make it with `of`.

    Attributes
    ----------
    probabilities
        float64 ``[K, N]``.
    classes
        ``[N]``, none of them unknown.
    weights
        float64 ``[N]``, how many pixels of the map each stands for: N_h / n_h of its
        stratum for the points of a stratified sample, 1 for pixels drawn alike.
    """

    probabilities: NDArray[np.float64]
    classes: NDArray[np.uint8]
    weights: NDArray[np.float64]

    @classmethod
    def of(
        cls,
        probabilities: Floats,
        classes: NDArray[np.uint8],
        weights: Floats | None = None,
    ) -> HeldOut:
        """Keep the pixels of ``[K, N]``, ``[N]`` that have probabilities and a class.

        Raises
        ------
        ValueError
            If there is none, or shapes differ.
        """
        weights = np.ones(classes.shape) if weights is None else weights
        if probabilities.ndim != 2 or not (
            probabilities.shape[1:] == classes.shape == weights.shape
        ):
            raise ValueError(
                f"probabilities are {probabilities.shape}, classes {classes.shape} and "
                f"weights {weights.shape}, expected [K, N], [N] and [N]"
            )
        known = (classes != UNKNOWN) & (probabilities.sum(0) > 0)
        if not known.any():
            raise ValueError("no held-out pixel has a known class; label some")
        values = np.asarray(probabilities[:, known], np.float64)
        return cls(values, classes[known], np.asarray(weights[known], np.float64))

    def part(self, where: NDArray[np.bool_]) -> HeldOut:
        """Return the pixels that are True in `where` ``[N]``."""
        return HeldOut(
            self.probabilities[:, where], self.classes[where], self.weights[where]
        )

    def own(self, values: Floats) -> Floats:
        """Value ``[N]`` of every pixel's own class, from ``[K, N]``."""
        return values[self.classes, np.arange(len(self.classes))]


def scale(probabilities: Floats, temperature: float) -> NDArray[np.float32]:
    """Probabilities ``[K, ...]`` at a temperature; above 1 they come closer together.

    A pixel that has none (all 0, what no sensor saw) stays as it is.
    """
    raised = _raise(np.asarray(probabilities, np.float64), temperature)
    seen = probabilities.sum(0) > 0
    return np.where(seen, raised, 0).astype(np.float32)


def fit_temperature(held: HeldOut) -> float:
    """Temperature under which probabilities fit held-out classes best."""
    from scipy.optimize import minimize_scalar  # slow to import, and seldom needed

    hits = np.eye(len(held.probabilities))[:, held.classes]

    def misfit(logarithm: float) -> float:
        scaled = _raise(held.probabilities, math.exp(logarithm))
        return float(held.weights @ ((scaled - hits) ** 2).sum(0))

    # The score need not have one minimum: the best of a ladder, then near it.
    ladder = np.linspace(-_RANGE, _RANGE, 25)
    best, step = (
        ladder[np.argmin([misfit(rung) for rung in ladder])],
        ladder[1] - ladder[0],
    )
    minimum = minimize_scalar(
        misfit, bounds=(best - step, best + step), method="bounded"
    )
    return math.exp(minimum.x)


def _raise(probabilities: NDArray[np.float64], temperature: float) -> Floats:
    logits = np.log(np.maximum(probabilities, FLOOR)) / temperature
    raised = np.exp(logits - logits.max(0))
    return np.asarray(raised / raised.sum(0))


@dataclass(frozen=True, slots=True)
class Reliability:
    """How often confidence was right, by bins of confidence ``[B]``; adds up.

    Attributes
    ----------
    edges
        ``[B + 1]``, from 0 to 1. A bin holds its upper edge, not its lower one.
    pixels, right
        How many pixels are in a bin, and how many of them have the right class; of a
        weighted sample, how many pixels of the map it speaks for.
    confidence
        Sum of their confidence.
    points
        How many pixels were looked at; fewer than `pixels` in a weighted sample.
    """

    edges: NDArray[np.float64]
    pixels: NDArray[np.float64]
    right: NDArray[np.float64]
    confidence: NDArray[np.float64]
    points: NDArray[np.float64]

    @classmethod
    def of(
        cls,
        confidence: Floats,
        right: NDArray[np.bool_],
        edges: NDArray[np.float64] | None = None,
        weights: Floats | None = None,
    ) -> Reliability:
        """Count pixels ``[N]``, in 15 bins of equal width if no `edges` are given.

        Pixels whose confidence is not finite don't count. `weights` are those of
        `HeldOut`.
        """
        edges = np.linspace(0, 1, _BINS + 1) if edges is None else edges
        weights = np.ones(confidence.shape) if weights is None else weights
        finite = np.isfinite(confidence)
        sure, each = np.asarray(confidence[finite], np.float64), weights[finite]
        place = np.searchsorted(edges[1:-1], sure, "left")

        def total(values: Floats) -> NDArray[np.float64]:
            sums = np.bincount(place, values, minlength=len(edges) - 1)
            return sums.astype(np.float64)

        return cls(
            edges,
            total(each),
            total(each * right[finite]),
            total(each * sure),
            total((each > 0).astype(np.float64)),
        )

    def __add__(self, other: Reliability) -> Reliability:
        if not np.array_equal(self.edges, other.edges):
            raise ValueError("reliabilities with different bins don't add up")
        return Reliability(
            self.edges,
            self.pixels + other.pixels,
            self.right + other.right,
            self.confidence + other.confidence,
            self.points + other.points,
        )

    @property
    def accuracy(self) -> NDArray[np.float64]:
        """Share of the pixels of a bin that are right; NaN where there are none."""
        return _per(self.right, self.pixels)

    @property
    def mean_confidence(self) -> NDArray[np.float64]:
        """Mean confidence in a bin; NaN where there is no pixel."""
        return _per(self.confidence, self.pixels)

    @property
    def expected_error(self) -> float:
        """Expected calibration error: mean of |accuracy - confidence| over pixels.

        The gap is taken bin by bin (Naeini et al. 2015, AAAI); NaN without pixels.
        """
        gaps = np.abs(self.right - self.confidence).sum()
        total = self.pixels.sum()
        return float(gaps / total) if total else float("nan")


def _per(part: Floats, whole: Floats) -> NDArray[np.float64]:
    return np.where(whole > 0, part / np.where(whole > 0, whole, 1), np.nan)


def equal_mass_edges(confidence: Floats, bins: int = _BINS) -> NDArray[np.float64]:
    """Edges ``[B + 1]`` with as many pixels in each bin; fewer bins where many tie.

    Bins of equal width leave most bins nearly empty where confidence is high nearly
    everywhere, and so measure little there (Nixon et al. 2019, CVPR workshops).
    """
    sure = confidence[np.isfinite(confidence)]
    inner = np.quantile(sure, np.arange(1, bins) / bins, method="inverted_cdf")
    inner = np.unique(inner.astype(np.float64))
    return np.concatenate([[0], inner[(inner > 0) & (inner < 1)], [1]])
