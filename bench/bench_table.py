"""Tables that benches write into docs/speed.md, each between its own marks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

_PAGE = Path(__file__).resolve().parents[1] / "docs" / "speed.md"


def write_table(name: str, lines: Sequence[str]) -> None:
    """Put lines between ``<!-- NAME -->`` and ``<!-- /NAME -->``, if they are there."""
    text = _PAGE.read_text(encoding="utf-8")
    first, last = f"<!-- {name} -->\n", f"\n<!-- /{name} -->"
    if first not in text or last not in text:
        print(f"docs/speed.md has no marks for {name}: nothing written there")
        return
    before, rest = text.split(first)
    _, after = rest.split(last)
    _PAGE.write_text(before + first + "\n".join(lines) + last + after, encoding="utf-8")
