"""Effective rank: how many directions vectors use."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from overcast.recipes.contrast.effective_rank import effective_rank


@given(st.integers(1, 6), st.floats(0.1, 10))
def test_equal_directions_are_counted(directions: int, length: float) -> None:
    vectors = length * torch.eye(8)[:directions].repeat(3, 1)
    assert effective_rank(vectors).item() == pytest.approx(directions, rel=1e-4)


def test_collapsed_vectors_have_rank_one() -> None:
    vectors = torch.tensor([1.0, 2.0, -1.0]) + 1e-6 * torch.randn(50, 3)
    assert effective_rank(vectors).item() == pytest.approx(1, abs=1e-3)


def test_small_directions_count_little() -> None:
    even, uneven = torch.randn(2, 200, 4)
    uneven[:, 2:] *= 0.01
    assert effective_rank(uneven) < 2.3
    assert effective_rank(even) > 3.7


def test_nothing_has_no_rank() -> None:
    assert effective_rank(torch.zeros(0, 3)).item() == 0
    assert effective_rank(torch.zeros(5, 3)).isfinite()
