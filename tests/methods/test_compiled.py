"""Networks carried out by other runtimes, against torch, pixel by pixel."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import torch

from overcast import runtimes
from overcast.geo.bands import SENTINEL_1, SENTINEL_2
from overcast.geo.legend import load_legend
from overcast.geo.raster import Image
from overcast.geo.stack import Chip
from overcast.methods import compiled
from overcast.methods.network import TrainedNetwork
from overcast.models.segmenter import Segmenter
from overcast.plan import choose
from tests.rasters import utm

SHAPE = (48, 40)
LEGEND = load_legend("simplified-igbp")
RUNTIMES = [
    pytest.param(
        name,
        marks=pytest.mark.skipif(
            find_spec(package) is None, reason=f"{package} is not installed"
        ),
    )
    for name, package in (("onnx", "onnxruntime"), ("openvino", "openvino"))
]


@pytest.fixture(scope="module")
def predictor() -> TrainedNetwork:
    torch.manual_seed(0)
    sensors = {"s1": SENTINEL_1, "s2": SENTINEL_2}
    bands = {name: len(sensor.bands) for name, sensor in sensors.items()}
    model = choose("models", {"name": "fcn", "width": 8}, bands, len(LEGEND)).eval()
    assert isinstance(model, Segmenter)
    return TrainedNetwork(model, LEGEND, sensors, torch.device("cpu"), absent=(2,))


def chip(seed: int, lost: tuple[str, ...] = ()) -> Chip:
    """Noise with gaps; images in `lost` saw nothing."""
    random, images = np.random.default_rng(seed), {}
    for name, sensor in (("s1", SENTINEL_1), ("s2", SENTINEL_2)):
        low, high = (
            np.array([getattr(b, end) for b in sensor.bands])[:, None, None]
            for end in ("low", "high")
        )
        values = low + (high - low) * random.random((len(sensor.bands), *SHAPE))
        values[:, random.random(SHAPE) < (1 if name in lost else 0.1)] = np.nan
        images[name] = Image.of(values.astype(np.float32), utm(SHAPE), sensor)
    return Chip(images=images, labels=None, grid=utm(SHAPE))


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_a_runtime_gives_what_torch_gives(
    predictor: TrainedNetwork, runtime: str
) -> None:
    for window in (chip(0), chip(1), chip(2, ("s2",)), chip(3, ("s1", "s2"))):
        expected = predictor.predict(window)
        with runtimes.running(runtime):
            found = predictor.predict(window)
        np.testing.assert_allclose(found, expected, atol=1e-5)
        assert (found.argmax(0) == expected.argmax(0)).mean() >= 0.9999
        assert not found[2].any()


def test_a_runtime_that_gives_other_classes_is_refused(
    predictor: TrainedNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    def turned(graph: object, given: object) -> compiled.Carried:
        return lambda arrays: np.eye(len(LEGEND))[:, :1, None] * np.ones(SHAPE)

    monkeypatch.setattr(compiled, "_onnx", turned)
    monkeypatch.setattr(compiled, "_compiled", {})
    expected = predictor.predict(chip(0))
    with (
        runtimes.running("onnx"),
        pytest.warns(UserWarning, match="goes on with torch"),
    ):
        np.testing.assert_array_equal(predictor.predict(chip(0)), expected)
    runtimes.use("onnx")
    try:
        with (
            runtimes.running("onnx"),
            pytest.raises(ValueError, match="another class than torch"),
        ):
            predictor.predict(chip(0))
    finally:
        runtimes.use("auto")


def test_small_maps_and_those_without_openvino_are_for_torch(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(runtimes, "find_spec", lambda name: None)
    assert runtimes.runtime_for(10**8) == "torch"
    monkeypatch.setattr(runtimes, "find_spec", lambda name: name)
    assert runtimes.runtime_for(10**8) == "openvino"
    assert runtimes.runtime_for(10**6) == "torch"
