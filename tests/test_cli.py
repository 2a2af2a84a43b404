"""The commands as users give them: what they write, what they refuse."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import click
import numpy as np
import pytest
import rasterio

from overcast.again import MADE
from overcast.cli import main, program
from overcast.plan import read_plan
from overcast.worlds.files import write_world
from overcast.worlds.world import make_world
from tests.rasters import backscatter, reflectance, utm
from tests.rasters import write as write_raster

FAST = ("--set", "clusters=[16, 24]", "--set", "samples=3000")
NAMES = [
    "confidence.qml",
    "confidence.tif",
    "legend.csv",
    "map.qml",
    "map.tif",
    "map.tif.aux.xml",
    "report.html",
    "run",
    "stac-item.json",
]


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small simulated scene as files."""
    folder = tmp_path_factory.mktemp("world")
    write_world(3, 160, folder, processes=1)
    return folder


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Run a command in this process; (exit code, standard output, standard error)."""

    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["overcast", *map(str, arguments)])
        code = 0
        try:
            main()
        except SystemExit as stop:
            code = int(stop.code or 0)
        out, err = capsys.readouterr()
        return code, out, err

    return run


def inputs(world: Path) -> tuple[object, ...]:
    return (
        *("--s2", world / "s2.tif", "--s1", world / "s1.tif"),
        *("--labels", world / "labels.tif", "--legend", "simplified-igbp"),
    )


def refused(result: tuple[int, str, str], *says: str) -> None:
    """Exit code 2, nothing on standard output, and one line that says why."""
    code, out, err = result
    assert code == 2, err
    assert out == ""
    lines = [x for x in err.splitlines() if not x.endswith(" of 1") and x]
    assert lines[-1].startswith("overcast: error: ")
    assert sum("error" in line for line in lines) == 1
    assert "Traceback" not in err
    for text in says:
        assert text in lines[-1]


def test_map_writes_what_it_says(call: Any, world: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    reference = ("--reference", world / "truth.tif")
    code, text, err = call("map", *inputs(world), *FAST, *reference, "--out", out)
    assert code == 0, err
    assert sorted(p.name for p in out.iterdir()) == sorted(
        [*NAMES, "scores.json", MADE]
    )
    with (
        rasterio.open(out / "map.tif") as mapped,
        rasterio.open(world / "s2.tif") as image,
        rasterio.open(out / "confidence.tif") as confidence,
    ):
        assert mapped.transform == image.transform
        assert mapped.shape == image.shape
        assert mapped.crs == image.crs
        assert mapped.nodata == 255
        assert set(np.unique(mapped.read())) <= set(range(1, 11))
        sure = confidence.read(1)
        assert np.nanmin(sure) > 0
        assert np.nanmax(sure) <= 1
    scores = json.loads((out / "scores.json").read_text())
    assert set(scores) == {"labels", "forest", "map"}
    for name in ("average_accuracy", "mean_iou", "overall_accuracy"):
        assert 0 < scores["map"][name] < 1
        assert json.loads(text)["accuracy"]["map"][name] == scores["map"][name]
    assert (out / "run" / "plan.yaml").is_file()
    page = (out / "report.html").read_text()
    assert "<script" not in page
    assert "http://" not in page.replace("http://www.w3.org", "")
    refused(call("map", *inputs(world), *FAST, "--out", out), "map.tif", "--overwrite")
    code, _, _ = call("map", *inputs(world), *FAST, "--out", out, "--overwrite")
    assert code == 0
    assert not (out / "scores.json").exists()


def test_a_run_maps_elsewhere_and_is_assessed(
    call: Any, world: Path, tmp_path: Path
) -> None:
    out, there = tmp_path / "out", tmp_path / "there"
    assert call("map", *inputs(world), *FAST, "--out", out)[0] == 0
    images = ("--s1", world / "s1.tif", "--s2", world / "s2.tif")
    code, _, err = call("predict", out / "run", *images, "--out", there)
    assert code == 0, err
    for name in ("map.tif", "confidence.tif"):
        with rasterio.open(out / name) as a, rasterio.open(there / name) as b:
            np.testing.assert_array_equal(a.read(), b.read())
    read = read_plan(there / "plan.yaml")
    assert {i.path for i in read.data.images.values()} == {str(p) for p in images[1::2]}
    scores = tmp_path / "scores.json"
    code, text, err = call(
        "assess", there / "map.tif", world / "truth.tif", "--out", scores
    )
    assert code == 0, err
    assert json.loads(text) == json.loads(scores.read_text())
    refused(
        call("predict", out / "run", "--s2", world / "s2.tif", "--out", tmp_path / "x"),
        "s1 was not given (predict --without maps without)",
    )
    assert not (tmp_path / "x").exists()
    alone = ("--s2", world / "s2.tif", "--without", "s1", "--out", tmp_path / "alone")
    code, text, err = call("predict", out / "run", *alone)
    assert code == 0, err
    assert "mapped without s1" in err + text
    assert "mapped without s1" in (tmp_path / "alone" / "report.html").read_text()
    with rasterio.open(tmp_path / "alone" / "map.tif") as mapped:
        assert len(np.unique(mapped.read())) > 2


def test_what_other_scenes_say_joins_the_labels(
    call: Any, world: Path, tmp_path: Path
) -> None:
    """A run of another scene predicts this one; its probabilities are the prior."""
    other, images = tmp_path / "other", inputs(world)[:4]
    write_world(4, 160, other, processes=1)
    learned = (*inputs(other), "--method", "forest", "--set", "samples=5000")
    assert call("map", *learned, "--out", tmp_path / "there")[0] == 0
    run = tmp_path / "there" / "run"
    there = ("--probabilities", "--out", tmp_path / "prior")
    assert call("predict", run, *images, *there)[0] == 0
    prior = ("--prior", tmp_path / "prior" / "probabilities.tif")
    maps = []
    for name, more in (("without", ()), ("with", prior)):
        out = tmp_path / name
        code, _, err = call("map", *inputs(world), *FAST, *more, "--out", out)
        assert code == 0, err
        with rasterio.open(out / "map.tif") as mapped:
            maps.append(mapped.read(1))
    assert (maps[0] != maps[1]).any()
    wrong = ("--prior", world / "s2.tif", "--out", tmp_path / "no")
    refused(call("map", *inputs(world), *FAST, *wrong), "probabilities are from 0 to 1")


def test_train_carries_out_a_plan(call: Any, world: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert call("map", *inputs(world), *FAST, "--out", out)[0] == 0
    plan = tmp_path / "mine.yaml"
    plan.write_text((out / "run" / "plan.yaml").read_text())
    code, text, err = call("train", plan)
    assert code == 0, err
    trained = Path(json.loads(text)["run"])
    assert trained == tmp_path / "mine" / "run"
    for path in (out / "run").glob("*.safetensors"):
        assert path.read_bytes() == (trained / path.name).read_bytes()
    before = (trained / "learned.json").stat().st_mtime_ns
    code, again, err = call("train", plan)
    assert (code, again) == (0, text)
    assert "nothing to do" in err
    assert (trained / "learned.json").stat().st_mtime_ns == before
    plan.write_text(plan.read_text().replace("seed: 0", "seed: 1"))
    refused(call("train", plan), "exists", "--overwrite")


def test_inspect_says_what_looks_wrong(call: Any, world: Path, tmp_path: Path) -> None:
    path = write_raster(tmp_path / "s2.tif", reflectance((64, 64)) + 1000, utm())
    code, out, _ = call("inspect", path, world / "labels.tif")
    assert code == 0
    assert "offset of -1000 was not applied" in out
    assert "no overlap" in out
    code, out, _ = call("inspect", "--json", world / "s2.tif", world / "s1.tif")
    assert json.loads(out)[1]["on_grid"] == "pixel on pixel, covers 100 %"


def test_simulate_is_the_same_every_time(call: Any, tmp_path: Path) -> None:
    for name in ("a", "b"):
        out = tmp_path / name
        assert call("simulate", "--seed", 7, "--size", 64, "--out", out)[0] == 0
    for path in (tmp_path / "a").iterdir():
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes()
    refused(call("simulate", "--size", 64, "--out", tmp_path / "a"), "exist")


def bad(name: str, make: Any) -> Any:
    return pytest.param(name, make, id=name)


def _file(name: str, *content: Any, **profile: Any) -> Any:
    def make(folder: Path) -> dict[str, Path]:
        path = folder / "bad.tif"
        write_raster(path, *content, **profile)
        return {name: path}

    return make


def _empty(folder: Path) -> dict[str, Path]:
    (folder / "bad.tif").touch()
    return {"--s2": folder / "bad.tif"}


def _truncated(folder: Path) -> dict[str, Path]:
    path = write_raster(folder / "bad.tif", reflectance((256, 256)), utm((256, 256)))
    path.write_bytes(path.read_bytes()[:9000])
    return {"--s2": path}


GRID = make_world(3, 160).grid
NOTHING = np.full((2, 64, 64), np.nan, np.float32)


@pytest.mark.parametrize(
    ("says", "make"),
    [
        bad("no coordinate reference system", _file("--s2", reflectance((9, 9)), None)),
        bad("no overlap", _file("--s1", backscatter((9, 9)), utm(east=100_000))),
        bad("empty file", _empty),
        bad("cut short", _truncated),
        bad(
            "class codes are whole numbers",
            _file("--labels", np.full((160, 160), 0.5, np.float32), GRID),
        ),
        bad(
            "not in the legend",
            _file("--labels", np.full((160, 160), 99, np.uint8), GRID),
        ),
        bad("every pixel is nodata", _file("--s1", NOTHING, utm())),
        bad("7 bands", _file("--s2", reflectance((9, 9))[:7], utm())),
    ],
)
def test_bad_input_is_one_line(
    call: Any, world: Path, tmp_path: Path, says: str, make: Any
) -> None:
    arguments = dict(zip(*[iter(inputs(world))] * 2, strict=True))
    arguments |= make(tmp_path)
    flat = [item for pair in arguments.items() for item in pair]
    refused(call("map", *flat, "--out", tmp_path / "out"), says, "bad.tif")
    assert not (tmp_path / "out").exists()


def test_units_that_are_not_so_are_refused(
    call: Any, world: Path, tmp_path: Path
) -> None:
    out = ("--out", tmp_path / "out")
    refused(call("map", *inputs(world), "--s1-units", "linear", *out), "like dB")
    path = write_raster(tmp_path / "s2.tif", reflectance((64, 64)) + 1000, utm())
    labels = ("--labels", world / "labels.tif", "--legend", "simplified-igbp")
    refused(
        call("map", "--s2", path, *labels, "--s2-offset", 0, *out), "-1000", "s2.tif"
    )


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("map", "--out", "x"), "Missing option '--labels'"),
        (("assess", "nowhere.tif", "nowhere.tif", "--legend", "esri"), "no such file"),
        (("train", "nowhere.yaml"), "no such plan"),
        (("predict", "nowhere", "--s2", "x.tif", "--out", "y"), "no run"),
        (("mapp",), "No such command 'mapp'"),
        (("demo", "--out", "x", "--method", "florest", "--size", "64"), "forest"),
    ],
)
def test_mistakes_are_one_line(
    call: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    says: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    refused(call(*arguments), says)


def test_every_command_has_help_with_an_example(call: Any) -> None:
    context = click.Context(program)
    for name in program.list_commands(context):
        command = program.get_command(context, name)
        below = getattr(command, "commands", {})
        for words in [[name, part] for part in below] or [[name]]:
            code, out, _ = call(*words, "--help")
            assert code == 0
            assert f"overcast {' '.join(words)}" in out
            assert "Example" in out


def test_a_killed_map_goes_on_to_the_same_bytes(
    call: Any, world: Path, tmp_path: Path
) -> None:
    """SIGKILL at a random moment, again and again, then the same command to its end."""
    arguments = ("map", *inputs(world), *FAST, "--out")
    assert call(*arguments, tmp_path / "whole")[0] == 0
    command = [sys.executable, "-m", "overcast", *map(str, arguments)]
    for _ in range(3):
        child = subprocess.Popen(
            [*command, str(tmp_path / "killed")],
            env={**os.environ, "PYTHONWARNINGS": "ignore"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        time.sleep(random.uniform(1.5, 4))
        if child.poll() is None:
            child.send_signal(signal.SIGKILL)
            child.wait()
            assert (
                not (tmp_path / "killed" / "map.tif").exists()
                or not (tmp_path / "killed" / ".overcast-unfinished").exists()
            )
    if not (tmp_path / "killed" / "report.html").exists():
        assert call(*arguments, tmp_path / "killed")[0] == 0
    for name in (
        "map.tif",
        "confidence.tif",
        "run/plan.yaml",
        "run/weak.safetensors",
    ):
        whole, killed = tmp_path / "whole" / name, tmp_path / "killed" / name
        assert whole.read_bytes() == killed.read_bytes(), name


@pytest.mark.parametrize("chosen", ["OMP_WAIT_POLICY", "GOMP_SPINCOUNT", None])
def test_threads_that_wait_sleep_soon_unless_told_otherwise(
    chosen: str | None, call: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT"):
        monkeypatch.delenv(name, raising=False)
    if chosen:
        monkeypatch.setenv(chosen, "chosen")
    call("--version")
    told = os.environ.get("GOMP_SPINCOUNT")
    assert told == {"OMP_WAIT_POLICY": None, "GOMP_SPINCOUNT": "chosen"}.get(
        chosen or "", "10000"
    )
