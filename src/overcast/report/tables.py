"""Results as tables: on a terminal, as CSV for a spreadsheet, as Markdown for a text."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table as Drawn

from overcast.errors import writing
from overcast.geo.spreadsheet import as_cell

KINDS = (".csv", ".md")
"""Endings of files that a table is written to."""
Cell = str | int | float | None


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its name in files, its heading for people, and decimals of numbers."""

    name: str
    heading: str
    places: int = 1


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of text, numbers and cells without a value.

    Attributes
    ----------
    title
        What it shows.
    sentences
        What a report would say of it, a sentence each.
    """

    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    sentences: tuple[str, ...] = ()


def draw(tables: Sequence[Table], console: Console) -> None:
    """Print tables and their sentences for people."""
    for table in tables:
        drawn = Drawn(title=table.title, title_justify="left", header_style="bold")
        for index, column in enumerate(table.columns):
            words = any(isinstance(row[index], str) for row in table.rows)
            drawn.add_column(column.heading, justify="left" if words else "right")
        for row in table.rows:
            drawn.add_row(*_shown(table.columns, row))
        console.print(drawn, highlight=False, markup=False)
        for sentence in table.sentences:
            console.print(sentence, highlight=False, markup=False)


def write_tables(tables: Sequence[Table], path: Path) -> None:
    """Write the first table as CSV, or all of them with their sentences as Markdown.

    Raises
    ------
    ValueError
        If the name ends in neither .csv nor .md, or the file can't be written.
    """
    refuse_kind(path)
    if path.suffix.lower() == ".csv":
        text = to_csv(tables[0])
    else:
        text = "\n\n".join(map(to_markdown, tables)) + "\n"
    with writing(path):
        draft = path.with_name(f"{path.name}.draft")
        draft.write_text(text, encoding="utf-8", newline="")
        draft.replace(path)


def refuse_kind(path: Path) -> None:
    """Refuse a file that no table can be written to.

    Raises
    ------
    ValueError
        If its name ends in neither .csv nor .md.
    """
    if path.suffix.lower() not in KINDS:
        raise ValueError(f"{path}: expected a name that ends in {' or '.join(KINDS)}")


def to_csv(table: Table) -> str:
    r"""CSV with a line of names. Numbers are whole, without rounding for people.

    Texts that a spreadsheet would run as a formula begin with an apostrophe.

    Examples
    --------
    >>> column = Column("name", "Name")
    >>> to_csv(Table("", (column,), (("=1+1",), (-2.5,))))
    "name\n'=1+1\n-2.5\n"
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(column.name for column in table.columns)
    writer.writerows([_stored(cell) for cell in row] for row in table.rows)
    return text.getvalue()


def to_markdown(table: Table) -> str:
    r"""A table of Markdown under its title, and its sentences.

    Examples
    --------
    >>> print(to_markdown(Table("Areas", (Column("a", "A | B"),), (("<x>",), (2.25,)))))
    **Areas**
    <BLANKLINE>
    | A \| B |
    |---|
    | &lt;x&gt; |
    | 2.2 |
    """
    lines = [
        f"**{_safe(table.title)}**",
        "",
        _line(column.heading for column in table.columns),
        "|" + "---|" * len(table.columns),
        *(_line(_shown(table.columns, row)) for row in table.rows),
    ]
    if table.sentences:
        lines += ["", *(_safe(sentence) for sentence in table.sentences)]
    return "\n".join(lines)


def _line(cells: Any) -> str:
    return "| " + " | ".join(_safe(cell) for cell in cells) + " |"


def _safe(text: str) -> str:
    """Text that is no markup, in one line."""
    plain = " ".join(text.split()).replace("&", "&amp;")
    return plain.replace("<", "&lt;").replace(">", "&gt;").replace("|", "\\|")


def _stored(cell: Cell) -> Any:
    if isinstance(cell, str):
        return as_cell(" ".join(cell.split()))
    if isinstance(cell, float) and not math.isfinite(cell):
        return None
    return cell


def _shown(columns: Sequence[Column], row: Sequence[Cell]) -> list[str]:
    return [_text(c, column.places) for c, column in zip(row, columns, strict=True)]


def _text(cell: Cell, places: int) -> str:
    if cell is None or (isinstance(cell, float) and not math.isfinite(cell)):
        return "–"
    if isinstance(cell, str):
        return cell
    return f"{cell:,.{places}f}" if isinstance(cell, float) else f"{cell:,}"
