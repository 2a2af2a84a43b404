"""The pages of the docs, what they link to, and the commands they show."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
PAGES = sorted((ROOT / "docs").rglob("*.md"))
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def in_nav(entry: Any) -> Iterator[str]:
    """Every path of a part of the nav."""
    if isinstance(entry, str):
        yield entry
    else:
        for inner in entry if isinstance(entry, list) else entry.values():
            yield from in_nav(inner)


def nav() -> list[str]:
    """Pages that the site's navigation leads to."""
    tree = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))
    return list(in_nav(tree["nav"]))


def links(page: Path) -> Iterator[str]:
    """Where a page leads, code left out."""
    text = page.read_text(encoding="utf-8")
    text = re.sub(r"`[^`]*`", "", _FENCE.sub("", text))
    for found in re.findall(r"\]\(([^)\s]+)\)", text):
        if not re.match(r"[a-z]+:", found):
            yield found


def anchors(page: Path) -> set[str]:
    """Anchors of a page's headings, as Python-Markdown makes them."""
    text = _FENCE.sub("", page.read_text(encoding="utf-8"))
    found = set()
    for heading in re.findall(r"^#+ (.+)$", text, re.MULTILINE):
        plain = re.sub(r"[^\w\s-]", "", heading).strip().lower()
        found.add(re.sub(r"[-\s]+", "-", plain))
    return found


def blocks(page: Path) -> list[tuple[str, str]]:
    """Language and text of the fenced blocks, in order."""
    return _FENCE.findall(page.read_text(encoding="utf-8"))


def shown(page: Path) -> Iterator[list[str]]:
    """Commands of overcast that a page shows on lines of their own, as words."""
    text = page.read_text(encoding="utf-8").replace("\\\n", " ")
    fenced = "\n".join(block for _, block in _FENCE.findall(text))
    lines = re.findall(r"^ {4,}overcast +(\S.*)$", _FENCE.sub("", text), re.MULTILINE)
    lines += re.findall(r"^ *overcast +(\S.*)$", fenced, re.MULTILINE)
    for line in lines:
        words = shlex.split(line.split("   ")[0], comments=True)
        if words:
            yield words
