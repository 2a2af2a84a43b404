"""Curves of confidence: what was put in is found, classes stay, sums stay one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from overcast.accuracy.calibration import HeldOut, Reliability
from overcast.accuracy.curve import STEPS, ConfidenceCurve, Scaling

GRID = np.linspace(0, 1, STEPS + 1)


def drawn(count: int, seed: int = 0) -> NDArray[np.float64]:
    return np.random.default_rng(seed).dirichlet(np.full(5, 0.5), count).T


def held_out(values: NDArray[np.float64], worth: NDArray[np.float64]) -> HeldOut:
    """Pixels whose most probable class is right as often as `worth` ``[N]`` says."""
    random = np.random.default_rng(1)
    top = values.argmax(0)
    right = random.random(len(top)) < worth
    return HeldOut.of(values, np.where(right, top, (top + 1) % 5).astype(np.uint8))


def error(held: HeldOut, values: NDArray[np.floating]) -> float:
    right = values.argmax(0) == held.classes
    return Reliability.of(values.max(0), right).expected_error


def test_a_curve_that_no_temperature_has_is_found() -> None:
    def bent(sure: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.clip(1.6 * sure - 0.35, 0.25, 0.8)

    values = drawn(20_000)
    curve = ConfidenceCurve.fit(held_out(values, bent(values.max(0))))
    inside = (GRID > 0.35) & (GRID < 0.98)
    np.testing.assert_allclose(curve.values[inside], bent(GRID[inside]), atol=0.06)
    others = drawn(20_000, 7)
    judged = held_out(others, bent(others.max(0)))
    assert error(
        judged, Scaling.fit(held_out(values, bent(values.max(0)))).of(others)
    ) < (0.02)


def test_few_pixels_of_good_confidence_leave_it_about_so() -> None:
    worst = []
    for seed in range(20):
        values = drawn(200, seed)
        curve = ConfidenceCurve.fit(held_out(values, values.max(0)))
        worst.append(np.abs(curve.values - GRID)[GRID > 0.4].mean())
    # Isotonic regression without the logistic curve is off by .065 here.
    assert np.mean(worst) < 0.06


@given(st.integers(0, 10_000), st.floats(0, 0.5), st.floats(0.5, 1))
def test_classes_stay_and_probabilities_sum_to_one(
    seed: int, low: float, high: float
) -> None:
    values = drawn(50, seed)
    found = ConfidenceCurve(np.linspace(low, high, STEPS + 1)).of(values)
    np.testing.assert_array_equal(found.argmax(0), values.argmax(0))
    np.testing.assert_allclose(found.sum(0), 1, atol=1e-6)
    assert (found >= 0).all()


@given(st.integers(0, 10_000))
def test_it_never_falls_and_says_the_same_of_the_same(seed: int) -> None:
    random = np.random.default_rng(seed)
    values = np.round(drawn(60, seed), 1) + 1e-9
    held = HeldOut.of(values, random.integers(0, 5, 60).astype(np.uint8))
    found = ConfidenceCurve.fit(held).values
    assert (np.diff(found) >= 0).all()
    assert (found >= 0).all()
    assert (found <= 1).all()


def test_only_ratios_of_weights_matter() -> None:
    values = drawn(300)
    held = held_out(values, values.max(0) ** 2)
    fives = HeldOut.of(values, held.classes, np.full(300, 5.0))
    one, other = ConfidenceCurve.fit(held).values, ConfidenceCurve.fit(fives).values
    np.testing.assert_allclose(one, other, atol=1e-5)
    wrong = held.probabilities.argmax(0) != held.classes
    heavy = HeldOut.of(values, held.classes, 1 + 9.0 * wrong)
    assert (ConfidenceCurve.fit(heavy).values[32:] < one[32:]).all()


def test_unless_fitted_it_changes_nothing() -> None:
    values = drawn(100)
    np.testing.assert_allclose(ConfidenceCurve().of(values), values, atol=1e-6)
    np.testing.assert_allclose(Scaling().of(values), values, atol=1e-6)


def test_a_pixel_without_probabilities_stays_without() -> None:
    nothing = np.zeros((3, 2, 2), np.float32)
    assert (Scaling(2.0).of(nothing) == 0).all()
    certain = np.array([[1.0], [0.0]])
    np.testing.assert_array_equal(
        ConfidenceCurve(np.full(STEPS + 1, 0.5)).of(certain), certain
    )


def test_a_temperature_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="expected above 0"):
        Scaling(0)
