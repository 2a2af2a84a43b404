"""Estimated transitions: exact where classes are sure, and intervals that mean it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from overcast.accuracy.bootstrap import FEWEST
from overcast.label_quality.audit.label_confusion import POWERS, Tables, sharpened

TRUE = np.array([[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.3, 0.3, 0.4]])
Drawn = tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.int64]]


def drawn(pixels: int = 30_000, doubt: float = 0.0, seed: int = 0) -> Drawn:
    """Probabilities, labels and 30 blocks of pixels whose labels follow `TRUE`.

    Classes are drawn from the probabilities, so these are calibrated; `doubt` is the
    probability of the two other classes together.
    """
    random = np.random.default_rng(seed)
    likely = random.integers(0, 3, pixels)
    certain = np.eye(3)[likely].T
    probabilities = certain * (1 - 1.5 * doubt) + doubt / 2
    place = random.random(pixels)
    true = (place > probabilities.cumsum(0)).sum(0)
    labels = (random.random(pixels)[:, None] > TRUE[true].cumsum(1)).sum(1)
    return probabilities.astype(np.float32), labels, np.arange(pixels) % 30


def counted(found: Drawn, blocks: int = 30) -> Tables:
    tables = Tables(blocks, 3)
    tables.add(*found)
    return tables


@given(
    arrays(np.float32, (4, 5), elements=st.floats(0.0625, 1, width=32)),
    st.sampled_from(POWERS),
)
def test_powers_keep_the_order_and_the_sum(
    values: NDArray[np.float32], power: float
) -> None:
    probabilities = values / values.sum(0)
    found = sharpened(probabilities, power)
    np.testing.assert_allclose(found.sum(0), 1, rtol=1e-5)
    np.testing.assert_array_equal(
        np.take_along_axis(found, probabilities.argmax(0)[None], 0)[0], found.max(0)
    )
    assert (found.max(0) >= probabilities.max(0) - 1e-6).all()


def test_sure_classes_are_simply_counted() -> None:
    found = drawn()
    true, labels = found[0].argmax(0), found[1]
    counts = np.zeros((3, 3))
    np.add.at(counts, (true, labels), 1)
    tables = counted(found)
    called, meant = tables.labels_of_classes(), tables.classes_of_labels()
    np.testing.assert_allclose(called.value, counts / counts.sum(1, keepdims=True))
    np.testing.assert_allclose(meant.value, counts / counts.sum(0))
    np.testing.assert_allclose(tables.class_shares, counts.sum(1) / counts.sum())
    np.testing.assert_allclose(tables.label_shares, counts.sum(0) / counts.sum())
    assert tables.pixels == counts.sum()
    np.testing.assert_allclose(called.value, TRUE, atol=0.02)


def test_doubt_counted_as_it_is_mixes_rows() -> None:
    """Why probabilities are sharpened, on pixels whose probabilities are right."""
    weights = counted(drawn(doubt=0.2)).weights.sum(1)
    soft, sharp, _ = (w / w.sum(1, keepdims=True) for w in weights)
    assert np.abs(sharp - TRUE).mean() < 0.7 * np.abs(soft - TRUE).mean()
    spread = [np.ptp(table, axis=0).mean() for table in (soft, sharp, TRUE)]
    assert spread[0] < spread[1] < spread[2]


def test_windows_add_up() -> None:
    probabilities, labels, blocks = drawn(2000)
    whole, parts = counted((probabilities, labels, blocks)), Tables(30, 3)
    for part in (slice(0, 700), slice(700, None)):
        parts.add(probabilities[:, part], labels[part], blocks[part])
    np.testing.assert_allclose(parts.weights, whole.weights)


def test_intervals_grow_with_doubt_and_hold_the_estimate() -> None:
    sure, unsure = (counted(drawn(doubt=d)).labels_of_classes() for d in (0.0, 0.2))
    for found in (sure, unsure):
        assert (found.low <= found.value).all()
        assert (found.value <= found.high).all()
    assert ((unsure.high - unsure.low) > (sure.high - sure.low)).all()


def test_intervals_are_as_long_as_blocks_differ() -> None:
    """Blocks in which a class is always, or never, called by its name."""
    right = np.random.default_rng(1).random(60) < 0.7
    blocks = np.repeat(np.arange(60), 100)
    labels = np.where(right, 0, 1).repeat(100)
    probabilities = np.stack([np.ones(6000), np.zeros(6000)]).astype(np.float32)
    tables = Tables(60, 2)
    tables.add(probabilities, labels, blocks)
    found = tables.labels_of_classes()
    error = right.std(ddof=1) / np.sqrt(60)
    np.testing.assert_allclose(
        (found.high - found.low)[0, 0], 2 * 1.96 * error, rtol=0.1
    )


def test_too_few_blocks_have_no_interval() -> None:
    probabilities, labels, blocks = drawn(3000)
    few = counted((probabilities, labels, blocks % (FEWEST - 1)))
    assert few.blocks == FEWEST - 1
    assert np.isnan(few.labels_of_classes().low).all()
    assert np.isfinite(few.labels_of_classes().value).all()
    enough = counted((probabilities, labels, blocks % FEWEST))
    assert np.isfinite(enough.labels_of_classes().low).all()


@pytest.mark.filterwarnings("error")
def test_what_does_not_occur_is_not_defined() -> None:
    probabilities, labels, blocks = drawn(3000)
    more = np.concatenate([probabilities, np.zeros((1, 3000), np.float32)])
    tables = Tables(30, 4)
    tables.add(more, labels, blocks)
    called, meant = tables.labels_of_classes(), tables.classes_of_labels()
    for found in (called.value[3], called.low[3], meant.value[:, 3], meant.high[:, 3]):
        assert np.isnan(found).all()
    assert (called.value[:3, 3] == 0).all()


def test_the_same_seed_gives_the_same_intervals() -> None:
    tables = counted(drawn(3000))
    first, again, other = (tables.labels_of_classes(seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first.low, again.low)
    assert (first.low != other.low).any()
