"""One tile: read, predict and write it, as one task of any machine.

A tile is made in a folder of its own, ``.NAME.part-...``, and has its name once it is
whole. ``tile.json`` in it says what it was made of. A tile is finished if that agrees
with what is asked for; so the same task twice, on two machines at once, does no harm.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import socket
import time
import uuid
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import rasterio

from overcast import __version__, map_folder
from overcast.accuracy.conformal import ConformalSets
from overcast.errors import writing
from overcast.geo.lattice import widened
from overcast.geo.raster import UNKNOWN
from overcast.geo.stack import Stack
from overcast.inputs import Inputs
from overcast.jobs.publish import publish_map
from overcast.maps.by_date import for_dates
from overcast.maps.cells import HeldMap, predict_cells
from overcast.maps.matched import matched
from overcast.maps.predictor import Predictor
from overcast.output import write_whole
from overcast.product.rasters import write_set_sizes
from overcast.region.from_catalogues import in_memory, origins_on
from overcast.region.ground import Tile, Zone, outside
from overcast.run import Runs, tags_of, write_rasters
from overcast.runtimes import running
from overcast.threads import keep_memory, use

TILES, RECORD = "tiles", "tile.json"
"""Folder of the tiles of a region, and what a tile says of itself."""
_CACHE_BYTES = 128 << 20
"""Of blocks that GDAL keeps; by default 5 % of the memory of the machine, a process."""
Record = dict[str, Any]
_FACTS = frozenset(
    ("tile", "classes", "bbox", "seconds", "cpu_seconds", "peak_mib", "host")
)
"""Keys of a record that others rely on; a tile without one of them is made anew."""


@dataclass(frozen=True, slots=True)
class Work:
    """All that a task of a tile needs; it goes to other processes.

    Attributes
    ----------
    tile, zone
        What is mapped; the zone's stack has the files that reach the tile, no others.
    side
        Pixels along a cell.
    runs
        What maps.
    out
        Folder of the region.
    key
        Fingerprint: run, inputs and software.
    runtime
        What carries out a network.
    probabilities
        Whether the probabilities of all classes are kept.
    threads
        Of this task; all of the process, if it is None.
    """

    tile: Tile
    zone: Zone
    side: int
    runs: Runs
    out: Path
    key: str
    runtime: str
    probabilities: bool = False
    threads: int | None = None

    @property
    def name(self) -> str:
        """Return the name of the tile."""
        return self.tile.name

    @property
    def folder(self) -> Path:
        """Where the tile will lie."""
        return self.out / TILES / self.tile.name


def finished(folder: Path, key: str) -> Record | None:
    """What a tile says of itself, if it is whole and was made of the same; else None."""
    record = read_record(folder)
    if (
        record is None
        or record.get("fingerprint") != key
        or not record.keys() >= _FACTS
    ):
        return None
    return record if (folder / map_folder.MAP).is_file() else None


def read_record(folder: Path) -> Record | None:
    """What the tile in a folder says of itself; None if there is no whole tile."""
    try:
        record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return record if isinstance(record, dict) else None


def map_tile(work: Work) -> Record:
    """Map a tile into its folder, unless it is finished; what it says of itself.

    Raises
    ------
    ValueError
        If an input can't be read, or the run can't map it.
    """
    if (before := finished(work.folder, work.key)) is not None:
        return before
    began, cpu = time.perf_counter(), time.process_time()
    keep_memory()
    if work.threads is not None:
        use(work.threads)
    draft = work.folder.with_name(f".{work.name}.part-{uuid.uuid4().hex[:8]}")
    with writing(draft):
        draft.mkdir(parents=True)
    try:
        with rasterio.Env(GDAL_CACHEMAX=_CACHE_BYTES), running(work.runtime):
            held, facts = _mapped(work, draft)
        record: Record = {
            "tile": work.name,
            "fingerprint": work.key,
            "version": __version__,
            "crs": work.zone.lattice.crs,
            **facts,
            "classes": _counts(held),
            "seconds": round(time.perf_counter() - began, 2),
            "cpu_seconds": round(time.process_time() - cpu, 2),
            "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10,
            "host": socket.gethostname(),
            "process": os.getpid(),
        }
        with writing(draft / RECORD):
            write_whole(draft / RECORD, json.dumps(record, indent=2) + "\n")
        _put(draft, work)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return record


def _mapped(work: Work, draft: Path) -> tuple[HeldMap, Record]:
    """Map a tile into a folder; the map, and where it lies."""
    zone, window = work.zone, work.tile.window
    predictor = _predictor(work.runs, work.runs.model)
    given, sets = matched(zone.stack, predictor.sensors), _sets(work.runs)
    wide = zone.lattice.grid(widened(window, predictor.halo))
    stack = in_memory(given, wide)
    origins, notes = origins_on(given, wide)
    held = predict_cells(
        for_dates(predictor, stack),
        stack,
        zone.lattice,
        window,
        work.side,
        reach=zone.reach,
        keep=work.probabilities or sets is not None,
    )
    if (others := outside(work.tile, zone)) is not None:
        held.hide(others)
    grid = zone.lattice.grid(window)
    tags = tags_of(work.runs, stack) | {"OVERCAST_TILE": work.name}
    mapped = write_rasters(held, (grid, predictor.legend), draft, tags)
    if sets is not None:
        probabilities = draft / map_folder.PROBABILITIES
        write_set_sizes(probabilities, sets, draft / map_folder.SET_SIZES)
        if not work.probabilities:
            probabilities.unlink()
    inputs = Inputs(_on(stack, grid), (), work.key)
    publish_map(mapped, predictor, inputs, work.folder, work.runs.run_folders, origins)
    box = grid.footprint("EPSG:4326", npoints=9).boundingbox
    return held, {
        "shape": [window.h, window.w],
        "transform": list(grid.affine)[:6],
        "bbox": [box.left, box.bottom, box.right, box.top],
        "items": list(origins.items),
        "notes": notes,
    }


def _sets(runs: Runs) -> ConformalSets | None:
    """The sets of classes that a calibrated run promises, if it was asked for them."""
    calibration = runs.calibration
    return None if calibration is None else calibration.sets


def _on(stack: Stack, grid: Any) -> Stack:
    return replace(stack, grid=grid)


@lru_cache(maxsize=2)
def _predictor(runs: Runs, model: str) -> Predictor:
    """The predictor of runs, loaded once in a process as long as they stay the same."""
    return runs.load()


def _counts(held: HeldMap) -> dict[str, int]:
    """Pixels by class index; those of no class are left out."""
    counts = np.bincount(held.classes.ravel(), minlength=UNKNOWN + 1)[:UNKNOWN]
    return {str(k): int(n) for k, n in enumerate(counts) if n}


def _put(draft: Path, work: Work) -> None:
    """Give a whole tile its name; another task may have made the same one meanwhile."""
    old = draft.with_name(f"{draft.name}-old")
    with writing(work.folder):
        if work.folder.exists():
            if not work.folder.is_dir():
                raise ValueError(
                    f"{work.folder}: a file, where a tile is to lie; move it away"
                )
            if finished(work.folder, work.key) is not None:
                return
            work.folder.rename(old)
        try:
            draft.rename(work.folder)
        except OSError:
            if finished(work.folder, work.key) is None:
                raise
    shutil.rmtree(old, ignore_errors=True)
