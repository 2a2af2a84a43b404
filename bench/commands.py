"""The page of all commands, docs/commands.md, from what `--help` says.

    python bench/commands.py

`make docs` does it first.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from overcast.cli import program

PAGE = Path(__file__).parents[1] / "docs" / "commands.md"
HEAD = """# Commands

What `overcast COMMAND --help` says; written by `python bench/commands.py`, don't edit.
Results go to standard output as JSON (`assess`, `areas` and `change` print tables on a
terminal), progress and messages to standard error. A wrong input is one line and exit
code 2. Nothing is overwritten without `--overwrite`, and a command that was killed goes on
when it is given again.
"""


def helps(command: click.Command, name: str) -> Iterator[tuple[str, str]]:
    """Name and help of a command and, one after the other, of those in it."""
    context = click.Context(command, info_name=name, terminal_width=88)
    yield name, command.get_help(context)
    if isinstance(command, click.Group):
        for part in command.list_commands(context):
            inner = command.get_command(context, part)
            assert inner is not None
            yield from helps(inner, f"{name} {part}")


def page() -> str:
    """The whole page as Markdown."""
    parts = (
        f"## {name}\n\n```text\n{text}\n```\n"
        for name, text in helps(program, "overcast")
    )
    return "\n".join([HEAD, *parts])


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
