"""What fails after mapping is a note; the map is there, and so is what was learned."""

from __future__ import annotations

import errno
import json
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pytest
import rasterio

from overcast.accuracy.reference import ReferenceFile
from overcast.errors import MachineError
from overcast.inputs import open_inputs
from overcast.jobs.after import attempt
from overcast.jobs.mapping import JobResult, make_map, map_elsewhere, train_only
from overcast.jobs.pseudo import make_pseudo_labels
from overcast.jobs.reporting import findings_with
from overcast.jobs.scoring import SCORES, read_scores
from overcast.plan import Data, ImageInput, LabelInput, Plan, replace_labels
from overcast.product.stac import write_item
from overcast.progress import quiet
from overcast.run import Runs
from tests.rasters import utm, write

pytestmark = pytest.mark.filterwarnings("ignore:Use .@. matmul")

SHAPE = (64, 96)
LEGEND = "code,name,colour\n1,Water,0000ff\n2,Forest,006600\n"
CODES = np.where(np.arange(SHAPE[1]) // 8 % 2, 1, 2)[None].repeat(SHAPE[0], 0)
CODES = CODES.astype(np.uint8)
METHOD = {"name": "forest", "trees": 5, "samples": 500}
MAPPED = {"map.tif", "confidence.tif", "legend.csv", "stac-item.json", "report.html"}


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    """Labels on the left half of a scene, whose backscatter tells the classes."""
    radar = np.where(CODES == 1, -20, -9) + np.float32([[[0]], [[-6]]])
    noise = np.random.default_rng(0).normal(0, 0.5, radar.shape)
    write(tmp_path / "s1.tif", (radar + noise).astype(np.float32), utm(SHAPE))
    (tmp_path / "legend.csv").write_text(LEGEND, encoding="utf-8")
    left = CODES.copy()
    left[:, 48:] = 0
    write(tmp_path / "left.tif", left, utm(SHAPE), nodata=0)
    right = CODES.copy()
    right[:, :48] = 0
    write(tmp_path / "right.tif", right, utm(SHAPE), nodata=0)
    image = ImageInput(path=str(tmp_path / "s1.tif"), sensor="sentinel-1")
    labels = LabelInput(
        path=str(tmp_path / "left.tif"), legend=str(tmp_path / "legend.csv")
    )
    return Plan(data=Data(images={"s1": image}, labels=labels), method=METHOD)


def mapped(plan: Plan, out: Path, reference: Path | None) -> JobResult:
    truth = None if reference is None else ReferenceFile(reference)
    return make_map(plan, out, truth, False, quiet)


def share_right(out: Path) -> float:
    with rasterio.open(out / "map.tif") as dataset:
        return float((dataset.read(1) == CODES).mean())


def stop(*_: object, **__: object) -> NoReturn:
    raise RuntimeError("a fault")


def test_a_split_of_the_labels_scores_the_map_and_leaves_the_labels_out(
    plan: Plan, tmp_path: Path
) -> None:
    made = mapped(plan, tmp_path / "out", tmp_path / "right.tif")
    assert share_right(tmp_path / "out") > 0.95
    assert set(made.scores) == {"forest", "map"}
    assert made.scores["map"]["pixels"] == 48 * 64
    assert made.scores["map"]["overall_accuracy"] > 0.95
    note = "no scores of the labels: they have no pixel in common with the reference"
    assert note in made.notes
    tree = json.loads((tmp_path / "out" / SCORES).read_text(encoding="utf-8"))
    assert tree["failed"] == [note]
    assert set(tree) == {"forest", "map", "failed"}
    assert note in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")


def test_points_on_other_pixels_than_the_labels(plan: Plan, tmp_path: Path) -> None:
    from pyproj import Transformer

    there = Transformer.from_crs(32632, 4326, always_xy=True)
    east, north = 600_005 + 10 * np.arange(60, 90), np.full(30, 5_299_800)
    places = np.stack([*there.transform(east, north), CODES[20, 60:90]], 1)
    text = "\n".join(f"{x:.9f},{y:.9f},{int(c)}" for x, y, c in places)
    points = tmp_path / "points.csv"
    points.write_text(f"lon,lat,reference\n{text}\n", encoding="utf-8")
    made = mapped(plan, tmp_path / "out", points)
    assert set(made.scores) == {"forest", "map"}
    assert made.scores["map"]["pixels"] == 30


@pytest.mark.parametrize("row", ["_score_forest", "on_labels", "reliability_against"])
def test_a_row_that_fails_is_left_out(
    plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, row: str
) -> None:
    monkeypatch.setattr(f"overcast.jobs.scoring.{row}", stop)
    made = mapped(plan, tmp_path / "out", tmp_path / "right.tif")
    lost = "forest" if row == "_score_forest" else "map"
    assert set(made.scores) == {"forest", "map"} - {lost}
    assert f"no scores of the {lost}: RuntimeError: a fault" in made.notes
    assert MAPPED | {"run", SCORES} <= {p.name for p in (tmp_path / "out").iterdir()}
    assert share_right(tmp_path / "out") > 0.95
    scored = read_scores(tmp_path / "out" / SCORES)
    assert set(scored.scores) == set(made.scores)
    inputs = open_inputs(plan.data)
    again = findings_with(
        {"notes": [], "estimates": {}}, tmp_path / "out", inputs, None
    )
    assert "failed" not in again.scores
    assert f"no scores of the {lost}: RuntimeError: a fault" in again.notes


@pytest.mark.parametrize(
    ("part", "lost", "note"),
    [
        ("make_page", "report.html", "no report: RuntimeError: a fault"),
        ("publish_map", "stac-item.json", "no STAC item of the map: RuntimeError"),
        ("publish_run", None, "no STAC item of the run: RuntimeError"),
    ],
)
def test_a_page_or_item_that_fails_costs_no_map(
    plan: Plan,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    part: str,
    lost: str | None,
    note: str,
) -> None:
    monkeypatch.setattr(f"overcast.jobs.after.{part}", stop)
    made = mapped(plan, tmp_path / "out", None)
    assert any(said.startswith(note) for said in made.notes)
    written = {p.name for p in (tmp_path / "out").iterdir()}
    assert (MAPPED | {"run"}) - written == ({lost} if lost else set())
    assert share_right(tmp_path / "out") > 0.95
    if part == "publish_run":
        assert any(
            said.startswith(note)
            for said in train_only(plan, tmp_path / "trained", False, quiet).notes
        )
        assert (tmp_path / "trained" / "run" / "forest.safetensors").is_file()


def test_a_map_elsewhere_is_kept_too(
    plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mapped(plan, tmp_path / "out", None)
    runs, bare = Runs((tmp_path / "out",)), replace_labels(plan.data, None)
    monkeypatch.setattr("overcast.jobs.mapping.score_map", stop)
    truth = ReferenceFile(tmp_path / "right.tif")
    made = map_elsewhere(runs, bare, tmp_path / "there", truth, False, quiet)
    assert made.scores == {}
    assert "no scores of the map: RuntimeError: a fault" in made.notes
    assert {p.name for p in (tmp_path / "there").iterdir()} >= MAPPED
    monkeypatch.setattr("overcast.jobs.pseudo.keep_agreed", stop)
    pseudo = make_pseudo_labels(runs, bare, tmp_path / "pseudo", truth, False, quiet)
    assert (
        "not compared with the official labels: RuntimeError: a fault" in pseudo.notes
    )
    assert {"map.tif", "probabilities.tif"} <= {
        p.name for p in (tmp_path / "pseudo").iterdir()
    }
    assert not (tmp_path / "pseudo" / "agreed.tif").exists()


def test_a_reference_of_another_place_is_refused_before_the_work(
    plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "far.tif", CODES, utm(SHAPE, east=700_000))
    write(tmp_path / "empty.tif", np.zeros(SHAPE, np.uint8), utm(SHAPE, east=601_000))
    (tmp_path / "far.csv").write_text("lon,lat,reference\n20,10,1\n", encoding="utf-8")
    mapped(plan, tmp_path / "out", None)
    runs, bare = Runs((tmp_path / "out",)), replace_labels(plan.data, None)
    monkeypatch.setattr("overcast.jobs.mapping.train_run", stop)
    monkeypatch.setattr("overcast.jobs.mapping.map_run", stop)
    monkeypatch.setattr("overcast.jobs.pseudo.map_run", stop)
    for name in ("far.tif", "far.csv"):
        truth = ReferenceFile(tmp_path / name)
        for work in (
            lambda truth=truth: make_map(plan, tmp_path / "no", truth, False, quiet),
            lambda truth=truth: map_elsewhere(
                runs, bare, tmp_path / "no", truth, False, quiet
            ),
            lambda truth=truth: make_pseudo_labels(
                runs, bare, tmp_path / "no", truth, False, quiet
            ),
        ):
            with pytest.raises(ValueError, match=name):
                work()
    assert not (tmp_path / "no").exists()


def test_what_was_learned_outlives_a_mapping_that_fails(
    plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> NoReturn:
        raise ValueError("s1.tif: a block can't be read")

    with monkeypatch.context() as patched:
        patched.setattr("overcast.jobs.mapping.map_run", refuse)
        with pytest.raises(ValueError, match="can't be read"):
            mapped(plan, tmp_path / "out", None)
    with monkeypatch.context() as patched:
        patched.setattr("overcast.jobs.mapping.train_run", stop)
        mapped(plan, tmp_path / "out", None)
    assert share_right(tmp_path / "out") > 0.95
    with monkeypatch.context() as patched:
        patched.setattr("overcast.jobs.mapping.train_run", refuse)
        with pytest.raises(ValueError, match="can't be read"):
            mapped(plan, tmp_path / "fresh", None)
    assert not (tmp_path / "fresh").exists()


def test_an_image_that_a_run_does_not_read_is_refused(
    plan: Plan, tmp_path: Path
) -> None:
    mapped(plan, tmp_path / "out", None)
    image = ImageInput(path=str(tmp_path / "s1.tif"), sensor="sentinel-1")
    more = Data(images={"s1": image, "other": image})
    runs = Runs((tmp_path / "out",))
    with pytest.raises(
        ValueError, match=r"other: given, and not read; .* maps from s1"
    ):
        map_elsewhere(runs, more, tmp_path / "there", None, False, quiet)
    with pytest.raises(
        ValueError, match=r"other: given, and not read; .* maps from s1"
    ):
        make_pseudo_labels(runs, more, tmp_path / "there", None, False, quiet)


def test_another_landscape_is_not_noticed(plan: Plan, tmp_path: Path) -> None:
    """Backscatter that the run never saw: as sure, all wrong, and not a word."""
    mapped(plan, tmp_path / "out", None)
    with rasterio.open(tmp_path / "s1.tif") as file:
        wet = file.read() + np.where(CODES == 1, 11, -11).astype(np.float32)
    path = write(tmp_path / "wet.tif", wet, utm(SHAPE, east=640_000))
    image = ImageInput(path=str(path), sensor="sentinel-1")
    there = tmp_path / "there"
    runs = Runs((tmp_path / "out",))
    away = map_elsewhere(runs, Data(images={"s1": image}), there, None, False, quiet)
    assert share_right(there) < 0.05
    assert away.notes == ()
    with rasterio.open(there / "confidence.tif") as sure:
        assert sure.read(1).mean() > 0.9


def test_pixels_beside_training_pixels_are_not_noticed(
    plan: Plan, tmp_path: Path
) -> None:
    """Labels on even columns, the reference on odd ones: neighbours, and alike."""
    for name, odd in (("left.tif", 0), ("right.tif", 1)):
        part = np.where(np.arange(SHAPE[1]) % 2 == odd, CODES, 0).astype(np.uint8)
        write(tmp_path / name, part, utm(SHAPE), nodata=0)
    made = mapped(plan, tmp_path / "out", tmp_path / "right.tif")
    assert [n for n in made.notes if "reference" in n] == [
        "no scores of the labels: they have no pixel in common with the reference"
    ]


def test_a_full_disk_after_mapping_is_no_note(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With room, the same command goes on from the map; no cut file stays before."""

    def fill(path: Path, text: str, **_: object) -> NoReturn:
        path.write_bytes(text.encode()[:9])
        raise OSError(errno.ENOSPC, "", str(path))

    monkeypatch.setattr(Path, "write_text", fill)
    with pytest.raises(MachineError, match=r"stac-item\.json: the disk is full"):
        attempt("no item", lambda: write_item({"a": "long enough"}, tmp_path), None)
    assert not (tmp_path / "stac-item.json").exists()
    assert attempt("no item", lambda: int("x"), 3) == (
        3,
        ["no item: invalid literal for int() with base 10: 'x'"],
    )
