"""What `overcast inspect` says: each file, how it lies on the first one's grid."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from odc.geo.geobox import GeoBox

from overcast.geo.check import describe
from overcast.geo.files import read_grid
from overcast.geo.stack import common_grid
from overcast.geo.warp import aligned


def inspect_files(paths: list[Path]) -> list[dict[str, Any]]:
    """Describe files, the first one's grid being that of the map.

    Raises
    ------
    ValueError
        If a file can't be read at all.
    """
    found = []
    first: GeoBox | None = None
    for path in paths:
        record = asdict(describe(path))
        try:
            grid = read_grid(path)
        except ValueError:
            record["on_grid"] = "can't be placed"
        else:
            record["on_grid"] = _relation(first, grid)
            first = grid if first is None else first
        found.append(record)
    return found


def _relation(first: GeoBox | None, grid: GeoBox) -> str:
    if first is None:
        return "the grid"
    try:
        common = common_grid(first, {"it": grid})
    except ValueError:
        return "no overlap"
    share = common.shape[0] * common.shape[1] / (first.shape[0] * first.shape[1])
    how = "pixel on pixel" if aligned(first, grid) is not None else "to be warped"
    return f"{how}, covers {100 * share:.0f} %"


def to_text(records: list[dict[str, Any]]) -> str:
    """The same, to be read by people."""
    blocks = []
    for r in records:
        values = "no valid pixel"
        if r["values"] is not None:
            values = f"{r['values'][0]:g} to {r['values'][1]:g}"
        lines = [
            r["path"],
            f"  size        {r['shape'][1]} x {r['shape'][0]} pixels of "
            f"{r['resolution'][0]:g} x {r['resolution'][1]:g}",
            f"  CRS         {r['crs']}",
            f"  bands       {len(r['bands'])} {r['dtype']}: {', '.join(r['bands'])}",
            f"  values      {values}, nodata {r['nodata']}",
            f"  on grid     {r['on_grid']}",
            *(f"  note        {note}" for note in r["notes"]),
        ]
        blocks.append("\n".join(lines))
    return "\n".join(blocks)
