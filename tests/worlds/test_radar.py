import numpy as np
import pytest

from overcast.worlds.radar import draw_shift, speckle


def test_speckle_has_the_measured_looks_and_correlation() -> None:
    looks = speckle(np.random.default_rng(1), (600, 600))
    for band in looks:
        assert float(band.mean()) == pytest.approx(1, abs=0.02)
        assert float(band.mean() ** 2 / band.var()) == pytest.approx(5, rel=0.15)
        for lag, measured in ((1, 0.70), (2, 0.26), (3, 0.07)):
            r = np.corrcoef(band[:, lag:].ravel(), band[:, :-lag].ravel())[0, 1]
            assert r == pytest.approx(measured, abs=0.1)
    across = np.corrcoef(looks[0].ravel(), looks[1].ravel())[0, 1]
    assert across == pytest.approx(0.13, abs=0.05)


def test_shift_is_as_measured() -> None:
    shifts = np.array([draw_shift(seed) for seed in range(100, 400)])
    size = np.hypot(*shifts.T)
    assert np.median(size) == pytest.approx(1.5, abs=0.5)
    assert np.abs(shifts).max() <= 4
    assert shifts[:, 1].std() > 1.2 * shifts[:, 0].std()  # mostly along range
