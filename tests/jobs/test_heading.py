"""`overcast report`: heads that stay, and PDFs where a browser is."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from overcast.cli import program
from overcast.jobs.printing import browser_of
from overcast.report.page import write_report
from tests.report.test_page import page
from tests.viewer.browser import CHROMIUM


def run(*words: object) -> None:
    done = CliRunner().invoke(
        program, ["report", *map(str, words)], standalone_mode=False
    )
    if done.exception is not None:
        raise done.exception


@pytest.fixture
def out(tmp_path: Path) -> Path:
    write_report(page(), tmp_path / "report.html")
    return tmp_path


def test_words_add_up_over_calls(out: Path) -> None:
    run(out, "--title", "Ohrid", "--period", "2024")
    run(out, "--author", "Office", "--period", "")
    text = (out / "report.html").read_text(encoding="utf-8")
    assert "<h1>Ohrid</h1>" in text
    assert "<dd>Office</dd>" in text
    assert "2024" not in text
    assert '"author": "Office"' in (out / "heading.json").read_text(encoding="utf-8")


def test_a_folder_without_a_page_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"no report\.html or change\.html"):
        run(tmp_path, "--title", "x")


def test_pdf_is_asked_for_by_name_and_not_overwritten(out: Path) -> None:
    with pytest.raises(ValueError, match=r"expected a name that ends in \.pdf"):
        run(out, "--pdf", out / "report.html")
    (out / "a.pdf").write_bytes(b"mine")
    with pytest.raises(ValueError, match="exists"):
        run(out, "--pdf", out / "a.pdf")
    assert (out / "a.pdf").read_bytes() == b"mine"


def test_without_a_browser_it_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no browser to print with; install Chromium"):
        browser_of({"PATH": str(tmp_path)})
    with pytest.raises(ValueError, match="no program, which OVERCAST_BROWSER names"):
        browser_of({"PATH": "", "OVERCAST_BROWSER": str(tmp_path / "none")})


@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")
def test_a_page_is_printed(out: Path) -> None:
    run(out, "--title", "Ohrid", "--pdf", out / "r.pdf")
    body = (out / "r.pdf").read_bytes()
    assert body.startswith(b"%PDF-")
    assert body.rstrip().endswith(b"%%EOF")
    assert b"/Title (Ohrid)" in body
    assert sorted(p.name for p in out.iterdir()) == [
        *("heading.json", "r.pdf", "report.html"),
    ]
