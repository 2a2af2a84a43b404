"""Texts in CSV that a spreadsheet would take for formulas.

Spreadsheets run a cell that begins with one of ``= + - @``, a tab or a carriage return
when they open a CSV. A name of a class comes from whoever wrote the legend, so such a
text gets an apostrophe in front, as OWASP advises ("CSV Injection"), and loses it again
when it is read.
"""

from __future__ import annotations

from typing import Any

_STARTS = ("=", "+", "-", "@", "\t", "\r")


def as_cell(value: Any) -> Any:
    """Value for a cell of a CSV; numbers stay, also those that are texts.

    Examples
    --------
    >>> as_cell("=1+1"), as_cell("-1.5"), as_cell("Forest"), as_cell(-1)
    ("'=1+1", '-1.5', 'Forest', -1)
    """
    if isinstance(value, str) and value.startswith(_STARTS) and not _is_number(value):
        return f"'{value}"
    return value


def of_cell(text: str) -> str:
    """Text of a cell that `as_cell` made; any other as it is.

    Examples
    --------
    >>> of_cell("'=1+1"), of_cell("'s-Hertogenbosch")
    ('=1+1', "'s-Hertogenbosch")
    """
    return text[1:] if text[:1] == "'" and text[1:].startswith(_STARTS) else text


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
