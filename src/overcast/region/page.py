"""The report of a region: a picture of all tiles, areas, times, and what went wrong."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.enums import Resampling

from overcast import __version__, map_folder
from overcast.geo.legend import Legend
from overcast.geo.raster import UNKNOWN, Labels
from overcast.geo.tiling import Window
from overcast.region.tile import Record, Work
from overcast.report.page import Page, Panel, write_report
from overcast.report.quicklook import class_picture, png
from overcast.run import Runs

if TYPE_CHECKING:
    from overcast.region.product import Made

_LONGEST_PX = 900
_MOST_FAILED = 20


def write_overview(
    out: Path, tiles: Made, runs: Runs, areas: Sequence[float], plan: str
) -> None:
    """Write ``report.html`` of a region."""
    legend = runs.load().legend
    by_zone: dict[str, list[Work]] = {}
    for work in tiles.whole:
        by_zone.setdefault(work.zone.code, []).append(work)
    panels = [_panel(code, some, legend) for code, some in by_zone.items()]
    first = next(iter(by_zone.values()))
    page = Page(
        title="Land-cover map of a region",
        legend=legend,
        panels=panels,
        areas_ha=areas,
        width_m=_around(first)[1] * first[0].zone.lattice.resolution,
        facts=_facts(tiles),
        warnings=_warnings(tiles),
        provenance={
            "overcast": __version__,
            "model": runs.model,
            "tiles": f"{len(tiles.whole)} of {len(tiles.works)}",
            "zones": ", ".join(by_zone),
            **_times(list(tiles.records.values())),
        },
        plan=plan,
    )
    write_report(page, out / map_folder.REPORT)


def _facts(tiles: Made) -> list[str]:
    missing = len(tiles.works) - len(tiles.whole) - len(tiles.failed)
    facts = [f"{len(tiles.whole)} of {len(tiles.works)} tiles are there"]
    facts += [f"{len(tiles.failed)} failed"] if tiles.failed else []
    return facts + ([f"{missing} are missing"] if missing else [])


def _warnings(tiles: Made) -> list[str]:
    """Notes on inputs, and tiles that failed, by reason."""
    reasons = Counter(str(one["error"]) for one in tiles.failed)
    by_reason = {str(one["error"]): str(one["tile"]) for one in tiles.failed}
    failed = [
        f"{often} tiles failed, such as {by_reason[reason]}: {reason}"
        if often > 1
        else f"tile {by_reason[reason]} failed: {reason}"
        for reason, often in reasons.most_common(_MOST_FAILED)
    ]
    counted = Counter(tiles.every_note)
    notes = [
        n if often == 1 else f"{n} ({often} times)" for n, often in counted.items()
    ]
    return [*failed, *notes]


def _times(records: Sequence[Record]) -> dict[str, str]:
    """Times and memory of tiles, in words."""
    seconds = [float(record["seconds"]) for record in records]
    cpu = [float(record["cpu_seconds"]) for record in records]
    slowest = max(records, key=lambda record: float(record["seconds"]))
    return {
        "seconds of a tile": f"{statistics.median(seconds):.1f} (median), "
        f"{max(seconds):.1f} (longest, {slowest['tile']})",
        "CPU of all tiles": f"{sum(cpu) / 3600:.3f} hours",
        "peak memory": f"{max(int(record['peak_mib']) for record in records)} MiB",
    }


def _around(works: Sequence[Work]) -> tuple[int, int, int, int]:
    """Height, width, first row and first column of all tiles together."""
    windows = [work.tile.window for work in works]
    top, left = min(w.y for w in windows), min(w.x for w in windows)
    height = max(w.y + w.h for w in windows) - top
    return height, max(w.x + w.w for w in windows) - left, top, left


def _panel(code: str, works: Sequence[Work], legend: Legend) -> Panel:
    """A picture of the tiles of a zone, each read at the size at which it is shown."""
    height, width, top, left = _around(works)
    factor = max(height, width) / _LONGEST_PX
    shape = max(round(height / factor), 1), max(round(width / factor), 1)
    codes: NDArray[np.uint8] = np.full(shape, UNKNOWN, np.uint8)
    for work in works:
        window = work.tile.window
        spans: list[slice] = []
        for start, length, end in (
            (window.y - top, window.h, shape[0]),
            (window.x - left, window.w, shape[1]),
        ):
            first = min(round(start / factor), end - 1)
            stop = min(max(round((start + length) / factor), first + 1), end)
            spans.append(slice(first, stop))
        codes[tuple(spans)] = _thumbnail(work.folder / map_folder.MAP, spans)
    indices = legend.to_indices(codes, UNKNOWN)
    shown = frozenset(int(c) for c in np.unique(codes) if c != UNKNOWN)
    grid = works[0].zone.lattice.grid(Window(top, left, height, width)).zoom_to(shape)
    picture = class_picture(Labels(values=indices, grid=grid, legend=legend))
    return Panel(title=f"Projection {code}", picture=png(picture), codes=shown)


def _thumbnail(path: Path, spans: Sequence[slice]) -> Any:
    shape = tuple(span.stop - span.start for span in spans)
    with rasterio.open(path) as dataset:
        return dataset.read(1, out_shape=shape, resampling=Resampling.nearest)
