import numpy as np
import pytest

from overcast.worlds.noise import block_mean, copy_finer, fractal, refine, stream


def test_streams_are_named_and_repeatable() -> None:
    again = [stream(5, part).random(3).tolist() for part in ("a", "a", "b")]
    assert again[0] == again[1] != again[2]
    assert stream(6, "a").random(3).tolist() != again[0]


def test_refine_keeps_a_ramp_and_its_place() -> None:
    y, x = np.mgrid[:6, :7].astype(np.float32)
    fine = refine(3 * y - 2 * x, 4)
    fy, fx = (np.mgrid[:24, :28] + 0.5) / 4 - 0.5
    assert fine[4:-4, 4:-4] == pytest.approx((3 * fy - 2 * fx)[4:-4, 4:-4], abs=1e-5)


def test_block_mean_undoes_copying() -> None:
    field = np.arange(12, dtype=np.float32).reshape(3, 4)
    assert np.array_equal(block_mean(copy_finer(field, 4), 4), field)


def test_fractal_is_standardised_and_smoother_with_slope() -> None:
    rough, smooth = (
        fractal(np.random.default_rng(0), (128, 128), 40.0, slope) for slope in (2, 4)
    )
    assert float(smooth.mean()) == pytest.approx(0, abs=1e-3)
    assert float(smooth.std()) == pytest.approx(1, abs=1e-3)
    steps = [float(np.abs(np.diff(f)).mean()) for f in (rough, smooth)]
    assert steps[1] < 0.6 * steps[0]
