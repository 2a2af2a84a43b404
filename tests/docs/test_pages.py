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


def test_every_module_is_on_one_page_of_the_reference() -> None:
    source = Path(overcast.__file__).parent
    rooms = {path.parent.name for path in source.glob("*/__init__.py")} - {"cli"}
    shown = [
        (name, set(re.findall(r"!\^(\w+)\$", options)))
        for page in (ROOT / "docs" / "reference").glob("*.md")
        for name, options in re.findall(
            r"^::: overcast\.([\w.]+)\n((?: +.*\n)*)", page.read_text("utf-8"), re.M
        )
    ]
    for room in rooms:
        for path in (source / room).rglob("*.py"):
            parts = path.relative_to(source).with_suffix("").parts
            module = ".".join(part for part in parts if part != "__init__")
            pages = [
                name
                for name, left_out in shown
                if f"{module}.".startswith(f"{name}.")
                and not left_out & set(module.removeprefix(name).split("."))
            ]
            lists = path == source / room / "__init__.py"
            advice = f"{module}: list it on one page of docs/reference, not on {pages}"
            assert len(pages) == 1 or lists, advice


def test_links_and_headings_are_found() -> None:
    wrong = ROOT / "docs" / "wrong-maps.md"
    assert "5-clouds" in anchors(wrong)
    assert "#5-clouds" in set(links(wrong))
    assert ["demo", "--out", "demo/"] in list(shown(ROOT / "README.md"))
