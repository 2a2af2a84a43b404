"""Speckle over dates: looks grow as the formula says, means and changes stay."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from overcast.geo.bands import from_db, to_db
from overcast.geo.despeckle import RADIUS, filter_dates, looks

Floats = NDArray[np.float32]
LOOKS, SIDE = 4, 192
BOX = (2 * RADIUS + 1) ** 2


def speckled(*levels: float) -> Floats:
    """A homogeneous surface of these powers on as many dates, in dB."""
    random = np.random.default_rng(0)
    shape = (len(levels), 1, SIDE, SIDE)
    drawn = random.gamma(LOOKS, 1 / LOOKS, shape)
    power = np.array(levels)[:, None, None, None] * drawn
    return to_db(power.astype(np.float32))


def inner(values: Floats) -> Floats:
    """Power where whole boxes lie inside."""
    return from_db(values)[..., RADIUS:-RADIUS, RADIUS:-RADIUS]


@pytest.mark.parametrize("dates", [2, 4, 8])
def test_looks_grow_as_the_formula_says(dates: int) -> None:
    power = inner(filter_dates(speckled(*[0.1] * dates)))[0, 0]
    seen = power.mean() ** 2 / power.var()
    assert seen == pytest.approx(looks(LOOKS, dates, BOX), rel=0.05)
    assert seen > 0.8 * dates * LOOKS


def test_a_date_keeps_its_own_mean() -> None:
    levels = (0.02, 0.1, 0.4)
    before = speckled(*levels)
    means = inner(filter_dates(before)).mean((1, 2, 3))
    np.testing.assert_allclose(means, inner(before).mean((1, 2, 3)), rtol=5e-3)
    np.testing.assert_allclose(means, levels, rtol=0.02)


def test_a_field_that_changes_and_a_lamp_that_stays_are_both_seen() -> None:
    power = np.full((3, 1, 40, 40), 0.1, np.float32)
    power[1, :, :, 20:] = 0.4  # one date differs in half of the scene
    power[:, :, 10, 10] = 5.0
    after = from_db(filter_dates(to_db(power)))
    np.testing.assert_allclose(after[1, 0, :, 30:], 0.4, rtol=1e-4)
    np.testing.assert_allclose(after[0, 0, 20:, 30:], 0.1, rtol=1e-4)
    np.testing.assert_allclose(after[:, 0, 10, 10], 5.0, rtol=1e-4)


def test_two_pixels_by_hand() -> None:
    # Boxes of three pixels in a row of two: both means are of both pixels.
    power = np.array([[[[1.0, 3.0]]], [[[2.0, 2.0]]]], np.float32)
    after = from_db(filter_dates(to_db(power), 1))
    np.testing.assert_allclose(after[0, 0, 0], [2 * 0.75, 2 * 1.25], rtol=1e-5)
    np.testing.assert_allclose(after[1, 0, 0], [2 * 0.75, 2 * 1.25], rtol=1e-5)


def test_what_a_date_did_not_see_neither_counts_nor_is_filled() -> None:
    values = speckled(0.1, 0.1, 0.1)
    hidden = values.copy()
    hidden[2, :, :, : SIDE // 2] = np.nan
    after = filter_dates(hidden)
    assert np.array_equal(np.isnan(after), np.isnan(hidden))
    far = SIDE // 2 - RADIUS
    alone = filter_dates(values[:2])
    np.testing.assert_allclose(after[:2, ..., :far], alone[..., :far], rtol=1e-4)
    np.testing.assert_array_equal(
        after[..., far + 2 * RADIUS :], filter_dates(values)[..., far + 2 * RADIUS :]
    )


def test_a_window_with_its_surroundings_is_as_in_the_whole() -> None:
    values = speckled(0.1, 0.2)
    whole = filter_dates(values)[..., 50:90, 60:100]
    part = filter_dates(values[..., 47:93, 57:103])[..., 3:-3, 3:-3]
    np.testing.assert_array_equal(whole, part)


def test_one_date_comes_back_and_other_axes_are_refused() -> None:
    one = speckled(0.1)
    assert filter_dates(one) is one
    with pytest.raises(ValueError, match="got 3 axes"):
        filter_dates(one[0])
