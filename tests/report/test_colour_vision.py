"""Colours as they are seen, against printed values, and palettes for everybody."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from overcast.cli import program
from overcast.geo.legend import built_in_legends, load_legend
from overcast.report.colour_vision import _SEEN, closest, lab, told_apart


def test_lab_of_primaries_as_printed_for_srgb() -> None:
    seen = lab(np.uint8([[255, 255, 255], [255, 0, 0], [0, 0, 255], [0, 0, 0]]))
    printed = [[100, 0, 0], [53.24, 80.09, 67.20], [32.30, 79.19, -107.86], [0, 0, 0]]
    assert seen == pytest.approx(np.array(printed), abs=0.05)


def test_grey_stays_grey_to_everybody() -> None:
    grey = np.uint8([[90, 90, 90], [200, 200, 200]])
    for vision, matrix in _SEEN.items():
        assert matrix.sum(1) == pytest.approx(1, abs=1e-5)
        assert lab(grey, vision) == pytest.approx(lab(grey), abs=0.01)


def test_red_and_green_are_near_to_the_red_green_blind() -> None:
    pair = np.uint8([[180, 90, 40], [110, 120, 40]])

    def gap(vision: str) -> float:
        return float(np.linalg.norm(np.subtract(*lab(pair, vision))))

    assert gap("full colour vision") > 40
    assert gap("deuteranopia") < 0.5 * gap("full colour vision")
    assert gap("tritanopia") > 0.5 * gap("full colour vision")


@pytest.mark.parametrize("name", built_in_legends())
def test_every_built_in_legend_has_a_palette_for_everybody(name: str) -> None:
    legend = load_legend(name)
    apart = told_apart(legend)
    assert apart.same_as(legend)
    worst = min(gap for gap, *_ in closest(apart).values())
    assert worst >= 10
    assert worst > min(gap for gap, *_ in closest(legend).values())


def test_by_command(tmp_path: Path) -> None:
    out = tmp_path / "worldcover.csv"
    done = CliRunner().invoke(program, ["palette", "worldcover", "--out", str(out)])
    result = json.loads(done.stdout)
    assert load_legend(out).same_as(load_legend("worldcover"))
    then = result["then"]["deuteranopia"]["distance"]
    assert then > result["smallest_distances"]["deuteranopia"]["distance"]
    again = CliRunner().invoke(program, ["palette", "worldcover", "--out", str(out)])
    assert "exists" in str(again.exception)
