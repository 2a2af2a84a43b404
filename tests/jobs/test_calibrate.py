"""A run calibrated by places whose class is known maps with that confidence."""

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

from overcast.accuracy.calibrated import Calibrated
from overcast.accuracy.calibration import HeldOut, Reliability, scale
from overcast.accuracy.calibration_file import read_calibration
from overcast.accuracy.design import Design
from overcast.accuracy.reference import ReferenceFile
from overcast.cli import program
from overcast.geo.legend import load_legend
from overcast.jobs.assess import draw_sample
from overcast.jobs.calibrate import calibrate, calibrate_map
from overcast.jobs.mapping import make_map, map_elsewhere
from overcast.plan import Data, ImageInput, LabelInput, Plan
from overcast.progress import quiet
from overcast.run import Runs, load_run, model_hash
from overcast.run_folder import CALIBRATION as NAME
from overcast.worlds.files import write_world

LEGEND = load_legend("simplified-igbp")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("world")
    write_world(3, 160, folder, processes=1)
    return folder


@pytest.fixture(scope="module")
def mapped(world: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A map learned from coarse labels, and a filled sample of it beside."""
    out = tmp_path_factory.mktemp("mapped") / "out"
    plan = Plan(
        data=Data(
            images={"s2": ImageInput(path=str(world / "s2.tif"), sensor="sentinel-2")},
            labels=LabelInput(path=str(world / "labels.tif"), legend=LEGEND.name),
        ),
        method={"name": "forest", "trees": 20},
    )
    make_map(plan, out, None, False, quiet)
    return out


@pytest.fixture
def out(mapped: Path, tmp_path: Path) -> Path:
    """A copy of the map that a test may change."""
    return Path(shutil.copytree(mapped, tmp_path / "out"))


@pytest.fixture(scope="module")
def sample(mapped: Path, world: Path) -> Path:
    """500 points of the map with their true class."""
    empty, filled = mapped.parent / "empty.csv", mapped.parent / "sample.csv"
    draw_sample(mapped / "map.tif", empty, Design(size=500))
    with empty.open() as file:
        rows = list(csv.DictReader(file))
    with rasterio.open(world / "truth.tif") as truth:
        places = [(float(row["x"]), float(row["y"])) for row in rows]
        for row, (code,) in zip(rows, truth.sample(places), strict=True):
            row["reference"] = str(code)
    with filled.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
    return filled


def read(path: Path) -> Any:
    with rasterio.open(path) as dataset:
        return dataset.read(1)


def expected_error(out: Path, world: Path) -> float:
    sure, right = read(out / "confidence.tif"), read(out / "map.tif")
    right = right == read(world / "truth.tif")
    return Reliability.of(sure.ravel(), right.ravel()).expected_error


def test_confidence_comes_to_mean_what_it_says(
    out: Path, world: Path, sample: Path
) -> None:
    classes, before = read(out / "map.tif"), expected_error(out, world)
    made = calibrate_map(out, ReferenceFile(sample), coverage=0.8)
    np.testing.assert_array_equal(read(out / "map.tif"), classes)
    after = expected_error(out, world)
    assert before > 0.1
    assert after < before / 2
    # What the sample says of both is close to what is true of all pixels.
    said = made.summary["expected_error"]
    assert said["before"] == pytest.approx(before, abs=0.05)
    assert said["after"] == pytest.approx(after, abs=0.05)
    assert not list(out.glob(".*"))


def test_sets_hold_the_true_class_as_often_as_stated(
    out: Path, world: Path, sample: Path
) -> None:
    calibrate_map(out, ReferenceFile(sample), coverage=0.8)
    found = read_calibration(out / "run")
    assert found is not None
    assert found.sets is not None
    with rasterio.open(out / "probabilities.tif") as dataset:
        sets = found.sets.of(dataset.read() / 254)
    np.testing.assert_array_equal(read(out / "set_sizes.tif"), sets.sum(0))
    true = LEGEND.to_indices(read(world / "truth.tif"))
    covered = np.take_along_axis(sets, true[None].astype(int), 0).mean()
    assert covered == pytest.approx(0.8, abs=0.05)
    with rasterio.open(out / "set_sizes.tif") as dataset:
        assert dataset.tags()["OVERCAST_COVERAGE"] == "0.8"
        assert dataset.nodata == 255


def test_the_run_maps_so_from_then_on(
    out: Path, world: Path, sample: Path, tmp_path: Path
) -> None:
    run = out / "run"
    plain, named = load_run(run), model_hash(run)
    calibrate_map(out, ReferenceFile(sample), coverage=0.8)
    predictor = load_run(run)
    assert isinstance(predictor, Calibrated)
    assert type(predictor.predictor) is type(plain)
    assert model_hash(run) != named
    there = tmp_path / "there"
    images = {"s2": ImageInput(path=str(world / "s2.tif"), sensor="sentinel-2")}
    map_elsewhere(Runs((run,)), Data(images=images), there, None, False, quiet)
    np.testing.assert_array_equal(
        read(there / "confidence.tif"), read(out / "confidence.tif")
    )
    with rasterio.open(there / "map.tif") as dataset:
        tags = dataset.tags()
    assert tags["OVERCAST_MODEL"] == model_hash(run)
    assert float(tags["OVERCAST_TEMPERATURE"]) == pytest.approx(
        predictor.scaling.temperature, rel=1e-5
    )
    item = json.loads((run / "stac-item.json").read_text())
    assert model_hash(run) in item["id"]


def test_sets_by_class_are_asked_for_and_kept(sample: Path, out: Path) -> None:
    with pytest.raises(ValueError, match="coverage is 2, expected between 0 and 1"):
        calibrate_map(out, ReferenceFile(sample), coverage=2, by_class=True)
    calibrate_map(out, ReferenceFile(sample), coverage=0.8, by_class=True)
    found = read_calibration(out / "run")
    assert found is not None
    assert found.sets is not None
    assert found.sets.by_class
    assert "80 % of the pixels of every class" in (out / "report.html").read_text()


def test_several_runs_are_not_called_calibrated(
    out: Path, sample: Path, mapped: Path
) -> None:
    calibrate_map(out, ReferenceFile(sample))
    assert Runs((out / "run",)).calibration is not None
    assert Runs((out / "run", mapped / "run")).calibration is None
    assert Runs((out / "run",), views=8).calibration is None
    assert Runs((mapped / "run",)).calibration is None


def test_the_page_tells_of_it(out: Path, sample: Path) -> None:
    assert "not calibrated" in (out / "report.html").read_text()
    calibrate_map(out, ReferenceFile(sample), coverage=0.8)
    page = (out / "report.html").read_text()
    assert "not calibrated" not in page
    assert "calibrated on 500 pixels of sample.csv" in page
    assert "What its confidence means" in page
    assert "Estimated areas" in page
    assert "in 80 % of the pixels" in page


def test_it_is_done_once_unless_asked_again(
    out: Path, sample: Path, world: Path
) -> None:
    calibrate_map(out, ReferenceFile(sample))
    first = (out / "run" / NAME).read_bytes()
    with pytest.raises(ValueError, match="calibrated already; give --overwrite"):
        calibrate_map(out, ReferenceFile(sample))
    calibrate_map(out, ReferenceFile(world / "truth.tif"), overwrite=True)
    again = (out / "run" / NAME).read_bytes()
    assert again != first
    # Learned from the method's own confidence again, not from what was calibrated.
    calibrate_map(out, ReferenceFile(sample), overwrite=True)
    assert (out / "run" / NAME).read_bytes() == first


def test_a_stopped_one_goes_on(
    out: Path, sample: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    before = {p: p.read_bytes() for p in out.rglob("*") if p.is_file()}
    with monkeypatch.context() as patched:
        patched.setattr("overcast.jobs.after.make_page", stop)
        with pytest.raises(KeyboardInterrupt):
            calibrate_map(out, ReferenceFile(sample))
    assert all(path.read_bytes() == text for path, text in before.items())
    with monkeypatch.context() as patched:
        patched.setattr("overcast.jobs.calibrate.probabilities_of", stop)
        calibrate_map(out, ReferenceFile(sample))
    assert read_calibration(out / "run") is not None


def test_what_was_learned_from_is_refused(
    out: Path, world: Path, tmp_path: Path
) -> None:
    before = sorted(path.name for path in out.rglob("*"))
    with pytest.raises(ValueError, match=r"labels.tif: its cells are larger"):
        calibrate_map(out, ReferenceFile(world / "labels.tif"))
    with rasterio.open(world / "labels.tif") as labels:
        codes = labels.read(1)
    assert codes.size < 1000
    few = tmp_path / "few.csv"
    few.write_text("lon,lat,reference\n9,48,1\n")
    with pytest.raises(ValueError, match=r"few\.csv: knows no class where the map"):
        calibrate_map(out, ReferenceFile(few))
    with pytest.raises(ValueError, match=r"no run; expected plan\.yaml"):
        calibrate_map(tmp_path, ReferenceFile(few))
    assert sorted(path.name for path in out.rglob("*")) == before


def test_fine_labels_that_were_learned_from_are_refused(
    world: Path, tmp_path: Path
) -> None:
    images = {"s2": ImageInput(path=str(world / "s2.tif"), sensor="sentinel-2")}
    labels = LabelInput(path=str(world / "truth.tif"), legend=LEGEND.name)
    plan = Plan(
        data=Data(images=images, labels=labels), method={"name": "forest", "trees": 5}
    )
    make_map(plan, tmp_path / "out", None, False, quiet)
    with pytest.raises(ValueError, match="nothing to calibrate with: the reference is"):
        calibrate_map(tmp_path / "out", ReferenceFile(world / "truth.tif"))


def held_out(pixels: int, temperature: float) -> HeldOut:
    random = np.random.default_rng(0)
    true = random.dirichlet(np.full(4, 0.5), pixels).T
    classes = (true.cumsum(0) < random.random(pixels)).sum(0).astype(np.uint8)
    return HeldOut.of(scale(true, 1 / temperature).astype(np.float64), classes)


def test_the_temperature_that_was_put_in_is_found() -> None:
    found = calibrate(held_out(4000, 2.0), "x")
    assert found.scaling.temperature == pytest.approx(2, rel=0.1)
    assert found.pixels == 4000
    assert found.after.pixels.sum() == found.before.pixels.sum() == 4000
    assert found.after.expected_error < 0.02 < found.before.expected_error


def test_few_pixels_are_refused() -> None:
    with pytest.raises(ValueError, match=r"x: 49 pixels .* expected 50 or more"):
        calibrate(held_out(49, 1), "x")


def test_the_command(out: Path, sample: Path) -> None:
    arguments = ["calibrate", str(out), str(sample), "--sets", "0.9"]
    done = CliRunner().invoke(program, arguments)
    assert done.exit_code == 0, done.output
    summary = json.loads(done.stdout)
    assert summary["expected_error"]["after"] < summary["expected_error"]["before"]
    assert Path(summary["set_sizes"]).is_file()
    refused = CliRunner().invoke(program, [*arguments[:-1], "1.2"])
    assert refused.exit_code == 2


def test_ground_unlike_that_of_the_sample_is_not_noticed(
    out: Path, world: Path, sample: Path, tmp_path: Path
) -> None:
    """Darker land than any that was calibrated on: its confidence counts the same."""
    calibrate_map(out, ReferenceFile(sample))
    with rasterio.open(world / "s2.tif") as file:
        values, profile = file.read() // 3 + 200, file.profile
    with rasterio.open(tmp_path / "dark.tif", "w", **profile) as file:
        file.write(values)
    image = ImageInput(path=str(tmp_path / "dark.tif"), sensor="sentinel-2", offset=0)
    there = tmp_path / "there"
    runs = Runs((out / "run",))
    made = map_elsewhere(runs, Data(images={"s2": image}), there, None, False, quiet)
    assert not [note for note in made.notes if "calib" in note or "confidence" in note]
    page = (there / "report.html").read_text()
    assert "calibrated on 500 pixels of sample.csv" in page
