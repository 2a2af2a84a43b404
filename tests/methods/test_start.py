"""Which folders a network can start from."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file

from overcast.geo.arrays import ImageArray
from overcast.geo.bands import SENTINEL_2
from overcast.geo.legend import load_legend
from overcast.geo.raster import Image
from overcast.geo.stack import Stack
from overcast.methods.network import Network
from overcast.models.fcn import FCN
from overcast.plan import Data, Plan, write_plan
from overcast.progress import quiet
from overcast.train.frozen import Frozen
from overcast.train.loop import Schedule
from overcast.train.transfer import encoder_weights
from overcast.trees import to_tree
from tests.methods.test_methods import stack

FOUR = ("B02", "B03", "B04", "B08")
NETWORK = Network(
    model={"name": "fcn", "width": 8, "dilations": [1]},
    recipe={"name": "contrast"},
    schedule=Schedule(steps=2),
    window=24,
    batch=2,
)
LEARNING = replace(NETWORK, recipe={"name": "supervised"})


def described(network: Network, folder: Path) -> Path:
    method = {"name": "network", **to_tree(network)}
    write_plan(Plan(data=Data(images={}), method=method), folder / "plan.yaml")
    return folder


@pytest.fixture
def run(tmp_path: Path) -> Path:
    folder = tmp_path / "pretrained"
    folder.mkdir()
    NETWORK.pretrain([replace(stack(), labels=None)], folder, 0, quiet)
    return described(NETWORK, folder)


def narrow() -> Stack:
    """The same scene, with four of the ten optical bands."""
    whole = stack()
    image = whole.images["s2"].read(whole.grid)
    chosen = list(SENTINEL_2.index(*FOUR) or ())
    four = Image.of(image.values[chosen], image.grid, SENTINEL_2.select(FOUR))
    return replace(whole, images={**whole.images, "s2": ImageArray(four)})


def test_bands_are_matched_by_name(run: Path, tmp_path: Path) -> None:
    start = replace(LEARNING, start=str(run), frozen=True)
    start.fit([narrow()], tmp_path, 0, quiet)
    old, new = (
        load_file(path)["stems.s2.weight"]
        for path in (run / "encoder.safetensors", tmp_path / "model.safetensors")
    )
    chosen = [*(SENTINEL_2.index(*FOUR) or ()), -1]
    assert bool((new == old[:, chosen]).all())


def test_a_run_that_is_not_there_is_not_taken_for_a_name(tmp_path: Path) -> None:
    start = replace(LEARNING, start=str(tmp_path / "nope"))
    with pytest.raises(ValueError, match="no such run"):
        start.fit([stack()], tmp_path, 0, quiet)


def test_loading_needs_no_start(run: Path, tmp_path: Path) -> None:
    start = replace(LEARNING, start=str(run))
    start.fit([stack()], tmp_path, 0, quiet)
    gone = replace(start, start="/nowhere")
    legend = load_legend("simplified-igbp")
    assert gone.load(tmp_path, legend, stack().sensors).halo == 2


def test_a_trained_run_gives_its_encoder(run: Path, tmp_path: Path) -> None:
    """Folder of `overcast train`: the run lies in run/."""
    inner = tmp_path / "trained" / "run"
    inner.mkdir(parents=True)
    LEARNING.fit([stack()], inner, 0, quiet)
    (run / "sensors.json").rename(inner / "interface.json")
    described(LEARNING, inner)
    start = replace(LEARNING, start=str(inner.parent), frozen=True)
    start.fit([stack()], tmp_path, 1, quiet)
    old, new = (load_file(f / "model.safetensors") for f in (inner, tmp_path))
    assert {n for n in new if bool((new[n] != old[n]).any())} <= {
        "head.weight",
        "head.bias",
    }


def test_what_is_no_run_is_refused(run: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    cases: list[tuple[Any, str]] = [(empty, "no run to start from; expected plan.yaml")]
    (run / "encoder.safetensors").unlink()
    cases.append((run, "was not finished"))
    for folder, said in cases:
        with pytest.raises(ValueError, match=said):
            replace(LEARNING, start=str(folder)).fit([stack()], tmp_path, 0, quiet)
    forest = Plan(data=Data(images={}), method={"name": "forest"})
    write_plan(forest, run / "plan.yaml")
    with pytest.raises(ValueError, match="a run of forest; expected one of a network"):
        replace(LEARNING, start=str(run)).fit([stack()], tmp_path, 0, quiet)


def test_random_weights_cannot_be_frozen() -> None:
    with pytest.raises(ValueError, match="frozen, but random"):
        Network(frozen=True)


def test_scenes_of_other_sensors_are_refused(tmp_path: Path) -> None:
    scenes = [replace(s, labels=None) for s in (stack(), narrow())]
    with pytest.raises(ValueError, match="must have the same images"):
        NETWORK.pretrain(scenes, tmp_path, 0, quiet)
    with pytest.raises(ValueError, match="no scenes"):
        NETWORK.pretrain([], tmp_path, 0, quiet)


def test_a_band_that_frozen_weights_do_not_know_is_refused(
    run: Path, tmp_path: Path
) -> None:
    more = replace(LEARNING, start=str(run), indices=("NDVI",))
    more.fit([stack()], tmp_path, 0, quiet)  # learned from zero
    frozen = replace(more, frozen=True)
    with pytest.raises(ValueError, match=r"frozen, but .* did not know NDVI of s2"):
        frozen.fit([stack()], tmp_path / "frozen", 0, quiet)


def test_bands_in_other_units_are_refused(run: Path, tmp_path: Path) -> None:
    whole = stack()
    image = whole.images["s1"].read(whole.grid)
    wider = replace(
        image.sensor, bands=tuple(replace(b, low=-50.0) for b in image.sensor.bands)
    )
    other = ImageArray(Image.of(image.values, image.grid, wider))
    told = replace(whole, images={**whole.images, "s1": other})
    with pytest.raises(ValueError, match=r"VV of s1 is .* dB there and -50 to .* here"):
        replace(LEARNING, start=str(run)).fit([told], tmp_path, 0, quiet)


def test_a_classifier_of_frozen_features_takes_large_steps(run: Path) -> None:
    bands = {name: len(s.bands) for name, s in stack().sensors.items()}
    model = FCN(bands, 10, width=8, dilations=[1])
    alone = Frozen(model, encoder_weights(model))
    frozen = replace(LEARNING, start=str(run), frozen=True)
    assert frozen._schedule(alone).highest_rate == 0.3
    said = replace(frozen, schedule=Schedule(steps=2, peak_rate=0.01))
    assert said._schedule(alone).highest_rate == 0.01
    partly = Frozen(FCN(bands, 10, width=8), ["stems.s1.weight"])
    assert frozen._schedule(partly).highest_rate == 3e-3
