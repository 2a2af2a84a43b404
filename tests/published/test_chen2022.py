from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bench.published.benchmark import Job, Result, find
from bench.published.chen2022 import (
    PUBLISHED,
    divided,
    drawn,
    few_labels,
    stack_of,
)
from bench.published.patches import whole
from bench.published.ssl_settings import LABELS, Settings

from overcast.datasets import dfc2020
from overcast.datasets.dataset import Dataset
from overcast.plan import choose
from overcast.progress import quiet

FOREST = {"name": "forest", "filtered": False, "trees": 3, "samples": 2_000}


def job(root: Path, folder: Path, **settings: Any) -> Job:
    return Job(
        root=root,
        test_root=None,
        folder=folder,
        quick=True,
        settings=settings,
        seed=0,
        progress=quiet,
    )


ARMS = {
    "scratch": {},
    "linear": {"start": "pretrained", "frozen": True},
    "fine-tuned": {"start": "pretrained", "schedule": {"steps": 2, "peak_rate": 1e-6}},
    "forest": FOREST,
}


@pytest.fixture(scope="module")
def made(local_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("ssl")
    return folder, few_labels(job(local_root, folder, arms=ARMS, labels=[2, 9]))


def test_every_arm_has_every_number_of_labels_that_there_is(
    made: tuple[Path, Result],
) -> None:
    _, result = made
    rows = [(row["name"], row["labels"]) for row in result.tree["rows"]]
    names = ["middle, scratch", "middle, linear", "middle, fine-tuned", "forest"]
    assert rows == [(name, 2) for name in names]
    *_, left, unknown = result.tree["notes"]
    assert left == "only 4 patches to learn from: 9 left out"
    assert "don't say their region" in unknown


def test_both_conventions_are_of_the_same_counts(made: tuple[Path, Result]) -> None:
    _, result = made
    for row in result.tree["rows"]:
        scores = row["scores"]
        assert scores["pixels"] == 3 * 128 * 128
        present = len(scores["classes_present"])
        ious = [scores["per_class"][n]["iou"] for n in scores["classes_present"]]
        assert scores["mean_iou"] == pytest.approx(np.mean(ious), abs=1e-5)
        deflated = scores["mean_iou"] * present / 10
        assert scores["mean_iou_all_classes"] == pytest.approx(deflated, abs=1e-5)


def test_a_frozen_encoder_stays_and_a_free_one_learns(
    made: tuple[Path, Result],
) -> None:
    from safetensors.torch import load_file

    arms = made[0] / "arms"
    before = load_file(arms / "middle, pretrained" / "encoder.safetensors")
    frozen, free, other = (
        load_file(arms / f"middle, {arm}, 2 labels" / "model.safetensors")
        for arm in ("linear", "fine-tuned", "scratch")
    )
    stem = "stems.s1.weight"
    assert (before[stem] == frozen[stem]).all()
    assert 0 < (before[stem] - free[stem]).abs().max() < 1e-4
    assert (before[stem] - other[stem]).abs().max() > 1e-3


def test_goes_on_where_it_was_stopped(
    made: tuple[Path, Result], local_root: Path
) -> None:
    folder, result = made
    before = {p: p.stat().st_mtime_ns for p in (folder / "arms").rglob("*")}
    again = few_labels(job(local_root, folder, arms=ARMS, labels=[2, 9]))
    assert again.tree == result.tree
    assert all(p.stat().st_mtime_ns == t for p, t in before.items())


def test_the_page_has_both_tables_and_the_papers_rows(
    made: tuple[Path, Result], local_root: Path, tmp_path: Path
) -> None:
    page = made[1].page
    assert page.count("| middle, fine-tuned |") == 4
    assert "Not as in the paper" in page
    assert "Patches tested: ROIs0000_validation/validation (3)" in page
    assert json.loads(json.dumps(made[1].tree))["published"]["labels"] == list(LABELS)
    assert all(len(values) == len(LABELS) for values in PUBLISHED.values())


def test_no_scene_is_learned_and_tested(tmp_path: Path, local: Dataset) -> None:
    dfc2020.fake(tmp_path, public=True)
    public = dfc2020.open(tmp_path)
    for dataset, regions in ((local, ()), (public, ("Mumbai",))):
        learn, test = divided(dataset, regions, 0)
        assert learn
        assert test
        assert not {p.scene for p in learn} & {p.scene for p in test}
    assert {p.scene for p in test} == {"ROIs0000_autumn/Mumbai"}
    with pytest.raises(ValueError, match=r"can't test Delhi .*BlackForest"):
        divided(public, ("Delhi",), 0)
    with pytest.raises(ValueError, match=r"can't test Mumbai .*validation, test"):
        divided(local, ("Mumbai",), 0)
    with pytest.raises(ValueError, match="and learn from the rest"):
        divided(public, (), 0)  # two regions are all there are


def test_more_labels_hold_the_fewer_ones(local: Dataset) -> None:
    patches = local.split("test")
    draws = [drawn(patches, count, 3) for count in (1, 2, 4)]
    assert draws[1][:1] == draws[0]
    assert draws[2][:2] == draws[1]
    assert len({patch.name for patch in draws[2]}) == 4


def test_images_are_the_papers(local: Dataset) -> None:
    stack = stack_of(local.split("test")[0], "fine")
    chip = stack.read(whole(stack))
    assert {n: s.names for n, s in stack.sensors.items()} == {
        "s1": ("VV", "VH"),
        "s2": ("B02", "B03", "B04", "B08"),
    }
    patch = local.split("test")[0].stack("fine")
    for name, low, high in (("s1", -25, 0), ("s2", 0, 1)):
        image = chip.images[name]
        full = patch.images[name].read(stack.grid)
        places = [full.sensor.names.index(b) for b in image.sensor.names]
        expected = np.clip(full.values[places], low, high)
        np.testing.assert_array_equal(image.values, expected)
        scaled = image.sensor.to_network(image.values)
        np.testing.assert_allclose(scaled, (expected - low) / (high - low), atol=1e-6)


def test_the_defaults_are_what_methods_take() -> None:
    settings = Settings()
    for network in settings.networks:
        pretraining = settings.pretraining_of(network)
        assert pretraining["recipe"]["fusion"] == pretraining["model"]["fusion"]
        choose("recipes", choose("methods", pretraining).recipe)
        for arm, own in settings.arms.items():
            choose(
                "methods", own if "name" in own else settings.method_of(network, arm)
            )


def test_says_what_is_wrong(local_root: Path, tmp_path: Path) -> None:
    assert find("dfc2020-ssl") is few_labels
    with pytest.raises(ValueError, match="did you mean labels"):
        few_labels(job(local_root, tmp_path, label=[1]))
    with pytest.raises(ValueError, match="4 patches to learn from; set labels lower"):
        few_labels(job(local_root, tmp_path, labels=[9, 10]))
    for wrong in ({"labels": [0]}, {"unlabelled": 0}, {"test": 0}):
        with pytest.raises(ValueError, match="1 or more each"):
            Settings(**wrong)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="arms must not be empty"):
        Settings(arms={})
