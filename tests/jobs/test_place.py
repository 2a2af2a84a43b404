"""Place from the command line: stated accuracy, anchors, and runs taken elsewhere."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
import shapely

from overcast.run import is_trained, model_hash
from tests.rasters import backscatter, utm, write
from tests.test_cli import call
from tests.test_drawn import draw

__all__ = ["call"]

GRID = utm((96, 96))
LEGEND = "code,name,colour\n1,Wood,000000\n2,Field,ffffff\n"
QUICK = ("--set", "clusters=[8, 8]", "--set", "samples=4000")


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A scene in which the two classes look alike, and right labels in large cells."""
    folder = tmp_path_factory.mktemp("scene")
    write(folder / "s1.tif", backscatter((96, 96)), GRID)
    cells = np.ones((6, 6), np.uint8)
    cells[:, 3:] = 2
    cells[2, 1] = cells[4, 4] = cells[1, 5] = 0
    write(folder / "labels.tif", cells, utm((6, 6), size=160), nodata=0)
    away = utm((96, 96), east=640_000)
    write(folder / "away.tif", backscatter((96, 96), 1), away)
    (folder / "legend.csv").write_text(LEGEND)
    return folder


def mapped(call: Any, files: Path, out: Path, *more: Any) -> tuple[int, str, str]:
    words = ("map", "--s1", files / "s1.tif", "--labels", files / "labels.tif")
    legend = ("--legend", files / "legend.csv", "--out", out)
    code, text, err = call(*words, *legend, *QUICK, *more)
    return code, text, err


def codes(out: Path) -> Any:
    with rasterio.open(out / "map.tif") as dataset:
        return dataset.read(1)


def right(out: Path) -> float:
    true = np.where(np.arange(96) < 48, 1, 2)
    return float((codes(out) == true).mean())


def test_stated_accuracy_keeps_a_map_to_its_labels(
    call: Any, files: Path, tmp_path: Path
) -> None:
    out = tmp_path / "stated"
    code, _, err = mapped(call, files, out, "--labels-accuracy", 0.95)
    assert code == 0, err
    assert "right on 95% of the pixels" in err
    assert right(out) > 0.9
    plain = tmp_path / "plain"
    code, _, err = mapped(call, files, plain, "--no-place")
    assert code == 0, err
    assert "place:" not in err
    assert right(plain) < 0.8
    assert not (plain / "run" / "place.json").exists()
    assert model_hash(out / "run") != model_hash(plain / "run")

    # The run keeps its labels: the same scene comes out the same, elsewhere without.
    again, away = tmp_path / "again", tmp_path / "away"
    code, _, err = call(
        "predict", out / "run", "--s1", files / "s1.tif", "--out", again
    )
    assert code == 0, err
    assert (codes(again) == codes(out)).all()
    code, _, err = call(
        "predict", out / "run", "--s1", files / "away.tif", "--out", away
    )
    assert code == 0, err
    assert "do not reach this scene" in err
    bare = tmp_path / "bare"
    call("predict", plain / "run", "--s1", files / "away.tif", "--out", bare)
    assert (codes(away) == codes(bare)).all()


def test_anchors_choose(call: Any, files: Path, tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    places = [shapely.Point(*xy) for xy in random.uniform(0, 960, (40, 2))]
    classes = ["Wood" if place.x < 480 else "Field" for place in places]
    anchors = draw(tmp_path / "anchors.gpkg", places, classes)
    out = tmp_path / "out"
    code, _, err = mapped(call, files, out, "--anchors", anchors)
    assert code == 0, err
    assert "chosen by 40 anchors" in err
    assert right(out) > 0.9
    assert json.loads((out / "run" / "place.json").read_text())["wrong"][0] < 0.2


def test_another_method_counts_labels_where_it_is_told_to(
    call: Any, files: Path, tmp_path: Path
) -> None:
    forest = ("--method", "forest")
    words = ("map", "--s1", files / "s1.tif", "--labels", files / "labels.tif")
    words = (*words, "--legend", files / "legend.csv", *forest)
    assert call(*words, "--out", tmp_path / "a")[0] == 0
    assert not (tmp_path / "a" / "run" / "place.json").exists()
    assert call(*words, "--labels-accuracy", "0.99", "--out", tmp_path / "b")[0] == 0
    assert right(tmp_path / "b") > right(tmp_path / "a")


def test_a_run_that_has_not_decided_is_not_finished(
    call: Any, files: Path, tmp_path: Path
) -> None:
    """A kill between learning and deciding: the run is trained again."""
    code, _, err = mapped(call, files, tmp_path / "out")
    assert code == 0, err
    run = tmp_path / "out" / "run"
    assert is_trained(run)
    (run / "place.json").unlink()
    assert not is_trained(run)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (("--labels-accuracy", "85"), "accuracy 85; expected a share"),
        (("--labels-accuracy", "0.8", "--anchors", "x.gpkg"), "give one"),
        (("--anchors-column", "kind"), "works with --anchors"),
        (("--no-place", "--labels-accuracy", "0.8"), "--no-place"),
        (("--anchors", "no.gpkg"), "no such file"),
    ],
)
def test_contradictions_are_refused(
    call: Any, files: Path, tmp_path: Path, options: tuple[str, ...], reason: str
) -> None:
    code, _, err = mapped(call, files, tmp_path / "out", *options)
    assert code == 2
    assert reason in err
    assert not (tmp_path / "out").exists()
