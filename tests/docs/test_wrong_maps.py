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


def bullets(body: str) -> Iterator[str]:
    """What is said of a section to be noticed, or not to be, on one line each."""
    for bullet in re.split(r"^- ", body, flags=re.MULTILINE)[1:]:
        line = " ".join(re.split(r"\n(?=\S)", bullet)[0].split())
        if re.match(r"\*\*(Noticed|Not noticed)\*\*", line):
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


UNNAMED = {
    "Noticed": {"12", "13", "15"},
    "Not noticed": {
        *("1", "2", "3", "4", "5", "6", "7", "8", "8a", "8b", "9", "10", "11", "13"),
        *("14", "14a", "17", "18", "19"),
    },
}
"""Sections with a bullet of this kind that names no test yet; take out what does."""


@pytest.mark.parametrize("heading", SECTIONS)
def test_bullets_name_a_test(heading: str) -> None:
    number = heading.partition(".")[0]
    for kind, numbers in UNNAMED.items():
        lines = [b for b in bullets(SECTIONS[heading]) if b.startswith(f"**{kind}**")]
        without = [line for line in lines if "Tests: " not in line]
        assert bool(without) == (number in numbers), without


def test_a_list_of_tests_is_read() -> None:
    text = "- **Noticed**: this.\n  Tests: geo/test_a.py::one, two,\n  b.py::three.\n"
    assert list(named(text)) == [
        ("geo/test_a.py", "one"),
        ("geo/test_a.py", "two"),
        ("b.py", "three"),
    ]


def test_a_bullet_ends_where_the_next_begins() -> None:
    body = "- **Noticed**: a\n  b. Tests: x.py::y.\n- **Not noticed**: c.\n\nMore.\n"
    assert list(bullets(body)) == [
        "**Noticed**: a b. Tests: x.py::y.",
        "**Not noticed**: c.",
    ]
