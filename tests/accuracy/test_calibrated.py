"""A calibrated predictor maps the same classes, with another confidence."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from overcast.accuracy.calibrated import Calibrated, probabilities_of
from overcast.accuracy.calibration import scale
from overcast.accuracy.curve import Scaling
from overcast.geo.tiling import Tiling
from overcast.maps.predict import predict
from tests.maps.test_predict import Identity, random_stack


def test_classes_stay_and_confidence_moves(tmp_path: Path) -> None:
    stack, tiling = random_stack((60, 50)), Tiling(32, 8)
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    raw = predict(Identity(), stack, tiling, tmp_path / "a").rows(0, 60)
    warm = Calibrated(Identity(), Scaling(0.5))
    assert (warm.legend, warm.halo) == (Identity().legend, Identity().halo)
    calibrated = predict(warm, stack, tiling, tmp_path / "b").rows(0, 60)
    np.testing.assert_array_equal(raw[0], calibrated[0])
    expected = scale(np.stack([raw[1], 1 - raw[1]]), 0.5)[0]
    np.testing.assert_allclose(calibrated[1], expected, atol=1 / 128)
    assert (calibrated[1] >= raw[1] - 1 / 256).all()


@pytest.mark.parametrize("shape", [(60, 50), (50, 60)])
def test_probabilities_of_pixels_are_those_of_the_map(shape: tuple[int, int]) -> None:
    stack = random_stack(shape)
    random = np.random.default_rng(0)
    rows, columns = (random.integers(0, n, 200) for n in shape)
    found = probabilities_of(Identity(), stack, Tiling(32, 8), (rows, columns))
    whole = stack.images["x"].read(stack.grid).values
    np.testing.assert_allclose(found, whole[:, rows, columns], atol=1e-6)


def test_pixels_outside_have_none() -> None:
    places = np.array([-1, 5, 60]), np.array([5, -1, 5])
    found = probabilities_of(Identity(), random_stack((60, 50)), Tiling(32, 8), places)
    assert (found == 0).all()
