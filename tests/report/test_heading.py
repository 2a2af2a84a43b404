"""The head of a page: what was said, kept, harmless, and exchanged alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from overcast.report.heading import (
    Heading,
    changed,
    logo_of,
    read_heading,
    with_heading,
    write_heading,
)
from overcast.report.page import heading_text, write_report
from overcast.report.quicklook import png
from tests.report.test_page import page

SAID = Heading(title="Land <b>", place="Ohrid", author="A & B")


def test_what_is_said_shows_and_can_do_no_harm(tmp_path: Path) -> None:
    write_report(page(heading=SAID), tmp_path / "report.html")
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "<title>Land &lt;b&gt;</title>" in text
    assert "<h1>Land &lt;b&gt;</h1>" in text
    assert "<dt>Author</dt><dd>A &amp; B</dd>" in text
    assert "Licence" not in text


def test_another_head_changes_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    write_report(page(), path)
    plain = path.read_text(encoding="utf-8")
    named = with_heading(plain, heading_text(SAID, "Land cover"), SAID.title)
    write_report(page(heading=SAID), path)
    assert named == path.read_text(encoding="utf-8")
    again = with_heading(named, heading_text(Heading(), "Land cover"), "Land cover")
    assert again == plain


def test_a_page_without_a_head_is_refused() -> None:
    with pytest.raises(ValueError, match="an older overcast wrote it"):
        with_heading("<html></html>", "", "T")


def test_what_was_said_is_kept_and_taken_away(tmp_path: Path) -> None:
    assert read_heading(tmp_path) == Heading()
    write_heading(SAID, tmp_path)
    assert read_heading(tmp_path) == SAID
    now = changed(SAID, place="", period="2024", title=None)
    assert now == Heading(title="Land <b>", period="2024", author="A & B")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('{"name": "x"}', "unknown key 'name'"),
        ('{"title": 3}', "title: 3; expected"),
        ('{"logo": "http://x/y.png"}', "expected data:image"),
        ("[", "heading.json"),
    ],
)
def test_a_file_that_says_something_else_is_refused(
    tmp_path: Path, text: str, why: str
) -> None:
    (tmp_path / "heading.json").write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=why):
        read_heading(tmp_path)


def test_a_logo_is_a_small_picture(tmp_path: Path) -> None:
    path = tmp_path / "logo.png"
    path.write_bytes(png(np.zeros((4, 4, 4), np.uint8)))
    assert logo_of(path).startswith("data:image/png;base64,iVBOR")
    path.write_bytes(b"<svg onload='x'/>")
    with pytest.raises(ValueError, match="expected a picture as PNG"):
        logo_of(path)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(1_000_001))
    with pytest.raises(ValueError, match=r"1\.0 MB, expected at most 1 MB"):
        logo_of(path)
