"""Every command that reads images takes several dates, on one tiny scene."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
import numpy as np
import pytest
import rasterio
import yaml
from click.testing import CliRunner, Result

from overcast.cli import program
from overcast.viewer.scene import open_scene
from overcast.worlds.files import write_world
from overcast.worlds.scene import SceneSpec
from tests.cli.test_options import every_command

pytestmark = pytest.mark.filterwarnings("ignore:Use .@. matmul")

SIDE, DATES = 64, 2
KMEANS = {"name": "kmeans", "clusters": 8, "starts": 1, "samples": 1000}
NETWORK = {
    "name": "network",
    "schedule": {"steps": 1},
    "window": 32,
    "batch": 1,
    "model": {"name": "fcn", "width": 8, "dilations": [1]},
}
READ_BELOW = {
    "chain",
    "composite",
    "export",
    "inspect",
    "labels audit",
    "labels suggest",
    "map",
    "predict",
    "pretrain",
    "pseudo",
    "train",
    "view",
}
NO_IMAGES = {
    "areas": "a map",
    "assess": "a map",
    "calibrate": "a map",
    "change": "two maps",
    "demo": "makes its own world",
    "fetch": "writes dates",
    "generalise": "a map",
    "palette": "a legend",
    "polygons": "a map",
    "publish": "maps",
    "report": "a map",
    "sample": "a map",
    "simulate": "writes dates",
}
"""Commands that have no dates to read, and what they work on."""


def run(*arguments: object) -> Result:
    result = CliRunner().invoke(program, [str(a) for a in arguments])
    assert result.exit_code == 0, (arguments, result.output, result.exception)
    return result


def settings(method: dict[str, Any]) -> list[str]:
    given = [
        ("--set", f"{k}={json.dumps(v)}") for k, v in method.items() if k != "name"
    ]
    return ["--method", method["name"], *(text for pair in given for text in pair)]


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two dates of Sentinel-1 and Sentinel-2, and labels."""
    folder = tmp_path_factory.mktemp("scene")
    write_world(3, SIDE, folder, SceneSpec(dates=DATES), processes=1)
    return folder


@pytest.fixture(scope="module")
def images(scene: Path) -> list[object]:
    return ["--s2", scene, "--s1", scene]


@pytest.fixture(scope="module")
def labels(scene: Path) -> list[object]:
    return ["--labels", scene / "truth.tif", "--legend", "simplified-igbp"]


@pytest.fixture(scope="module")
def mapped(
    images: list[object],
    labels: list[object],
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    out = tmp_path_factory.mktemp("mapped") / "out"
    run("map", *images, *labels, *settings(KMEANS), "--out", out)
    days = json.loads((out / "run" / "dates.json").read_text())["days"]
    assert len(days) == DATES
    return out


def codes(path: Path) -> np.ndarray:
    with rasterio.open(path) as dataset:
        return dataset.read(1)


def test_every_command_is_here() -> None:
    names = {name for name, _ in every_command()}
    assert names == READ_BELOW | NO_IMAGES.keys()


@pytest.mark.parametrize("name", sorted(NO_IMAGES))
def test_the_others_have_no_option_for_images(name: str) -> None:
    command = dict(every_command())[name]
    assert isinstance(command, click.Command)
    assert not {"s1", "s2", "others"} & {p.name for p in command.params}


def test_predict_and_pseudo_say_what_map_says(
    mapped: Path, images: list[object], tmp_path: Path
) -> None:
    run("predict", mapped / "run", *images, "--out", tmp_path / "there")
    run("pseudo", mapped / "run", *images, "--views", 8, "--out", tmp_path / "pseudo")
    first = codes(mapped / "map.tif")
    np.testing.assert_array_equal(codes(tmp_path / "there" / "map.tif"), first)
    # Methods that look at pixels say the same of every view.
    assert (codes(tmp_path / "pseudo" / "map.tif") == first).mean() > 0.99
    with rasterio.open(tmp_path / "pseudo" / "probabilities.tif") as dataset:
        assert dataset.count > 1


def test_train_takes_the_plan_of_map(mapped: Path, tmp_path: Path) -> None:
    run("train", mapped / "run" / "plan.yaml", "--out", tmp_path)
    for name in ("dates.json", "interface.json"):
        again = (tmp_path / "run" / name).read_text()
        assert again == (mapped / "run" / name).read_text()


def test_view_has_a_layer_for_every_date(mapped: Path) -> None:
    with open_scene(mapped) as opened:
        pictures = [name for name in opened.layers if name.startswith("image")]
    assert len(pictures) == 2 * DATES


def test_chain_maps_from_dates_of_sar(
    mapped: Path, scene: Path, tmp_path: Path
) -> None:
    tree = yaml.safe_load((mapped / "run" / "plan.yaml").read_text())
    both = tree["data"]["images"]
    optical = {"s2": both["s2"]}
    labelled = {"images": optical, "labels": tree["data"]["labels"]}
    plans = {"optical": labelled, "sar": {"images": both}}
    for name, data in plans.items():
        text = yaml.safe_dump({"data": data, "method": KMEANS})
        (tmp_path / f"{name}.yaml").write_text(text)
    paths = (tmp_path / "optical.yaml", tmp_path / "sar.yaml")
    run("chain", *paths, "--views", 1, "--out", tmp_path / "out")
    with rasterio.open(tmp_path / "out" / "map-0" / "map.tif") as dataset:
        assert dataset.shape == (SIDE, SIDE)
        files = dataset.tags()["OVERCAST_INPUTS"].split(", ")
    assert len(files) == DATES
    assert all(name.startswith("s1_") for name in files)
    for part in ("optical-0", "sar"):
        days = json.loads((tmp_path / "out" / part / "run" / "dates.json").read_text())
        assert len(days["days"]) == DATES


def test_composite_makes_one_image(images: list[object], tmp_path: Path) -> None:
    run("composite", *images, "--out", tmp_path / "out")
    with rasterio.open(tmp_path / "out" / "s2.tif") as dataset:
        assert dataset.read(dataset.count).max() == DATES


def test_inspect_tells_every_file(scene: Path) -> None:
    said = run("inspect", scene / "s*_2024-*.tif").output
    assert said.count("100 %") >= DATES
    assert all(path.name in said for path in scene.glob("s?_2024-*.tif"))


def test_audit_learns_from_every_date(
    images: list[object], labels: list[object], tmp_path: Path
) -> None:
    quick = settings(KMEANS)
    run("labels", "audit", *images, *labels, *quick, "--out", tmp_path / "audit")
    assert (tmp_path / "audit" / "audit.json").is_file()


def test_suggest_says_which_date_it_looks_at(
    images: list[object], tmp_path: Path
) -> None:
    patches = ["--count", 2, "--side", 16, "--out", tmp_path / "patches.gpkg"]
    said = run("labels", "suggest", *images, *patches).output
    assert "patches by the images of " in said
    assert f"the middle of {DATES} dates" in said


def test_a_network_learns_dates_and_is_exported(mapped: Path, tmp_path: Path) -> None:
    tree = yaml.safe_load((mapped / "run" / "plan.yaml").read_text())
    plan, out = tmp_path / "plan.yaml", tmp_path / "out"
    plan.write_text(yaml.safe_dump({**tree, "method": NETWORK}))
    run("train", plan, "--out", out)
    assert json.loads((out / "run" / "dates.json").read_text())["days"] == []
    run("export", out / "run", "--size", 32, "--out", tmp_path / "m.onnx")
    assert (tmp_path / "m.onnx").stat().st_size > 0


def test_pretrain_takes_a_folder_of_dates(scene: Path, tmp_path: Path) -> None:
    # The folder has labels too, which have no sensor in their names.
    plain = {k: v for k, v in NETWORK.items() if k in ("window", "model")}
    quick = ["--steps", 1, "--set", "batch=2", *settings({"name": "", **plain})[2:]]
    said = run("pretrain", scene, *quick, "--out", tmp_path / "out").output
    assert json.loads(said[said.index("{\n") :])["scenes"] == DATES
