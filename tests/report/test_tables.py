"""Tables for terminals, spreadsheets and texts."""

from __future__ import annotations

import csv
import io
import math

import pytest
from rich.console import Console

from overcast.report.tables import Column, Table, draw, to_csv, to_markdown

COLUMNS = (Column("name", "Name"), Column("value", "Value, ha"), Column("n", "Points"))
TABLE = Table(
    "Areas",
    COLUMNS,
    (("Forest [red]", 1234.56, 7), ("None", None, 0), ("Odd", math.nan, -3)),
    ("The map is right.",),
)


def test_a_terminal_shows_numbers_for_people() -> None:
    console = Console(width=80, record=True, file=io.StringIO())
    draw([TABLE], console)
    text = console.export_text()
    assert "1,234.6" in text
    assert "Forest [red]" in text  # no markup of rich
    assert text.count("–") >= 2
    assert text.rstrip().endswith("The map is right.")


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t=", "\r\n@"])
def test_no_text_becomes_a_formula(start: str) -> None:
    table = Table("", COLUMNS[:1], ((f"{start}1+1",),))
    (_, row) = csv.reader(io.StringIO(to_csv(table), newline=""))
    assert row[0] == f"'{start.strip()}1+1"


def test_numbers_stay_numbers() -> None:
    rows = list(csv.DictReader(io.StringIO(to_csv(TABLE))))
    assert [row["value"] for row in rows] == ["1234.56", "", ""]
    assert [row["n"] for row in rows] == ["7", "0", "-3"]


def test_markdown_holds_no_markup_of_names() -> None:
    table = Table("A|B", COLUMNS[:1], (("a|b <script>\nc",),))
    assert to_markdown(table).splitlines()[-1] == "| a\\|b &lt;script&gt; c |"
