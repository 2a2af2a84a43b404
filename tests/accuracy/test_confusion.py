"""Scores against scikit-learn, and counting that adds up."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import (
    accuracy_score,
    balanced_accuracy_score,
    cohen_kappa_score,
    f1_score,
    jaccard_score,
    precision_score,
)

from overcast.accuracy.confusion import Confusion, compare, scores, translation
from overcast.geo.arrays import LabelArray
from overcast.geo.legend import LandClass, Legend, load_legend
from overcast.geo.raster import UNKNOWN, Labels
from tests.rasters import utm

K = 4
indices = arrays(np.uint8, 40, elements=st.sampled_from([0, 1, 2, 3, UNKNOWN]))


def pair() -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    reference = random.integers(0, 3, 500).astype(np.uint8)  # class 3 never occurs
    mapped = np.where(random.random(500) < 0.6, reference, random.integers(0, K, 500))
    return reference, mapped.astype(np.uint8)


def test_as_scikit_learn_has_it() -> None:
    reference, mapped = pair()
    found = Confusion.of(reference, mapped, K)
    known = [0, 1, 2]
    assert found.overall_accuracy == pytest.approx(accuracy_score(reference, mapped))
    with pytest.warns(UserWarning, match="y_pred contains classes not in y_true"):
        balanced = balanced_accuracy_score(reference, mapped)
    assert found.average_accuracy == pytest.approx(balanced)
    assert found.kappa == pytest.approx(cohen_kappa_score(reference, mapped))
    for mine, theirs in (
        (found.iou, jaccard_score),
        (found.f1, f1_score),
        (found.users_accuracy, precision_score),
    ):
        expected = theirs(reference, mapped, average=None, labels=known)
        np.testing.assert_allclose(mine[:3], expected)
    assert found.mean_iou == pytest.approx(found.iou[:3].mean())
    assert found.mean_iou_all_classes == pytest.approx(found.iou[:3].sum() / K)


@given(indices, indices, st.integers(0, 40))
def test_counting_in_pieces_is_counting_at_once(
    a: np.ndarray, b: np.ndarray, cut: int
) -> None:
    whole = Confusion.of(a, b, K)
    pieces = Confusion.of(a[:cut], b[:cut], K) + Confusion.of(a[cut:], b[cut:], K)
    np.testing.assert_array_equal(whole.counts, pieces.counts)
    np.testing.assert_array_equal(whole.unmapped, pieces.unmapped)


def test_what_the_map_leaves_out_is_stated() -> None:
    reference = np.uint8([0, 0, 1, UNKNOWN, 1])
    mapped = np.uint8([0, UNKNOWN, 1, 1, UNKNOWN])
    found = Confusion.of(reference, mapped, 2)
    assert found.counts.tolist() == [[1, 0], [0, 1]]
    assert found.unmapped.tolist() == [1, 1]
    legend = Legend("two", (LandClass(1, "a", "000000"), LandClass(2, "b", "ffffff")))
    assert scores(found, legend)["unmapped_pixels"] == 2


def test_a_class_outside_the_legend_is_no_hit_elsewhere() -> None:
    with pytest.raises(ValueError, match="map has class index 4, expected below 3"):
        Confusion.of(np.uint8([0]), np.uint8([4]), 3)


def test_undefined_scores_are_none() -> None:
    legend = load_legend("simplified-igbp")
    found = scores(Confusion.of(np.uint8([]), np.uint8([]), 10), legend)
    assert found["mean_iou"] is None
    assert found["mean_iou_all_classes"] is None
    assert found["per_class"]["Forest"]["iou"] is None


def test_compare_counts_every_pixel_once() -> None:
    shape = (1100, 1030)
    random, grid = np.random.default_rng(0), utm(shape)
    legend = load_legend("simplified-igbp")
    a, b = (random.integers(0, 10, shape).astype(np.uint8) for _ in range(2))
    sources = [LabelArray(Labels(values=v, grid=grid, legend=legend)) for v in (a, b)]
    found = compare(sources[0], sources[1])
    np.testing.assert_array_equal(found.counts, Confusion.of(b, a, 10).counts)


def test_another_legend_goes_through_its_crosswalk() -> None:
    grid, worldcover = utm((2, 2)), load_legend("worldcover")
    igbp = load_legend("simplified-igbp")
    forest = np.zeros((2, 2), np.uint8)
    assert worldcover.names[0] == "Tree cover"
    found = compare(
        LabelArray(Labels(values=forest, grid=grid, legend=igbp)),
        LabelArray(Labels(values=forest, grid=grid, legend=worldcover)),
    )
    assert found.overall_accuracy == 1


def test_nothing_in_common_is_said() -> None:
    legend = load_legend("simplified-igbp")
    here, there = (
        LabelArray(Labels(values=np.zeros((9, 9), np.uint8), grid=g, legend=legend))
        for g in (utm((9, 9)), utm((9, 9), east=700_000))
    )
    with pytest.raises(ValueError, match="no pixel in common"):
        compare(here, there)


def named(**codes: int) -> Legend:
    classes = tuple(
        LandClass(c, n.replace("_", " "), "00ff00") for n, c in codes.items()
    )
    return Legend("named", classes)


INDICES = np.uint8([0, 1, 2, 255])


def test_legends_are_the_same_by_code_and_name() -> None:
    mine = named(Water=1, Forest=2, Crops=3)
    for other in (
        named(WATER=1, forest=2, Crops=3),
        named(Water=1, Forest=2, _Crops_=3),
    ):
        assert translation(other, mine)(INDICES).tolist() == [0, 1, 2, 255]


def test_equal_codes_of_other_names_are_not_taken_for_one() -> None:
    mine = named(Water=1, Forest=2, Crops=3)
    with pytest.raises(
        ValueError, match=r"Moor \(2\) is in one alone, and 2 is Forest"
    ):
        translation(named(Water=1, Moor=2, Crops=3), mine)


def test_the_same_names_translate_whatever_their_codes() -> None:
    mine = named(Water=1, Forest=2, Crops=3)
    swapped = named(Forest=1, Water=2, Crops=3)
    assert translation(swapped, mine)(INDICES).tolist() == [1, 0, 2, 255]
    fewer = named(Crops=30, Forest=10)
    assert translation(fewer, mine)(np.uint8([0, 1, 255])).tolist() == [2, 1, 255]
    with pytest.raises(ValueError, match="not the same: Water"):
        translation(mine, fewer)
