"""Areas of a map by zone: counted, estimated, and what is said of both."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio.raw
import pytest
import shapely
from click.testing import CliRunner

from overcast.accuracy.design import Design
from overcast.accuracy.reference import ReferenceFile
from overcast.cli import program
from overcast.geo.raster import Labels
from overcast.jobs.areas import OUTSIDE, WHOLE, ZoneFile, measure_areas
from overcast.jobs.assess import assess_files, draw_sample
from overcast.product.rasters import write_labels
from tests.jobs.test_assess import LEGEND, SHAPE, fill, truth, write

EAST, NORTH = 600_000, 5_300_000


def box(left: float, top: float, right: float, bottom: float) -> Any:
    """Polygon from columns and rows of the map."""
    return shapely.box(
        EAST + 10 * left, NORTH - 10 * bottom, EAST + 10 * right, NORTH - 10 * top
    )


def zones(path: Path, shapes: dict[str, Any], column: str = "NAME") -> Path:
    pyogrio.raw.write(
        path,
        shapely.to_wkb(np.array(list(shapes.values()))),
        [np.array(list(shapes), object)],
        np.array([column], object),
        geometry_type="Polygon",
        crs="EPSG:32632",
    )
    return path


HALVES = {"West": box(0, 0, 120, 260), "East": box(120, 0, 240, 260)}


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """A map that is right in 80 %, the truth, and two zones that cover it."""
    wrong = np.random.default_rng(1).random(SHAPE) < 0.2
    write(tmp_path / "map.tif", np.where(wrong, np.uint8(4), truth()))
    write(tmp_path / "truth.tif", truth())
    zones(tmp_path / "zones.gpkg", HALVES)
    return tmp_path


def measured(out: Path, name: str = "zones.gpkg", **given: Any) -> dict[str, Any]:
    return measure_areas(
        out / "map.tif", zones=ZoneFile(path=out / name, name="NAME"), **given
    )


def test_areas_are_counted_by_the_centres_of_pixels(out: Path) -> None:
    # 0.6 of a pixel reaches over its centre, 0.4 does not.
    zones(out / "z.gpkg", {"A": box(0, 0, 2.6, 10), "B": box(2.6, 0, 10.4, 10)})
    parts = measured(out, "z.gpkg")["zones"]
    assert [parts[n]["pixels"] for n in ("A", "B", OUTSIDE)] == [30, 70, 62_400 - 100]
    pixel_ha = parts["A"]["area_ha"] / 30
    assert pixel_ha == pytest.approx(0.01, rel=2e-3)
    first = write_read(out)[:10, :3]
    for c, code in enumerate(LEGEND.codes):
        entry = parts["A"]["per_class"][LEGEND.names[c]]
        assert entry["mapped_ha"] == pytest.approx((first == code).sum() * pixel_ha)


def write_read(out: Path) -> Any:
    import rasterio

    with rasterio.open(out / "map.tif") as dataset:
        return dataset.read(1)


def test_a_map_without_zones_is_one(out: Path) -> None:
    areas = measure_areas(out / "map.tif")
    assert list(areas["zones"]) == [WHOLE]
    assert areas["zones"][WHOLE]["pixels"] == 62_400
    assert areas["estimates"] is None
    assert "not the areas on the ground" in areas["notes"][0]


def test_zones_add_up_to_what_assess_says(out: Path) -> None:
    draw_sample(out / "map.tif", out / "s.csv", Design(size=600, seed=2))
    filled = fill(out / "s.csv", out / "truth.tif")
    areas = measured(out, sample=ReferenceFile(filled))
    whole = assess_files(out / "map.tif", ReferenceFile(filled))["estimates"]
    assert areas["estimates"] == whole
    for name, entry in whole["per_class"].items():
        parts = [
            z["per_class"][name]["area_ha"]["value"] for z in areas["zones"].values()
        ]
        assert sum(parts) == pytest.approx(entry["area_ha"]["value"])
    # Codes of the legend in the halves of the truth.
    for zone, part in (("West", truth()[:, :120]), ("East", truth()[:, 120:])):
        found = areas["zones"][zone]
        assert found["points"] > 100
        share = found["per_class"]["Forest"]["area_share"]
        assert share["low"] < (part == 0).mean() < share["high"]
        right = found["overall_accuracy"]
        assert right["low"] < 0.84 < right["high"]


def test_small_zones_are_told_so(out: Path) -> None:
    draw_sample(out / "map.tif", out / "s.csv", Design(size=600, seed=2))
    filled = fill(out / "s.csv", out / "truth.tif")
    shapes = {
        "Large": box(0, 0, 240, 200),
        "Tiny": box(0, 210, 5, 215),
        "Sliver": box(0.6, 220, 1.4, 240),
        "Abroad": box(230, 240, 250, 260),
    }
    zones(out / "z.gpkg", shapes)
    areas = measured(out, "z.gpkg", sample=ReferenceFile(filled))
    notes = " ".join(areas["notes"])
    assert "no pixel of the map has its centre in Sliver" in notes
    assert "fewer than 100 pixels lie in Tiny" in notes
    assert "covers a part of Abroad" in notes
    assert areas["zones"]["Abroad"]["covered"] == pytest.approx(0.5)
    assert "Tiny" in notes.split("fewer than 30 points")[1]
    tiny = areas["zones"]["Tiny"]
    assert tiny["estimate"] in ("composite", "synthetic")
    assert "the map errs here as on the whole map" in tiny["assumption"]
    assert (
        areas["zones"]["Sliver"]["per_class"]["Forest"]["area_share"]["value"] is None
    )


def test_zones_in_degrees_and_twice_by_one_name(out: Path) -> None:
    import pyproj

    move = pyproj.Transformer.from_crs("EPSG:32632", "EPSG:4326", always_xy=True)
    shapes = [
        shapely.transform(s, move.transform, interleaved=False)
        for s in (box(0, 0, 50, 50), box(60, 0, 80, 50))
    ]
    pyogrio.raw.write(
        out / "z.gpkg",
        shapely.to_wkb(np.array(shapes)),
        [np.array(["A", "A"], object)],
        np.array(["NAME"], object),
        geometry_type="Polygon",
        crs="EPSG:4326",
    )
    areas = measured(out, "z.gpkg")
    assert areas["zones"]["A"]["pixels"] == 50 * 50 + 20 * 50
    assert "2 polygons have 1 names" in areas["notes"][1]


def test_overlapping_zones_are_said(out: Path) -> None:
    zones(out / "z.gpkg", {"A": box(0, 0, 50, 50), "B": box(40, 0, 80, 50)})
    areas = measured(out, "z.gpkg")
    assert areas["zones"]["A"]["pixels"] == 40 * 50
    assert any("zones overlap in 12.5 %" in note for note in areas["notes"])


def test_degrees_have_pixels_of_different_size(out: Path) -> None:
    from affine import Affine
    from odc.geo.geobox import GeoBox

    grid = GeoBox((100, 10), Affine(0.1, 0, 5, 0, -0.1, 55), "EPSG:4326")
    labels = Labels(values=np.zeros((100, 10), np.uint8), grid=grid, legend=LEGEND)
    write_labels(labels, out / "degrees.tif", {})
    notes = measure_areas(out / "degrees.tif")["notes"]
    assert "pixels differ in size" in notes[-1]


@pytest.mark.parametrize(
    ("shapes", "column", "says"),
    [
        (HALVES, "other", "no column 'NAME'; it has other"),
        ({"": box(0, 0, 9, 9)}, "NAME", "row 1 has no NAME"),
        ({"A": box(900, 0, 990, 9)}, "NAME", "no zone lies on the map"),
    ],
)
def test_zones_that_are_refused(
    out: Path, shapes: dict[str, Any], column: str, says: str
) -> None:
    zones(out / "z.gpkg", shapes, column)
    with pytest.raises(ValueError, match=says):
        measured(out, "z.gpkg")


def test_a_sample_of_another_map_is_refused(out: Path) -> None:
    part = truth()
    part[:50] = 255
    write(out / "other.tif", part)
    draw_sample(out / "other.tif", out / "s.csv", Design(size=600))
    filled = fill(out / "s.csv", out / "truth.tif")
    with pytest.raises(
        ValueError, match=r"was drawn of 50400 pixels.*has a class in 62400"
    ):
        measured(out, sample=ReferenceFile(filled))
    with pytest.raises(ValueError, match="not a sample that overcast drew"):
        measured(out, sample=ReferenceFile(out / "truth.tif"))


def call(*arguments: Any) -> tuple[Any, str, str]:
    done = CliRunner().invoke(program, [str(a) for a in arguments])
    return done.exception, done.stdout, done.stderr


def test_by_command_with_tables(out: Path) -> None:
    shapes = {"=1+1": HALVES["West"], "-East": HALVES["East"]}
    zones(out / "z.gpkg", shapes, "name")
    given = ("areas", out / "map.tif", "--zones", out / "z.gpkg")
    error, text, stderr = call(
        *given, "--table", out / "t.csv", "--out", out / "a.json"
    )
    assert error is None
    assert json.loads(text) == json.loads((out / "a.json").read_text())
    assert "note: areas are pixels counted" in stderr
    with (out / "t.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["zone"] for row in rows} == {"'=1+1", "'-East"}
    total = sum(float(row["mapped_ha"]) for row in rows)
    assert total == pytest.approx(624, rel=2e-3)
    error, _, _ = call(*given, "--table", out / "t.csv")
    assert isinstance(error, ValueError)
    assert "t.csv: exists" in str(error)
    error, _, _ = call(*given, "--table", out / "t.xlsx")
    assert "ends in .csv or .md" in str(error)
    error, _, _ = call("areas", out / "map.tif", "--name", "NAME")
    assert "--name works with --zones" in str(error)


def test_the_sentence_of_a_report(out: Path) -> None:
    draw_sample(out / "map.tif", out / "s.csv", Design(size=600, seed=2))
    filled = fill(out / "s.csv", out / "truth.tif")
    error, text, _ = call("assess", out / "map.tif", filled, "--table", out / "t.md")
    assert error is None
    right = json.loads(text)["estimates"]["overall_accuracy"]
    value, low, high = (f"{100 * right[key]:.1f}" for key in ("value", "low", "high"))
    markdown = (out / "t.md").read_text()
    assert (
        f"The map is right on {value} % of its area ({low} to {high} with" in markdown
    )
    assert markdown.count("\n| ") == 1 + 10
    error, _, _ = call(
        *("areas", out / "map.tif", "--sample", filled, "--table", out / "a.md")
    )
    assert error is None
    text = (out / "a.md").read_text()
    assert "Forest takes " in text
    assert "| (whole map) | Forest |" in text
