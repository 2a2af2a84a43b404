"""The page: what is known and no more, nothing from outside, nothing unescaped."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from overcast.accuracy.area import StratifiedSample, estimates
from overcast.accuracy.bootstrap import intervals
from overcast.accuracy.calibration import Reliability
from overcast.accuracy.confusion import Confusion, scores
from overcast.geo.legend import load_legend
from overcast.report.page import Page, Panel, write_report
from overcast.report.quicklook import png
from tests.viewer.browser import CHROMIUM, chromium

LEGEND = load_legend("simplified-igbp")


def page(**changes: Any) -> Page:
    panel = Panel(title="Map", picture=png(np.zeros((4, 4, 4), np.uint8)))
    return Page(
        **{
            "title": "Land cover",
            "legend": LEGEND,
            "panels": [panel] * 3,
            "areas_ha": [100.0] * 10,
            **changes,
        }
    )


def written(tmp_path: Path, made: Page) -> str:
    write_report(made, tmp_path / "report.html")
    assert [p.name for p in tmp_path.iterdir()] == ["report.html"]
    return (tmp_path / "report.html").read_text(encoding="utf-8")


def test_the_page_needs_nothing_from_outside(tmp_path: Path) -> None:
    text = written(tmp_path, page())
    assert not re.findall(r"""(?:src|href)=["'](?!data:)""", text)
    assert "http://" not in text
    assert "https://" not in text


def test_names_can_do_no_harm(tmp_path: Path) -> None:
    evil = "<script>alert(1)</script>.tif"
    text = written(tmp_path, page(warnings=[evil], provenance={"image": evil}))
    assert "<script" not in text
    assert text.count("&lt;script&gt;") == 2


def test_without_a_reference_accuracy_is_not_known(tmp_path: Path) -> None:
    assert "Not known. No reference was given" in written(tmp_path, page())


def test_scores_are_shown_for_everything_scored(tmp_path: Path) -> None:
    reference = np.uint8([0, 0, 1, 1])
    found = {
        name: scores(Confusion.of(reference, np.uint8(mapped), 10), LEGEND)
        for name, mapped in {"labels": [0, 1, 0, 1], "map": [0, 0, 1, 0]}.items()
    }
    text = written(tmp_path, page(scores=found))
    assert "Not known" not in text
    assert "<td>75.0</td>" in text
    assert "<td>50.0</td>" in text
    assert text.count("Confusion matrix") == 2
    # Two of the ten classes occur: of class 0 both are right, of class 1 one.
    assert text.count("100.0</td>") >= 1


def test_intervals_are_shown_where_there_are_some(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    blocks = [Confusion.of(*random.integers(0, 2, (2, 50)), 10) for _ in range(12)]
    total = sum(blocks, Confusion.none(10))
    found = {**scores(total, LEGEND), "intervals": intervals(blocks, LEGEND)}
    text = written(tmp_path, page(scores={"map": found}))
    low, high = found["intervals"]["overall_accuracy"]
    assert f"{100 * low:.1f} to {100 * high:.1f}" in text
    assert "bootstrap of 12 blocks" in text


def test_areas_are_estimated_where_there_is_a_sample(tmp_path: Path) -> None:
    assert "Estimated areas" not in written(tmp_path, page())
    counts = np.zeros((2, 11, 10), np.int64)
    counts[0, 0, :2], counts[1, 1, :2] = (45, 5), (10, 40)
    found = estimates(StratifiedSample(counts, np.array([600, 400])), LEGEND, 1000)
    text = written(tmp_path, page(estimates=found))
    # 0.6 * 0.9 + 0.4 * 0.2 of 1000 ha, and 0.6 * 0.9 + 0.4 * 0.8 are right.
    assert "<td>620</td>" in text
    assert "86.0 %" in text
    assert "Not known. No reference was given" not in text


def test_reliability_is_drawn_and_told(tmp_path: Path) -> None:
    assert "What its confidence means" not in written(tmp_path, page())
    found = Reliability.of(np.full(10, 0.8), np.arange(10) < 5)
    text = written(tmp_path, page(reliability={"before": found, "after": found}))
    assert text.count("expected calibration error 0.300") == 2


@pytest.mark.parametrize(
    ("width", "length", "says"),
    [(5120, 19.53, "1 km"), (109_800, 18.21, "20 km"), (900, 22.22, "200 m")],
)
def test_the_scale_is_as_long_as_it_says(
    tmp_path: Path, width: float, length: float, says: str
) -> None:
    text = written(tmp_path, page(width_m=width))
    assert f'style="width:{length}%"></div><span>{says}<' in text


def test_the_confusion_matrix_is_in_shares_of_the_reference(tmp_path: Path) -> None:
    reference = np.uint8([0, 0, 0, 0, 5, 5])
    mapped = np.uint8([0, 0, 0, 5, 5, 9])
    found = {"map": scores(Confusion.of(reference, mapped, 10), LEGEND)}
    text = written(tmp_path, page(scores=found))
    matrix = text[text.index('class="matrix"') :]
    cells = re.findall(r"<td[^>]*>([^<]*)</td>", matrix[: matrix.index("</table>")])
    assert cells == [
        *("75.0", "25.0", "0.0", "4"),
        *("0.0", "50.0", "50.0", "2"),
        *("–", "–", "–", "0"),
    ]


@pytest.mark.parametrize(
    "curve", [[], [(0, 1.0)], [(0, 0.0), (1, 0.0)], [(0, math.nan), (1, 2.0), (2, 1.0)]]
)
def test_any_training_curve_can_be_drawn(
    tmp_path: Path, curve: list[tuple[int, float]]
) -> None:
    text = written(tmp_path, page(curve=curve))
    finite = [loss for _, loss in curve if math.isfinite(loss)]
    assert ("How training went" in text) == (len(finite) > 1)
    assert "nan" not in text


def test_what_overcast_did_not_draw_is_agreement(tmp_path: Path) -> None:
    classes = np.uint8([0, 0, 1, 1])
    found = {"map": scores(Confusion.of(classes, classes, 10), LEGEND)}
    text = written(tmp_path, page(scores=found))
    figures = text.split('<dl class="figures">')[1].split("</dl>")[0]
    assert "<dt>Agreement with reference</dt>" in figures
    assert "ccuracy" not in figures
    assert "It is an accuracy only as far as the reference is the truth." in text


def test_counted_areas_are_said_to_be_no_estimates(tmp_path: Path) -> None:
    text = written(tmp_path, page())
    assert "so they are not estimates of the true areas" in text
    assert "<code>overcast sample</code>, <code>overcast assess --report</code>" in text


def policy_of(text: str) -> str:
    """The page's own policy, which stands before all that it rules."""
    head, _, rest = text.partition(
        '<meta http-equiv="Content-Security-Policy" content="'
    )
    assert not re.findall(r"<(style|title|img|link|svg)", head)
    return rest.partition('"')[0]


def test_the_page_may_run_and_load_nothing(tmp_path: Path) -> None:
    policy = policy_of(written(tmp_path, page()))
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules["default-src"] == "'none'"
    assert "script-src" not in rules
    assert rules["img-src"] == "data:"
    assert rules["base-uri"] == rules["form-action"] == "'none'"


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here")
def test_a_script_in_a_page_does_not_run(tmp_path: Path) -> None:
    """What escaping lets through, the page's policy stops; its own look stays."""
    text = written(tmp_path, page())
    evil = "<script>document.title = 'evil'</script><p onclick=1 id=made>x</p>"
    path = tmp_path / "report.html"
    path.write_text(text.replace("</main>", f"{evil}</main>"), encoding="utf-8")
    with chromium() as opened:
        opened.send("Page.navigate", url=path.as_uri())
        opened.until(
            "document.readyState === 'complete' && document.querySelector('#made')"
        )
        assert opened.value("document.title") == "Land cover"
        assert opened.value("getComputedStyle(document.body).margin") == "0px"
        assert any("Content Security Policy" in said for said in opened.problems)
