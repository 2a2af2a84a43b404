"""What a region leaves besides its tiles: mosaics, a catalogue, a report, a summary."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from overcast import map_folder
from overcast.geo.extent import areas_ha
from overcast.geo.legend import Legend, legend_to_csv
from overcast.jobs.after import attempt
from overcast.output import write_whole
from overcast.product.collection import About, write_collection
from overcast.product.mirror import write_mirror
from overcast.region.mosaics import write_mosaic_json, write_vrt
from overcast.region.page import write_overview
from overcast.region.tile import Record, Work
from overcast.run import Runs, tags_of

_MOST_NOTES = 50
SUMMARY, CATALOGUE = "summary.json", "catalogue"


@dataclass(frozen=True, slots=True)
class Made:
    """The tiles of a region, after a command.

    Attributes
    ----------
    works
        All tiles that are wanted.
    records
        What those that are finished say of themselves, by name.
    failed
        Why others failed.
    made
        How many were made by this command.
    notes
        What was noticed of the inputs; tiles say more, each of its own.
    """

    works: Sequence[Work]
    records: Mapping[str, Record]
    failed: Sequence[Mapping[str, Any]]
    made: int
    notes: Sequence[str] = ()

    @property
    def every_note(self) -> list[str]:
        """Notes on inputs, and on how many tiles each was noticed."""
        often = Counter(n for r in self.records.values() for n in r.get("notes", ()))
        said = [
            f"{note} ({count} tiles)" if count > 1 else note
            for note, count in often.most_common(_MOST_NOTES)
        ]
        return [*self.notes, *said]

    @property
    def whole(self) -> list[Work]:
        """Tiles that are there."""
        return [work for work in self.works if work.name in self.records]


def put_together(out: Path, tiles: Made, runs: Runs, plan: str) -> dict[str, Any]:
    """Write mosaics, a catalogue and a report of the tiles that are there; a summary.

    `plan` is the description of the region, which the report shows.
    """
    legend, whole = runs.load().legend, tiles.whole
    mosaics = _mosaics(out, whole, runs, legend)
    areas = areas_of(whole, tiles.records, legend)
    notes = tiles.every_note
    if whole:
        write_mosaic_json(out, whole, tiles.records)
        for what, make in (
            ("no catalogue", lambda: _catalogue(out, whole, areas, legend)),
            ("no report", lambda: write_overview(out, tiles, runs, areas, plan)),
        ):
            _, said = attempt(what, make, None)
            notes += said
    summary = {
        "tiles": len(tiles.works),
        "finished": len(whole),
        "made": tiles.made,
        "failed": len(tiles.failed),
        "nothing_to_do": not tiles.made and len(whole) == len(tiles.works),
        "maps": mosaics,
        "report": str(out / map_folder.REPORT),
        "areas_ha": {
            name: round(area, 2) for name, area in zip(legend.names, areas, strict=True)
        },
        "notes": notes,
    }
    write_whole(out / SUMMARY, json.dumps(summary, indent=2) + "\n")
    return summary


def areas_of(
    works: Sequence[Work], records: Mapping[str, Record], legend: Legend
) -> list[float]:
    """Mapped area of every class in hectares, over all tiles."""
    total = np.zeros(len(legend))
    for work in works:
        counts = np.zeros(len(legend), np.int64)
        for index, count in records[work.name]["classes"].items():
            counts[int(index)] = count
        total += areas_ha(counts, work.zone.lattice.grid(work.tile.window))
    return [float(area) for area in total]


def _mosaics(out: Path, works: Sequence[Work], runs: Runs, legend: Legend) -> list[str]:
    """Write a raster of every zone and kind; the names of the maps."""
    by_zone: dict[str, list[Work]] = {}
    for work in works:
        by_zone.setdefault(work.zone.code, []).append(work)
    names = []
    for code, some in by_zone.items():
        tags = tags_of(runs, some[0].zone.stack)
        tags.pop("OVERCAST_INPUTS")
        classes = {"LEGEND": legend.name, "LEGEND_CLASSES": legend_to_csv(legend)}
        name, sure = f"map-{code}.vrt", f"confidence-{code}.vrt"
        both = {**tags, **classes}
        names.append(str(write_vrt(out, name, some, map_folder.MAP, legend, both)))
        write_vrt(out, sure, some, map_folder.CONFIDENCE, None, tags)
        sets = f"set_sizes-{code}.vrt"
        if all((one.folder / map_folder.SET_SIZES).is_file() for one in some):
            write_vrt(out, sets, some, map_folder.SET_SIZES, None, tags)
        else:
            (out / sets).unlink(missing_ok=True)
    if works:
        write_whole(out / map_folder.LEGEND, legend_to_csv(legend))
    return names


def _catalogue(
    out: Path, works: Sequence[Work], areas: Sequence[float], legend: Legend
) -> None:
    """Write a static STAC catalogue of the tiles."""
    folder = out / CATALOGUE
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    about = About(
        ident=out.resolve().name,
        title=f"Land cover in {len(works)} tiles",
        description=f"Land cover, legend {legend.name}: {sum(areas):.0f} ha. "
        "Made by overcast.",
    )
    write_collection([work.folder for work in works], folder, folder, about)
    write_mirror(folder)
