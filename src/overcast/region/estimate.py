"""What a region costs, before it is mapped: counted tiles, and one of them measured."""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from overcast.region.description import Region
from overcast.region.from_catalogues import SURVEYS
from overcast.region.ground import open_ground
from overcast.region.job import RegionOutput, works_of
from overcast.region.tile import Record, Work, finished, map_tile
from overcast.run import Runs, is_trained
from overcast.run_folder import RUN

_SPARE = 1.25
"""A worker is given more memory than the measured tile took."""
_MEASURED = 50
"""Finished tiles that are looked at."""


def estimate(
    region: Region, wanted: RegionOutput, workers: int, runs: Runs | None = None
) -> dict[str, Any]:
    """Tiles, bytes, memory of a worker and time of a region; nothing is left behind.

    Time and bytes are those of tiles that are finished, or of one that is mapped for
    this. Without a run there is none, and they are not known.
    """
    with tempfile.TemporaryDirectory(prefix="overcast-dry-run-") as folder:
        return _estimated(region, wanted, workers, runs, Path(folder))


def _estimated(
    region: Region, wanted: RegionOutput, workers: int, runs: Runs | None, folder: Path
) -> dict[str, Any]:
    ground = open_ground(region, folder / SURVEYS)
    own = wanted.out / RUN
    if runs is None and own.is_dir() and is_trained(own):
        runs = Runs((own,))
    side = region.cut.tiles
    known: dict[str, Any] = {
        "tiles": ground.tiles,
        "zones": {zone.code: len(zone.tiles) for zone in ground.zones},
        "pixels": ground.tiles * side * side,
        "km2": round(
            sum(
                len(zone.tiles) * (side * zone.lattice.resolution / 1000) ** 2
                for zone in ground.zones
            ),
            1,
        ),
        "workers": workers,
    }
    if runs is None:
        return known | {
            "measured": None,
            "note": "time, bytes and memory are known once the region was learned from "
            "(the folder run): train first, or ask again then",
        }
    works = list(works_of(region, ground, runs, wanted))
    return known | _measured(works, workers, folder)


def _measured(works: Sequence[Work], workers: int, folder: Path) -> dict[str, Any]:
    """Costs of all tiles, by those that are finished or by one in the middle."""
    made = [(w, r) for w in works if (r := finished(w.folder, w.key)) is not None]
    if made:
        records = [record for _, record in made[:_MEASURED]]
        sizes = [_bytes(work.folder) for work, _ in made[:_MEASURED]]
        return _costs(records, sizes, len(works), len(works) - len(made), workers)
    one = replace(works[len(works) // 2], out=folder, threads=1)
    record = map_tile(one)
    return _costs([record], [_bytes(one.folder)], len(works), len(works), workers)


def _costs(
    records: Sequence[Record],
    sizes: Sequence[int],
    tiles: int,
    left: int,
    workers: int,
) -> dict[str, Any]:
    seconds = statistics.mean(float(record["seconds"]) for record in records)
    cpu = statistics.mean(float(record["cpu_seconds"]) for record in records)
    return {
        "measured": {"tiles": len(records), "seconds_per_tile": round(seconds, 2)},
        "tiles_left": left,
        "bytes": round(statistics.mean(sizes) * tiles),
        "memory_per_worker_mib": round(
            _SPARE * max(int(record["peak_mib"]) for record in records)
        ),
        "cpu_hours": round(cpu * left / 3600, 3),
        "hours": round(seconds * left / workers / 3600, 3),
    }


def _bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.iterdir())
