"""Labels as points in a CSV."""

# ruff: noqa: E501
from __future__ import annotations

from functools import partial
from typing import Any

from bench.corpus.case import add, noted, refused, right
from bench.corpus.kinds.vectors import DEGREES
from bench.corpus.runner import Words
from bench.corpus.scene import CLASSES, EAST, NORTH, PIXEL, N, Scene, map_of

KIND = "labels as vectors"


def points(s: Scene, count: int = 400) -> list[tuple[float, float, int]]:
    """Longitude, latitude and code of random pixels."""
    rows, columns = s.random.integers(0, N, (2, count))
    lon, lat = DEGREES.transform(
        EAST + (columns + 0.5) * PIXEL, NORTH - (rows + 0.5) * PIXEL
    )
    return [
        (float(x), float(y), int(c))
        for x, y, c in zip(lon, lat, s.truth[rows, columns], strict=True)
    ]


def _csv(line: Any, head: str, more: Any, s: Scene) -> Words:
    text = head + "\n" + "".join(line(*row) + "\n" for row in points(s))
    s.write("l.csv", more(text))
    return map_of(labels="l.csv")


def _same(text: str) -> str | bytes:
    return text


CSV = refused("l.csv")
_PLAIN, _HEAD = (lambda x, y, c: f"{x},{y},{c}"), "lon,lat,class"
for title, line, head, more, ends in (
    ("of codes", _PLAIN, _HEAD, _same, (right(0.85),)),
    ("of pandas", lambda x, y, c: f"{x},{y},{c}.0", _HEAD, _same, (right(0.85),)),
    ("of names", lambda x, y, c: f"{x},{y},{CLASSES[c - 1]}", _HEAD, _same, (right(0.85),)),
    ("of names in quotes", lambda x, y, c: f'{x},{y},"{CLASSES[c - 1]}"', _HEAD, _same, (right(0.85),)),
    ("with semicolons", lambda x, y, c: f"{x};{y};{c}", _HEAD.replace(",", ";"), _same, (CSV, right(0.85))),
    ("with semicolons and decimal commas", lambda x, y, c: f"{x};{y};{c}".replace(".", ","), _HEAD.replace(",", ";"), _same, (CSV, right(0.85))),
    ("with tabs", lambda x, y, c: f"{x}\t{y}\t{c}", _HEAD.replace(",", "\t"), _same, (CSV, right(0.85))),
    ("with a byte-order mark", _PLAIN, _HEAD, lambda t: b"\xef\xbb\xbf" + t.encode(), (right(0.85),)),
    ("in UTF-16", _PLAIN, _HEAD, lambda t: t.encode("utf-16"), (CSV, right(0.85))),
    ("in Latin-1", lambda x, y, c: f"{x},{y},{c},Straße", _HEAD + ",note", lambda t: t.encode("latin-1"), (CSV, right(0.85))),
    ("with CRLF", _PLAIN, _HEAD, lambda t: t.replace("\n", "\r\n"), (right(0.85),)),
    ("with CR alone", _PLAIN, _HEAD, lambda t: t.replace("\n", "\r"), (CSV, right(0.85))),
    ("with NUL", _PLAIN, _HEAD, lambda t: t.replace("class", "cl\0ass"), (CSV,)),
    ("with a NUL in a value", _PLAIN, _HEAD, lambda t: t[:500] + "\0" + t[500:], (CSV,)),
    ("with headings in capitals", _PLAIN, _HEAD.upper(), _same, (CSV, right(0.85))),
    ("with longitude and latitude", _PLAIN, "longitude,latitude,class", _same, (CSV, right(0.85))),
    ("with spaces after commas", lambda x, y, c: f"{x}, {y}, {c}", "lon, lat, class", _same, (CSV, right(0.85))),
    ("without headings", _PLAIN, "", lambda t: t[1:], (CSV,)),
    ("with lon and lat changed", lambda x, y, c: f"{y},{x},{c}", _HEAD, _same, (CSV,)),
    ("in metres", lambda x, y, c: f"{x * 60000},{y * 111000},{c}", _HEAD, _same, (CSV,)),
    ("with one place beyond the world", _PLAIN, _HEAD, lambda t: t + "999,99,1\n", (CSV, right(0.85))),
    ("with a place that is a word", _PLAIN, _HEAD, lambda t: t + "east,north,1\n", (CSV,)),
    ("with a place of NaN", _PLAIN, _HEAD, lambda t: t + "nan,nan,1\n", (CSV, right(0.85))),
    ("with an empty place", _PLAIN, _HEAD, lambda t: t + ",,1\n", (CSV, right(0.85))),
    ("with rows too short", _PLAIN, _HEAD, lambda t: t + "10.3\n", (CSV,)),
    ("with rows too long", _PLAIN, _HEAD, lambda t: t + "10.34,47.84,1,2,3\n", (CSV, right(0.85))),
    ("with empty lines", _PLAIN, _HEAD, lambda t: t.replace("\n", "\n\n"), (right(0.85), CSV)),
    ("with headings alone", _PLAIN, _HEAD, lambda t: t.splitlines()[0], (CSV,)),
    ("with the column of classes twice", lambda x, y, c: f"{x},{y},{c},1", _HEAD + ",class", _same, (CSV, noted("class"))),
    ("of Well-Known Text", lambda x, y, c: f'"POINT ({x} {y})",{c}', "WKT,class", _same, (CSV, right(0.85))),
    ("with a quote left open", _PLAIN, _HEAD, lambda t: t + '"10.3,47.8,1\n', (CSV,)),
    ("of one point", _PLAIN, _HEAD, lambda t: "\n".join(t.splitlines()[:2]), (CSV, noted("class", share=0))),
    ("that is a spreadsheet", _PLAIN, _HEAD, lambda t: b"PK\x03\x04" + bytes(500), (CSV,)),
):  # fmt: skip
    add(KIND, f"CSV {title}", partial(_csv, line, head, more), *ends)
