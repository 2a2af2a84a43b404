"""How results, notes and progress of commands show."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

import click

if TYPE_CHECKING:
    from overcast.bar import Bar
    from overcast.report.tables import Table


R = TypeVar("R")


def say(message: str) -> None:
    """A line for the reader, on standard error; bytes that are no text are escaped."""
    click.echo(_written(message), err=True)


def note(text: str) -> None:
    """Say what the reader should know, though nothing failed."""
    say(f"note: {text}")


def show(result: object) -> None:
    """A result for the next program: JSON on standard output."""
    click.echo(_written(json.dumps(result, indent=2, ensure_ascii=False)))


def _written(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()


def present(
    result: R, tables: Callable[[R], Sequence[Table]], table: Path | None, json: bool
) -> None:
    """A result as tables on a terminal, else as JSON; as tables in `--table` as well."""
    if table is not None:
        from overcast.report.tables import write_tables

        write_tables(tables(result), table)
    if json or not sys.stdout.isatty():
        show(result)
        return
    from rich.console import Console

    from overcast.report.tables import draw

    draw(tables(result), Console())


def check_table(table: Path | None) -> None:
    """Refuse `--table` before any work, if no table can be written there."""
    if table is None:
        return
    from overcast.report.tables import refuse_kind

    refuse_kind(table)


class Finished(Protocol):
    """What a job made."""

    @property
    def notes(self) -> Iterable[str]:
        """What the reader should know."""
        ...

    @property
    def summary(self) -> Mapping[str, object]:
        """What was written, and figures of it."""
        ...


def report(made: Finished) -> None:
    """Print the notes and the summary of a job."""
    for note in made.notes:
        say(f"note: {note}")
    show(made.summary)


def bar() -> Bar:
    """A progress bar, to be entered."""
    from overcast.bar import Bar

    return Bar()
