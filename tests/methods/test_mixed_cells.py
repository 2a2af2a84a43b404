"""What labels of mixed cells can say of a pixel."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from overcast.maps.placed import Strength, combine
from overcast.methods.place.consistency import place_by_consistency
from overcast.methods.place.mixed_cells import HIGH, LOW, MixedCells
from overcast.methods.place.strength import strength_of
from tests.methods.test_place import Looking, cells_of, stack_of, truth, wrong


def cells() -> MixedCells:
    """Of three cells: 6 pixels of a and 2 of b, 8 of a, 5 of b and 3 of a.

    The first two have the label a, the last one b.
    """
    mapped = np.array([0] * 6 + [1] * 2 + [0] * 8 + [1] * 5 + [0] * 3)
    labels = np.array([0, 0, 1]).repeat(8)
    return MixedCells.of(mapped, labels, np.arange(3).repeat(8) * 7, 2)


def ponds() -> NDArray[np.uint8]:
    """The true cells, each with a pond of 9 pixels of the next class."""
    row, column = np.indices((120, 120)) % 10
    pond = (row < 3) & (column < 3)
    return np.where(pond, (truth() + 1) % 4, truth()).astype(np.uint8)


def test_pixels_are_counted_by_the_class_of_most_of_their_cell() -> None:
    assert cells().counts == pytest.approx(np.array([[14, 2], [3, 5]]))
    assert cells().labelled == pytest.approx([14, 5])
    assert cells().pure == pytest.approx(19 / 24)
    assert cells().shares == pytest.approx([17 / 24, 7 / 24])
    both = cells() + cells()
    assert (both.counts == 2 * cells().counts).all()
    assert (both.labelled == 2 * cells().labelled).all()
    assert both.cells == 6


def test_what_the_size_of_cells_explains() -> None:
    mixed = 1 - cells().pure
    assert cells().explained(cells().pure) == pytest.approx([1, 1])
    # Twice as many pixels differ from their label as best labels would leave.
    assert cells().explained(1 - 2 * mixed) == pytest.approx([0, 0])
    half = mixed / (LOW + HIGH) * 2
    assert cells().explained(1 - half) == pytest.approx([0.5, 0.5])
    assert not MixedCells.none(3).explained(0).any()


def test_a_class_that_fills_cells_of_other_labels_is_not_explained() -> None:
    one = cells()
    other = replace(one, labelled=np.array([14 * (LOW + HIGH) / 2, 1]))
    assert other.explained(one.pure) == pytest.approx([0.5, 0])


def test_cells_name_the_class_of_most_of_them() -> None:
    # One more cell of 8 pixels for each class.
    full = np.array([[22, 2], [3, 13]]) / [25, 15]
    assert cells().named(np.ones(2)) == pytest.approx(full)
    assert cells().named(np.zeros(2)) == pytest.approx(np.eye(2))
    first = cells().named(np.array([1, 0]))
    assert first == pytest.approx(np.stack([full[:, 0], [0, 1]], 1))
    assert cells().pure_by(np.ones(2)) == pytest.approx(19 / 24)
    assert cells().pure_by(np.zeros(2)) == 1


def test_labels_of_cells_leave_a_class_that_is_small_in_them() -> None:
    found = place_by_consistency(Looking(), stack_of(cells_of(wrong(0)), ponds()), 0)
    assert found.strength is not None
    assert "nothing against small patches of a, b, c, d" in found.notes[0]
    pond = np.array([0.1 / 3, 0.9, 0.1 / 3, 0.1 / 3], np.float32)[:, None]
    around = np.array([1, 0, 0, 0], np.float32)[:, None]
    assert combine(pond, around, found.strength)[:, 0].argmax() == 1
    # A rule that takes the label for that of each pixel takes the pond off.
    whole = strength_of(np.full(4, 0.91))
    assert combine(pond, around, whole)[:, 0].argmax() == 0


def test_cells_of_another_class_stay_contradicted() -> None:
    labels = cells_of(wrong(0.1))
    found = place_by_consistency(Looking(), stack_of(labels, ponds()), 0)
    assert found.strength is not None
    assert found.strength.named == ()


def test_strengths_of_no_table_of_shares_are_refused() -> None:
    for table in (((1.0,),), ((0.5, 0.5), (0.4, 0.5)), ((1.5, 0.0), (-0.5, 1.0))):
        with pytest.raises(ValueError, match="named is no table"):
            Strength((0.1, 0.1), named=table)
