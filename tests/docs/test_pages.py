"""Docs lead somewhere: every page is in the nav, every link and option exists."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

import overcast
from overcast.cli import program
from tests.docs.pages import PAGES, ROOT, anchors, links, nav, shown

EVERY = [*PAGES, ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md"]


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))


def test_every_page_is_in_the_nav_once() -> None:
    there = [str(page.relative_to(ROOT / "docs")) for page in PAGES]
    assert sorted(nav()) == sorted(there)


@pytest.mark.parametrize("page", EVERY, ids=name)
def test_links_lead_to_files_and_headings(page: Path) -> None:
    for link in links(page):
        path, _, anchor = link.partition("#")
        there = (page.parent / path).resolve() if path else page
        assert there.exists(), link
        if anchor:
            assert anchor in anchors(there), link


@pytest.mark.parametrize("page", EVERY, ids=name)
def test_commands_that_are_shown_exist_with_their_options(page: Path) -> None:
    for words in shown(page):
        context = click.Context(program)
        command = program.get_command(context, words[0])
        if command is None and not re.fullmatch(r"[a-z0-9]+", words[0]):
            continue  # a word in capitals, that stands for a command
        assert command is not None, words
        if isinstance(command, click.Group):
            command = command.get_command(context, words[1])
            assert command is not None, words
        known = {"--help", *(o for p in command.params for o in p.opts)}
        used = {word.split("=")[0] for word in words if re.match(r"--[a-z]", word)}
        assert used <= known, words


def test_every_room_has_its_page_of_the_reference() -> None:
    source = Path(overcast.__file__).parent
    rooms = {path.parent.name for path in source.glob("*/__init__.py")} - {"cli"}
    for room in rooms:
        text = (ROOT / "docs" / "reference" / f"{room}.md").read_text(encoding="utf-8")
        assert f"\n::: overcast.{room}\n" in text


def test_links_and_headings_are_found() -> None:
    wrong = ROOT / "docs" / "wrong-maps.md"
    assert "5-clouds" in anchors(wrong)
    assert "#5-clouds" in set(links(wrong))
    assert ["demo", "--out", "demo/"] in list(shown(ROOT / "README.md"))
