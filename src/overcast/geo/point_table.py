"""Tables of points as text: CSV of any program, with degrees on WGS 84."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

from overcast.geo.spreadsheet import of_cell

Texts = Sequence[str]
_LON = ("lon", "longitude", "lng", "long")
_LAT = ("lat", "latitude")
_EXPECTED = (
    "not a table of points; expected a CSV in UTF-8 with a header and columns lon and "
    "lat in degrees"
)
_DELIMITERS = (",", ";", "\t")


def read_table(path: Path) -> tuple[Mapping[str, Texts], list[float], list[float]]:
    """Columns of a table, and longitude and latitude of every row in degrees.

    Cells lie between commas, semicolons or tabs, decimals behind a point or a comma.
    Columns of degrees are ``lon`` or ``longitude``, ``lng``, ``long``, and ``lat`` or
    ``latitude``; where there are none, ``x`` and ``y``.

    Raises
    ------
    ValueError
        If it is no such table, or a row has no place in degrees.
    """
    rows = _rows(path)
    header = [cell.strip() for cell in rows[0]] if rows else []
    names = [name for name in header if name]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"{path}: two columns are called {twice}; rename one")
    for number, row in enumerate(rows[1:], 1):
        if len(row) > len(header) and any(row[len(header) :]):
            raise ValueError(
                f"{path}: row {number} has {len(row)} cells, and the header has "
                f"{len(header)}; quote a text that has a comma"
            )
    if _is_cut(path, rows):
        raise ValueError(
            f"{path}: the last row ends after {len(rows[-1])} of {len(header)} cells, as "
            "in a file that was cut short; copy it again"
        )
    padded = [row + [""] * (len(header) - len(row)) for row in rows[1:]]
    columns = {
        name: [row[k] for row in padded] for k, name in enumerate(header) if name
    }
    lon, lat = _places(path, columns)
    return columns, lon, lat


def _is_cut(path: Path, rows: list[list[str]]) -> bool:
    """Return whether the last row alone is short, and no line ends it."""
    if len(rows) < 3 or len(rows[-1]) >= len(rows[0]):
        return False
    others = all(len(row) >= len(rows[0]) for row in rows[1:-1])
    return others and not _text(path).endswith("\n")


def number_of(text: str) -> float:
    """Return the number that a text is, with a decimal point or comma.

    Raises
    ------
    ValueError
        If it is none.
    """
    return float(text.replace(",", ".") if "." not in text else text)


def _rows(path: Path) -> list[list[str]]:
    text = _text(path)
    line = text.partition("\n")[0]
    delimiter = max(_DELIMITERS, key=line.count)
    try:
        reader = csv.reader(
            io.StringIO(text, newline=""), delimiter=delimiter, strict=True
        )
        filled = (row for row in reader if any(cell.strip() for cell in row))
        return [[of_cell(cell) for cell in row] for row in filled]
    except csv.Error as error:
        raise ValueError(f"{path}: {_EXPECTED}") from error


def _text(path: Path) -> str:
    content = path.read_bytes()
    wide = content[:2] in (b"\xff\xfe", b"\xfe\xff")
    for encoding in ("utf-16",) if wide else ("utf-8-sig", "cp1252"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise ValueError(f"{path}: {_EXPECTED}")


def _places(
    path: Path, columns: Mapping[str, Texts]
) -> tuple[list[float], list[float]]:
    own = {name.casefold(): name for name in columns}
    lon = next((own[name] for name in (*_LON, "x") if name in own), None)
    lat = next((own[name] for name in (*_LAT, "y") if name in own), None)
    if lon is None or lat is None or not columns[lon]:
        raise ValueError(f"{path}: {_EXPECTED}")
    return _degrees(path, lon, columns[lon], 180), _degrees(path, lat, columns[lat], 90)


def _degrees(path: Path, name: str, texts: Texts, most: float) -> list[float]:
    degrees = []
    for row, text in enumerate(texts, 1):
        try:
            value = number_of(text)
        except ValueError:
            value = float("nan")
        if not abs(value) <= most:
            raise ValueError(
                f"{path}: row {row} has {name} {text[:40]!r}, expected degrees from "
                f"-{most} to {most}, in columns lon and lat"
            )
        degrees.append(value)
    return degrees
