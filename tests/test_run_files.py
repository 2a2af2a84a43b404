"""A run folder that was changed after training is refused, and never read blindly."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from safetensors.numpy import load_file, save_file

from overcast.jobs.mapping import make_map
from overcast.plan import Data, ImageInput, LabelInput, Plan
from overcast.progress import quiet
from overcast.run import load_run
from overcast.run_folder import INTERFACE, RECORD
from tests.rasters import reflectance, utm, write

GRID = utm((32, 32))


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    codes = np.ones(GRID.shape, np.uint8)
    codes[:, 16:] = 2
    (folder / "legend.csv").write_text("code,name,colour\n1,A,000000\n2,B,ffffff\n")
    s2 = write(folder / "s2.tif", reflectance((32, 32)), GRID)
    labels = write(folder / "labels.tif", codes, GRID)
    image = ImageInput(path=str(s2), sensor="sentinel-2", offset=0)
    known = LabelInput(path=str(labels), legend=str(folder / "legend.csv"))
    plan = Plan(
        data=Data(images={"s2": image}, labels=known),
        method={"name": "forest", "trees": 3, "leaf": 5},
    )
    make_map(plan, folder / "out", None, False, quiet)
    return folder / "out" / "run"


@pytest.fixture
def run(trained: Path, tmp_path: Path) -> Path:
    for path in trained.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    return tmp_path


def refused(run: Path, says: str) -> None:
    with pytest.raises(ValueError, match=says) as error:
        load_run(run)
    assert str(error.value).startswith(str(run))
    assert "\n" not in str(error.value)


def test_a_run_loads_with_its_record_and_without(run: Path) -> None:
    assert load_run(run).legend.names == ("A", "B")
    (run / RECORD).unlink()
    assert load_run(run).legend.names == ("A", "B")


def test_settings_changed_afterwards_are_refused(run: Path) -> None:
    plan = yaml.safe_load((run / "plan.yaml").read_text())
    plan["method"]["filtered"] = False
    (run / "plan.yaml").write_text(yaml.safe_dump(plan))
    refused(run, "method was changed after the run was trained")
    (run / RECORD).unlink()
    refused(run, r"forest\.safetensors: .*other features than 10")


def _reorder(tree: Any) -> None:
    tree["legend"]["classes"].reverse()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (_reorder, "legend was changed"),
        (lambda t: t["legend"]["classes"][0].update(code=2), "code 2 occurs twice"),
        (lambda t: t["legend"]["classes"][0].update(code="1"), "expected a number"),
        (lambda t: t["legend"]["classes"][0].pop("colour"), "colour"),
        (lambda t: t["legend"].update(classes=[]), "no classes"),
        (lambda t: t["legend"].update(name=None), "name"),
        (lambda t: t.pop("sensors"), "sensors"),
        (lambda t: t.update(sensors={}), "sensors is empty"),
        (lambda t: t["sensors"].update(s2=None), "expected keys and values"),
        (lambda t: t["sensors"]["s2"].update(kind="sar"), "sensors was changed"),
        (lambda t: t["sensors"]["s2"]["bands"][0].update(low=float("nan")), "finite"),
        (lambda t: t.update(version="99.0.0"), r"made by overcast 99\.0\.0"),
        (lambda t: t.update(version=None), "version"),
    ],
)
def test_an_interface_that_is_not_the_runs_is_refused(
    run: Path, change: Any, says: str
) -> None:
    tree = json.loads((run / INTERFACE).read_text())
    change(tree)
    (run / INTERFACE).write_text(json.dumps(tree))
    refused(run, says)


@pytest.mark.parametrize("text", ["[]", "null", "", "{", "[" * 100_000])
def test_an_interface_that_is_none_is_refused(run: Path, text: str) -> None:
    (run / INTERFACE).write_text(text)
    refused(run, r"interface\.json")


@pytest.mark.parametrize(
    ("name", "index", "value"),
    [
        ("nodes.left_child", 0, 10**6),
        ("nodes.left_child", 0, -5),
        ("nodes.left_child", 0, 0),
        ("nodes.right_child", 0, 10**9),
        ("nodes.feature", 0, 10**6),
        ("nodes.feature", 0, -9),
        ("nodes.threshold", 0, np.nan),
        ("values", 0, np.inf),
        ("values", 0, 0.1),
        ("sizes", 0, 0),
        ("sizes", 0, 10**9),
        ("classes", 0, -1),
        ("classes", 0, 1),
        ("classes", 0, 7),
    ],
)
def test_trees_that_lead_out_of_memory_are_refused(
    run: Path, name: str, index: int, value: float
) -> None:
    path = run / "forest.safetensors"
    arrays = load_file(path)
    arrays[name][index] = value
    save_file(arrays, path)
    refused(run, "changed after the run was trained")
    (run / RECORD).unlink()
    refused(run, r"forest\.safetensors: array ")


@pytest.mark.parametrize("name", ["nodes.left_child", "values", "sizes", "depths"])
def test_a_missing_array_is_named(run: Path, name: str) -> None:
    path = run / "forest.safetensors"
    save_file({k: v for k, v in load_file(path).items() if k != name}, path)
    (run / RECORD).unlink()
    refused(run, f"array {name} is missing")


@pytest.mark.parametrize(
    ("name", "kind"),
    [("nodes.threshold", np.int8), ("values", np.int32), ("sizes", np.float32)],
)
def test_an_array_of_another_kind_is_refused(run: Path, name: str, kind: type) -> None:
    path = run / "forest.safetensors"
    arrays = load_file(path)
    save_file({**arrays, name: arrays[name].astype(kind)}, path)
    (run / RECORD).unlink()
    refused(run, f"array {name} holds")


def test_two_nodes_that_lead_to_one_are_refused(run: Path) -> None:
    path = run / "forest.safetensors"
    arrays = load_file(path)
    arrays["nodes.right_child"][0] = arrays["nodes.left_child"][0]
    save_file(arrays, path)
    (run / RECORD).unlink()
    refused(run, "nodes that no node or several lead to")
