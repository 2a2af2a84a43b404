"""Drawings put every value where it belongs, and nothing outside."""

from __future__ import annotations

import math
import re
from datetime import date
from xml.etree import ElementTree

import numpy as np
import pytest

from overcast.accuracy.calibration import Reliability
from overcast.report.charts import (
    bar,
    reliability_diagram,
    timeline,
    training_curve,
    whisker,
)


def circles(text: str) -> list[tuple[float, float, float]]:
    """Centre and radius of every dot."""
    tree = ElementTree.fromstring(text)
    dots = tree.iter("circle")
    return [tuple(float(d.attrib[n]) for n in ("cx", "cy", "r")) for d in dots]


def test_dots_lie_at_confidence_and_accuracy() -> None:
    sure = np.array([0.3] * 10 + [0.9] * 30)
    right = np.arange(40) % 10 < 5
    (first, second) = circles(
        reliability_diagram({"x": Reliability.of(sure, right, np.array([0, 0.5, 1]))})
    )
    assert first[:2] == pytest.approx((0.3 * 320, 0.5 * 320), abs=0.1)
    assert second[:2] == pytest.approx((0.9 * 320, 0.5 * 320), abs=0.1)
    assert (second[2] / first[2]) ** 2 == pytest.approx(3, rel=0.05)


def test_dates_lie_in_time_and_as_high_as_they_saw() -> None:
    days = {date(2024, 1, 1): 1.0, date(2024, 3, 1): 0.25, date(2024, 12, 26): 0.5}
    drawn = timeline({"s2 <b>": days, "s1": {date(2024, 1, 1): 0.0}})
    assert drawn is not None
    places = np.array(circles(drawn))[:, :2]
    # 60 and 360 days after the first; a series of one date is left out.
    expected = [(0, 0), (640 * 60 / 360, 90), (640, 60)]
    np.testing.assert_allclose(places, expected, atol=0.1)
    assert "s2 &lt;b&gt; 2024-03-01: 25%" in drawn
    assert "<script" not in drawn
    assert timeline({"s1": {date(2024, 1, 1): 1.0}}) is None
    assert timeline({}) is None


def test_nothing_measured_draws_the_diagonal_alone() -> None:
    nothing = Reliability.of(np.empty(0), np.empty(0, np.bool_))
    text = reliability_diagram({"x": nothing})
    assert circles(text) == []
    assert "nan" not in text


def test_a_curve_falls_as_the_loss_does() -> None:
    text = training_curve([(step, 4 - step / 100) for step in range(300)])
    assert text is not None
    points = re.search(r'polyline points="([^"]+)"', text)
    assert points is not None
    places = np.array([p.split(",") for p in points[1].split()], float)
    assert (np.diff(places, axis=0) > 0).all()
    assert places[:, 0].max() == pytest.approx(640)
    assert places[:, 1].min() >= 0


@pytest.mark.parametrize("curve", [[], [(0, 1.0)], [(0, math.nan), (1, 1.0)]])
def test_no_curve_of_less_than_two_losses(curve: list[tuple[int, float]]) -> None:
    assert training_curve(curve) is None


def test_whiskers_and_bars_stay_in_their_cell() -> None:
    text = whisker(0.5, 0.25, 1.7, 0.75)
    ends = [float(x) for x in re.findall(r'x[12]="([\d.]+)"', text)]
    assert ends == [30, 120, 90, 90]
    assert 'width="120.0"' in bar(3, "ffffff")
    assert 'width="0.0"' in bar(math.nan, "ffffff")


def test_bins_of_few_pixels_are_hollow_and_bars_count_them() -> None:
    sure = np.array([0.3] * 10 + [0.9] * 40)
    weighted = Reliability.of(
        sure, sure > 0.5, np.array([0, 0.5, 1]), np.full(50, 1000.0)
    )
    tree = ElementTree.fromstring(reliability_diagram({"x": weighted}))
    dots = [float(dot.attrib["fill-opacity"]) for dot in tree.iter("circle")]
    assert dots == [0, 0.55]
    low, high = (float(bar.attrib["height"]) for bar in tree.iter("rect"))
    assert (low, high) == (15, 60)
    assert "polyline" not in reliability_diagram({"x": weighted})
    assert [e.text for e in tree.iter("text")].count("40") == 1
