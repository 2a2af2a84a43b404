"""How many cores are used, what libraries may do, and the bytes of any number of them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import numpy as np
import pytest
import rasterio
import sklearn.utils  # loads OpenMP
from threadpoolctl import threadpool_info

import overcast
from overcast import threads
from overcast.cli import program
from overcast.worlds.files import write_world
from overcast.worlds.scene import SceneSpec

VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "NUMEXPR_MAX_THREADS",
    "LOKY_MAX_CPU_COUNT",
    "GOMP_SPINCOUNT",
)
COMPUTING = [
    *("calibrate", "chain", "demo", "map", "predict", "pretrain", "pseudo"),
    *("simulate", "train"),
]


@pytest.fixture(autouse=True)
def _nothing_chosen(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(threads, "_chosen", None)
    monkeypatch.setattr(threads, "cores", lambda: 6)
    return None


class TestCount:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [("", 6), ("  ", 6), ("4", 4), ("4,2", 4), (" 3 , 1", 3), ("64", 6)],
    )
    def test_default_is_what_the_machine_and_openmp_allow(
        self, text: str, expected: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("OMP_NUM_THREADS", text)
        assert threads.count() == expected

    def test_what_is_chosen_holds_until_something_else_is(self) -> None:
        assert threads.chosen() is None
        threads.use(9)
        assert (threads.count(), threads.chosen()) == (9, 9)
        threads.use(None)
        assert (threads.count(), threads.chosen()) == (6, 6)


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="has no affinity")
def test_cores_are_those_that_the_process_may_use() -> None:
    code = (
        "import os; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))});"
        "from overcast.threads import cores; print(cores())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    )
    assert done.stdout == "1\n"


class TestVariables:
    @pytest.mark.parametrize(
        ("text", "expected"), [("4,2", "4"), ("4", "4"), (" 2 ", "2"), ("1,1,1", "1")]
    )
    def test_openmp_has_one_number(
        self, text: str, expected: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("OMP_NUM_THREADS", text)
        threads.prepare()
        assert os.environ["OMP_NUM_THREADS"] == expected

    @pytest.mark.parametrize("name", VARIABLES[:-1])
    @pytest.mark.parametrize("text", ["abc", "0", "-2", "1.5"])
    def test_a_wrong_number_is_refused_by_name(
        self, name: str, text: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv(name, text)
        with pytest.raises(ValueError, match=rf"^{name}={text}: expected a whole numb"):
            threads.prepare()

    @pytest.mark.parametrize("text", ["abc,2", ",2", "4;2"])
    def test_a_wrong_list_is_refused_whole(
        self, text: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("OMP_NUM_THREADS", text)
        with pytest.raises(ValueError, match=rf"^OMP_NUM_THREADS={text}: expected"):
            threads.prepare()

    def test_a_command_says_it_in_one_line(self) -> None:
        done = subprocess.run(
            [sys.executable, "-m", "overcast", "inspect", "s2.tif"],
            env={**os.environ, "OMP_NUM_THREADS": "abc"},
            check=False,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 2
        lines = [x for x in done.stderr.splitlines() if x.startswith("overcast: error")]
        assert len(lines) == 1
        assert lines[0].startswith("overcast: error: OMP_NUM_THREADS=abc: expected")

    def test_a_list_of_levels_does_not_stop_libraries(self) -> None:
        code = (
            "from overcast import threads; threads.prepare();"
            "import numexpr, pandas, sklearn.cluster;"
            "print(numexpr.detect_number_of_cores() > 0)"
        )
        done = subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "OMP_NUM_THREADS": "1,2"},
            check=False,
            capture_output=True,
            text=True,
        )
        assert done.stdout == "True\n", done.stderr


def pools(torch: bool) -> set[int]:
    """Threads of the pools of BLAS and OpenMP, those of torch or of the others."""
    return {
        pool["num_threads"]
        for pool in threadpool_info()
        if ("torch" in pool["filepath"]) == torch
    }


def test_pools_have_one_thread_and_what_they_had_before() -> None:
    assert sklearn.utils
    from threadpoolctl import threadpool_limits

    with threadpool_limits(2):
        assert pools(torch=False) == {2}
        with threads.steady():
            assert pools(torch=False) == {1}
            assert pools(torch=True) in ({2}, set())
        assert pools(torch=False) == {2}


@pytest.mark.parametrize("name", COMPUTING)
def test_commands_that_compute_take_a_number_of_threads(name: str) -> None:
    command = program.get_command(click.Context(program), name)
    assert command is not None
    (option,) = [p for p in command.params if p.name == "threads"]
    with pytest.raises(click.BadParameter):
        option.type.convert("0", option, click.Context(command))


SMALL = {"name": "weak", "clusters": [16, 24], "samples": 3000}
WAYS: dict[str, tuple[str, dict[str, Any]]] = {
    "500 m labels": ("labels.tif", SMALL),
    "few polygons": ("labels_polygons.tif", {**SMALL, "cell": 2}),
    "forest": ("labels.tif", {"name": "forest", "trees": 12, "samples": 3000}),
    "kmeans": ("labels.tif", {"name": "kmeans", "samples": 3000}),
}
MAP = """
import json, sys
from pathlib import Path
from overcast import threads
threads.prepare()
threads.use(int(sys.argv[1]))
from overcast.jobs.mapping import make_map
from overcast.plan import Data, ImageInput, LabelInput, Plan, Windows
from overcast.progress import quiet
images = {
    "s1": ImageInput(path=str(Path("s1.tif").resolve()), sensor="sentinel-1"),
    "s2": ImageInput(path=str(Path("s2.tif").resolve()), sensor="sentinel-2"),
}
labels = LabelInput(path=str(Path(sys.argv[2]).resolve()), legend="simplified-igbp")
plan = Plan(
    data=Data(images=images, labels=labels),
    method=json.loads(sys.argv[3]),
    windows=Windows(size=64, overlap=8),
)
make_map(plan, Path(sys.argv[4]), None, True, quiet, True)
"""
"""A map of many windows, so that several threads have something to do at once."""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("world")
    write_world(3, 160, folder, SceneSpec(("modis", "polygons")), processes=1)
    return folder


def run(words: list[str], folder: Path) -> None:
    """Run Python in a process of its own, whose libraries have pools of all cores."""
    environment = {k: v for k, v in os.environ.items() if k not in VARIABLES}
    source = str(Path(overcast.__file__).parents[1])
    done = subprocess.run(
        [sys.executable, *words],
        cwd=folder,
        env={**environment, "PYTHONPATH": source},
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


def files_of(folder: Path) -> dict[str, bytes]:
    paths = [*folder.glob("*.tif"), *folder.glob("run/*.safetensors")]
    return {path.name: path.read_bytes() for path in paths}


@pytest.mark.parametrize(
    "way",
    [
        "500 m labels",
        "forest",
        *(pytest.param(w, marks=pytest.mark.slow) for w in ("few polygons", "kmeans")),
    ],
)
def test_bytes_are_the_same_for_any_number_of_threads(
    world: Path, tmp_path: Path, way: str
) -> None:
    labels, method = WAYS[way]
    made = []
    for count in (1, 2, 4):
        words = ["-c", MAP, str(count), labels, json.dumps(method), str(tmp_path / "o")]
        run(words, world)
        made.append(files_of(tmp_path / "o"))
    names = {"map.tif", "confidence.tif", "probabilities.tif"}
    assert made[0].keys() == {*names, f"{method['name']}.safetensors"}
    assert made[0] == made[1] == made[2]


NETWORK: dict[str, Any] = {
    "name": "network",
    "model": {"name": "fcn", "width": 8},
    "schedule": {"steps": 4},
    "window": 32,
    "batch": 2,
}


@pytest.mark.slow
def test_networks_have_the_same_bytes_for_the_same_number(
    world: Path, tmp_path: Path
) -> None:
    """As docs/threads.md says: torch's sums depend on the number, by little."""
    pytest.importorskip("torch")
    made: dict[int, dict[str, bytes]] = {}
    for count in (1, 1, 2, 2, 4):
        out = tmp_path / f"o{count}"
        words = ["-c", MAP, str(count), "labels.tif", json.dumps(NETWORK), str(out)]
        run(words, world)
        files = files_of(out)
        assert made.setdefault(count, files) == files, f"{count} threads, learned twice"
    names = {"map.tif", "confidence.tif", "probabilities.tif"}
    assert names < made[1].keys()
    with rasterio.open(tmp_path / "o1" / "probabilities.tif") as first:
        one = first.read().astype(int)
    for count in (2, 4):
        with rasterio.open(tmp_path / f"o{count}" / "probabilities.tif") as other:
            assert np.abs(other.read().astype(int) - one).max() <= 2


@pytest.mark.slow  # that of 500 m labels above has the same path, on a smaller scene
def test_the_demo_has_the_same_bytes_for_any_number_of_threads(tmp_path: Path) -> None:
    made = []
    for count in (1, 2, 4):
        words = ["-m", "overcast", "demo", "--size", "96", "--out", "o"]
        run([*words, "--overwrite", "--threads", str(count)], tmp_path)
        made.append(files_of(tmp_path / "o") | files_of(tmp_path / "o" / "world"))
    assert {"map.tif", "confidence.tif", "weak.safetensors", "s2.tif"} < made[0].keys()
    assert made[0] == made[1] == made[2]
