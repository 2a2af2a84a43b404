"""What a network as a method does beside what every method does."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from overcast.geo.tiling import Window
from overcast.learn.train import Schedule
from overcast.methods.network import Network
from overcast.progress import quiet
from tests.methods.test_methods import LEGEND, SHAPE, stack


def test_indices_join_the_bands_in_learning_and_mapping(tmp_path: Path) -> None:
    whole = stack()
    network = Network(
        model={"name": "fcn", "width": 4},
        schedule=Schedule(steps=2, warmup=1),
        window=16,
        batch=2,
        indices=["NDVI"],
    )
    network.fit([whole], tmp_path, 0, quiet)
    predictor = network.load(tmp_path, LEGEND, whole.sensors)
    assert predictor.model.bands == {"s1": 2, "s2": 11}
    assert predictor.sensors == whole.sensors
    found = predictor.predict(whole.read(Window(0, 0, *SHAPE)))
    np.testing.assert_allclose(found.sum(0), 1, atol=1e-4)
