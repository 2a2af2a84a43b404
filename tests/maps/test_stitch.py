"""Stitching against a slow reference over the whole array."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from overcast.geo.tiling import Tiling, Window
from overcast.maps.stitch import stitch, windows_from

Floats = NDArray[np.float32]
Shape = tuple[int, int]


@st.composite
def tilings(draw: st.DrawFn) -> Tiling:
    size = draw(st.integers(1, 24))
    return Tiling(size, draw(st.integers(0, size - 1)))


shapes = st.tuples(st.integers(1, 60), st.integers(1, 60))
seeds = st.integers(0, 2**32 - 1)


def whole(bands: Iterator[tuple[int, Floats]], shape: Shape, first: int = 0) -> Floats:
    """Join bands, checking that they follow each other without gap to the end."""
    row, parts = first, []
    for start, band in bands:
        assert start == row
        row += band.shape[1]
        parts.append(band)
    assert row == shape[0]
    return np.concatenate(parts, 1)


def random_parts(
    tiling: Tiling, shape: Shape, seed: int
) -> list[tuple[Window, Floats | None]]:
    """Unrelated values in every window, some of them skipped."""
    rng = np.random.default_rng(seed)
    return [
        (w, None if rng.random() < 0.2 else rng.random((3, w.h, w.w), np.float32))
        for w in tiling.windows(shape)
    ]


def reference(
    parts: list[tuple[Window, Floats | None]], tiling: Tiling, shape: Shape
) -> NDArray[np.float64]:
    """Sum of weight * value over sum of weight, with tent weights, pixel by pixel."""
    sums, weights = np.zeros((3, *shape)), np.zeros(shape)
    for window, values in parts:
        for i in range(window.h):
            for j in range(window.w):
                weight = 1.0
                for at, size in ((i, window.h), (j, window.w)):
                    edge = min(at, size - 1 - at) + 1
                    weight *= min(edge / (tiling.overlap + 1), 1.0)
                y, x = window.y + i, window.x + j
                weights[y, x] += weight
                if values is not None:
                    sums[:, y, x] += weight * values[:, i, j]
    return sums / weights


@given(tilings(), shapes)
def test_constant_stays_constant_to_the_last_pixel(
    tiling: Tiling, shape: Shape
) -> None:
    parts = ((w, np.ones((2, w.h, w.w), np.float32)) for w in tiling.windows(shape))
    got = whole(stitch(parts, tiling, shape, 2), shape)
    np.testing.assert_allclose(got, 1, atol=1e-5)


@given(tilings(), shapes, seeds)
def test_crops_of_an_image_give_the_image(
    tiling: Tiling, shape: Shape, seed: int
) -> None:
    image = np.random.default_rng(seed).random((2, *shape), np.float32)
    parts = ((w, image[(slice(None), *w.slices)]) for w in tiling.windows(shape))
    got = whole(stitch(parts, tiling, shape, 2), shape)
    np.testing.assert_allclose(got, image, atol=1e-5)


@given(st.integers(1, 6), st.data(), seeds)
@settings(max_examples=40)
def test_equals_the_whole_array_reference(
    size: int, data: st.DataObject, seed: int
) -> None:
    tiling = Tiling(size, data.draw(st.integers(0, size - 1)))
    shape = data.draw(st.tuples(st.integers(1, 14), st.integers(1, 14)))
    parts = random_parts(tiling, shape, seed)
    got = whole(stitch(parts, tiling, shape, 3), shape)
    np.testing.assert_allclose(got, reference(parts, tiling, shape), atol=1e-5)


@given(tilings(), shapes, seeds, st.data())
def test_starting_lower_gives_the_same_bits(
    tiling: Tiling, shape: Shape, seed: int, data: st.DataObject
) -> None:
    first = data.draw(st.integers(0, shape[0] - 1))
    parts = random_parts(tiling, shape, seed)
    given_parts = dict(parts)
    rest = [(w, given_parts[w]) for w in windows_from(tiling, shape, first)]
    got = whole(stitch(rest, tiling, shape, 3, first), shape, first)
    full = whole(stitch(parts, tiling, shape, 3), shape)
    assert np.array_equal(got, full[:, first:])


def test_values_and_kept_bands_are_not_changed() -> None:
    tiling, shape = Tiling(8, 5), (40, 8)
    values = np.random.default_rng(0).random((2, 8, 8), np.float32)
    before = values.copy()
    copies, kept = [], []
    parts = ((w, values) for w in tiling.windows(shape))
    for _, band in stitch(parts, tiling, shape, 2):
        copies.append(band.copy())
        kept.append(band)
    assert np.array_equal(values, before)
    assert all(np.array_equal(a, b) for a, b in zip(copies, kept, strict=True))


def test_no_window_is_asked_for_before_it_is_needed() -> None:
    tiling, shape = Tiling(4, 1), (40, 9)
    asked = []

    def parts() -> Iterator[tuple[Window, Floats]]:
        for window in tiling.windows(shape):
            asked.append(window)
            yield window, np.ones((1, 4, 4), np.float32)

    start, band = next(stitch(parts(), tiling, shape, 1))
    assert (start, band.shape) == (0, (1, 3, 9))
    assert len(asked) == len(tiling.starts(9))


def test_refuses_windows_out_of_order_missing_or_of_another_shape() -> None:
    tiling, shape = Tiling(4, 1), (4, 9)
    parts = [(w, np.ones((1, 4, 4), np.float32)) for w in tiling.windows(shape)]
    for wrong in (parts[::-1], parts[:-1]):
        with pytest.raises(ValueError, match="row by row"):
            list(stitch(wrong, tiling, shape, 1))
    with pytest.raises(ValueError, match="classes, rows, columns"):
        list(stitch(parts, tiling, shape, 2))
