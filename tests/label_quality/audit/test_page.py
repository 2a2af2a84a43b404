"""What an audit says: in sentences, as plain values, and on its page."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

from overcast.geo.legend import LandClass, Legend
from overcast.label_quality.audit.findings import ORIGIN, Findings
from overcast.label_quality.audit.label_confusion import Tables
from overcast.label_quality.audit.page import AuditPage, write_audit_page
from overcast.report.page import Panel
from overcast.report.quicklook import png

EVIL = "<script>alert(1)</script>"
LEGEND = Legend(
    "four",
    tuple(
        LandClass(code, name, "336699")
        for code, name in enumerate(["Forest", "Croplands", "Snow", "Savanna"], 1)
    ),
)


def findings(legend: Legend = LEGEND, blocks: int = 20) -> Findings:
    """40 % of Croplands is called Forest; Savanna is a label only, Snow is rare."""
    true = np.array([0] * 500 + [1] * 490 + [2] * 10)
    labels = true.copy()
    labels[500:696] = 0
    labels[:50] = 3
    probabilities = np.eye(4, dtype=np.float32)[true].T
    tables = Tables(blocks, 4)
    tables.add(probabilities, labels, np.arange(1000) % blocks)
    return Findings.of(tables, legend, seed=0)


def test_mistakes_are_sentences_the_largest_first() -> None:
    first, second = findings().mistakes()
    matched = re.fullmatch(
        r"40 % of what is Croplands is called Forest \((\d+) to (\d+) %\)\.", first
    )
    assert matched
    assert int(matched[1]) < 40 < int(matched[2])
    assert second.startswith("10 % of what is Forest is called Savanna (")


def test_without_intervals_none_are_said() -> None:
    few = findings(blocks=5)
    assert few.mistakes()[0] == "40 % of what is Croplands is called Forest."
    assert any(note.startswith("No intervals: the scene has 5") for note in few.notes())


def test_labels_are_read_the_other_way_too() -> None:
    assert findings().readings() == [
        "What is called Forest is 70 % Forest, 30 % Croplands.",
        "What is called Croplands is 100 % Croplands.",
        "What is called Snow is 100 % Snow.",
        "What is called Savanna is 100 % Forest.",
    ]


def test_notes_say_what_the_estimates_are_worth() -> None:
    assert next(findings().notes()) == ORIGIN
    assert "A label, but no class that the method maps here: Savanna." in list(
        findings().notes()
    )


def test_everything_is_in_the_tree_and_json_has_it() -> None:
    tree = json.loads(json.dumps(findings().as_tree(), allow_nan=False))
    assert tree["called"]["Croplands"]["Forest"]["share"] == pytest.approx(0.4)
    assert tree["meant"]["Forest"]["Croplands"]["share"] == pytest.approx(
        196 / 646, abs=1e-6
    )
    assert tree["called"]["Savanna"]["Forest"] == dict.fromkeys(
        ("share", "low", "high")
    )
    assert tree["classes"]["Savanna"] == {
        "code": 4,
        "share_of_labels": 0.05,
        "estimated_share": 0.0,
    }
    assert tree["wrong"] == pytest.approx(0.246)
    assert tree["pixels"] == 1000


def test_nothing_counted_is_refused() -> None:
    with pytest.raises(ValueError, match="nothing to audit"):
        Findings.of(Tables(3, 4), LEGEND, seed=0)


def written(folder: Path, found: Findings, warning: str = "note") -> str:
    panel = Panel(title="Map", picture=png(np.zeros((4, 4, 4), np.uint8)))
    page = AuditPage(
        title="What labels.tif gets wrong here",
        findings=found,
        panels=[panel] * 3,
        places=[panel],
        warnings=[warning],
        provenance={"method": "x"},
    )
    write_audit_page(page, folder / "audit.html")
    assert [p.name for p in folder.iterdir()] == ["audit.html"]
    return (folder / "audit.html").read_text(encoding="utf-8")


def test_the_page_says_it_and_needs_nothing_from_outside(tmp_path: Path) -> None:
    text = written(tmp_path, findings())
    assert "40 % of what is Croplands is called Forest" in text
    assert "bootstrap of 20 blocks" in text
    assert not re.findall(r"""(?:src|href)=["'](?!data:)""", text)
    assert "http://" not in text
    assert "https://" not in text
    assert text.count("<img") == 4
    rows = re.findall(r"<tr><th scope=.row.>.*?</tr>", text, re.DOTALL)
    assert sum("Croplands" in row for row in rows) == 3
    assert "nan" not in text


def test_names_can_do_no_harm(tmp_path: Path) -> None:
    classes = (LandClass(1, EVIL, "336699"), *LEGEND.classes[1:])
    text = written(tmp_path, findings(Legend("evil", classes)), EVIL)
    assert "<script" not in text


def test_the_page_of_few_blocks_has_no_intervals(tmp_path: Path) -> None:
    text = written(tmp_path, findings(blocks=5))
    assert "bootstrap" not in text
    assert "<small>" not in text
