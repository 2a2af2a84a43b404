"""From folders of images to an encoder, and from there to a network and a map."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from safetensors.torch import load_file

from overcast.cli import program
from overcast.geo.bands import SENTINEL_2
from overcast.jobs.pretraining import _made, find_scenes
from overcast.plan import Data, ImageInput, LabelInput, Plan, read_plan, write_plan
from tests.rasters import backscatter, reflectance, utm, write

SMALL = [
    *("--set", "model={name: fcn, width: 8, dilations: [1]}"),
    *("--set", "window=24", "--set", "batch=2", "--steps", "3"),
]


def call(*words: Any) -> Result:
    return CliRunner().invoke(program, [str(word) for word in words])


def refused(result: Result, said: str) -> None:
    assert isinstance(result.exception, ValueError), result.output
    assert said in str(result.exception)


def touch(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def found(*paths: Path) -> list[list[str]]:
    return [
        sorted(f"{n} {Path(i.path).name}" for n, i in data.images.items())
        for data in find_scenes(paths).data
    ]


def test_pairs_are_told_by_their_names(tmp_path: Path) -> None:
    for place in ("p1", "p2"):
        for sensor in ("s1", "s2"):
            touch(tmp_path / f"{sensor}_0" / f"rois_{sensor}_0_{place}.tif")
    pairs = [[f"{s} rois_{s}_0_{p}.tif" for s in ("s1", "s2")] for p in ("p1", "p2")]
    assert found(tmp_path) == pairs
    files = sorted(tmp_path.rglob("*.tif"))
    assert found(*files) == pairs


def test_an_orbit_is_no_part_of_the_name_of_a_scene(tmp_path: Path) -> None:
    days, orbits = ("2024-05-03", "2024-07-05"), ("asc", "desc")
    for day in days:
        touch(tmp_path / f"s2_{day}.tif")
        touch(*(tmp_path / f"s1_{day}_{orbit}.tif" for orbit in orbits))
    assert found(tmp_path) == [
        [f"s1 s1_{day}_{orbit}.tif", f"s2 s2_{day}.tif"]
        for day in days
        for orbit in orbits
    ]


def test_two_images_of_one_sensor_and_name_are_refused(tmp_path: Path) -> None:
    touch(tmp_path / "s2a_june.tif", tmp_path / "s2b_june.tif")
    with pytest.raises(ValueError, match=r"s2b_june.tif: its name and that of .*s2a"):
        find_scenes([tmp_path])
    once = tmp_path / "s2a_june.tif"
    assert len(find_scenes([once, once]).data) == 1


def test_the_only_two_of_a_folder_are_a_pair(tmp_path: Path) -> None:
    touch(
        tmp_path / "a" / "S1A_IW_20260101.tif", tmp_path / "a" / "S2B_MSIL2A_0105.tif"
    )
    touch(tmp_path / "a" / "labels.tif", tmp_path / "a" / "class1s2.tif")
    assert found(tmp_path) == [["s1 S1A_IW_20260101.tif", "s2 S2B_MSIL2A_0105.tif"]]
    (note,) = find_scenes([tmp_path]).notes
    assert note.startswith("2 rasters without S1 or S2")


def test_one_sensor_will_do_if_all_have_it(tmp_path: Path) -> None:
    touch(*(tmp_path / name / "s2.tif" for name in "ab"))
    assert found(tmp_path) == [["s2 s2.tif"], ["s2 s2.tif"]]
    touch(tmp_path / "a" / "s1.tif")
    with pytest.raises(ValueError, match=r"b/s2\.tif: no S1 image of the same scene"):
        find_scenes([tmp_path])


def test_nothing_to_learn_from_is_said(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no such file or folder"):
        find_scenes([tmp_path / "nowhere"])
    touch(tmp_path / "labels.tif")
    with pytest.raises(ValueError, match="no image; expected files with S1 or S2"):
        find_scenes([tmp_path])


@pytest.fixture(scope="module")
def worlds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("worlds")
    shape, random = (64, 64), np.random.default_rng(0)
    for seed in (3, 4):
        there = folder / f"world-{seed}"
        there.mkdir()
        write(there / "s1.tif", backscatter(shape, seed), utm(shape))
        bands = {"nodata": 0, "names": SENTINEL_2.names}
        write(there / "s2.tif", reflectance(shape, seed), utm(shape), **bands)
        codes = random.choice([1, 6, 10], shape).astype(np.uint8)
        write(there / "truth.tif", codes, utm(shape), nodata=255)
    return folder


@pytest.fixture(scope="module")
def run(worlds: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("run") / "pretrained"
    done = call("pretrain", worlds, *SMALL, "--out", out)
    assert done.exit_code == 0, done.output
    summary = json.loads(done.stdout)
    assert summary["scenes"] == 2
    assert summary["rank"] >= 1
    return out


@pytest.mark.parametrize(("rank", "said"), [(1.2, True), (6.0, False)])
def test_a_collapse_is_said(tmp_path: Path, rank: float, said: bool) -> None:
    record = {"step": 0, "loss": 1.0, "rank": 9.0, "projected rank": rank}
    (tmp_path / "log.jsonl").write_text(f"{json.dumps(record)}\n" * 20)
    notes = _made(tmp_path, 1, ()).notes
    assert [note.startswith("features collapsed") for note in notes] == [True] * said


def plan(worlds: Path, method: dict[str, Any]) -> Plan:
    world = worlds / "world-3"
    return Plan(
        data=Data(
            images={
                "s1": ImageInput(path=str(world / "s1.tif"), sensor="sentinel-1"),
                "s2": ImageInput(path=str(world / "s2.tif"), sensor="sentinel-2"),
            },
            labels=LabelInput(path=str(world / "truth.tif"), legend="simplified-igbp"),
        ),
        method={"name": "network", "schedule": {"steps": 3}, "window": 24, **method},
    )


def test_a_run_is_encoder_log_and_plan(run: Path) -> None:
    assert {p.name for p in run.iterdir()} == {
        "plan.yaml",
        "sensors.json",
        "encoder.safetensors",
        "log.jsonl",
    }
    assert len((run / "log.jsonl").read_text().splitlines()) == 3
    assert len(read_plan(run / "plan.yaml").scenes) == 1


def test_nothing_is_overwritten_unasked(run: Path, worlds: Path) -> None:
    again = call("pretrain", worlds, *SMALL, "--out", run)
    refused(again, "exists; give another --out, or --overwrite")


def test_the_plan_makes_the_run_again(run: Path, tmp_path: Path) -> None:
    settings = read_plan(run / "plan.yaml").method
    again = [f"--set={k}={json.dumps(v)}" for k, v in settings.items() if k != "name"]
    done = call("pretrain", run / "plan.yaml", *again, "--out", tmp_path / "again")
    assert done.exit_code == 0, done.output
    name = "encoder.safetensors"
    assert (tmp_path / "again" / name).read_bytes() == (run / name).read_bytes()


def test_a_recipe_that_needs_labels_is_refused(worlds: Path, tmp_path: Path) -> None:
    recipe = "recipe={name: supervised}"
    done = call("pretrain", worlds, "--set", recipe, "--out", tmp_path / "out")
    refused(done, "learns from stream labelled")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("frozen", [False, True])
def test_training_starts_from_it(
    frozen: bool, run: Path, worlds: Path, tmp_path: Path
) -> None:
    model = {"name": "fcn", "width": 8, "dilations": [1]}
    write_plan(plan(worlds, {"model": model}), tmp_path / "plan.yaml")
    words = ["train", tmp_path / "plan.yaml", "--out", tmp_path / "out", "--start", run]
    done = call(*words, *(["--frozen"] if frozen else []))
    assert done.exit_code == 0, done.output
    learned = load_file(tmp_path / "out" / "run" / "model.safetensors")
    first = load_file(run / "encoder.safetensors")
    changed = {
        n
        for n, w in learned.items()
        if w.shape != first[n].shape or not bool((w == first[n]).all())
    }
    heads = {"head.weight", "head.bias"}
    assert changed == heads if frozen else changed > heads


def test_a_map_is_made_from_it(run: Path, worlds: Path, tmp_path: Path) -> None:
    world = worlds / "world-4"
    done = call(
        *("map", "--s1", world / "s1.tif", "--s2", world / "s2.tif"),
        *("--labels", world / "truth.tif", "--legend", "simplified-igbp"),
        *("--start", run, "--frozen", "--out", tmp_path / "map"),
        *("--set", "model={name: fcn, width: 8, dilations: [1]}"),
        *("--set", "schedule={steps: 2}", "--set", "window=24"),
    )
    assert done.exit_code == 0, done.output
    method = read_plan(tmp_path / "map" / "run" / "plan.yaml").method
    assert method["name"] == "network"
    assert method["start"] == str(run.resolve())


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--frozen",), "--frozen: give --start"),
        (("--start", "run", "--method", "forest"), "--start is for --method network"),
    ],
)
def test_what_cannot_start_is_refused(
    words: tuple[str, ...], said: str, worlds: Path, tmp_path: Path
) -> None:
    s2, labels = (worlds / "world-3" / f"{n}.tif" for n in ("s2", "truth"))
    common = ("--s2", s2, "--labels", labels, "--legend", "simplified-igbp")
    refused(call("map", *common, "--out", tmp_path / "out", *words), said)


def test_a_run_that_does_not_fit_is_refused(
    run: Path, worlds: Path, tmp_path: Path
) -> None:
    write_plan(
        plan(worlds, {"model": {"name": "fcn", "width": 6}}), tmp_path / "p.yaml"
    )
    done = call("train", tmp_path / "p.yaml", "--start", run)
    refused(done, "nothing of it fits this network; the run is fcn width=8")
    assert not (tmp_path / "p").exists()


def test_from_simulated_worlds_to_a_start(worlds: Path, tmp_path: Path) -> None:
    """True classes by default, images alone for a recipe that needs no labels."""
    runs = {
        "classes": ("--worlds", "2"),
        "images": ("--worlds", "1", "--set", "recipe={name: contrast}"),
    }
    for name, words in runs.items():
        result = call("pretrain", *words, *SMALL, "--out", tmp_path / name)
        assert result.exception is None, result.output
        made = json.loads(result.stdout)
        assert made["scenes"] == int(words[1])
        files = {path.name for path in (tmp_path / name).iterdir()}
        assert {"encoder.safetensors", "sensors.json", "plan.yaml"} <= files
        assert "model.safetensors" not in files
    again = call("pretrain", *runs["classes"], *SMALL, "--out", tmp_path / "again")
    assert again.exception is None, again.output
    first, second = (
        (tmp_path / name / "encoder.safetensors").read_bytes()
        for name in ("classes", "again")
    )
    assert first == second
    model = {"name": "fcn", "width": 8, "dilations": [1]}
    write_plan(plan(worlds, {"model": model}), tmp_path / "plan.yaml")
    words = ("train", tmp_path / "plan.yaml", "--start", tmp_path / "classes")
    done = call(*words, "--out", tmp_path / "trained")
    assert done.exit_code == 0, done.output


def test_images_and_worlds_are_not_given_together(tmp_path: Path) -> None:
    for words in ((), (tmp_path, "--worlds", "2")):
        result = call("pretrain", *words, "--out", tmp_path / "out")
        assert result.exit_code == 2
        assert "and not both" in result.output
    refused(
        call("pretrain", "--worlds", "0", "--out", tmp_path / "out"),
        "worlds is 0; expected 1 to 400",
    )
