"""Small pieces of HTML for notebooks."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence

from overcast.geo.legend import Legend


def table(
    title: str,
    head: Sequence[str],
    rows: Iterable[Sequence[str]],
    notes: Sequence[str] = (),
) -> str:
    """Return a titled table, and notes below it."""
    top = "".join(f"<th>{html.escape(name)}</th>" for name in head)
    body = "".join(
        "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>"
        for row in rows
    )
    said = "".join(f"<li>{html.escape(note)}</li>" for note in notes)
    listed = f"<ul>{said}</ul>" if said else ""
    return (
        f"<div><b>{html.escape(title)}</b><table><thead><tr>{top}</tr></thead>"
        f"<tbody>{body}</tbody></table>{listed}</div>"
    )


def classes(legend: Legend) -> str:
    """Return names of classes beside their colours."""
    return " ".join(
        f"<span style='white-space:nowrap'><span style='background:#{c.colour};"
        "display:inline-block;width:1em;height:1em;border:1px solid #888'></span> "
        f"{html.escape(c.name)}</span>"
        for c in legend.classes
    )
