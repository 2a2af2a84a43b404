"""When a reference can't judge a map, it is said; when it can, nothing is."""

from __future__ import annotations

import numpy as np

from overcast.accuracy.confusion import Confusion
from overcast.accuracy.independence import are_fine, remark
from tests.rasters import CELL_M, utm


def found(right: int, wrong: int, alone: int = 0) -> Confusion:
    counts = np.array([[right, wrong], [0, 0]], np.int64)
    return Confusion(counts, np.array([alone, 0], np.int64))


def test_the_labels_themselves() -> None:
    for fine in (True, False):
        text = remark(found(1000, 0), fine)
        assert text is not None
        assert "the labels that the map was learned from" in text
        assert "100.0%" in text


def test_coarse_labels_that_agree_too_well_are_the_reference() -> None:
    text = remark(found(1000, 0, 9000), fine=False)
    assert text is not None
    assert "the reference is the labels" in text


def test_a_reference_that_overlaps_sparse_labels() -> None:
    text = remark(found(10, 0, 990), fine=True)
    assert text is not None
    assert "1.00% of the reference (10 pixels)" in text


def test_a_reference_of_its_own() -> None:
    assert remark(found(600, 400), fine=False) is None
    assert remark(found(700, 300), fine=True) is None
    assert remark(found(0, 0, 1000), fine=True) is None


def test_fine_labels_have_pixels() -> None:
    assert are_fine(utm(), utm())
    assert are_fine(utm(size=20), utm())
    assert not are_fine(utm(size=100), utm())
    assert not are_fine(utm(size=CELL_M), utm())


def test_mistakes_that_both_share_are_not_noticed() -> None:
    """Two products of the same images: alike in many pixels, and in most mistakes."""
    true = np.zeros(1000, np.uint8)
    labels, reference = true.copy(), true.copy()
    labels[:300] = reference[:200] = reference[900:] = 1
    assert ((labels != true) & (reference != true)).sum() == 200
    both = Confusion.of(reference, labels, 2)
    assert both.overall_accuracy == 0.8
    for fine in (True, False):
        assert remark(both, fine) is None
