"""The page of a map of change: matrix, bands of transitions, the largest changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from overcast.geo.legend import Legend
from overcast.report.heading import NOTHING_SAID, Heading
from overcast.report.page import Panel, write_page
from overcast.report.sankey import Flow, sankey


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangePage:
    """The contents of the page.

    Attributes
    ----------
    result
        What `overcast change` prints.
    land, change
        Classes of the maps, and those of change.
    heading
        What a person said of the map; its title comes before `title`.
    panels
        Pictures of one place: before, after, change, and how probable it is.
    places
        The largest changes, a picture each.
    """

    title: str
    result: Mapping[str, Any]
    land: Legend
    change: Legend
    panels: Sequence[Panel]
    heading: Heading = NOTHING_SAID
    places: Sequence[Panel] = ()


def write_change_page(page: ChangePage, path: Path) -> None:
    """Write the page, self-contained; the file is whole or not there."""
    moves = page.result["transitions"]
    named = {c.name: c for c in page.land.classes}
    flows = [Flow(named[m["from"]], named[m["to"]], m["mapped_ha"] or 0) for m in moves]
    table = {(m["from"], m["to"]): m for m in [*moves, *page.result["unchanged"]]}
    here = [
        c
        for c in page.land.classes
        if any(m["mapped_ha"] and c.name in pair for pair, m in table.items())
    ]
    write_page(
        "change.html.j2",
        path,
        page=page,
        heading=page.heading,
        found=page.result,
        here=here,
        table=table,
        drawn=sankey(flows),
        largest=max([flow.area_ha for flow in flows], default=0) or 1,
    )
