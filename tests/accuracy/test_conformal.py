"""Conformal sets against slow forms, and against what they promise."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from overcast.accuracy.calibration import HeldOut
from overcast.accuracy.conformal import ConformalSets, Score
from tests.accuracy.test_calibration import K, drawn, softmax

SCORES: list[Score] = ["lac", "aps"]


def slow_score(pixel: list[float], k: int, score: Score) -> float:
    if score == "lac":
        return 1 - pixel[k]
    return sum(sorted((p for p in pixel if p > pixel[k]), reverse=True))


@pytest.mark.parametrize("score", SCORES)
@pytest.mark.parametrize("by_class", [False, True])
def test_sets_class_by_class(score: Score, by_class: bool) -> None:
    """Thresholds by sorting, sets by looking at every class of every pixel."""
    random = np.random.default_rng(0)
    logits, classes = drawn(0, 200)
    # Rounded, so that classes tie within pixels and pixels tie with each other.
    probabilities = np.round(softmax(logits) * 8) / 8
    probabilities[0] += probabilities.sum(0) == 0
    classes[classes == 4] = random.integers(0, 4, (classes == 4).sum())
    classes[:3] = 4  # too few to say anything
    found = ConformalSets.fit(HeldOut.of(probabilities, classes), 0.85, score, by_class)
    thresholds = []
    for k in range(K):
        scores = sorted(
            slow_score(pixel, int(c), score)
            for pixel, c in zip(probabilities.T.tolist(), classes, strict=True)
            if not by_class or c == k
        )
        rank = math.ceil((len(scores) + 1) * 0.85)
        thresholds.append(scores[rank - 1] if rank <= len(scores) else math.inf)
    assert found.thresholds.tolist() == pytest.approx(thresholds)
    assert math.isinf(thresholds[4]) == by_class
    sets = found.of(probabilities)
    for pixel, members in zip(probabilities.T.tolist(), sets.T.tolist(), strict=True):
        for k in range(K):
            expected = slow_score(pixel, k, score) <= thresholds[k] + 1e-12
            assert members[k] == expected


@pytest.mark.parametrize("score", SCORES)
@pytest.mark.parametrize("coverage", [0.8, 0.95])
def test_coverage_is_what_was_stated(score: Score, coverage: float) -> None:
    """Over 200 draws, the mean lies between c and c + 1 / (n + 1), as is proved."""
    held = []
    for seed in range(200):
        logits, classes = drawn(seed, 600)
        probabilities = softmax(4 * logits)  # far too sure: it must not matter
        sets = ConformalSets.fit(
            HeldOut.of(probabilities[:, :200], classes[:200]), coverage, score
        )
        inside = sets.of(probabilities[:, 200:])
        held.append(inside[classes[200:], np.arange(400)].mean())
    error = np.std(held) / math.sqrt(len(held))
    assert coverage - 3 * error <= np.mean(held) <= coverage + 1 / 201 + 3 * error


def test_by_class_covers_the_rare_class_too() -> None:
    random = np.random.default_rng(0)

    def pixels(count: int) -> tuple[NDArray[np.float64], NDArray[np.uint8]]:
        classes = (random.random(count) < 0.1).astype(np.uint8)
        sure = np.where(
            classes == 1, random.beta(2, 3, count), random.beta(1, 9, count)
        )
        return np.stack([1 - sure, sure]), classes

    (held, known), (test, true) = pixels(4000), pixels(20_000)
    rare = true == 1
    for by_class in (False, True):
        sets = ConformalSets.fit(HeldOut.of(held, known), 0.9, by_class=by_class).of(
            test
        )
        covered = sets[1, rare].mean()
        assert (covered > 0.87) == by_class
        assert sets[true, np.arange(true.size)].mean() == pytest.approx(0.9, abs=0.02)


def test_sets_of_aps_are_never_empty() -> None:
    logits, classes = drawn(0, 500, spread=0.1)
    probabilities = softmax(logits)
    sets = ConformalSets.fit(HeldOut.of(probabilities, classes), 0.01, "aps")
    image = probabilities.reshape(K, 20, 25)
    assert sets.of(image).shape == (K, 20, 25)
    assert (sets.of(image).sum(0) == 1).all()


def test_a_pixel_that_nothing_saw_may_be_anything() -> None:
    logits, classes = drawn(0, 500)
    sets = ConformalSets.fit(HeldOut.of(softmax(logits), classes), 0.5)
    assert sets.of(np.zeros((K, 2, 2))).all()


@pytest.mark.parametrize("coverage", [0, 1, 90])
def test_a_coverage_that_is_no_share_is_refused(coverage: float) -> None:
    logits, classes = drawn(0, 20)
    with pytest.raises(ValueError, match="expected between 0 and 1"):
        ConformalSets.fit(HeldOut.of(softmax(logits), classes), coverage)


def test_a_stratified_sample_needs_its_weights() -> None:
    """Points drawn far more densely where the map is wrong, as rare classes are."""
    logits, classes = drawn(0, 60_000)
    probabilities = softmax(logits)
    chance = np.where(probabilities.argmax(0) == classes, 0.005, 0.04)
    picked = np.random.default_rng(1).random(classes.size) < chance
    args = probabilities[:, picked], classes[picked]
    truth = classes, np.arange(classes.size)
    plain = ConformalSets.fit(HeldOut.of(*args), 0.9).of(probabilities)[truth].mean()
    held = HeldOut.of(*args, 1 / chance[picked])
    weighted = ConformalSets.fit(held, 0.9).of(probabilities)[truth].mean()
    assert plain > 0.95
    assert weighted == pytest.approx(0.9, abs=0.02)


def test_a_weight_is_so_many_pixels() -> None:
    logits, classes = drawn(0, 300)
    probabilities = softmax(2 * logits)
    weights = np.random.default_rng(0).integers(1, 4, 300)
    weighted = HeldOut.of(probabilities, classes, weights)
    repeated = HeldOut.of(probabilities.repeat(weights, 1), classes.repeat(weights))
    # The new pixel may be of the heaviest kind, so thresholds are a little higher.
    a, b = (ConformalSets.fit(h, 0.8).thresholds[0] for h in (weighted, repeated))
    assert b <= a <= b + 0.02
