"""What changed between two maps whose change is known."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from click.testing import CliRunner

from overcast.accuracy.area import StratifiedSample
from overcast.accuracy.change import OTHER, ChangeLegend, estimate_change
from overcast.accuracy.design import Design
from overcast.accuracy.reference import ReferenceFile
from overcast.cli import program
from overcast.geo.legend import LandClass, Legend
from overcast.geo.raster import Labels
from overcast.jobs.assess import draw_sample
from overcast.jobs.change import NAMES, ChangeSettings, map_change
from overcast.plan import Data, ImageInput, Plan, write_plan
from overcast.product.rasters import write_labels, written_legend
from overcast.report.sankey import Flow, sankey
from tests.accuracy.test_area import OLOFSSON, PIXELS
from tests.jobs.test_assess import fill
from tests.rasters import utm
from tests.rasters import write as write_raster

LEGEND = Legend(
    "mine",
    (
        LandClass(10, "Forest", "00aa00"),
        LandClass(20, "<Fields>", "ffee00"),
        LandClass(30, "Town", "ff0000"),
    ),
)
SIDE = 96


def before() -> Any:
    blocks = np.random.default_rng(0).choice([0, 0, 1, 1, 2], (6, 6))
    return blocks.repeat(16, 0).repeat(16, 1)


def after() -> Any:
    """A square of forest became town; a single pixel too."""
    classes = before()
    forest = np.argwhere(before()[::16, ::16] == 0)[0] * 16
    classes[forest[0] : forest[0] + 12, forest[1] : forest[1] + 12] = 2
    return classes


def write_map(folder: Path, classes: Any, seed: int) -> Path:
    """A map with probabilities that is wrong in about 15 % of the pixels."""
    random = np.random.default_rng(seed)
    score = random.normal(0, 1, (3, SIDE, SIDE)) * 0.9
    score += 2.4 * (classes == np.arange(3)[:, None, None])
    score *= 2.4 / 0.81  # Gaussian scores: posteriors are right
    p = np.exp(score - score.max(0))
    p = np.float32(p / p.sum(0))
    folder.mkdir()
    grid = utm((SIDE, SIDE))
    mapped = p.argmax(0).astype(np.uint8)
    write_labels(
        Labels(values=mapped, grid=grid, legend=LEGEND), folder / "map.tif", {}
    )
    write_raster(folder / "probabilities.tif", p, grid, names=LEGEND.names)
    return folder


@pytest.fixture(scope="module")
def maps(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("maps")
    return write_map(folder / "a", before(), 1), write_map(folder / "b", after(), 2)


@pytest.fixture(scope="module")
def made(
    maps: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, dict[str, Any]]:
    out = tmp_path_factory.mktemp("change") / "out"
    return out, map_change(maps, out, ChangeSettings(mmu_ha=0.1))


def test_change_is_found_where_it_is(made: tuple[Path, dict[str, Any]]) -> None:
    out, result = made
    legend = written_legend(out / "change.tif")
    with rasterio.open(out / "change.tif") as dataset:
        codes = dataset.read(1)
    moved = dict(zip(legend.names, legend.codes, strict=True))["Forest to Town"]
    true = (before() == 0) & (after() == 2)
    assert true.sum() == 144
    called = codes == moved
    assert called[true].mean() > 0.7
    assert called[~true].mean() < 0.002
    assert result["difference_of_maps_ha"] > 5 * result["changed_ha"]
    top = result["transitions"][0]
    assert (top["from"], top["to"]) == ("Forest", "Town")
    assert 1 < top["mapped_ha"] < 1.6
    assert result["expected_changed_ha"] == pytest.approx(1.44, abs=0.5)
    town = result["per_class"]["Town"]
    assert town["gain"]["mapped_ha"] == pytest.approx(top["mapped_ha"], abs=0.1)
    assert sum(c.name.endswith(", unchanged") for c in legend.classes) == 3


def test_it_warns_of_differences_of_counts(
    made: tuple[Path, dict[str, Any]],
) -> None:
    out, result = made
    notes = " ".join(result["notes"])
    assert "never report the difference of two maps' areas as change" in notes
    assert "not the areas on the ground" in notes
    page = (out / "change.html").read_text()
    assert "never report the difference" in page
    assert "&lt;Fields&gt;" in page
    assert "<Fields>" not in page
    assert "<script" not in page
    assert page.count("<img") >= 5
    assert "Transitions from the classes before" in page
    assert "by the classes of both maps alone" in page
    assert OTHER not in page  # it does not occur
    assert sorted(p.name for p in out.iterdir()) == sorted(NAMES)
    assert json.loads((out / "change.json").read_text()) == result


def test_images_where_they_were_say_more_than_classes(
    maps: tuple[Path, Path], made: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    _, alone = made
    assert alone["judged_by"] == ["classes"]
    assert "judged by the classes of both maps alone" in " ".join(alone["notes"])
    folders, paths = [], []
    for name, source, classes in zip("ab", maps, (before(), after()), strict=True):
        folder = tmp_path / name
        shutil.copytree(source, folder)
        level = np.array([[-8, -12, -4], [-14, -20, -9]])[:, classes]
        noise = np.random.default_rng(ord(name)).normal(0, 3, level.shape)
        path = tmp_path / f"{name}.tif"
        image = write_raster(
            path, np.float32(level + noise), utm((SIDE, SIDE)), names=["VV", "VH"]
        )
        read = {"s1": ImageInput(path=str(image), sensor="sentinel-1")}
        write_plan(Plan(data=Data(images=read)), folder / "plan.yaml")
        folders.append(folder)
        paths.append(path)
    # The change of the test is a patch of 144 pixels: classes alone miss some of it.
    where = folders[0], folders[1]
    result = map_change(where, tmp_path / "out", ChangeSettings())
    assert result["judged_by"] == ["classes", "images"]
    assert "classes of both maps alone" not in " ".join(result["notes"])
    with rasterio.open(tmp_path / "out" / "change_probability.tif") as dataset:
        share = dataset.read(1) / 254
    true = before() != after()
    assert share[true].mean() > 0.8
    assert share[~true].mean() < 0.01
    expected = result["expected_changed_ha"]
    assert expected == pytest.approx(1.44, abs=0.5)
    # A file that is gone takes the images away, and nothing else.
    paths[1].unlink()
    again = map_change(where, tmp_path / "again", ChangeSettings())
    assert again["judged_by"] == ["classes"]


def test_small_patches_are_taken_back(maps: tuple[Path, Path], tmp_path: Path) -> None:
    result = map_change(maps, tmp_path / "out", ChangeSettings(mmu_ha=2))
    assert result["changed_ha"] == 0
    assert "shows no change" in (tmp_path / "out" / "change.html").read_text()


def test_a_sample_of_the_change_gives_intervals(
    maps: tuple[Path, Path], made: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    out, _ = made
    drawn = draw_sample(
        out / "change.tif", tmp_path / "s.csv", Design(size=400, minimum=60, seed=3)
    )
    # Change is 1.6 % of the map, and 15 % of the sample or more.
    assert drawn["strata"]["Forest to Town"]["points"] >= 60
    legend = written_legend(out / "change.tif")
    name = dict(zip(legend.names, legend.codes, strict=True))
    true = np.zeros((SIDE, SIDE), np.uint8)
    for k, land in enumerate(LEGEND.names):
        true[before() == k] = name[f"{land}, unchanged"]
    true[before() != after()] = name["Forest to Town"]
    write_raster(tmp_path / "true.tif", true, utm((SIDE, SIDE)))
    filled = fill(tmp_path / "s.csv", tmp_path / "true.tif")
    rows = list(csv.DictReader(filled.read_text().splitlines()))
    # One pixel of fields is seen to have become a town, which is mapped nowhere.
    seen = next(r for r in rows if r["reference"] == str(name["<Fields>, unchanged"]))
    seen["reference"] = "<fields> to town"
    with filled.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
    result = map_change(
        maps, tmp_path / "out", ChangeSettings(mmu_ha=0.1), sample=ReferenceFile(filled)
    )
    unmapped = result["transitions"][-1]
    assert (unmapped["from"], unmapped["to"]) == ("<Fields>", "Town")
    assert unmapped["mapped_ha"] == 0
    assert unmapped["area_ha"]["value"] > 0
    loss = result["per_class"]["<Fields>"]["loss"]["area_ha"]
    assert loss["value"] == unmapped["area_ha"]["value"]
    assert loss["standard_error"] == unmapped["area_ha"]["standard_error"]
    whole = result["changed_estimate_ha"]
    assert whole["low"] < 1.44 < whole["high"]
    assert whole["high"] - whole["low"] < 2.2
    gain = result["per_class"]["Town"]["gain"]["area_ha"]
    assert gain["value"] == pytest.approx(whole["value"])
    assert gain["low"] < 1.44 < gain["high"]
    assert f"({whole['low']:.1f} to {whole['high']:.1f} with" in result["sentence"]
    assert "not the areas on the ground" not in " ".join(result["notes"])


def test_olofsson_2014_as_a_change_of_two_classes() -> None:
    """Table 8 of the paper: deforestation 235,086 ± 68,418 pixels."""
    land = Legend(
        "land", (LandClass(0, "forest", "00ff00"), LandClass(1, "other", "000000"))
    )
    transitions = np.array([[3_200_000, 200_000], [150_000, 6_450_000]])
    classes = ChangeLegend.of(land, transitions)
    assert classes.legend.names == (
        "forest, unchanged",
        "other, unchanged",
        "forest to other",
        "other to forest",
        OTHER,
    )
    order = [2, 3, 0, 1]  # deforestation, gain, stable forest, stable other
    counts = np.zeros((4, 6, 5), np.int64)
    for i, stratum in enumerate(order):
        counts[stratum, stratum, order] = OLOFSSON[i]
    pixels = np.zeros(4, np.int64)
    pixels[order] = PIXELS
    sample = StratifiedSample(counts, pixels)
    found = estimate_change(sample, classes, float(PIXELS.sum()))
    loss = found["loss"]["forest"]
    assert round(loss["value"]) == 235_086
    assert round(1.96 * loss["standard_error"]) == 68_418
    assert found["gain"]["other"] == loss
    assert found["loss"]["other"]["value"] == pytest.approx(129_846, abs=1)  # 11,686 ha
    whole = found["change"]["value"]
    assert whole == pytest.approx(loss["value"] + found["gain"]["forest"]["value"])


def test_rare_transitions_are_one_class() -> None:
    classes = tuple(LandClass(k, f"c{k}", "336699") for k in range(8))
    counts = np.arange(64).reshape(8, 8)
    change = ChangeLegend.of(Legend("eight", classes), counts, most=20)
    assert len(change.legend) == 8 + 20 + 1
    table = change.positions
    assert change.legend.names[table[7, 6]] == "c7 to c6"
    assert change.legend.names[table[0, 1]] == OTHER
    assert change.is_change[table[0, 1]]
    assert not change.is_change[table[3, 3]]
    colours = [c.colour for c in change.legend.classes if c.name.endswith("to c6")]
    assert len(set(colours)) == len(colours)
    # A judge may see what is mapped nowhere.
    named = change.naming(["C0 to  c1", "c7 to c6", "c7 to sea", "c0 to c1"])
    assert named.legend.names[:-1] == change.legend.names
    assert named.legend.names[-1] == "c0 to c1"
    assert named.positions[0, 1] == len(change.legend)
    gains = {(kind, name): m for kind, name, m in named.groups()}
    assert gains["gain", "c1"][-1]
    assert gains["change", "all"][-1]


def test_bands_of_the_drawing_are_as_wide_as_their_areas() -> None:
    a, b, c = LEGEND.classes
    drawn = str(sankey([Flow(a, c, 30), Flow(b, c, 10), Flow(a, b, 0)]))
    heights = [
        float(p.split('height="')[1].split('"')[0]) for p in drawn.split("<rect")[1:]
    ]
    assert heights == pytest.approx([264, 88, 352], abs=0.1)
    assert "&lt;Fields&gt; to Town: 10.0 ha" in drawn
    assert sankey([Flow(a, b, 0)]) is None


def call(*arguments: Any) -> tuple[Any, str, str]:
    done = CliRunner().invoke(program, [str(a) for a in arguments])
    return done.exception, done.stdout, done.stderr


def test_by_command(maps: tuple[Path, Path], tmp_path: Path) -> None:
    given = ("change", *maps, "--mmu", "0.1", "--out", tmp_path / "out")
    error, text, stderr = call(*given, "--table", tmp_path / "t.csv")
    assert error is None
    assert json.loads(text)["transitions"][0]["to"] == "Town"
    assert "note: two maps made apart differ" in stderr
    with (tmp_path / "t.csv").open(newline="") as file:
        assert next(csv.DictReader(file))["from"] == "Forest"
    error, _, _ = call(*given)
    assert "exists" in str(error)
    error, _, _ = call(*given, "--overwrite", "--probability", "1.5")
    assert "--probability 1.5: expected a number between 0 and 1" in str(error)


def test_maps_that_can_not_be_compared(maps: tuple[Path, Path], tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"has no map\.tif"):
        map_change((maps[0], tmp_path), tmp_path / "out", ChangeSettings())
    other = Legend("other", (*LEGEND.classes[:2], LandClass(30, "City", "ff0000")))
    values = np.zeros((SIDE, SIDE), np.uint8)
    alone = tmp_path / "alone"
    alone.mkdir()
    grid = utm((SIDE, SIDE))
    write_labels(Labels(values=values, grid=grid, legend=other), alone / "map.tif", {})
    with pytest.raises(
        ValueError, match=r"neither probabilities\.tif nor confidence\.tif"
    ):
        map_change((maps[0], alone), tmp_path / "out", ChangeSettings())
    write_raster(alone / "confidence.tif", np.float32(values + 0.9), grid, names=["c"])
    with pytest.raises(ValueError, match="map both dates with one legend"):
        map_change((maps[0], alone), tmp_path / "out", ChangeSettings())
    far = utm((SIDE, SIDE), east=700_000)
    write_labels(Labels(values=values, grid=far, legend=LEGEND), alone / "map.tif", {})
    write_raster(alone / "confidence.tif", np.float32(values + 0.9), far, names=["c"])
    with pytest.raises(ValueError, match="no pixel is mapped in both"):
        map_change((maps[0], alone), tmp_path / "out", ChangeSettings())
    assert not (tmp_path / "out").exists()
