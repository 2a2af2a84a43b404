"""What would be read, why the rest would not, and what it takes, as text."""

from __future__ import annotations

from collections.abc import Sequence

from overcast.acquire.fetch import estimate
from overcast.acquire.survey import SENTINEL_2, Request, Survey


def table(request: Request, survey: Survey) -> str:
    """A page of plain text; it names everything that was looked at."""
    rows = []
    for product, takes in survey.takes.items():
        source = request.source(product).name
        for take in takes:
            clear = survey.clear.get(str(take.day), 0.0)
            share = f"{clear:.0%} clear" if product == SENTINEL_2 else ""
            names = ", ".join(piece.ident for piece in take.pieces)
            rows.append((product, take.named(), share, source, names))
    lines = ["Read:", *_columns(rows)]
    if survey.left:
        lines += ["", "Not read:"]
        lines += _columns([(left.name, left.why) for left in survey.left])
    lines += ["", *(f"note: {note}" for note in survey.notes), _cost(request, survey)]
    return "\n".join(lines)


def _columns(rows: Sequence[tuple[str, ...]]) -> list[str]:
    if not rows:
        return ["  nothing"]
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return [
        "  " + "  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def _cost(request: Request, survey: Survey) -> str:
    needs = estimate(request, survey)
    size = f"at most {needs.bytes / 1e6:,.0f} MB to read (as stored, uncompressed)"
    memory = f"{needs.memory / 1e6:,.0f} MB of memory"
    if needs.seconds is None:
        return f"{size}, {memory}"
    minutes = needs.seconds / 60
    rate = survey.rate / 1e6
    time = f"about {minutes:.0f} minutes" if minutes >= 1 else "less than a minute"
    return f"{size}, {time} at the {rate:.1f} MB/s of this survey, {memory}"
