"""Several sources of labels: what is said of each, translated, learned from and mapped."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
import shapely

from overcast.cli.arguments import plan_of
from overcast.geo.legend import LandClass, Legend
from overcast.geo.raster import UNKNOWN
from overcast.geo.translated import read_crosswalk
from overcast.inputs import open_inputs
from overcast.plan import Data, ImageInput, LabelInput, Plan, read_plan, write_plan
from tests.cli.test_arguments import GIVEN
from tests.rasters import backscatter, utm, write
from tests.test_cli import call
from tests.test_drawn import draw

__all__ = ["call"]

GRID = utm((96, 96))
TWO = "code,name,colour\n1,Wood,000000\n2,Field,ffffff\n"
FOUR = "code,name,colour\n" + "".join(
    f"{code},{name},00000{code // 10}\n"
    for code, name in ((10, "Pine"), (20, "Oak"), (30, "Meadow"), (40, "Quarry"))
)
TABLE = "source,target\n10,Wood\nOak,1\n30,Field\n40,\n"
QUICK = ("--set", "clusters=[8, 8]", "--set", "samples=4000")
OPTIONS = {
    **GIVEN,
    **{"labels_nodata": (), "labels_column": None, "method": None, "settings": ()},
    **{"seed": 0, "prior": None, "legend": None, "mask_dilation": None},
    **{"s1": (), "s2": (), "s2_mask": ()},
}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A scene whose classes look alike, coarse labels, a fine map and drawn squares."""
    folder = tmp_path_factory.mktemp("scene")
    write(folder / "s1.tif", backscatter((96, 96)), GRID)
    cells = np.ones((6, 6), np.uint8)
    cells[:, 3:] = 2
    write(folder / "coarse.tif", cells, utm((6, 6), size=160), nodata=0)
    fine = np.full((96, 96), 10, np.uint8)
    fine[:, 48:] = 30
    fine[:10, :10] = 40
    write(folder / "fine.tif", fine, GRID, nodata=0)
    # Fields within the wood, where both maps are wrong.
    squares = [shapely.box(160, 160, 320, 320), shapely.box(700, 100, 800, 200)]
    draw(folder / "drawn.gpkg", squares, ("Field", "Wood"))
    (folder / "two.csv").write_text(TWO)
    (folder / "four.csv").write_text(FOUR)
    (folder / "table.csv").write_text(TABLE)
    return folder


def data_of(files: Path, *labels: LabelInput, legend: str | None = None) -> Data:
    return Data(
        images={"s1": ImageInput(path=str(files / "s1.tif"), sensor="sentinel-1")},
        labels=labels[0],
        other_labels=labels[1:],
        legend=legend,
    )


def entry(files: Path, name: str, legend: str = "two.csv", **how: Any) -> LabelInput:
    return LabelInput(path=str(files / name), legend=str(files / legend), **how)


def test_every_source_says_what_it_is(files: Path) -> None:
    table = files / "table.csv"
    given = {
        **OPTIONS,
        "s1": (str(files / "s1.tif"),),
        "labels": (
            f"{files / 'coarse.tif'}|accuracy=.85",
            f"{files / 'fine.tif'}|legend={files / 'four.csv'}|nodata=0,9"
            f"|crosswalk={table}",
            f"{files / 'drawn.gpkg'}|layername=drawn|column=kind",
        ),
        "legend": str(files / "two.csv"),
    }
    data = plan_of(given).data
    assert data.every_labels == (
        entry(files, "coarse.tif", accuracy=".85"),
        entry(files, "fine.tif", "four.csv", nodata=(0, 9), crosswalk=str(table)),
        entry(files, "drawn.gpkg|layername=drawn", column="kind"),
    )
    assert data.legend is None

    one = {**given, "labels": given["labels"][1:2]}
    assert plan_of(one).data.legend == str(files / "two.csv")
    assert plan_of({**one, "legend": None}).data.legend is None


@pytest.mark.parametrize(
    ("labels", "more", "message"),
    [
        (("a.tif|quality=1",), {}, "expected KEY=VALUE with one of legend, column"),
        (("a.tif|legend=igbp|legend=esri",), {}, "legend is given twice"),
        (("a.tif",), {"legend": None}, "of which legend"),
        (("a.tif", "a.tif"), {}, "given twice, expected once"),
        (("a.tif", "b.tif"), {"labels_nodata": ("0",)}, "--labels-nodata: of which"),
        (("a.tif", "b.tif"), {"labels_accuracy": ".8"}, r"FILE\|accuracy=SHARE"),
        (("a.tif|column=b",), {"labels_column": "c"}, "says it already"),
        (("a.tif|accuracy=1",), {"labels_accuracy": ".8"}, "says it already"),
        (("a.tif|accuracy=1",), {"place": False}, "--no-place"),
    ],
)
def test_what_is_wrong_with_sources(
    labels: tuple[str, ...], more: dict[str, Any], message: str
) -> None:
    given = {**OPTIONS, "s1": ("s1.tif",), "labels": labels, "legend": "igbp", **more}
    place = {
        "labels_accuracy": None,
        "anchors": None,
        "anchors_column": None,
        "place": None,
        **more,
    }
    with pytest.raises(ValueError, match=message):
        plan_of(given, place)


def test_a_plan_lists_sources(files: Path, tmp_path: Path) -> None:
    data = data_of(files, entry(files, "coarse.tif"), entry(files, "drawn.gpkg"))
    plan = Plan(data=data)
    write_plan(plan, tmp_path / "plan.yaml")
    text = (tmp_path / "plan.yaml").read_text()
    assert "other_labels" not in text
    assert "  - path: " in text
    assert read_plan(tmp_path / "plan.yaml") == plan
    # One source is written as it always was.
    alone = Plan(data=data_of(files, entry(files, "coarse.tif")))
    write_plan(alone, tmp_path / "plan.yaml")
    assert "  labels:\n    path: " in (tmp_path / "plan.yaml").read_text()
    assert read_plan(tmp_path / "plan.yaml").fingerprint == alone.fingerprint
    assert plan.fingerprint != alone.fingerprint


def test_sources_are_translated_and_drawn_ones_win(files: Path) -> None:
    fine = entry(files, "fine.tif", "four.csv", crosswalk=str(files / "table.csv"))
    data = data_of(files, entry(files, "drawn.gpkg"), fine)
    inputs = open_inputs(data)
    stack = inputs.stack
    # The map stands for all, though it was given second.
    assert stack.labels is not None
    values = stack.labels.read(stack.grid).values
    assert stack.labels.legend.names == ("Wood", "Field")
    assert (values[:10, :10] == UNKNOWN).all()
    assert (values[16:32, 16:32] == UNKNOWN).all()
    assert set(values[40:48, 40:48].ravel()) == {0}
    (drawn,) = stack.others
    assert set(drawn.read(stack.grid).values[16:32, 16:32].ravel()) == {1}
    said = " ".join(inputs.notes)
    assert "drawn.gpkg (drawn), fine.tif (a map)" in said
    assert "1% of its labels here are of classes" in said
    assert "Quarry" in said


def test_what_has_no_translation_is_refused(files: Path) -> None:
    data = data_of(
        files, entry(files, "coarse.tif"), entry(files, "fine.tif", "four.csv")
    )
    with pytest.raises(ValueError, match=r"fine.tif: no translation .*crosswalk=TABLE"):
        open_inputs(data)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("source,target\n10,Wood\n", "no row for Oak, Meadow, Quarry"),
        ("source,target\n10,Moor\n", "'Moor' is neither a code nor a name"),
        ("source,target\n10,1\nPine,2\n", "Pine has two targets"),
        ("from,to\n10,1\n", "columns source,target"),
    ],
)
def test_crosswalks_that_are_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "table.csv"
    path.write_text(text)
    names = (("Pine", 10), ("Oak", 20), ("Meadow", 30), ("Quarry", 40))
    four = Legend("four", tuple(LandClass(code, n, "000000") for n, code in names))
    two = Legend(
        "two", (LandClass(1, "Wood", "000000"), LandClass(2, "Field", "ffffff"))
    )
    with pytest.raises(ValueError, match=message):
        read_crosswalk(path, four, two)


def test_polygons_correct_a_map(call: Any, files: Path, tmp_path: Path) -> None:
    out = tmp_path / "both"
    words = ("map", "--s1", files / "s1.tif", "--legend", files / "two.csv", *QUICK)
    coarse = f"{files / 'coarse.tif'}|accuracy=.95"
    both = ("--labels", coarse, "--labels", files / "drawn.gpkg")
    code, _, err = call(*words, *both, "--out", out)
    assert code == 0, err
    with rasterio.open(out / "map.tif") as dataset:
        codes = dataset.read(1)
    assert (codes[17:31, 17:31] == 2).mean() > 0.9
    assert (codes[:, :40] == 1).mean() > 0.8
    assert (codes[:, 60:] == 2).mean() > 0.8
    place = json.loads((out / "run" / "place.json").read_text())
    assert [one["wins"] for one in place["others"]] == [True]
    # The map is wrong in both of the drawn squares.
    assert place["wrong"] == [round(2 * (1 - 10 * 0.95 / 12), 6)] * 2
    assert (out / "run" / "place-1.tif").is_file()
    assert "labels from 2 sources: coarse.tif (a map, accuracy .95)" in err

    # The run keeps both: mapping again is the same.
    again = tmp_path / "again"
    code, _, err = call(
        "predict", out / "run", "--s1", files / "s1.tif", "--out", again
    )
    assert code == 0, err
    with rasterio.open(again / "map.tif") as dataset:
        assert (dataset.read(1) == codes).all()
