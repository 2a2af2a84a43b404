"""An audit of labels, from files to files."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import rasterio
from click.testing import CliRunner
from numpy.typing import NDArray

from overcast.cli.commands.labels import command
from overcast.geo.label_file import open_labels
from overcast.geo.legend import load_legend
from overcast.jobs.audit import FILES, audit_labels
from overcast.label_quality.cells import LabelCells
from overcast.plan import Data, ImageInput, LabelInput, Plan
from overcast.progress import quiet
from overcast.worlds.files import write_world
from overcast.worlds.scene import SceneSpec
from tests.rasters import utm
from tests.rasters import write as write_raster

LEGEND = load_legend("simplified-igbp")
KINDS = ("modis", "corine", "worldcover")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("world")
    write_world(3, 192, folder, SceneSpec(KINDS), processes=1)
    return folder


def plan(world: Path, labels: str) -> Plan:
    path = str(world / "s2.tif")
    return Plan(
        data=Data(
            images={"s2": ImageInput(path=path, sensor="sentinel-2")},
            labels=LabelInput(path=str(world / labels), legend=LEGEND.name),
        ),
        method={"name": "forest", "trees": 10},
    )


@pytest.fixture(scope="module", params=["labels_corine.tif", "labels_worldcover.tif"])
def audited(
    request: pytest.FixtureRequest,
    world: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Path, str]:
    out = tmp_path_factory.mktemp("audit") / "out"
    audit_labels(plan(world, request.param), out, False, quiet)
    return out, request.param


def suspicion(out: Path) -> NDArray[np.float32]:
    with rasterio.open(out / "suspicious.tif") as dataset:
        assert dataset.nodata == 255
        assert dataset.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        assert "OVERCAST_MODEL" in dataset.tags()
        found = dataset.read(1, masked=True).astype(np.float32).filled(np.nan)
        return found * np.float32(dataset.scales[0])


def test_everything_that_is_promised_is_there_and_no_more(
    audited: tuple[Path, str],
) -> None:
    out, _ = audited
    beside = {"map.tif.aux.xml", "map.qml", "legend.csv", "suspicious.qml"}
    assert {path.name for path in out.iterdir()} == {*FILES, *beside}


def test_wrong_labels_are_more_suspicious(
    audited: tuple[Path, str], world: Path
) -> None:
    out, name = audited
    grid = open_labels(world / "truth.tif", LEGEND).grid
    labels, truth = (
        open_labels(world / file, LEGEND).read(grid).values
        for file in (name, "truth.tif")
    )
    found = suspicion(out)
    known = labels != 255
    np.testing.assert_array_equal(np.isfinite(found), known)
    wrong = labels != truth
    assert found[known & wrong].mean() > found[known & ~wrong].mean() + 0.1


def test_labels_of_cells_are_suspicious_as_a_whole(
    audited: tuple[Path, str], world: Path
) -> None:
    out, name = audited
    labels = open_labels(world / name, LEGEND)
    grid = open_labels(world / "truth.tif", LEGEND).grid
    cells = LabelCells.of(labels.grid, grid)
    cell, found = cells.numbers(grid)[0], suspicion(out)
    spread = [np.ptp(found[cell == c]) for c in np.unique(cell[np.isfinite(found)])]
    assert (max(spread) == 0) == (name == "labels_corine.tif")


def test_rows_are_what_map_and_labels_say(
    audited: tuple[Path, str], world: Path
) -> None:
    """Against the map alone, which takes every pixel for sure."""
    out, name = audited
    grid = open_labels(world / "truth.tif", LEGEND).grid
    labels, mapped = (
        open_labels(path, LEGEND).read(grid).values
        for path in (world / name, out / "map.tif")
    )
    tree = json.loads((out / "audit.json").read_text(encoding="utf-8"))
    assert tree["pixels"] == (labels != 255).sum()
    common = int(np.bincount(mapped.ravel()).argmax())
    called = tree["called"][LEGEND.names[common]]
    assert sum(c["share"] for c in called.values()) == pytest.approx(1, abs=1e-4)
    for k, entry in enumerate(called.values()):
        there = (labels[mapped == common] == k).mean()
        assert entry["low"] - 0.05 <= there <= entry["high"] + 0.05
        assert entry["low"] <= entry["share"] <= entry["high"]


def test_nothing_is_overwritten_unasked(audited: tuple[Path, str], world: Path) -> None:
    out, name = audited
    with pytest.raises(ValueError, match="exists; give another --out, or --overwrite"):
        audit_labels(plan(world, name), out, False, quiet)


def test_what_is_refused_on_the_way_leaves_nothing(world: Path, tmp_path: Path) -> None:
    given = plan(world, "labels.tif")
    wrong = replace(given, method={**given.method, "leaves": 3})
    with pytest.raises(ValueError, match="forest: unknown key 'leaves'"):
        audit_labels(wrong, tmp_path / "out", False, quiet)
    assert not (tmp_path / "out").exists()


def test_labels_elsewhere_are_refused_by_name(world: Path, tmp_path: Path) -> None:
    far = utm((20, 20), east=100_000)
    path = write_raster(tmp_path / "far.tif", np.ones((20, 20), np.uint8), far)
    with pytest.raises(ValueError, match=r"far\.tif: no overlap"):
        audit_labels(plan(world, str(path)), tmp_path / "out", False, quiet)


def test_the_command_audits(world: Path, tmp_path: Path) -> None:
    given = ["--s2", world / "s2.tif", "--labels", world / "labels.tif"]
    given += ["--legend", LEGEND.name, "--method", "forest", "--out", tmp_path / "out"]
    done = CliRunner().invoke(command, ["audit", *map(str, given)])
    assert done.exit_code == 0, done.output
    printed = json.loads(done.stdout)
    assert Path(printed["page"]).is_file()
    assert 0 < printed["wrong"] < 1
    assert "no independent reference" in done.stderr
    assert "0 % of what is" not in printed["mistakes"][0][:8]
