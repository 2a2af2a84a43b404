"""Two dates judged together, on pixels drawn from known transitions."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from overcast.maps.joint import estimate_joint, spread_out

SHARES = np.array([[0.55, 0.03, 0.0], [0.0, 0.27, 0.02], [0.0, 0.0, 0.13]])
"""Share of the land by class before and after: 5 % changed."""


def seen(classes: NDArray[np.int64], seed: int) -> NDArray[np.float32]:
    """Right posteriors ``[N, 3]`` of a measurement that errs in about 20 %."""
    random = np.random.default_rng(seed)
    means = np.array([[0.0, 0], [1.9, 0], [0, 1.9]])
    x = means[classes] + random.normal(0, 1, (len(classes), 2))
    density = np.exp(-0.5 * ((x[:, None] - means) ** 2).sum(-1))
    prior = np.bincount(classes, minlength=3) / len(classes)
    joint = density * prior
    return np.float32(joint / joint.sum(1, keepdims=True))


@pytest.fixture(scope="module")
def world() -> tuple[NDArray[np.int64], ...]:
    draws = np.random.default_rng(0).choice(9, 40_000, p=SHARES.ravel())
    return np.divmod(draws, 3)


def test_transitions_are_found_behind_the_errors(world: tuple) -> None:
    before, after = world
    first, second = seen(before, 1), seen(after, 2)
    apart = first.argmax(1) != second.argmax(1)
    assert apart.mean() > 0.25  # what two maps would say
    joint = estimate_joint(first, second)
    assert joint.shares.sum() == pytest.approx(1)
    assert 1 - np.trace(joint.shares) == pytest.approx(0.05, abs=0.012)
    assert joint.shares == pytest.approx(SHARES, abs=0.02)


def test_false_change_is_less_than_half(world: tuple) -> None:
    before, after = world
    first, second = seen(before, 1), seen(after, 2)
    joint = estimate_joint(first, second)
    true = before != after
    called = joint.changed(first, second) >= 0.5
    apart = first.argmax(1) != second.argmax(1)
    assert called[~true].mean() < 0.1 * apart[~true].mean()
    # What is called changed mostly is: the probability means what it says.
    assert true[called].mean() > 0.6
    sure = joint.changed(first, second)
    part = (sure > 0.3) & (sure < 0.7)
    assert true[part].mean() == pytest.approx(sure[part].mean(), abs=0.12)


def test_classes_of_both_dates_gain_from_each_other(world: tuple) -> None:
    before, after = world
    first, second = seen(before, 1), seen(after, 2)
    joint = estimate_joint(first, second)
    same = before == after
    alone = (first.argmax(1) == before)[same].mean()
    assert (joint.persistent(first, second) == before)[same].mean() > alone + 0.05
    old, new = joint.transition(first, second)
    assert (old != new).all()
    moved = ~same & (joint.changed(first, second) >= 0.5)
    assert ((old == before) & (new == after))[moved].mean() > 0.8


def test_transitions_follow_from_what_is_known_to_have_changed(world: tuple) -> None:
    before, after = world
    first, second = seen(before, 1), seen(after, 2)
    known = np.float32(before != after)
    joint = estimate_joint(first, second)
    better = joint.renewed(first, second, known)
    off = ~np.eye(3, dtype=bool)
    assert np.abs(better.shares - SHARES)[off].sum() < 0.02
    assert better.shares.sum() == pytest.approx(1)
    table = better.expected(first, second, known) / len(known)
    assert table[off].sum() == pytest.approx(known.mean(), abs=1e-6)
    assert table == pytest.approx(SHARES, abs=0.01)
    # These transitions are likelier here than of places drawn apart.
    moved = better.moved(first, second)
    assert moved[known == 1].mean() > 2 * moved[known == 0].mean()


def test_a_class_that_no_map_has_takes_no_part() -> None:
    """Its flat probability of 0 must not make it what is least unlike."""
    random = np.random.default_rng(5)
    classes = random.integers(0, 2, 4000)
    after = np.where(random.random(4000) < 0.1, 1 - classes, classes)
    first, second = (
        np.pad(seen(c, k)[:, :2], ((0, 0), (0, 1)), constant_values=0.008)
        for k, c in enumerate((classes, after))
    )
    joint = estimate_joint(first, second)
    joint = joint.renewed(first, second, np.float32(classes != after))
    assert joint.shares[2].sum() == joint.shares[:, 2].sum() == 0
    old, new = joint.transition(first, second)
    assert max(old.max(), new.max()) == 1


def test_equal_images_have_no_change() -> None:
    classes = np.random.default_rng(3).integers(0, 3, 5000)
    first = seen(classes, 4)
    joint = estimate_joint(first, first)
    assert joint.changed(first, first).max() < 0.5


def test_confidence_alone_is_spread_over_the_other_classes() -> None:
    out = spread_out(np.uint8([1, 0]), np.float32([0.8, 1.0]), 3)
    assert out == pytest.approx(np.array([[0.1, 0.8, 0.1], [1, 0, 0]]))
