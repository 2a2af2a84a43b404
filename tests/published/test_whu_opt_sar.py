"""Few labels on a miniature of WHU-OPT-SAR: who learns from what, and what is said."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from bench.published.benchmark import Job, Result, find, run_benchmark
from bench.published.whu_opt_sar import (
    PUBLISHED,
    Settings,
    few_labels,
    labelled_scenes,
)

from overcast.datasets import whu_opt_sar
from overcast.progress import quiet

TINY = {
    "network": {
        "model": {"name": "fcn", "width": 4, "dilations": [1]},
        "schedule": {"steps": 2, "warmup": 1},
        "window": 16,
        "batch": 2,
    },
    "shares": [2],
}
RECIPES = ["supervised", "mean_teacher", "fixmatch", "cross_pseudo", "dllr"]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("whu-opt-sar")
    whu_opt_sar.fake(root)
    return root


@pytest.fixture(scope="module")
def made(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Result:
    folder = tmp_path_factory.mktemp("few")
    return few_labels(job(root, folder))


def job(root: Path, folder: Path, **settings: Any) -> Job:
    return Job(
        root=root,
        test_root=None,
        folder=folder,
        quick=True,
        settings={**TINY, **settings},
        seed=0,
        progress=quiet,
    )


def test_every_recipe_learns_from_every_share(made: Result) -> None:
    rows = [(row["recipe"], row["share"]) for row in made.tree["rows"]]
    assert rows == [("supervised", 1), *((recipe, 2) for recipe in RECIPES)]
    labelled = [row["labelled"] for row in made.tree["rows"]]
    assert [len(scenes) for scenes in labelled] == [2, 1, 1, 1, 1, 1]
    assert not {s for scenes in labelled for s in scenes} & whu_opt_sar.TEST_SCENES


def test_all_known_pixels_of_both_test_scenes_are_scored(made: Result) -> None:
    for row in made.tree["rows"]:
        # 96 x 160 pixels each, of which ten columns are background.
        assert row["scores"]["pixels"] == 2 * 96 * 150
        assert row["scores"]["unmapped_pixels"] == 0


def test_recovered_is_between_labels_alone_and_all(made: Result) -> None:
    full, naive, *others = made.tree["rows"]
    gap = full["scores"]["mean_iou"] - naive["scores"]["mean_iou"]
    if gap > 0:
        assert (naive["recovered"], full["recovered"]) == (0, None)
        for row in others:
            more = row["scores"]["mean_iou"] - naive["scores"]["mean_iou"]
            assert row["recovered"] == pytest.approx(more / gap)
    else:
        assert {row["recovered"] for row in made.tree["rows"]} == {None}


def test_the_page_says_what_it_is_and_that_there_is_no_map(made: Result) -> None:
    for words in (
        "A quick run",
        "2 train, 2 test scenes, of 100",
        "no place on the ground, and maps of them have none",
        "| dllr | 1 (1 in 2) |",
        *(f"| {name} | {value:.1f} |" for name, value in PUBLISHED.items()),
    ):
        assert words in made.page
    table = [line for line in made.page.splitlines() if line.startswith("| ")]
    assert len({line.count("|") for line in table[: 1 + 6]}) == 1


def test_pseudo_labels_of_scenes_without_labels_are_diagnosed(made: Result) -> None:
    *others, dllr = made.tree["rows"]
    assert {row["pseudo_labels"] for row in others} == {None}
    stretches = dllr["pseudo_labels"]["stretches"]
    assert [part["first"] for part in stretches] == [0, 1]
    assert all(0 <= part["everywhere"]["after"] <= 1 for part in stretches)
    assert "## Pseudo-labels of dllr, 1 in 2, %" in made.page


def test_the_same_again_has_the_same_scores_and_keeps_them(
    root: Path, made: Result, tmp_path: Path
) -> None:
    few = {"recipes": {"supervised": {"name": "supervised"}}}
    asked = {"root": root, "test_root": None, "quick": True, "seed": 0}
    asked["settings"] = {**TINY, **few}
    assert find("whu-opt-sar") is few_labels
    files = run_benchmark("whu-opt-sar", tmp_path / "out", False, asked, quiet)
    tree = json.loads(Path(files["results"]).read_text("utf-8"))
    kept = {p.name: p for p in Path(files["arms"]).glob("*.json")}
    assert set(kept) == {"supervised 1 in 1.json", "supervised 1 in 2.json"}
    assert [row["scores"] for row in tree["rows"]] == [
        row["scores"] for row in made.tree["rows"][:2]
    ]


def test_labelled_scenes_are_nested_and_drawn_by_the_seed() -> None:
    scenes: Any = [f"scene {n}" for n in range(80)]
    few, more = (labelled_scenes(scenes, share, 3) for share in (16, 8))
    assert (len(few), len(more)) == (5, 10)
    assert set(few) < set(more)
    assert labelled_scenes(scenes, 16, 3) == few != labelled_scenes(scenes, 16, 4)
    assert sorted(labelled_scenes(scenes, 1, 3)) == sorted(scenes)
    assert len(labelled_scenes(scenes[:3], 16, 0)) == 1


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"shares": [1]}, "shares must be 2 or more"),
        ({"recipes": {"dllr": {"name": "dllr"}}}, "recipes must have 'supervised'"),
        ({"network": {"recipe": {"name": "dllr"}}}, "name it among recipes"),
        ({"most": 0}, "most must be 1 or more"),
    ],
)
def test_settings_are_checked(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Settings(**settings)
