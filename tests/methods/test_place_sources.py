"""Several sources of labels as evidence of place: recall, dependence, anchors."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from overcast.geo.arrays import LabelArray
from overcast.geo.raster import UNKNOWN, Labels
from overcast.geo.stack import Stack
from overcast.labels.anchors import Anchors
from overcast.labels.place_file import read_place, write_place
from overcast.maps.placed import Recall, Strength, combine
from overcast.methods.place_sources import (
    dependence,
    place_of_sources,
    place_of_sources_by_anchors,
)
from tests.methods.test_place import GRID, LEGEND, Looking, cells_of, stack_of, truth

WRONG_CELLS = 36


def changed(seed: int) -> np.ndarray:
    """The true cells, a quarter of them called another class at random."""
    values = truth()[::10, ::10].copy()
    random = np.random.default_rng(seed)
    drawn = random.permutation(values.size)[:WRONG_CELLS]
    values.ravel()[drawn] = (values.ravel()[drawn] + random.integers(1, 4, 36)) % 4
    return values


def drawn_squares() -> LabelArray:
    """A pixel of sixteen cells, right: four of each class or so."""
    values = np.full(GRID.shape, UNKNOWN, np.uint8)
    values[15::30, 15::30] = truth()[15::30, 15::30]
    return LabelArray(Labels(values=values, grid=GRID, legend=LEGEND))


def several(*sources: LabelArray) -> Stack:
    one = stack_of(None)
    return replace(one, labels=sources[0], others=sources[1:])


def test_recall_is_the_likelihood_of_a_label() -> None:
    source = Recall((0.8, 0.5, 0.9, 0.0), (0.5, 0.25, 0.25, 0.0))
    named = np.eye(4, dtype=np.float32)[:3].T
    expected = [
        [1 + 0.8 * (2 - 1), 1 - 0.8, 1 - 0.8],
        [0.5, 1 + 0.5 * (4 - 1), 0.5],
        [1 - 0.9, 1 - 0.9, 1 + 0.9 * (4 - 1)],
        # What the source never names is as likely as before.
        [1, 1, 1],
    ]
    assert source.place(named) == pytest.approx(np.array(expected), abs=1e-6)
    # Under every label the sum over labels of P(label | class) is 1.
    assert (source.place(named) @ [0.5, 0.25, 0.25]) == pytest.approx(np.ones(4))
    pixel = np.array([[0.1, 0.2, 0.3, 0.4]], np.float32).T
    unknown = combine(pixel, np.zeros((4, 1), np.float32), source)
    assert unknown == pytest.approx(pixel)


def test_drawn_labels_correct_the_accuracy_of_a_map_class_by_class() -> None:
    cells, drawn = changed(5), drawn_squares()
    place = place_of_sources(Looking(), several(cells_of(cells), drawn), (), 0)
    own = drawn.read(GRID).values
    named = cells.repeat(10, 0).repeat(10, 1)
    right = [float(((named == c) & (own == c)).sum()) for c in range(4)]
    count = [float((own == c).sum()) for c in range(4)]
    assert sum(count) == 16
    accuracy = (sum(right) + 8) / 26
    assert isinstance(place.strength, Recall)
    expected = [(h + 5 * accuracy) / (n + 5) for h, n in zip(right, count, strict=True)]
    assert place.strength.recall == pytest.approx(expected)
    (other,) = place.others
    assert other.wins
    # A stated accuracy is what drawn labels correct.
    stack = several(cells_of(cells), drawn)
    stated = place_of_sources(Looking(), stack, ("0.9", None), 0).strength
    assert isinstance(stated, Recall)
    expected = [(h + 5 * 0.9) / (n + 5) for h, n in zip(right, count, strict=True)]
    assert stated.recall == pytest.approx(expected)


def test_the_same_map_twice_counts_as_once() -> None:
    once, again, other = (cells_of(changed(seed)) for seed in (5, 5, 6))
    alike = several(once, again).apart()
    assert dependence(alike, [0.75, 0.75]) == pytest.approx(1)
    apart = several(once, other).apart()
    assert dependence(apart, [0.75, 0.75]) < 0.15
    twice = place_of_sources(Looking(), several(once, again), (".75", ".75"), 0)
    assert twice.strength is not None
    assert twice.strength.power == 0.5
    assert twice.others[0].strength.power == 0.5
    assert "alike by 1.00" in " ".join(twice.notes)


def test_anchors_tell_a_right_map_from_a_wrong_one() -> None:
    right, random = truth()[::10, ::10], np.random.default_rng(1)
    other = random.integers(0, 4, (12, 12)).astype(np.uint8)
    rows, columns = random.integers(0, 120, (2, 60))
    anchors = Anchors(rows, columns, truth()[rows, columns], np.ones(60))
    # Images that say hardly anything.
    stack = several(cells_of(right), cells_of(other))
    place = place_of_sources_by_anchors(Looking(0.3), stack, anchors)
    assert isinstance(place.strength, Recall)
    (wrong,) = place.others
    assert isinstance(wrong.strength, Recall)
    assert place.strength.recall[0] > 0.85
    assert wrong.strength.recall[0] < 0.25


def test_a_run_keeps_recall(tmp_path: pytest.TempPathFactory) -> None:
    stack = several(cells_of(changed(5)), drawn_squares())
    place = place_of_sources(Looking(), stack, (), 0)
    write_place(place, stack, tmp_path)  # type: ignore[arg-type]
    read = read_place(tmp_path, LEGEND)  # type: ignore[arg-type]
    assert read is not None
    assert isinstance(read.strength, Recall)
    assert isinstance(place.strength, Recall)
    assert read.strength.recall == pytest.approx(place.strength.recall, abs=1e-6)
    (one,), (other,) = read.others, place.others
    assert (one.index, one.side, one.wins) == (other.index, other.side, other.wins)
    assert isinstance(one.strength, Strength)
    assert one.strength.wrong == pytest.approx((0.05 * 4 / 3,) * 4, abs=1e-6)
