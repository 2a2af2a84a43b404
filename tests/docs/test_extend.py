"""Parts in files of one's own, as the page shows them: mapped and exported by commands."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import rasterio
import torch
from click.testing import CliRunner, Result

import overcast as oc
from overcast import outside
from overcast.cli import program
from overcast.run import load_run
from overcast.worlds.files import write_world
from tests.docs.pages import ROOT, blocks

pytestmark = pytest.mark.filterwarnings("ignore:Use .@. matmul")

SHORT = ("schedule={steps: 3, warmup: 1}", "window=16", "batch=2")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small world, and the files of the page beside it."""
    folder = tmp_path_factory.mktemp("extend")
    write_world(7, 64, folder)
    for _, text in blocks(ROOT / "docs" / "extend.md"):
        name = text.splitlines()[0].removeprefix("# ")
        if name.endswith(".py"):
            (folder / name).write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(autouse=True)
def _there(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    monkeypatch.delenv(outside.TRUST, raising=False)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(program, arguments)


def mapped(out: str, *options: str, legend: str = "simplified-igbp") -> Path:
    """Map the world; an error is that of the test."""
    images = ("--s1", "s1.tif", "--s2", "s2.tif")
    labels = ("--labels", "truth.tif", "--legend", legend)
    done = run("map", *images, *labels, *options, "--out", out)
    assert done.exit_code == 0, done.output
    return Path(out)


def settings(*more: str) -> list[str]:
    return [word for text in (*SHORT, *more) for word in ("--set", text)]


def classes(path: Path) -> np.ndarray:
    with rasterio.open(path) as file:
        return np.asarray(file.read(1))


def again(out: Path, where: Path) -> Result:
    """Map once more with the run, moved to where nothing else is."""
    shutil.copytree(out / "run", where / "run")
    images = ("--s1", "s1.tif", "--s2", "s2.tif")
    return run("predict", str(where / "run"), *images, "--out", str(where / "out"))


def test_a_recipe_maps_and_exports_without_its_file(
    folder: Path, tmp_path: Path
) -> None:
    recipe = "recipe={name: focal.py:Focal, gamma: 1.5}"
    out = mapped("focal", "--method", "network", *settings(recipe))
    log = (out / "run" / "log.jsonl").read_text(encoding="utf-8")
    assert '"focal"' in log
    kept = out / "run" / "code" / "focal.py"
    assert kept.read_bytes() == (folder / "focal.py").read_bytes()
    gone = tmp_path / "focal.py"
    shutil.move(folder / "focal.py", gone)
    try:
        assert again(out, tmp_path).exit_code == 0
        np.testing.assert_array_equal(
            classes(tmp_path / "out" / "map.tif"), classes(out / "map.tif")
        )
        pytest.importorskip("onnxscript", reason="the extra [onnx] is not installed")
        exported = tmp_path / "model.onnx"
        done = run("export", str(tmp_path / "run"), "--out", str(exported))
        assert done.exit_code == 0, done.output
        assert exported.is_file()
    finally:
        shutil.move(gone, folder / "focal.py")


def test_the_focal_loss_is_that_of_the_paper() -> None:
    focal = outside.load_part("focal.py:Focal")(gamma=2.0)
    logits = torch.tensor([[[[2.0, 0.0]], [[0.0, 1.0]]]])

    class Batch:
        labels = torch.tensor([[[0, 255]]])

    terms = focal.terms(lambda batch: logits, None, {"labelled": Batch()})
    p = torch.softmax(torch.tensor([2.0, 0.0]), 0)[0]
    torch.testing.assert_close(terms.total, -((1 - p) ** 2) * p.log())


def test_a_method_maps_where_its_file_is(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = mapped("nearest", "--method", "nearest.py:Nearest")
    right = (classes(out / "map.tif") == classes(folder / "truth.tif")).mean()
    assert right > 0.5  # it learned from the truth
    assert again(out, tmp_path).exit_code == 0

    gone = tmp_path / "nearest.py"
    shutil.move(folder / "nearest.py", gone)
    try:
        with pytest.raises(ValueError, match="OVERCAST_TRUST_CODE=1 if you trust it"):
            load_run(tmp_path / "run")
        monkeypatch.setenv(outside.TRUST, "1")
        assert type(load_run(tmp_path / "run")).__name__ == "Means"
        with (tmp_path / "run" / "code" / "nearest.py").open("a") as file:
            file.write("# another one\n")
        with pytest.raises(ValueError, match="changed after the run was trained"):
            load_run(tmp_path / "run")
    finally:
        shutil.move(gone, folder / "nearest.py")


def test_a_network_maps(folder: Path) -> None:
    model = "model={name: tiny.py:Tiny, width: 4}"
    out = mapped("tiny", "--method", "network", *settings(model))
    assert (classes(out / "map.tif") != 255).all()


def test_python_takes_the_same_names() -> None:
    scene = oc.scene(s1="s1.tif", s2="s2.tif")
    labels = oc.labels("truth.tif", legend="simplified-igbp")
    model = oc.fit(scene, labels, "nearest.py:Nearest")
    result = model.predict(scene)
    np.testing.assert_array_equal(
        result.land_cover,
        classes(mapped("same", "--method", "nearest.py:Nearest") / "map.tif"),
    )


def test_a_sensor_and_a_legend_are_files(folder: Path) -> None:
    bands = "\n".join(
        f'[[bands]]\nname = "{name}"\nunit = "dB"\nlow = -30\nhigh = 0'
        for name in ("VV", "VH")
    )
    (folder / "mine.toml").write_text(f'name = "mine"\nkind = "sar"\n{bands}\n')
    (folder / "mine.csv").write_text(
        "code,name,colour\n" + "".join(f"{c},Class {c},{c:06d}\n" for c in range(1, 11))
    )
    out = mapped(
        *("own", "--image", "radar=mine.toml:s1.tif", "--method", "network"),
        *settings(),
        *("--trust",),  # the file has names of its own
        legend="mine.csv",
    )
    with rasterio.open(out / "map.tif") as file:
        assert "Class 7" in file.tags()["LEGEND_CLASSES"]
    pytest.importorskip("onnxscript", reason="the extra [onnx] is not installed")
    done = run("export", str(out / "run"), "--out", str(folder / "own.onnx"))
    assert done.exit_code == 0, done.output


def test_mistakes_are_named(folder: Path) -> None:
    common = ("--s2", "s2.tif", "--labels", "truth.tif", "--legend", "simplified-igbp")
    (folder / "bad.py").write_text("import nothing_of_that_name\n")
    wrong = {
        "none.py:Part": "none.py: no such file",
        "nearest.py:Farthest": "no class Farthest; it has Means, Nearest",
        "nearest.py:Means": "no fit and load",
        "bad.py:Part": "ModuleNotFoundError",
        "focal.py:Focal": "no fit and load",
    }
    for name, message in wrong.items():
        done = run("map", *common, "--method", name, "--out", "wrong")
        assert done.exit_code != 0
        assert message in str(done.exception or done.output), done.output


def test_a_package_offers_parts_by_name(
    monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    from importlib.metadata import EntryPoint

    from overcast import discover

    point = EntryPoint("stepwise", "overcast.recipes.supervised:Supervised", "x")
    monkeypatch.setattr(
        discover, "entry_points_of", lambda package: {"stepwise": point}
    )
    assert discover.find("recipes", "stepwise").__name__ == "Supervised"
    with pytest.raises(ValueError, match="did you mean 'stepwise'"):
        discover.find("recipes", "stepwis")
