"""Blocks of a resampled map are found whatever their place, and fine maps have none."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, label

from overcast.geo.grain import grain
from overcast.geo.raster import UNKNOWN

SIZE = 400


def resampled(side: float, seed: int, slant: float = 0, turn: float = 0) -> NDArray:
    """Random classes on cells `side` wide, by nearest neighbour on a fine grid."""
    random = np.random.default_rng(seed)
    coarse = random.integers(0, 4, (500, 500), np.uint8)
    y, x = np.mgrid[:SIZE, :SIZE] + random.uniform(0, side, (2, 1, 1))
    x, y = x * np.cos(turn) - y * np.sin(turn), x * np.sin(turn) + y * np.cos(turn)
    row, column = np.floor(y / side), np.floor((x + slant * y) / side)
    return coarse[row.astype(int) + 150, column.astype(int) + 150]


def fine(seed: int, blur: float) -> NDArray:
    """Classes in blobs, as large as one likes."""
    random = np.random.default_rng(seed)
    fields = [
        gaussian_filter(random.standard_normal((SIZE, SIZE)), blur) for _ in range(4)
    ]
    return np.argmax(fields, 0).astype(np.uint8)


@settings(max_examples=15, deadline=None)
@given(
    side=st.floats(4, 40),
    slant=st.floats(-1, 1),
    turn=st.floats(-0.05, 0.05),
    seed=st.integers(0, 99),
)
def test_blocks_of_any_width_place_and_slant(
    side: float, slant: float, turn: float, seed: int
) -> None:
    found = grain(resampled(side, seed, slant, turn))
    assert found == pytest.approx(side, rel=0.06)


@settings(max_examples=8, deadline=None)
@given(blur=st.floats(0.5, 20), seed=st.integers(0, 99))
def test_blobs_are_no_blocks(blur: float, seed: int) -> None:
    assert grain(fine(seed, blur)) == 1


def test_single_pixels_are_no_blocks() -> None:
    assert grain(np.random.default_rng(0).integers(0, 4, (SIZE, SIZE), np.uint8)) == 1


def test_a_few_straight_fields_are_no_blocks() -> None:
    fields = np.zeros((SIZE, SIZE), np.uint8)
    fields[:, 90:180], fields[:, 180:270], fields[200:] = 1, 2, 3
    assert grain(fields) == 1


def test_one_class_or_none_says_nothing() -> None:
    assert grain(np.zeros((50, 50), np.uint8)) == 1
    assert grain(np.full((50, 50), UNKNOWN, np.uint8)) == 1
    assert grain(np.zeros((1, 1), np.uint8)) == 1


def test_gaps_between_labels_are_no_borders() -> None:
    """Polygons cut out of a fine map in squares: the squares are nobody's classes."""
    values = fine(3, 4)
    gaps = resampled(25, 0) == 0
    assert grain(np.where(gaps, np.uint8(UNKNOWN), values)) == 1
    assert grain(np.where(gaps, 99, values.astype(int)), unknown=99) == 1


def test_a_majority_of_a_fine_map_on_its_grid() -> None:
    values = fine(5, 3)
    squares = values.reshape(20, 20, 20, 20).transpose(0, 2, 1, 3).reshape(20, 20, 400)
    counts = np.stack([(squares == c).sum(2) for c in range(4)])
    coarse = counts.argmax(0).astype(np.uint8)
    assert round(grain(coarse.repeat(20, 0).repeat(20, 1))) == 20
    assert grain(coarse) == 1


@pytest.mark.parametrize("seed", range(4))
def test_labelled_pieces_are_no_blocks(seed: int) -> None:
    """Of a few squares that somebody labelled, borders are where the squares are."""
    values = np.full((SIZE, SIZE), UNKNOWN, np.uint8)
    random = np.random.default_rng(seed)
    for y, x in random.integers(0, SIZE // 50, (4, 2)) * 50:
        values[y : y + 50, x : x + 50] = fine(seed, 6)[:50, :50]
    assert grain(values) == 1


def test_few_blocks_are_not_found() -> None:
    coarse = np.random.default_rng(0).integers(0, 4, (3, 3), np.uint8)
    assert grain(coarse.repeat(46, 0).repeat(46, 1)) == 1


def test_blocks_that_were_smoothed_are_not_found() -> None:
    values = resampled(20, 0)
    layers = [gaussian_filter((values == k).astype(float), 10) for k in range(4)]
    assert round(grain(values)) == 20
    assert grain(np.argmax(layers, 0).astype(np.uint8)) == 1


def test_blocks_under_segments_are_not_found() -> None:
    """Every patch of a fine map gets the class that most of it has in blocks."""
    values, pieces = resampled(20, 0), fine(50, 3)
    segments, count = np.zeros(pieces.shape, int), 0
    for k in range(4):
        numbers, more = label(pieces == k)
        segments[numbers > 0] = numbers[numbers > 0] + count
        count += more
    votes = [np.bincount(segments.ravel(), (values == k).ravel()) for k in range(4)]
    assert grain(np.argmax(votes, 0)[segments].astype(np.uint8)) == 1


def test_blocks_are_the_same_wherever_they_were_moved() -> None:
    values = resampled(20, 0)
    assert grain(np.roll(values, (7, 9), (0, 1))) == grain(values)
