"""How much labels count as evidence of place, chosen by anchors.

Anchors are 20 to 200 points with a known class. Labels of class l are wrong on a share
w_l (`overcast.maps.placed`). What such a label says for its class, against any other, is

    e_l = log((1 - w_l + w_l / K) / (w_l / K)) = m + d_l

with m for all classes, and d_l for what labels of one class have of their own. Few points
can't tell a strength for every class, so each is drawn to the common one, as in a
multilevel model (Gelman and Hill 2007, ch. 12):

    m ~ N(m_0, 2^2)    d_l ~ N(0, 1)    log a ~ N(log a_0, 0.5^2)

The strength that labels would have without anchors is the middle: m_0 is g e(w) and a_0
the exponent of the pixel (`overcast.methods.place.consistency`); N stays as it is. The
likelihood is that of the classes of the anchors under q; an anchor of class c, of which
there are n_c, counts by n_c^-1/2: half way between alike for all points and alike for all
classes.

Each unknown is the mean of its posterior on a grid, given the others: m and a together,
then every d_l, in two turns. The result is the strength with w_l of e_l, a, and g = 1.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from overcast.geo.label_cells import cell_sides, labels_of
from overcast.geo.stack import Stack
from overcast.geo.tiling import Window
from overcast.label_quality.anchors import Anchors
from overcast.label_quality.place_file import KeptPlace
from overcast.maps.placed import Strength, combine, soft_labels
from overcast.maps.predictor import Predictor
from overcast.methods.place.consistency import place_by_consistency, predicted
from overcast.methods.place.strength import PIXEL, TEMPER
from overcast.progress import Progress, quiet

Floats = NDArray[np.float64]
_EXPONENTS = np.log([0.4, 0.5, 0.6, 0.7, 0.85, 1.0, 1.3, 1.7])
_COMMON = np.linspace(0, 6.5, 14)
_OWN = np.linspace(-3.5, 3.5, 11)
"""Values that log a, m and d_l are tried at."""
_MOST = 7.0
_SPREADS = 0.5, 2.0, 1.0
"""Of log a, m and d_l before anchors are asked."""
_TURNS = 2
_LEAST = 1e-3
"""Probability of an anchor's class, at least: a single point may be wrong."""


def place_by_anchors(
    predictor: Predictor,
    stack: Stack,
    anchors: Anchors,
    seed: int = 0,
    progress: Progress = quiet,
) -> KeptPlace:
    """Place under which the classes of anchors are likely.

    `seed` draws the windows of a large stack that say what labels count without anchors.
    """
    side = cell_sides(stack, 1)[0]
    pixel, around = at_anchors(predictor, stack, anchors, side)
    before = place_by_consistency(predictor, stack, seed, progress).strength
    named = before.named if before else ()
    exponent, evidence = _chosen(pixel, around, anchors, before)
    wrong = tuple(float(w) for w in _wrong(evidence, len(pixel)))
    best = Strength(wrong, exponent, temper=TEMPER, named=named)
    return KeptPlace(best, side, (_note(best, around, anchors),))


def at_anchors(
    predictor: Predictor, stack: Stack, anchors: Anchors, side: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return what pixels and labels around say of anchors: P and B, both ``[K, N]``."""
    labels = labels_of(stack)
    pixel = np.empty((len(labels.legend), len(anchors.classes)), np.float32)
    around = np.empty_like(pixel)
    for n, (row, column) in enumerate(zip(anchors.rows, anchors.columns, strict=True)):
        one = Window(int(row), int(column), 1, 1)
        (values,) = predicted(predictor, stack, [one])
        pixel[:, n] = values[1][:, 0, 0]
        around[:, n] = soft_labels(labels, stack.grid[one.slices], side)[:, 0, 0]
    return pixel, around


def likelihood(
    chances: NDArray[np.float32], anchors: Anchors, weights: Floats | None = None
) -> float:
    """Log-likelihood of the classes of anchors under probabilities ``[K, N]``."""
    own = chances[anchors.classes, np.arange(len(anchors.classes))]
    counts = anchors.weights if weights is None else weights
    return float(counts @ np.log(np.maximum(own, _LEAST)))


def _chosen(
    pixel: NDArray[np.float32],
    around: NDArray[np.float32],
    anchors: Anchors,
    before: Strength | None,
) -> tuple[float, Floats]:
    """Exponent a and evidence e ``[K]`` of the labels of every class."""
    classes = len(pixel)
    weights = _weights(anchors, classes)
    middle = _before(before, classes)
    cells = before.named if before else ()

    def fit(exponent: float, evidence: Floats) -> float:
        wrong = tuple(_wrong(evidence, classes))
        a = float(np.exp(exponent))
        strength = Strength(wrong, a, temper=TEMPER, named=cells)
        return likelihood(combine(pixel, around, strength), anchors, weights)

    pairs = np.array([(a, m) for a in _EXPONENTS for m in _COMMON])
    far = (((pairs - middle) / _SPREADS[:2]) ** 2).sum(1) / 2
    own, exponent, common = np.zeros(classes), *middle
    named = np.flatnonzero(around.sum(1) > 0)
    for _ in range(_TURNS):
        fits = [fit(a, m + own) for a, m in pairs]
        exponent, common = _mean(np.array(fits) - far, pairs)
        for k in named:
            tried = np.repeat(own[None], len(_OWN), 0)
            tried[:, k] = _OWN
            fits = [fit(exponent, common + one) for one in tried]
            own[k] = _mean(np.array(fits) - (_OWN / _SPREADS[2]) ** 2 / 2, _OWN)
    return float(np.exp(exponent)), common + own


def _mean(fits: Floats, values: Floats) -> Floats:
    """Mean of values whose log-posterior is `fits`, up to a constant."""
    chance = np.exp(fits - fits.max())
    return np.asarray(chance @ values / chance.sum())


def _weights(anchors: Anchors, classes: int) -> Floats:
    """How much anchors count ``[N]``: rare classes by more, all of them by N."""
    often = np.bincount(anchors.classes, anchors.weights, classes) + 2 / classes
    counts = anchors.weights * often[anchors.classes] ** -0.5
    return np.asarray(counts * len(counts) / counts.sum())


def _before(strength: Strength | None, classes: int) -> Floats:
    """Log a_0 and m_0: of the strength without anchors, or of labels that don't count."""
    if strength is None:
        return np.array([np.log(PIXEL), 0.0])
    evidence = strength.power * _evidence(float(np.mean(strength.wrong)), classes)
    return np.array([np.log(strength.exponent), evidence])


def _evidence(wrong: float, classes: int) -> float:
    """Return e of a share of wrong labels."""
    by_chance = max(wrong, 1e-9) / classes
    return min(float(np.log((1 - wrong + by_chance) / by_chance)), _MOST)


def _wrong(evidence: Floats, classes: int) -> Floats:
    """Shares w of wrong labels ``[K]`` that give so much evidence."""
    return np.asarray(classes / (np.exp(evidence.clip(0, _MOST)) + classes - 1))


def _note(best: Strength, around: NDArray[np.float32], anchors: Anchors) -> str:
    # Labels count by how often anchors lie among them.
    often = around.sum(1)
    share = float(often @ np.array(best.wrong) / max(often.sum(), 1e-9))
    return (
        f"place: chosen by {len(anchors.classes)} anchors: labels count as if "
        f"{share:.0%} of them were drawn at random, images with the exponent "
        f"{best.exponent:.2f}"
    )
