"""Intervals by blocks: as long as they should be, and only where there are blocks."""

from __future__ import annotations

import numpy as np
import pytest

from overcast.accuracy.bootstrap import FEWEST, block_side, intervals
from overcast.accuracy.confusion import Confusion
from overcast.geo.legend import LandClass, Legend
from tests.rasters import utm

LEGEND = Legend("two", (LandClass(1, "a", "000000"), LandClass(2, "b", "ffffff")))


def block(right: int, wrong: int) -> Confusion:
    counts = np.array([[right, wrong], [wrong, right]], np.int64)
    return Confusion(counts, np.zeros(2, np.int64))


def drawn(seed: int, blocks: int = 60) -> list[Confusion]:
    """Blocks in which all 100 pixels of a class are right, or half of them."""
    good = np.random.default_rng(seed).random(blocks) < 0.6
    return [block(100, 0) if g else block(50, 50) for g in good]


def test_as_long_as_the_spread_of_blocks_asks_for() -> None:
    blocks = drawn(0)
    found = intervals(blocks, LEGEND)
    assert found is not None
    low, high = found["overall_accuracy"]
    per_block = [b.overall_accuracy for b in blocks]
    error = np.std(per_block, ddof=1) / np.sqrt(len(blocks))
    assert low < np.mean(per_block) < high
    np.testing.assert_allclose(high - low, 2 * 1.96 * error, rtol=0.1)
    pixels = sum(b.counts.sum() for b in blocks)
    naive = np.sqrt(0.8 * 0.2 / pixels)
    assert high - low > 3 * 2 * 1.96 * naive


@pytest.mark.slow
def test_they_hold_the_truth_as_often_as_they_say() -> None:
    true = 0.6 + 0.4 * 0.5
    held = []
    for seed in range(100):
        found = intervals(drawn(seed), LEGEND, seed)
        assert found is not None
        low, high = found["overall_accuracy"]
        held.append(low <= true <= high)
    assert 0.90 <= np.mean(held) <= 0.99


def test_the_same_blocks_give_the_same_intervals() -> None:
    assert intervals(drawn(1), LEGEND) == intervals(drawn(1), LEGEND)


def test_blocks_without_reference_do_not_count() -> None:
    nothing = block(0, 0)
    few = [block(9, 1)] * (FEWEST - 1)
    assert intervals([*few, *[nothing] * 50], LEGEND) is None
    found = intervals([*few, block(5, 5), *[nothing] * 50], LEGEND)
    assert found is not None
    assert found["blocks"] == FEWEST


def test_a_class_that_is_nowhere_has_no_interval() -> None:
    counts = np.array([[9, 0], [0, 0]], np.int64)
    found = intervals([Confusion(counts, np.zeros(2, np.int64))] * 20, LEGEND)
    assert found is not None
    assert found["per_class"]["b"]["iou"] == [None, None]
    assert found["per_class"]["a"]["iou"] == [1.0, 1.0]


def test_sides_grow_with_the_map() -> None:
    assert block_side(utm((512, 300))) == 51
    assert block_side(utm((60, 60))) == 16
    assert block_side(utm((30_000, 10))) == 1024
