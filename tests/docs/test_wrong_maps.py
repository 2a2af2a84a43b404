"""docs/wrong-maps.md: what it says is noticed or not, a test holds, and names it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache

import pytest

from tests.docs.pages import ROOT

PAGE = ROOT / "docs" / "wrong-maps.md"


def sections(text: str) -> Iterator[tuple[str, str]]:
    """Numbered sections: heading and text."""
    parts = re.split(r"^### (\d+[a-z]?\. .+)$", text, flags=re.MULTILINE)
    for heading, body in zip(parts[1::2], parts[2::2], strict=True):
        yield heading, re.split(r"^## ", body, flags=re.MULTILINE)[0]


def facts(body: str) -> Iterator[str]:
    """What a section says of overcast, a bullet or a paragraph on one line each.

    Bullets on what is noticed, not noticed, done or said, and paragraphs beside bullets
    that name overcast or an option.
    """
    for part in re.split(r"\n\n|^- ", body, flags=re.MULTILINE):
        line = " ".join(part.split())
        kind = re.match(r"\*\*([\w ]+)\*\*", line)
        if kind is None:
            if "overcast" in line or "`--" in line:
                yield line
        elif kind[1] in ("Noticed", "Not noticed", "Done", "Said"):
            yield line


def named(text: str) -> Iterator[tuple[str, str]]:
    """File and name of every test that is named: `Tests: a/b.py::one, two.`"""
    for listed in re.findall(r"Tests: ([\w/.:, \n`\[\]-]+?)`?\.(?:\s|$)", text):
        path = ""
        for item in re.split(r",\s+", " ".join(listed.replace("`", "").split())):
            before, separator, name = item.rpartition("::")
            path = before if separator else path
            yield path, name.strip()


@cache
def names_in(path: str) -> frozenset[str]:
    """Names of the functions in a file below tests/."""
    file = ROOT / "tests" / path
    if not path or not file.is_file():
        return frozenset()
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return frozenset(
        node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)
    )


SECTIONS = dict(sections(PAGE.read_text(encoding="utf-8")))


def test_every_test_that_is_named_exists() -> None:
    text = PAGE.read_text(encoding="utf-8")
    missing = [f"{p}::{n}" for p, n in named(text) if n not in names_in(p)]
    assert not missing


@pytest.mark.parametrize("heading", SECTIONS)
def test_what_is_said_of_overcast_names_a_test(heading: str) -> None:
    assert not [said for said in facts(SECTIONS[heading]) if "Tests: " not in said]


def test_every_section_says_what_is_noticed_or_not() -> None:
    for heading, body in SECTIONS.items():
        assert re.search(
            r"^- \*\*(Noticed|Not noticed|Said)\*\*", body, re.MULTILINE
        ), heading


def test_figures_are_those_of_the_tutorial() -> None:
    """The two pages tell of one run of the same commands."""
    tutorial = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")
    elsewhere, home = re.findall(
        r"(\d+) % of the pixels there, and in (\d+) %", tutorial
    )[0]
    taken = next(body for name, body in SECTIONS.items() if name.startswith("13."))
    assert re.search(rf"{home} % of the pixels at home and in {elsewhere} %", taken)
    counted, true = re.findall(r"\| Croplands \| (\d+) \|.*\| (\d+) \|", tutorial)[0]
    assert 1 - int(counted) / int(true) == pytest.approx(1 / 3, abs=0.03)
    right = float(re.findall(r"right on ([\d.]+) % of its area", tutorial)[0])
    areas = next(body for name, body in SECTIONS.items() if name.startswith("16."))
    assert "cropland is a third too small" in areas
    assert f"right on {right:.0f} %" in " ".join(areas.split())


def test_a_list_of_tests_is_read() -> None:
    text = "- **Noticed**: this.\n  Tests: geo/test_a.py::one, two,\n  b.py::three.\n"
    assert list(named(text)) == [
        ("geo/test_a.py", "one"),
        ("geo/test_a.py", "two"),
        ("b.py", "three"),
    ]


def test_facts_are_bullets_and_paragraphs_on_overcast() -> None:
    body = (
        "Land is\nold.\n\nThen `--out`\nwrites.\n\n- **Noticed**: a\n  b. Tests: x.py::y.\n"
        "- **Check**: `overcast view`.\n- **Not noticed**: c.\n- **Said** d.\n\nMore.\n"
    )
    assert list(facts(body)) == [
        "Then `--out` writes.",
        "**Noticed**: a b. Tests: x.py::y.",
        "**Not noticed**: c.",
        "**Said** d.",
    ]
