from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from overcast.geo.tiling import Tiling, Window


@st.composite
def tilings(draw: st.DrawFn) -> Tiling:
    size = draw(st.integers(1, 70))
    return Tiling(size, draw(st.integers(0, size - 1)))


lengths = st.integers(1, 260)


@given(tilings(), lengths)
def test_ramps_sum_to_one_at_every_pixel(tiling: Tiling, length: int) -> None:
    total = np.zeros(length)
    for start, ramp in tiling.ramps(length).items():
        assert (ramp > 0).all()
        total[start : start + len(ramp)] += ramp
    np.testing.assert_allclose(total, 1, rtol=0, atol=1e-6)


@given(tilings(), lengths)
def test_starts_leave_no_gap_and_stay_inside(tiling: Tiling, length: int) -> None:
    starts = tiling.starts(length)
    size = tiling.side(length)
    assert size <= min(tiling.size, length)
    assert starts[0] == 0
    assert starts[-1] + size == length
    steps = np.diff(starts)
    assert (steps > 0).all()
    assert (steps <= size - tiling.overlap).all()
    assert np.ptp(steps) <= 1 if len(steps) else True
    assert list(tiling.ramps(length)) == starts


@given(tilings(), st.integers(1, 90), st.integers(1, 90))
def test_windows_blend_a_constant_field_to_itself(
    tiling: Tiling, h: int, w: int
) -> None:
    down, across = tiling.ramps(h), tiling.ramps(w)
    field = np.zeros((h, w))
    for window in tiling.windows((h, w)):
        weight = np.outer(down[window.y], across[window.x])
        assert field[window.slices].shape == weight.shape == (window.h, window.w)
        field[window.slices] += 3 * weight
    np.testing.assert_allclose(field, 3, rtol=0, atol=1e-5)


def test_rows_of_windows_run_top_down() -> None:
    rows = list(Tiling(4, 1).rows((9, 5)))
    assert [[(w.y, w.x) for w in row] for row in rows] == [
        [(0, 0), (0, 2)],
        [(2, 0), (2, 2)],
        [(5, 0), (5, 2)],
    ]


def test_raster_smaller_than_a_window_is_one_window() -> None:
    assert list(Tiling(64, 16).windows((5, 7))) == [Window(0, 0, 5, 7)]
    assert Tiling(64, 16).ramps(5)[0].tolist() == [1] * 5


def test_weight_falls_towards_the_seam() -> None:
    first = Tiling(8, 4).ramps(12)[0]
    assert first[:4].tolist() == [1] * 4
    assert (np.diff(first[3:]) < 0).all()


@pytest.mark.parametrize(("size", "overlap"), [(0, 0), (4, 4), (4, -1), (-2, -3)])
def test_impossible_tilings_are_refused(size: int, overlap: int) -> None:
    with pytest.raises(ValueError, match="overlap < size"):
        Tiling(size, overlap)
