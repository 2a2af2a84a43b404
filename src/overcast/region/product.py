"""What a region leaves besides its tiles: mosaics, a catalogue, and a summary."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from overcast import map_folder
from overcast.output import write_whole
from overcast.region.mosaics import write_mosaic_json, write_vrt
from overcast.region.tile import Record, Work
from overcast.run import Runs

SUMMARY = "summary.json"


def put_together(
    out: Path,
    works: Sequence[Work],
    records: Mapping[str, Record],
    runs: Runs,
    notes: Sequence[str],
    made: int,
) -> dict[str, Any]:
    """Write mosaics and a catalogue of the tiles that are there; a summary."""
    predictor = runs.load()
    legend = predictor.legend
    whole = [work for work in works if work.name in records]
    by_zone: dict[str, list[Work]] = {}
    for work in whole:
        by_zone.setdefault(work.zone.code, []).append(work)
    mosaics = {
        code: str(write_vrt(out, f"map-{code}.vrt", some, map_folder.MAP, legend))
        for code, some in by_zone.items()
    }
    for code, some in by_zone.items():
        write_vrt(out, f"confidence-{code}.vrt", some, map_folder.CONFIDENCE, None)
    if whole:
        write_mosaic_json(out, whole, records)
    summary = {
        "tiles": len(works),
        "finished": len(whole),
        "made": made,
        "mosaics": mosaics,
        "nothing_to_do": made == 0 and len(whole) == len(works),
    }
    write_whole(out / SUMMARY, json.dumps(summary, indent=2) + "\n")
    return summary
