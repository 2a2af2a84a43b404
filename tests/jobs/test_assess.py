"""A map judged by rasters, polygons, points and a sample drawn from it."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio.raw
import pytest
import rasterio
import shapely
from click.testing import CliRunner
from numpy.typing import NDArray

from overcast.accuracy.design import Design
from overcast.accuracy.reference import ReferenceFile
from overcast.cli import program
from overcast.geo.legend import load_legend
from overcast.geo.raster import UNKNOWN, Labels
from overcast.geo.vectors import read_features
from overcast.jobs.assess import assess_files, draw_sample
from overcast.plan import Data, ImageInput, LabelInput, Plan, write_plan
from overcast.product.rasters import write_labels
from tests.rasters import CELL_M, utm

LEGEND = load_legend("simplified-igbp")
SHAPE = (260, 240)


def truth() -> NDArray[np.uint8]:
    """Fields of 20 pixels, of four classes, one of them rare."""
    random = np.random.default_rng(0)
    fields = random.choice(np.uint8([0, 4, 6, 9]), (13, 12), p=[0.5, 0.3, 0.16, 0.04])
    return fields.repeat(20, 0).repeat(20, 1)


def write(path: Path, values: NDArray[np.uint8], **tags: str) -> Path:
    labels = Labels(values=values, grid=utm(values.shape), legend=LEGEND)
    write_labels(labels, path, tags)
    return path


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """A folder as `overcast map` leaves it, and the truth beside: 20 % is wrong."""
    random = np.random.default_rng(1)
    true = truth()
    wrong = random.random(SHAPE) < 0.2
    mapped = np.where(wrong, np.uint8(4), true)
    write(tmp_path / "map.tif", mapped, OVERCAST_VERSION="1", OVERCAST_INPUTS="s2.tif")
    write(tmp_path / "truth.tif", true)
    return tmp_path


def learned_from(folder: Path, labels: Path) -> None:
    (folder / "run").mkdir()
    data = Data(
        images={"s2": ImageInput(path="s2.tif", sensor="sentinel-2")},
        labels=LabelInput(path=str(labels), legend="simplified-igbp"),
    )
    write_plan(Plan(data=data), folder / "run" / "plan.yaml")


def fill(form: Path, true: Path) -> Path:
    """What an interpreter without mistakes makes of a form; every 20th point is left."""
    points = read_features(form)
    rows = [
        dict(zip(points.columns, r, strict=True))
        for r in zip(*points.columns.values(), strict=True)
    ]
    with rasterio.open(true) as dataset:
        places = [(float(row["x"]), float(row["y"])) for row in rows]
        for number, (row, code) in enumerate(
            zip(rows, dataset.sample(places), strict=True)
        ):
            row["reference"] = str(code[0]) if number % 20 else ""
    filled = form.with_name("filled.csv")
    with filled.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return filled


def scored(out: Path, reference: Path, **how: Any) -> dict[str, Any]:
    """Scores, without the note that the classes of these tests lie in blocks."""
    found = assess_files(out / "map.tif", ReferenceFile(reference, **how))
    notes = [note for note in found["notes"] if "blocks of about" not in note]
    return {**found, "notes": notes}


@pytest.mark.parametrize("name", ["sample.gpkg", "sample.csv"])
def test_a_sample_goes_out_and_its_estimates_come_back(out: Path, name: str) -> None:
    drawn = draw_sample(out / "map.tif", out / name, Design(size=600, seed=2))
    assert drawn["points"] == 600
    assert (
        drawn["strata"]["Forest"]["points"] > drawn["strata"]["Water"]["points"] >= 50
    )
    found = assess_files(
        out / "map.tif", ReferenceFile(fill(out / name, out / "truth.tif"))
    )
    estimates, true = found["estimates"], truth()
    assert estimates["points"] == 570
    for k, share in enumerate(np.bincount(true.ravel(), minlength=10) / true.size):
        area = estimates["per_class"][LEGEND.names[k]]["area_share"]
        assert abs(area["value"] - share) < 0.04
        if share:
            assert area["low"] < share < area["high"]
    overall = estimates["overall_accuracy"]
    whole = scored(out, out / "truth.tif")["overall_accuracy"]
    assert overall["low"] < whole < overall["high"]
    total_ha = sum(c["area_ha"]["value"] for c in estimates["per_class"].values())
    assert total_ha == pytest.approx(true.size * 0.01, rel=2e-3)  # UTM's scale
    assert found["intervals"] is None


def test_a_sample_of_one_map_judges_another(out: Path) -> None:
    """Strata that are not the classes of the map (Stehman 2014)."""
    draw_sample(out / "map.tif", out / "sample.csv", Design(size=900))
    filled = fill(out / "sample.csv", out / "truth.tif")
    other = np.where(truth() == 9, np.uint8(0), truth())
    write(out / "other.tif", other)
    found = assess_files(out / "other.tif", ReferenceFile(filled))["estimates"]
    overall = found["overall_accuracy"]
    assert overall["low"] < (other == truth()).mean() < overall["high"]
    water = found["per_class"][LEGEND.names[9]]
    assert water["points_mapped"] == 0
    assert water["users_accuracy"]["value"] is None
    share = (truth() == 9).mean()
    assert water["area_share"]["low"] < share < water["area_share"]["high"]


def test_the_same_seed_draws_the_same_points(out: Path) -> None:
    for name, seed in (("a.csv", 5), ("b.csv", 5), ("c.csv", 6)):
        draw_sample(out / "map.tif", out / name, Design(size=300, seed=seed))
    a, b, c = ((out / f"{name}.csv").read_text() for name in "abc")
    assert a == b
    assert a != c


def polygons(path: Path, column: str = "reference") -> Path:
    """The fields of the first rows, by name."""
    grid, true = utm(SHAPE), truth()
    boxes, names = [], []
    for row in range(0, 100, 20):
        for column_at in range(0, SHAPE[1], 20):
            left, top = grid.affine * (column_at, row)
            boxes.append(shapely.box(left, top - 200, left + 200, top))
            names.append(LEGEND.names[true[row, column_at]])
    pyogrio.raw.write(
        path,
        shapely.to_wkb(np.array(boxes)),
        [np.array(names, object)],
        np.array([column], object),
        geometry_type="Polygon",
        crs="EPSG:32632",
    )
    return path


def test_polygons_count_as_the_raster_of_them_does(out: Path) -> None:
    part = truth()
    part[100:] = UNKNOWN
    raster = scored(out, write(out / "part.tif", part))
    fields = scored(out, polygons(out / "fields.gpkg"))
    assert fields["pixels"] == 100 * 240
    assert fields == raster


def test_points_without_a_design_are_counted(out: Path) -> None:
    path = polygons(out / "fields.gpkg", "cover")
    features = read_features(path)
    centres = shapely.get_coordinates(
        shapely.centroid(features.to_crs("EPSG:4326"))
    ).tolist()
    rows = zip(centres, features.columns["cover"], strict=True)
    text = "\n".join(f"{lon},{lat},{name}" for (lon, lat), name in rows)
    (out / "points.csv").write_text(f"lon,lat,cover\n{text}\n")
    found = scored(out, out / "points.csv", column="cover")
    assert found["pixels"] == 60
    assert "estimates" not in found
    assert 0.6 < found["overall_accuracy"] < 1


def test_points_off_the_map_are_said(out: Path) -> None:
    test_points_without_a_design_are_counted(out)
    text = (out / "points.csv").read_text()
    (out / "points.csv").write_text(f"{text}0,0,Water\n120,10,Water\n")
    found = scored(out, out / "points.csv", column="cover")
    assert found["pixels"] == 60
    assert "2 of 62 points lie outside of the map, and don't count" in found["notes"]


def test_a_sample_that_was_moved_is_refused_by_name(out: Path) -> None:
    form = out / "sample.csv"
    draw_sample(out / "map.tif", form, Design(size=240, seed=2))
    form = fill(form, out / "truth.tif")
    rows = form.read_text().splitlines()
    fields = rows[0].split(",")
    moved = rows[1].split(",")
    moved[fields.index("lat")] = "10.5"
    form.write_text("\n".join([rows[0], ",".join(moved), *rows[2:]]) + "\n")
    with pytest.raises(ValueError, match=r"filled\.csv: 1 of 240 points lie outside"):
        scored(out, form)


def test_map_against_map_has_intervals(out: Path) -> None:
    found = scored(out, out / "truth.tif")
    low, high = found["intervals"]["overall_accuracy"]
    assert low < found["overall_accuracy"] < high
    per_class = found["intervals"]["per_class"]["Forest"]
    low, high = per_class["producers_accuracy"]
    assert low < found["per_class"]["Forest"]["producers_accuracy"] < high


def test_a_reference_that_is_the_labels_is_noticed(out: Path) -> None:
    learned_from(out, out / "truth.tif")
    (note,) = scored(out, out / "truth.tif")["notes"]
    assert "the labels that the map was learned from" in note
    (note,) = assess_files(
        out / "map.tif", ReferenceFile(polygons(out / "fields.gpkg"))
    )["notes"]
    assert "agree in 100.0% of 24000 pixels" in note


def test_a_reference_that_overlaps_the_labels_is_noticed(out: Path) -> None:
    few = np.full(SHAPE, UNKNOWN, np.uint8)
    few[::16, ::16] = truth()[::16, ::16]
    learned_from(out, write(out / "few.tif", few))
    (note,) = scored(out, out / "truth.tif")["notes"]
    assert f"({17 * 15} pixels) are labels" in note


def test_coarse_labels_under_a_reference_are_nothing_to_say(out: Path) -> None:
    legend, side = LEGEND, 6
    values = np.random.default_rng(0).choice(np.uint8([0, 4]), (side, side))
    grid = utm((side, side), size=CELL_M)
    write_labels(Labels(values=values, grid=grid, legend=legend), out / "few.tif", {})
    learned_from(out, out / "few.tif")
    assert scored(out, out / "truth.tif")["notes"] == []


def test_what_could_not_be_checked_is_said(out: Path) -> None:
    (note,) = scored(out, out / "truth.tif")["notes"]
    assert "was not checked" in note
    write(out / "s2.tif", truth())
    (note,) = scored(out, out / "s2.tif")["notes"]
    assert "a file of the name s2.tif" in note
    learned_from(out, out / "gone.tif")
    (note,) = scored(out, out / "truth.tif")["notes"]
    assert "gone.tif" in note


def call(*arguments: Any) -> tuple[Any, str, str]:
    found = CliRunner().invoke(program, [str(a) for a in arguments])
    return found.exception, found.stdout, found.stderr


def test_by_command(out: Path) -> None:
    sample = ("sample", out / "map.tif", "--out", out / "s.gpkg")
    wanted = ("--expected", "0.9", "--expected", "Water=0.6", "--allocation", "neyman")
    error, text, _ = call(*sample, "--standard-error", "0.03", *wanted)
    assert error is None
    assert json.loads(text)["points"] == 200
    filled = fill(out / "s.gpkg", out / "truth.tif")
    error, text, stderr = call(
        "assess", out / "map.tif", filled, "--out", out / "s.json"
    )
    assert error is None
    assert json.loads(text) == json.loads((out / "s.json").read_text())
    assert "note: estimates are for the whole map" in stderr


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("map.tif", "--out", "s.shp"), r"ends in \.gpkg or \.csv"),
        (("map.tif", "--out", "truth.csv"), r"truth\.csv: exists.*--overwrite"),
        (("map.tif", "--out", "s.csv", "--size", "70"), "70 points are too few"),
        (("map.tif", "--out", "s.csv", "--expected", "Wood=0.9"), "Wood; the legend"),
        (("map.tif", "--out", "s.csv", "--expected", "good"), "expected .CLASS=.ACC"),
        (("gone.tif", "--out", "s.csv"), r"gone\.tif: no such file"),
    ],
)
def test_a_sample_that_can_not_be_drawn(
    out: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], says: str
) -> None:
    monkeypatch.chdir(out)
    (out / "truth.csv").write_text("mine")
    error, _, _ = call("sample", *arguments)
    assert isinstance(error, ValueError)
    with pytest.raises(ValueError, match=says):
        raise error
    assert (out / "truth.csv").read_text() == "mine"
    assert not (out / "s.csv").exists()


def test_a_reference_inside_of_fields_is_not_noticed(out: Path) -> None:
    """Mistakes at borders alone, and polygons that keep away from them."""
    edge = np.arange(SHAPE[0])[:, None] % 20 < 4
    write(
        out / "map.tif", np.where(edge, np.uint8(1), truth()), OVERCAST_INPUTS="s2.tif"
    )
    assert scored(out, out / "truth.tif")["overall_accuracy"] == pytest.approx(0.8)
    features = read_features(polygons(out / "fields.gpkg"))
    inner = shapely.buffer(features.to_crs("EPSG:32632"), -50, join_style="mitre")
    pyogrio.raw.write(
        out / "inner.gpkg",
        shapely.to_wkb(inner),
        [np.array(features.columns["reference"], object)],
        np.array(["reference"], object),
        geometry_type="Polygon",
        crs="EPSG:32632",
    )
    found = scored(out, out / "inner.gpkg")
    assert found["overall_accuracy"] == 1
    assert not [n for n in found["notes"] if "border" in n or "where" in n]
    assert "estimates" not in found
