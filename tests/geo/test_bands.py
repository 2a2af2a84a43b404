from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from overcast.geo.bands import (
    BUILT_IN,
    NETWORK_RANGE,
    SENTINEL_1,
    SENTINEL_2,
    SENTINEL_2_ENCODING,
    SENTINEL_2_L1C,
    SENTINEL_2_OFFSET,
    Band,
    Encoding,
    Sensor,
    canonical,
    from_db,
    to_db,
)


@given(st.floats(-60, 30, width=32))
def test_db_and_linear_power_are_inverse(db: float) -> None:
    back = to_db(from_db(np.array([db], np.float32)))
    assert back.dtype == np.float32
    assert back[0] == pytest.approx(db, abs=1e-4)


def test_power_that_is_not_positive_is_not_observed() -> None:
    db = to_db(np.array([0, -1, np.nan, 100], np.float32))
    # Processors differ in the last digit of a logarithm.
    np.testing.assert_allclose(db, [np.nan, np.nan, np.nan, 20], rtol=1e-6)


def test_reflectance_is_scaled_then_offset() -> None:
    stored = np.array([1000, 11000, 0], np.uint16)
    old = SENTINEL_2_ENCODING.decode(stored)
    assert old.dtype == np.float32
    np.testing.assert_allclose(old, [0.1, 1.1, 0], atol=1e-6)
    new = Encoding(scale=1e-4, offset=SENTINEL_2_OFFSET).decode(stored)
    np.testing.assert_allclose(new, [0, 1, -0.1], atol=1e-6)


def test_linear_power_is_decoded_to_db() -> None:
    out = Encoding(power=True).decode(np.array([0.01, 0.0]))
    np.testing.assert_allclose(out, [-20, np.nan], atol=1e-5)


@given(
    st.floats(-0.5, 0.5),
    st.floats(1e-5, 10),
    st.lists(st.integers(0, 65535), max_size=9),
)
def test_decoding_inverts_encoding(
    offset: float, scale: float, stored: list[int]
) -> None:
    numbers = np.array(stored, np.uint16)
    physical = Encoding(scale=scale, offset=offset).decode(numbers)
    back = (physical.astype(np.float64) - offset) / scale
    np.testing.assert_allclose(back, numbers, rtol=1e-5, atol=1e-6 / scale)


def test_network_units_are_0_to_1_over_the_range_and_clipped_beyond() -> None:
    db = np.array([[-25, 0, -12.5, 500], [-32.5, -5, -np.inf, np.nan]], np.float32)[
        :, None
    ]
    units = SENTINEL_1.to_network(db)
    assert units.dtype == np.float32
    low, high = NETWORK_RANGE
    assert units[:, 0].tolist() == [[0, 1, 0.5, high], [0, 1, low, 0]]


@given(st.floats(allow_nan=True, allow_infinity=True, width=32))
def test_network_units_are_always_finite(value: float) -> None:
    units = SENTINEL_2.to_network(np.full((10, 1, 1), value, np.float32))
    assert np.isfinite(units).all()
    assert (NETWORK_RANGE[0] <= units).all()
    assert (units <= NETWORK_RANGE[1]).all()


def test_what_comes_back_from_network_units_is_what_went_in() -> None:
    db = np.array([[-25, 0, -12.5, -30], [-32.5, -5, -20, 1]], np.float32)[:, None]
    back = SENTINEL_1.from_network(SENTINEL_1.to_network(db))
    assert back.dtype == np.float32
    np.testing.assert_allclose(back, db, atol=1e-5)


def test_select_keeps_the_order_asked_for() -> None:
    sensor = SENTINEL_2.select(("B08", "B02"))
    assert sensor.names == ("B08", "B02")
    assert sensor.bands[0].wavelength_nm == 833
    with pytest.raises(ValueError, match=r"no band B10, red; it has B02, B03"):
        SENTINEL_2.select(("B02", "B10", "red"))


def test_index_is_none_where_a_band_is_missing() -> None:
    assert SENTINEL_2.index("B04", "B08") == (2, 6)
    assert SENTINEL_2.index("B04", "B10") is None


@pytest.mark.parametrize("sensor", BUILT_IN.values(), ids=lambda s: s.name)
def test_layouts_hold_every_band_and_differ_in_length(sensor: Sensor) -> None:
    for layout in sensor.layouts:
        assert set(sensor.names) <= set(layout)
        assert len(set(layout)) == len(layout)
    assert len({len(layout) for layout in sensor.layouts}) == len(sensor.layouts)


def test_sentinel_2_layouts_are_those_of_l2a_and_l1c() -> None:
    by_length = {len(layout): layout for layout in SENTINEL_2.layouts}
    assert by_length[12].index("B11") == 10
    assert set(by_length) == {10, 12}
    (thirteen,) = SENTINEL_2_L1C.layouts
    assert len(thirteen) == 13
    assert thirteen[8:11] == ("B8A", "B09", "B10")
    assert SENTINEL_2_L1C.names == SENTINEL_2.names


def test_band_with_an_empty_range_is_refused() -> None:
    with pytest.raises(ValueError, match=r"band red: .*0.3..0.3"):
        Band("red", "reflectance", 0.3, 0.3)


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("B2", "B02"),
        (" b12 ", "B12"),
        ("B08A", "B8A"),
        ("Gamma0-VH", "VH"),
        ("vv", "VV"),
        ("VV/VH", "VV/VH"),
        ("MAVVERICK", "MAVVERICK"),
        ("nir", "nir"),
    ],
)
def test_canonical_names(written: str, name: str) -> None:
    assert canonical(written) == name
    assert canonical(name) == name
