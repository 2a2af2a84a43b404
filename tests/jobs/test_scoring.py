"""Scores beside a map: with intervals, with what they can't tell, and reliability."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import rasterio

from overcast.accuracy.reference import ReferenceFile
from overcast.geo.label_file import open_labels
from overcast.geo.legend import load_legend
from overcast.geo.raster import Labels
from overcast.jobs.mapping import make_map, map_elsewhere
from overcast.jobs.scoring import reliability_against, score_map
from overcast.plan import Data, ImageInput, LabelInput, Plan
from overcast.product.rasters import write_labels
from overcast.progress import quiet
from overcast.run import Runs
from overcast.worlds.files import write_world
from tests.rasters import utm, write

LEGEND = load_legend("simplified-igbp")
SHAPE = (600, 300)


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """A map that is right where it is sure by .9, and in half of where by .5."""
    random = np.random.default_rng(0)
    true = random.choice(np.uint8([0, 4, 6]), SHAPE)
    sure = np.full(SHAPE, 0.9, np.float32)
    sure[:, 150:] = 0.5
    wrong = (sure < 0.6) & (random.random(SHAPE) < 0.5)
    mapped = np.where(wrong, (true + 1) % 10, true).astype(np.uint8)
    for name, values in (("truth.tif", true), ("map.tif", mapped)):
        labels = Labels(values=values, grid=utm(SHAPE), legend=LEGEND)
        write_labels(labels, tmp_path / name, {})
    write(tmp_path / "confidence.tif", sure, utm(SHAPE))
    return tmp_path


def test_reliability_counts_every_pixel_that_both_know(made: Path) -> None:
    truth = open_labels(made / "truth.tif", LEGEND)
    found = reliability_against(made / "map.tif", LEGEND, truth)
    assert found.pixels.sum() == SHAPE[0] * SHAPE[1]
    filled = found.pixels > 0
    np.testing.assert_allclose(found.mean_confidence[filled], [0.5, 0.9], atol=1e-6)
    np.testing.assert_allclose(found.accuracy[filled], [0.5, 1.0], atol=0.01)
    assert found.expected_error == pytest.approx(0.05, abs=0.01)


def test_a_map_has_intervals_and_no_notes(made: Path) -> None:
    truth = open_labels(made / "truth.tif", LEGEND)
    found = score_map(made / "map.tif", LEGEND, truth, (), quiet)
    low, high = found["intervals"]["overall_accuracy"]
    assert low < found["overall_accuracy"] < high
    assert found["notes"] == []
    assert found["reliability"]["expected_error"] == pytest.approx(0.05, abs=0.01)
    json.dumps(found)


def test_training_labels_as_reference_are_noticed(made: Path) -> None:
    truth = open_labels(made / "truth.tif", LEGEND)
    image = ImageInput(path="s2.tif", sensor="sentinel-2")
    label = LabelInput(path=str(made / "truth.tif"), legend=LEGEND.name)
    learned = Data(images={"s2": image}, labels=label)
    found = score_map(made / "map.tif", LEGEND, truth, (learned,), quiet)
    assert len(found["notes"]) == 1
    assert "the reference is the labels that the map was learned" in found["notes"][0]
    gone = replace(learned, labels=replace(label, path=str(made / "gone.tif")))
    found = score_map(made / "map.tif", LEGEND, truth, (gone,), quiet)
    assert "gone.tif, which was learned from, is gone" in found["notes"][0]


def test_a_small_reference_has_no_intervals(made: Path) -> None:
    few = np.full(SHAPE, 255, np.uint8)
    few[:30, :30] = 1
    path = write(made / "few.tif", few, utm(SHAPE), nodata=255)
    truth = open_labels(path, LEGEND)
    found = score_map(made / "map.tif", LEGEND, truth, (), quiet)
    assert found["intervals"] is None
    assert found["notes"] == [
        "no intervals: the reference lies in fewer than 10 blocks"
    ]


def test_a_reference_elsewhere_is_refused(made: Path) -> None:
    away = write(made / "away.tif", np.ones((9, 9), np.uint8), utm((9, 9), east=9e5))
    truth = open_labels(away, LEGEND)
    with pytest.raises(ValueError, match="no pixel in common"):
        score_map(made / "map.tif", LEGEND, truth, (), quiet)


def test_maps_say_so_here_and_elsewhere(tmp_path: Path) -> None:
    world = tmp_path / "world"
    write_world(3, 96, world, processes=1)
    images = {"s2": ImageInput(path=str(world / "s2.tif"), sensor="sentinel-2")}
    labels = LabelInput(path=str(world / "truth.tif"), legend=LEGEND.name)
    plan = Plan(
        data=Data(images=images, labels=labels), method={"name": "forest", "trees": 5}
    )
    truth, out = ReferenceFile(world / "truth.tif"), tmp_path / "out"
    here = make_map(plan, out, truth, False, quiet)
    there = map_elsewhere(
        Runs((out / "run",)), Data(images=images), tmp_path / "x", truth, False, quiet
    )
    for made in (here, there):
        assert any("copies its labels" in note for note in made.notes)
        low, high = made.summary["intervals"]["overall_accuracy"]
        assert low < made.summary["accuracy"]["map"]["overall_accuracy"] < high
        folder = Path(made.summary["map"]).parent
        assert "copies its labels" in (folder / "report.html").read_text()
    with rasterio.open(out / "map.tif") as dataset:
        assert "OVERCAST_TEMPERATURE" not in dataset.tags()
