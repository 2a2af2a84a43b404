"""A log read back: the means of pseudo-labels' accuracies, and their place in a report."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from overcast.geo.legend import load_legend
from overcast.report.page import Page, Panel, write_report
from overcast.report.quicklook import png
from overcast.report.training_log import PseudoLabels, pseudo_labels, read_log

NAMES = ("Forest", "Water", "Urban")


def record(step: int, right: float = 0.5, **more: float) -> dict[str, float]:
    groups = {" edge": 0.25, **{f" of {k}": share for k, share in enumerate((1, 0, 0))}}
    gauges = {f"pixels{group}": share for group, share in groups.items()}
    for group in ("", *groups):
        gauges |= {f"right before{group}": right, f"right after{group}": right + 0.1}
    return {"step": step, "loss": 1.0, **gauges, **more}


def found(log: list[dict[str, float]]) -> PseudoLabels:
    made = pseudo_labels(log, NAMES)
    assert made is not None
    return made


def test_a_log_is_read_back(tmp_path: Path) -> None:
    log = [{"step": 0, "loss": 2.5}, {"step": 1, "loss": 1.5}]
    text = "".join(f"{json.dumps(line)}\n" for line in log)
    (tmp_path / "log.jsonl").write_text(text, encoding="utf-8")
    assert read_log(tmp_path / "log.jsonl") == log
    assert read_log(tmp_path / "none.jsonl") == []


def test_training_is_told_in_four_stretches_that_leave_nothing_out() -> None:
    stretches = found([record(step, step / 10) for step in range(10)]).stretches
    assert [(part.first, part.last) for part in stretches] == [
        *((0, 1), (2, 4), (5, 7), (8, 9))
    ]
    assert [part.everywhere.before for part in stretches] == pytest.approx(
        [0.05, 0.3, 0.6, 0.85]
    )
    assert stretches[0].everywhere.after == pytest.approx(0.15)
    assert len(found([record(0)]).stretches) == 1


def test_steps_count_by_their_pixels() -> None:
    few = record(0, **{"pixels edge": 0.1, "right after edge": 1.0})
    many = record(1, **{"pixels edge": 0.3, "right after edge": 0.0})
    log = [record(-1)] * 6 + [few, many]  # the last of four stretches
    edges = found(log).stretches[-1].edges
    assert (edges.pixels, edges.after) == pytest.approx((0.2, 0.25))


def test_classes_that_are_not_there_are_left_out() -> None:
    log = [record(0, **{"pixels of 2": 0.5, "right before of 2": 0.75})]
    classes = found(log).classes
    assert list(classes) == ["Forest", "Urban"]
    assert [right.before for right in classes["Urban"]] == [0.75]
    nowhere = found([record(0, **{"pixels edge": 0.0})]).stretches[0].edges
    assert (nowhere.before, nowhere.after) == (None, None)


def test_a_run_without_truth_tells_nothing_of_it() -> None:
    assert pseudo_labels([{"step": 0, "loss": 1.0}], NAMES) is None
    assert pseudo_labels([], NAMES) is None


@pytest.mark.parametrize("known", [True, False])
def test_the_report_shows_them_where_they_are_known(
    tmp_path: Path, known: bool
) -> None:
    legend = load_legend("simplified-igbp")
    given: dict[str, Any] = {"pseudo_labels": found([record(7)]) if known else None}
    page = Page(
        title="Land cover",
        legend=legend,
        panels=[Panel(title="Map", picture=png(np.zeros((4, 4, 4), np.uint8)))],
        areas_ha=[1.0] * len(legend),
        **given,
    )
    write_report(page, tmp_path / "report.html")
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert ("How right its pseudo-labels were" in text) == known
    assert ("7 to 7</th><td>50.0</td><td>60.0</td>" in text) == known
