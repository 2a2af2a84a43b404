"""Several sources of labels as evidence of place: recall, dependence, anchors."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from overcast.geo.arrays import LabelArray
from overcast.geo.raster import UNKNOWN, Labels
from overcast.geo.stack import Stack
from overcast.label_quality.anchors import Anchors
from overcast.label_quality.place_file import read_place, write_place
from overcast.maps.placed import Strength, combine
from overcast.methods.place.several import (
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


def test_a_source_says_nothing_of_a_class_that_it_never_names() -> None:
    source = Strength((0.4,) * 4, silent=(False, False, False, True))
    pixel = np.array([[0.1, 0.2, 0.3, 0.4]], np.float32).T
    named = np.array([[1, 0, 0, 0]], np.float32).T
    place = np.array([0.7, 0.1, 0.1])
    shifted = place * pixel[:3, 0]
    expected = [*(0.6 * shifted / shifted.sum()), 0.4]
    assert combine(pixel, named, source)[:, 0] == pytest.approx(expected)
    unknown = combine(pixel, np.zeros((4, 1), np.float32), source)
    assert unknown == pytest.approx(pixel)


def test_drawn_labels_tell_how_right_a_map_is() -> None:
    cells, drawn = changed(5), drawn_squares()
    place = place_of_sources(Looking(), several(cells_of(cells), drawn), (), 0)
    own = drawn.read(GRID).values
    named = cells.repeat(10, 0).repeat(10, 1)
    right = float((named == own).sum())
    assert (own != UNKNOWN).sum() == 16
    wrong = 1 - (right + 8) / 26
    assert place.strength is not None
    assert place.strength.wrong == pytest.approx((wrong * 4 / 3,) * 4)
    (other,) = place.others
    assert other.wins
    # A stated accuracy is what drawn labels correct.
    stack = several(cells_of(cells), drawn)
    stated = place_of_sources(Looking(), stack, ("0.9", None), 0).strength
    assert stated is not None
    wrong = 1 - (right + 9) / 26
    assert stated.wrong == pytest.approx((wrong * 4 / 3,) * 4)


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
    assert place.strength is not None
    (wrong,) = place.others
    assert place.strength.wrong[0] < 0.15
    assert wrong.strength.wrong[0] > 0.7


def test_a_run_keeps_what_a_map_does_not_name(
    tmp_path: pytest.TempPathFactory,
) -> None:
    stack = several(cells_of(changed(5).clip(0, 2)), drawn_squares())
    place = place_of_sources(Looking(), stack, (), 0)
    write_place(place, stack, tmp_path)  # type: ignore[arg-type]
    read = read_place(tmp_path, LEGEND)  # type: ignore[arg-type]
    assert read is not None
    assert read.strength is not None
    assert place.strength is not None
    assert read.strength.wrong == pytest.approx(place.strength.wrong, abs=1e-6)
    assert read.strength.silent == (False, False, False, True)
    (one,), (other,) = read.others, place.others
    assert (one.index, one.side, one.wins) == (other.index, other.side, other.wins)
    assert one.strength.wrong == pytest.approx((0.05 * 4 / 3,) * 4, abs=1e-6)
