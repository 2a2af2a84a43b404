"""ONNX files give what the network gives, and say what Deepness asks."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from numpy.typing import NDArray

from overcast.accuracy.calibration import Reliability
from overcast.accuracy.calibration_file import Calibration, write_calibration
from overcast.accuracy.curve import ConfidenceCurve, Scaling
from overcast.geo.bands import SENTINEL_1, SENTINEL_2, Sensor
from overcast.geo.legend import load_legend
from overcast.geo.raster import Image
from overcast.geo.stack import Chip
from overcast.jobs import export
from overcast.jobs.export import Physical, export_run
from overcast.methods.network import Network, TrainedNetwork
from overcast.plan import Data, ImageInput, Plan, write_plan
from overcast.run import load_run
from overcast.train.checkpoint import save_weights
from overcast.trees import to_tree
from tests.rasters import utm

LEGEND = load_legend("simplified-igbp")
BOTH = {"s1": SENTINEL_1, "s2": SENTINEL_2}
SIZE = 64
FCN = {"name": "fcn", "width": 8, "dilations": [1]}
UNET = {"name": "unet", "channels": [8, 8, 8, 8, 8]}
Images = dict[str, NDArray[np.float32]]


def run_of(folder: Path, sensors: dict[str, Sensor], model: dict[str, Any]) -> Path:
    """A run whose weights are random but large, so that classes differ."""
    images = {n: ImageInput(path=f"{n}.tif", sensor=s.name) for n, s in sensors.items()}
    write_plan(
        Plan(data=Data(images=images), method={"name": "network", "model": model}),
        folder / "plan.yaml",
    )
    tree = {
        "legend": to_tree(LEGEND),
        "sensors": {n: to_tree(s) for n, s in sensors.items()},
    }
    (folder / "interface.json").write_text(json.dumps(tree))
    network = Network(model=model)._model(len(LEGEND), sensors)
    with torch.no_grad():
        network.head.weight.mul_(20 if model is FCN else 1000)
    save_weights(network, folder / "model.safetensors")
    return folder


def land(sensors: dict[str, Sensor], seed: int = 0) -> Images:
    random = np.random.default_rng(seed)
    return {
        name: np.stack(
            [random.uniform(b.low, b.high, (SIZE, SIZE)) for b in sensor.bands]
        ).astype(np.float32)
        for name, sensor in sensors.items()
    }


def chip_of(images: Images, sensors: dict[str, Sensor]) -> Chip:
    grid = utm((SIZE, SIZE))
    return Chip(
        images={n: Image.of(v, grid, sensors[n]) for n, v in images.items()},
        labels=None,
        grid=grid,
    )


def through(path: Path, images: Images, joined: bool = False) -> NDArray[np.float32]:
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    fed = {n: v[None] for n, v in images.items()}
    if joined:
        fed = {"image": np.concatenate(list(fed.values()), 1)}
    assert [i.name for i in session.get_inputs()] == list(fed)
    (found,) = session.run(None, fed)
    return np.asarray(found[0], np.float32)


@pytest.fixture(scope="module")
def apart(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a run on two images, exported with an input for each."""
    run = run_of(tmp_path_factory.mktemp("apart"), BOTH, FCN)
    assert export_run(run, run / "model.onnx", SIZE) < 1e-4
    return run


@pytest.fixture(scope="module")
def joined(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with one input of all bands."""
    run = run_of(tmp_path_factory.mktemp("joined"), BOTH, FCN)
    found = export_run(run, run / "model.onnx", SIZE, joined=True, pixel_m=20)
    assert found < 1e-4
    return run


def compare(run: Path, sensors: dict[str, Sensor], joined: bool = False) -> None:
    images = land(sensors)
    for values in images.values():
        values[:, 10:20, 5:30] = np.nan
    next(iter(images.values()))[0, :, 50:] = np.nan
    expected = load_run(run).predict(chip_of(images, sensors))
    got = through(run / "model.onnx", images, joined)
    seen = np.logical_or.reduce([np.isfinite(v).all(0) for v in images.values()])
    assert np.abs(got - expected)[:, seen].max() < 1e-4
    assert (got[:, ~seen] == 0).all()
    # The test can fail: there is something to differ in.
    assert expected.std() > 0.05
    assert not list(run.glob("*.part*"))


def test_two_inputs_map_as_the_network_does(apart: Path) -> None:
    compare(apart, BOTH)


def test_all_bands_side_by_side_map_as_the_network_does(joined: Path) -> None:
    compare(joined, BOTH, joined=True)


def test_one_input_maps_as_the_network_does(tmp_path: Path) -> None:
    sensors = {"s2": SENTINEL_2}
    run = run_of(tmp_path, sensors, FCN)
    export_run(run, run / "model.onnx", SIZE)
    compare(run, sensors)


BENT = ConfidenceCurve(np.linspace(0, 1, 65) ** 2)


def test_a_calibrated_network_is_exported_so(tmp_path: Path) -> None:
    sensors = {"s2": SENTINEL_2}
    run = run_of(tmp_path, sensors, FCN)
    two = Reliability.of(np.array([0.5, 0.9]), np.array([True, False]))
    found = Calibration(
        scaling=Scaling(3, BENT), reference="x", pixels=2, before=two, after=two
    )
    write_calibration(found, run)
    export_run(run, run / "model.onnx", SIZE)
    compare(run, sensors)


@pytest.mark.slow
def test_a_unet_maps_as_the_network_does(tmp_path: Path) -> None:
    run = run_of(tmp_path, BOTH, UNET)
    export_run(run, run / "model.onnx", SIZE)
    compare(run, BOTH)


def test_what_was_not_observed_changes_nothing(apart: Path) -> None:
    path = apart / "model.onnx"
    gaps = np.random.default_rng(1).random((SIZE, SIZE)) < 0.3
    found = []
    for value in (np.nan, np.inf, -np.inf, 0.0):
        images = land(BOTH)
        images["s2"][:, gaps] = value
        found.append(through(path, images))
    assert all(np.array_equal(found[0], other) for other in found[1:])
    images = land(BOTH)
    images["s2"][3, gaps] = np.nan  # one band alone, and the others whatever they are
    assert np.array_equal(found[0], through(path, images))
    images["s1"][:, 5, 5] += 5
    assert not np.array_equal(found[0], through(path, images))


def test_it_says_what_deepness_reads(joined: Path) -> None:
    model = onnx.load(joined / "model.onnx")
    onnx.checker.check_model(model, full_check=True)
    facts = {p.key: json.loads(p.value) for p in model.metadata_props}
    assert facts["model_type"] == "Segmentor"
    names = sorted(facts["class_names"].items(), key=lambda pair: int(pair[0]))
    assert names == [(str(k), n) for k, n in enumerate(LEGEND.names)]
    assert (facts["resolution"], facts["tile_size"]) == (2000, SIZE)
    assert 0 < facts["tiles_overlap"] <= 50
    # Deepness: (stored / 255 - mean) / std. Sentinel-2 is stored times 10,000.
    stored = np.array([-12.5, -20] + [2500] * 10)
    mean, std = (np.array(facts[f"standardization_{n}"]) for n in ("mean", "std"))
    assert (stored / 255 - mean) / std == pytest.approx([-12.5, -20] + [0.25] * 10)
    for tensor in (*model.graph.input, *model.graph.output):
        shape = [d.dim_value for d in tensor.type.tensor_type.shape.dim]
        assert (shape[0], shape[2:]) == (1, [SIZE, SIZE])


def test_a_file_that_differs_is_not_kept(
    apart: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(99)  # weights of its own
    run = run_of(tmp_path, BOTH, FCN)
    before = sorted(tmp_path.iterdir())

    def write_another(_: Physical, path: Path, size: int) -> None:
        assert size == SIZE
        shutil.copy(apart / "model.onnx", path)

    monkeypatch.setattr(export, "_write", write_another)
    with pytest.raises(ValueError, match="gives other probabilities"):
        export_run(run, tmp_path / "model.onnx", SIZE)
    assert sorted(tmp_path.iterdir()) == before


def test_only_networks_can_be_exported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "load_run", lambda _: object())
    with pytest.raises(ValueError, match="--method network"):
        export_run(tmp_path, tmp_path / "model.onnx")


def test_spectral_indices_can_not_be_exported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = load_run(run_of(tmp_path, BOTH, FCN))
    assert isinstance(run, TrainedNetwork)
    told = replace(run, indices=("NDVI",))
    monkeypatch.setattr(export, "load_run", lambda _: told)
    with pytest.raises(ValueError, match="NDVI"):
        export_run(tmp_path, tmp_path / "model.onnx")
