"""Under clouds on miniatures: who sees what, and what is scored apart."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bench.published.benchmark import run_benchmark
from bench.published.clouded import PARTS, assess
from bench.published.m3m_cr import CASE as M3M_CR
from bench.published.under_clouds import ARMS, NAIVE, ORACLE, Case, Settings
from bench.published.whu_clouds import CASE as WHU_OPT_SAR
from numpy.typing import NDArray

from overcast.datasets import m3m_cr, whu_opt_sar
from overcast.geo.bands import Sensor
from overcast.geo.legend import Legend
from overcast.geo.raster import UNKNOWN
from overcast.geo.stack import Chip
from overcast.geo.tiling import Tiling
from overcast.progress import quiet

TINY = {
    "network": {
        "model": {"name": "cloudseg", "widths": [4, 4], "looks": 1},
        "schedule": {"steps": 2, "warmup": 1},
        "window": 16,
        "batch": 2,
    },
    "recipe": {"teacher_steps": 1},
}
CASES = {
    "m3m-cr": (M3M_CR, m3m_cr.fake),
    "whu-opt-sar-clouds": (WHU_OPT_SAR, whu_opt_sar.fake),
}


@pytest.fixture(scope="module", params=CASES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def case(name: str) -> Case:
    return CASES[name][0]


@pytest.fixture(scope="module")
def root(name: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp(name)
    CASES[name][1](root)
    return root


@pytest.fixture(scope="module")
def made(
    name: str, root: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Any]:
    asked = {
        "root": root,
        "test_root": None,
        "quick": True,
        "settings": TINY,
        "seed": 0,
    }
    out = tmp_path_factory.mktemp("bench") / "out"
    files = run_benchmark(name, out, False, asked, quiet)
    tree: dict[str, Any] = json.loads(Path(files["results"]).read_text("utf-8"))
    return {**tree, "page": Path(files["report"]).read_text("utf-8")}


def test_every_arm_is_scored_over_all_clear_and_cloudy_pixels(
    made: dict[str, Any], root: Path, case: Case
) -> None:
    assert tuple(made["rows"]) == ARMS
    known, cloudy = [], []
    for patch in case.open(root).split("test"):
        stack = case.stack(patch)
        assert stack.labels is not None
        known.append(stack.labels.read(stack.grid).values != UNKNOWN)
        cloudy.append(stack.images["cloud"].read(stack.grid).values[0] > 0.5)
    known, cloudy = np.stack(known), np.stack(cloudy)
    for arm, row in made["rows"].items():
        counted = {
            part: row["scores"][part]["pixels"] + row["scores"][part]["unmapped_pixels"]
            for part in PARTS
        }
        assert counted == {
            "all": known.sum(),
            "clear": (known & ~cloudy).sum(),
            "cloudy": (known & cloudy).sum(),
        }, arm


def test_recovered_is_between_fusion_and_clear_images(made: dict[str, Any]) -> None:
    rows = made["rows"]
    under = {arm: rows[arm]["scores"]["cloudy"]["mean_iou"] for arm in ARMS}
    gap = under[ORACLE] - under[NAIVE]
    for arm, row in rows.items():
        if gap > 0:
            assert row["recovered"] == pytest.approx((under[arm] - under[NAIVE]) / gap)
        else:
            assert row["recovered"] is None


def test_the_page_has_a_row_for_every_arm(made: dict[str, Any]) -> None:
    for arm in ARMS:
        assert made["page"].count(f"| {arm} |") == 2
    for words in ("quick run", "clear: mIoU", "Licence", "Not as in the paper"):
        assert words in made["page"]


class _Constant:
    """Says one class where Sentinel-1 is and counts what it was shown."""

    def __init__(self, legend: Legend, sensors: dict[str, Sensor]) -> None:
        self.legend, self.sensors, self.halo = legend, sensors, 0
        self.shown: set[str] = set()

    def predict(self, chip: Chip) -> NDArray[np.float32]:
        self.shown |= chip.images.keys()
        found = np.zeros((len(self.legend), *chip.grid.shape), np.float32)
        found[0] = 1
        return found


def test_targets_are_not_shown_and_parts_add_up(tmp_path: Path) -> None:
    m3m_cr.fake(tmp_path)
    stacks = m3m_cr.open(tmp_path).stacks("train", "fine")
    predictor = _Constant(m3m_cr.LEGEND, stacks[0].sensors)
    found = assess(predictor, stacks, "cloud", Tiling(64, 16))
    assert predictor.shown == {"planet", "s1"}
    both = found["clear"] + found["cloudy"]
    np.testing.assert_array_equal(found["all"].counts, both.counts)
    assert found["all"].mapped[1:].sum() == 0


def test_settings_name_what_is_missing() -> None:
    with pytest.raises(ValueError, match="network must have batch, model"):
        Settings(network={"model": {"name": "fcn"}})
    with pytest.raises(ValueError, match="most must be 1 or more"):
        Settings(most=0)
