"""Box sums and small inverses against plain ones."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import uniform_filter

from overcast.methods.boxes import Boxes
from overcast.methods.guided import inverted


def box_mean(values: np.ndarray, valid: np.ndarray, radius: int) -> np.ndarray:
    boxes = Boxes(valid, radius)
    return boxes.mean(boxes.known(values))


shapes = st.tuples(st.integers(1, 50), st.integers(1, 50))


@given(shapes, st.integers(0, 9), st.integers(0, 2**32 - 1))
@settings(max_examples=40, deadline=None)
def test_a_box_mean_is_that_of_its_valid_pixels(
    shape: tuple[int, int], radius: int, seed: int
) -> None:
    random = np.random.default_rng(seed)
    values = random.normal(size=shape).astype(np.float32)
    valid = random.random(shape) > random.random()
    found = box_mean(values, valid, radius)
    side = 2 * radius + 1

    def total(array: np.ndarray) -> np.ndarray:
        mean = uniform_filter(array.astype(np.float64), side, mode="constant")
        return mean * side**2

    many = np.round(total(valid))
    expected = total(np.where(valid, values, 0)) / np.maximum(many, 1)
    np.testing.assert_allclose(found, np.where(many, expected, 0), atol=2e-6)


def test_a_mean_depends_on_its_own_box_alone() -> None:
    values = np.random.default_rng(0).random((400, 700), np.float32) * 1000
    seen = np.ones(values.shape, np.bool_)
    whole = Boxes(seen, 4).mean(values)
    part = np.s_[90:333, 101:690]
    alone = Boxes(seen[part], 4).mean(values[part])
    np.testing.assert_array_equal(alone[4:-4, 4:-4], whole[part][4:-4, 4:-4])


@pytest.mark.parametrize("size", [1, 2, 3])
def test_small_inverses_are_those_of_linear_algebra(size: int) -> None:
    random = np.random.default_rng(size)
    root = random.normal(size=(7, 5, size, size)).astype(np.float32)
    matrices = root @ np.swapaxes(root, -1, -2) + np.eye(size, dtype=np.float32)
    upper = [[matrices[..., i, j] for j in range(i, size)] for i in range(size)]
    found = np.moveaxis(np.array(inverted(upper)), (0, 1), (2, 3))
    np.testing.assert_allclose(found, np.linalg.inv(matrices), rtol=2e-4, atol=1e-5)
