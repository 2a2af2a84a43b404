import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from overcast.worlds.noise import (
    Fractal,
    block_mean,
    centres_of,
    copy_finer,
    hash_of,
    interpolate,
    key_of,
    normal,
    refine,
    salt,
    stream,
    uniform,
    white,
)


def test_streams_are_named_and_repeatable() -> None:
    again = [stream(5, part).random(3).tolist() for part in ("a", "a", "b")]
    assert again[0] == again[1] != again[2]
    assert stream(6, "a").random(3).tolist() != again[0]
    assert key_of(5, "a") == key_of(5, "a") != key_of(5, "b")


def test_hashes_are_even_and_salts_are_independent() -> None:
    places = np.arange(300, dtype=np.int64)
    h = hash_of(9, places[:, None], places[None, :])
    first, second = uniform(h).ravel(), uniform(salt(h, "other")).ravel()
    assert len(np.unique(h)) > 0.9999 * h.size
    assert np.histogram(first, 10, (0, 1))[0].std() < 3 * np.sqrt(h.size / 10)
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.01


def test_normals_are_normal() -> None:
    drawn = normal(hash_of(1, np.arange(200_000), np.zeros(200_000, np.int64)))
    assert float(drawn.mean()) == pytest.approx(0, abs=0.01)
    assert float(drawn.std()) == pytest.approx(1, abs=0.01)
    assert float((drawn**4).mean()) == pytest.approx(3, abs=0.1)


def test_white_fields_are_white_and_independent() -> None:
    first, second = white(3, np.arange(-50, 250), np.arange(300))
    for a, b in ((first, second), (first[1:], first[:-1]), (first, first.T)):
        r = np.corrcoef(a.ravel(), b.ravel())[0, 1]
        assert abs(r) < 0.02 or a is b


@settings(max_examples=30)
@given(
    st.integers(-300, 300),
    st.integers(-300, 300),
    st.floats(6, 200),
    st.floats(2, 5),
)
def test_a_window_of_a_field_is_part_of_the_field(
    top: int, left: int, wavelength: float, slope: float
) -> None:
    field = Fractal(77, wavelength, slope)
    whole = field.at(
        centres_of(range(top - 9, top + 30)), centres_of(range(left - 5, left + 30))
    )
    y, x = centres_of(range(top, top + 11)), centres_of(range(left, left + 7))
    assert np.array_equal(field.at(y, x), whole[9:20, 5:12])
    assert field.at_points(y[:7], x) == pytest.approx(
        np.diag(whole[9:16, 5:12]), abs=1e-5
    )


def test_fractal_is_standardised_and_smoother_with_slope() -> None:
    at = centres_of(range(1500))
    rough, smooth = (Fractal(4, 40.0, slope).at(at, at[:400]) for slope in (2.0, 4.0))
    for field in (rough, smooth):
        assert float(field.mean()) == pytest.approx(0, abs=0.05)
        assert float(field.std()) == pytest.approx(1, abs=0.05)
    steps = [float(np.abs(np.diff(f)).mean()) for f in (rough, smooth)]
    assert steps[1] < 0.6 * steps[0]


def test_interpolation_keeps_a_ramp_and_its_place() -> None:
    i, j = np.mgrid[:9, :8].astype(np.float32)
    y, x = np.linspace(5.0, 60.0, 17), np.linspace(6.0, 50.0, 13)
    found = interpolate(3 * i - 2 * j, -10.0, 10.0, y, x)
    wanted = 3 * (y[:, None] + 10) / 10 - 2 * (x[None] + 10) / 10
    assert found == pytest.approx(wanted, abs=1e-4)


def test_refine_keeps_a_ramp_and_its_place() -> None:
    y, x = np.mgrid[:6, :7].astype(np.float32)
    fine = refine(3 * y - 2 * x, 4)
    fy, fx = (np.mgrid[:24, :28] + 0.5) / 4 - 0.5
    assert fine[4:-4, 4:-4] == pytest.approx((3 * fy - 2 * fx)[4:-4, 4:-4], abs=1e-5)


def test_block_mean_undoes_copying() -> None:
    field = np.arange(12, dtype=np.float32).reshape(3, 4)
    assert np.array_equal(block_mean(copy_finer(field, 4), 4), field)
