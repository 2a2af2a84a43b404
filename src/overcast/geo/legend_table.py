"""The rows of a legend's CSV, in the dialects that spreadsheets write."""

from __future__ import annotations

import csv
import io
import re
from itertools import islice

from overcast.geo.spreadsheet import of_cell

MOST_CLASSES = 255
"""Rows of a legend: maps are uint8, and 255 is their nodata."""
_COLUMNS = ("code", "name", "colour")
_EXPECTED = "expected a CSV with the header code,name,colour"
_DELIMITERS = (",", ";", "\t")


def read_rows(text: str) -> list[tuple[int, str, str]]:
    """Code, name and colour of every row of a CSV.

    The cells lie between commas, semicolons or tabs. The column ``colour`` may be
    called ``color``; other columns are passed over.

    Raises
    ------
    ValueError
        If a column is missing or occurs twice, a row has too few or too many cells, a
        code is no whole number, a cell is empty, or there are too many rows.
    """
    text = re.sub(r"\A\ufeff?sep=.\r?\n", "", text.removeprefix("\ufeff"))
    lines = io.StringIO(text, newline="")
    try:
        header, delimiter = _header(text)
        reader = csv.reader(lines, delimiter=delimiter, strict=True)
        filled = (row for row in islice(reader, 1, None) if any(map(str.strip, row)))
        rows = list(islice(filled, MOST_CLASSES + 1))
    except csv.Error as error:
        raise ValueError(f"not a legend ({error}); {_EXPECTED}") from error
    if len(rows) > MOST_CLASSES:
        raise ValueError(
            f"more than {MOST_CLASSES} rows; a legend has a row for every class, and "
            f"at most {MOST_CLASSES} classes"
        )
    return [_class_of(number, row, header) for number, row in enumerate(rows, 1)]


def _header(text: str) -> tuple[list[str], str]:
    """Names of the columns, and what lies between the cells."""
    line = text.partition("\n")[0].rstrip("\r")
    for delimiter in _DELIMITERS:
        cells = next(csv.reader([line], delimiter=delimiter), [])
        names = [cell.strip().casefold() for cell in cells]
        names = ["colour" if name == "color" else name for name in names]
        twice = [name for name in _COLUMNS if names.count(name) > 1]
        if twice:
            raise ValueError(f"the column {twice[0]} occurs twice, expected once")
        if set(_COLUMNS) <= set(names):
            return names, delimiter
    raise ValueError(f"not a legend; {_EXPECTED}")


def _class_of(number: int, row: list[str], header: list[str]) -> tuple[int, str, str]:
    """Code, name and colour of a row; `number` counts classes from 1."""
    if len(row) != len(header):
        raise ValueError(
            f"class {number} of the legend has {len(row)} cells, expected {len(header)}; "
            "quote a name that has a comma"
        )
    cells = dict(zip(header, (cell.strip() for cell in row), strict=True))
    code, name, colour = (cells[column] for column in _COLUMNS)
    if not re.fullmatch(r"[+-]?\d{1,9}(\.0*)?", code):
        raise ValueError(
            f"class {number} of the legend has code {code[:40]!r}, expected a whole number"
        )
    if not name:
        raise ValueError(f"class {number} of the legend, code {code}, has no name")
    return int(float(code)), of_cell(name), colour.strip(" #")
