"""Calibration against slow forms, and against what it promises."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from overcast.accuracy.calibration import (
    HeldOut,
    Reliability,
    equal_mass_edges,
    fit_temperature,
    scale,
)
from overcast.geo.raster import UNKNOWN

K = 5


def softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    raised = np.exp(logits - logits.max(0))
    return np.asarray(raised / raised.sum(0))


def drawn(
    seed: int, pixels: int = 4000, spread: float = 2.0
) -> tuple[NDArray[np.float64], NDArray[np.uint8]]:
    """Logits ``[K, N]``, and classes that have exactly their probabilities."""
    random = np.random.default_rng(seed)
    logits = random.normal(0, spread, (K, pixels))
    sums = softmax(logits).cumsum(0)
    return logits, (sums < random.random(pixels)).sum(0).astype(np.uint8)


@pytest.mark.parametrize("true", [0.4, 1.0, 2.5])
def test_the_temperature_that_was_put_in_is_found(true: float) -> None:
    logits, classes = drawn(0, 20_000)
    found = fit_temperature(HeldOut.of(softmax(logits * true), classes))
    assert found == pytest.approx(true, rel=0.05)


def test_scaling_is_softmax_of_logits_over_temperature() -> None:
    logits, _ = drawn(0, 100)
    found = scale(softmax(logits), 2.5)
    np.testing.assert_allclose(found, softmax(logits / 2.5), atol=1e-6)


def test_it_is_where_a_fine_search_finds_it() -> None:
    logits, classes = drawn(1, 500)
    probabilities = softmax(3 * logits)

    def brier(temperature: float) -> float:
        total = 0.0
        for pixel, true in zip(probabilities.T.tolist(), classes.tolist(), strict=True):
            raised = [p ** (1 / temperature) for p in pixel]
            shares = [r / sum(raised) for r in raised]
            total += sum((q - (k == true)) ** 2 for k, q in enumerate(shares))
        return total / len(classes)

    ladder = np.geomspace(1, 10, 200)
    best = ladder[np.argmin([brier(t) for t in ladder])]
    found = fit_temperature(HeldOut.of(probabilities, classes))
    assert found == pytest.approx(best, rel=0.02)


def test_scaling_keeps_ranks_sums_and_unseen_pixels() -> None:
    probabilities = softmax(drawn(0, 60)[0]).reshape(K, 6, 10).astype(np.float32)
    probabilities[:, 2, 3] = 0
    for temperature in (0.3, 1.0, 7.0):
        found = scale(probabilities, temperature)
        assert found.dtype == np.float32
        assert (found[:, 2, 3] == 0).all()
        seen = probabilities.sum(0) > 0
        np.testing.assert_allclose(found.sum(0)[seen], 1, atol=1e-6)
        np.testing.assert_array_equal(found.argmax(0), probabilities.argmax(0))
    np.testing.assert_allclose(scale(probabilities, 1), probabilities, atol=2e-6)


def test_a_class_that_was_never_learned_does_not_decide() -> None:
    """Some pixels are of a class of probability 0; the others keep their temperature."""
    logits, classes = drawn(0, 20_000)
    probabilities = np.concatenate([softmax(2 * logits), np.zeros((1, 20_000))])
    classes[::33] = K
    found = fit_temperature(HeldOut.of(probabilities, classes))
    assert found == pytest.approx(2, rel=0.15)


def test_unknown_and_unseen_pixels_change_nothing() -> None:
    logits, classes = drawn(0, 300)
    probabilities = softmax(2 * logits)
    more = np.concatenate([probabilities, probabilities[:, :50], np.zeros((K, 9))], 1)
    unknown = np.full(50, UNKNOWN, np.uint8)
    others = np.concatenate([classes, unknown, np.zeros(9, np.uint8)])
    known = HeldOut.of(probabilities, classes)
    assert fit_temperature(HeldOut.of(more, others)) == fit_temperature(known)
    with pytest.raises(ValueError, match="no held-out pixel"):
        HeldOut.of(probabilities[:, :50], unknown)
    with pytest.raises(ValueError, match=r"expected \[K, N\], \[N\]"):
        HeldOut.of(probabilities, unknown)


@settings(max_examples=60)
@given(
    arrays(np.float64, 30, elements=st.sampled_from([0, 0.2, 0.25, 0.4, 0.81, 1])),
    arrays(np.bool_, 30),
    st.integers(1, 8),
)
def test_reliability_pixel_by_pixel(
    confidence: NDArray[np.float64], right: NDArray[np.bool_], bins: int
) -> None:
    edges = np.linspace(0, 1, bins + 1)
    found = Reliability.of(confidence, right, edges)
    error = 0.0
    for b in range(bins):
        members = [
            (c, r)
            for c, r in zip(confidence.tolist(), right.tolist(), strict=True)
            if edges[b] < c <= edges[b + 1] or (b == 0 and c == 0)
        ]
        assert found.pixels[b] == len(members)
        if members:
            accuracy = sum(r for _, r in members) / len(members)
            mean = sum(c for c, _ in members) / len(members)
            assert found.accuracy[b] == pytest.approx(accuracy)
            assert found.mean_confidence[b] == pytest.approx(mean)
            error += len(members) / 30 * abs(accuracy - mean)
        else:
            assert np.isnan(found.accuracy[b])
    assert found.expected_error == pytest.approx(error)


def test_reliability_adds_up_over_windows() -> None:
    random = np.random.default_rng(0)
    confidence, right = random.random(500), random.random(500) < 0.5
    confidence[7] = np.nan
    whole = Reliability.of(confidence, right)
    parts = Reliability.of(confidence[:123], right[:123])
    parts += Reliability.of(confidence[123:], right[123:])
    assert whole.pixels.sum() == 499
    np.testing.assert_array_equal(whole.right, parts.right)
    assert whole.expected_error == pytest.approx(parts.expected_error)
    other = Reliability.of(confidence, right, np.linspace(0, 1, 4))
    with pytest.raises(ValueError, match="different bins"):
        whole + other


def test_equal_mass_bins_hold_as_many_pixels_each() -> None:
    confidence = np.random.default_rng(0).beta(8, 1, 3000)
    edges = equal_mass_edges(confidence, 10)
    found = Reliability.of(confidence, confidence > 0, edges)
    np.testing.assert_allclose(found.pixels, 300, atol=1)
    tied = equal_mass_edges(np.r_[np.ones(90), np.linspace(0.1, 0.9, 10)], 10)
    assert Reliability.of(np.ones(3), np.ones(3, bool), tied).pixels.sum() == 3


def test_scaling_brings_the_error_down() -> None:
    logits, classes = drawn(0, 8000)
    held, test = slice(0, 4000), slice(4000, None)
    probabilities = softmax(3 * logits)
    temperature = fit_temperature(HeldOut.of(probabilities[:, held], classes[held]))

    def error(values: NDArray[np.floating]) -> float:
        right = values.argmax(0) == classes[test]
        return Reliability.of(values.max(0), right).expected_error

    assert error(probabilities[:, test]) > 0.15
    assert error(scale(probabilities[:, test], temperature)) < 0.03


def test_a_weight_is_so_many_pixels() -> None:
    """A pixel of weight 3 changes what is learned as three such pixels do."""
    logits, classes = drawn(0, 300)
    probabilities = softmax(2 * logits)
    weights = np.random.default_rng(0).integers(1, 4, 300)
    weighted = HeldOut.of(probabilities, classes, weights)
    repeated = HeldOut.of(probabilities.repeat(weights, 1), classes.repeat(weights))
    assert fit_temperature(weighted) == pytest.approx(fit_temperature(repeated))
    right = probabilities.argmax(0) == classes
    one = Reliability.of(probabilities.max(0), right, weights=weights)
    many = Reliability.of(probabilities.max(0).repeat(weights), right.repeat(weights))
    np.testing.assert_allclose(one.pixels, many.pixels)
    assert one.expected_error == pytest.approx(many.expected_error)
