"""A region mapped: learn once, map every tile that is missing, put all together.

The same command again does what is missing, and nothing if nothing is. A tile that
fails is written down, and the rest goes on.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from overcast import __version__, lock, map_folder
from overcast.errors import MachineError
from overcast.geo.dataset import stamp
from overcast.geo.lattice import widened, within
from overcast.geo.near import files_of, near
from overcast.geo.series import series_of
from overcast.plan import fingerprint
from overcast.region.description import Region, tree_of
from overcast.region.engine import Engine, Failed
from overcast.region.events import Events
from overcast.region.from_catalogues import SURVEYS, keys_of
from overcast.region.ground import Ground, Zone, open_ground
from overcast.region.label_files import with_labels
from overcast.region.learning import learn_region
from overcast.region.metrics import Metrics
from overcast.region.product import Made, put_together
from overcast.region.state import FAILED, begin, clean, write_failed
from overcast.region.tile import Record, Work, finished, map_tile
from overcast.run import Runs, is_trained
from overcast.run_folder import RUN
from overcast.runtimes import runtime_for

_FORMAT = 1
"""Of tiles: a change of what is in them makes all of them anew."""


@dataclass(frozen=True, slots=True)
class RegionOutput:
    """What is wanted of a region besides its map."""

    out: Path
    overwrite: bool = False
    probabilities: bool = False


def map_region(
    region: Region, wanted: RegionOutput, engine: Engine, events: Events
) -> dict[str, Any]:
    """Learn from a region and map it, into a folder; a summary.

    Raises
    ------
    ValueError
        If an input is refused, or the folder holds another map.
    MachineError
        If tiles failed; all others are there.
    """
    out, run = wanted.out, wanted.out / RUN
    region = with_labels(
        region, out / map_folder.DATA, overwrite=wanted.overwrite, progress=events.step
    )
    ground = open_ground(region, out / SURVEYS)
    with lock.writing(out):
        begin(out, region, {"run": "own"}, overwrite=wanted.overwrite)
        if wanted.overwrite:
            for folder in (run, out / SURVEYS):
                shutil.rmtree(folder, ignore_errors=True)
        if not (run.is_dir() and is_trained(run)):
            learn_region(region, ground, run, engine, events)
        return _map_all(region, ground, Runs((run,)), wanted, engine, events)


def predict_region(
    region: Region, runs: Runs, wanted: RegionOutput, engine: Engine, events: Events
) -> dict[str, Any]:
    """Map a region with runs that were trained before; see `map_region`."""
    runs.load()
    ground = open_ground(region, wanted.out / SURVEYS)
    with lock.writing(wanted.out):
        begin(wanted.out, region, {"run": runs.model}, overwrite=wanted.overwrite)
        if wanted.overwrite:
            shutil.rmtree(wanted.out / SURVEYS, ignore_errors=True)
        return _map_all(region, ground, runs, wanted, engine, events)


def _map_all(
    region: Region,
    ground: Ground,
    runs: Runs,
    wanted: RegionOutput,
    engine: Engine,
    events: Events,
) -> dict[str, Any]:
    clean(wanted.out)
    works = list(works_of(region, ground, runs, wanted, engine.workers))
    records = {w.name: r for w in works if (r := finished(w.folder, w.key)) is not None}
    left = [work for work in works if work.name not in records]
    events("begin", tiles=len(works), finished=len(records), workers=engine.workers)
    failed = _work_off(left, records, wanted, engine, events)
    tiles = Made(works, records, failed, len(left) - len(failed), ground.notes)
    plan = yaml.safe_dump(tree_of(region), sort_keys=False, allow_unicode=True)
    summary = put_together(wanted.out, tiles, runs, plan)
    events("end", tiles=len(works), made=tiles.made, failed=len(failed))
    if failed:
        raise MachineError(
            f"{wanted.out / FAILED}: {len(failed)} of {len(works)} tiles failed "
            f"({failed[0]['tile']}: {failed[0]['error']}); the others are there, and the "
            "same command tries these again"
        )
    return summary


def _work_off(
    left: Sequence[Work],
    records: dict[str, Record],
    wanted: RegionOutput,
    engine: Engine,
    events: Events,
) -> list[dict[str, Any]]:
    """Make tiles, adding to `records`; those that failed, and why."""
    failed: list[dict[str, Any]] = []
    metrics = Metrics(
        wanted.out, len(records) + len(left), len(records), engine.workers
    )
    write_failed(wanted.out, failed)
    names = [work.name for work in left]
    for done, (number, result) in enumerate(engine.each(map_tile, left, names), 1):
        name = names[number]
        if isinstance(result, Failed):
            failed.append({"tile": name, "error": result.line, "code": result.code})
            events("tile failed", "error", tile=name, error=result.line)
            write_failed(wanted.out, failed)
            metrics.add(None)
        else:
            records[name] = result
            events("tile", **_facts(result))
            metrics.add(result)
        events.step("mapping", done, len(left))
    metrics.write()
    return failed


def works_of(
    region: Region, ground: Ground, runs: Runs, wanted: RegionOutput, workers: int = 1
) -> Iterator[Work]:
    """The task of every tile of a region, in order of zone, row and column."""
    predictor = runs.load()
    pixels = ground.tiles * region.cut.tiles**2
    runtime = runtime_for(pixels)
    about = [_FORMAT, __version__, runs.model, wanted.probabilities, runtime]
    stamps: dict[Path, Any] = {}
    for zone in ground.zones:
        used = _without_labels(zone, set(predictor.sensors))
        lattice = zone.lattice
        place = [lattice.crs, lattice.resolution, lattice.left, lattice.top, zone.strip]
        for tile in zone.tiles:
            wide = widened(tile.window, predictor.halo)
            stack = near(used.stack, lattice.grid(wide))
            inputs = [_stamped(path, stamps) for path in files_of(stack)]
            inputs += keys_of(stack)
            read = within(wide, zone.reach)
            key = fingerprint(
                [*about, place, region.cut.side, tile.window, read, inputs]
            )
            yield Work(
                tile,
                replace(used, stack=stack, tiles=(), outline=None),
                region.cut.side,
                runs,
                wanted.out.absolute(),
                key,
                runtime,
                wanted.probabilities,
                None if workers == 1 else 1,
            )


def _without_labels(zone: Zone, wanted: Iterable[str]) -> Zone:
    """The zone with the images that a run reads, and no labels."""
    names, stack = set(wanted), zone.stack
    given = {series_of(name, stack.moments) for name in stack.images}
    return replace(zone, stack=stack.only(names & given))


def _stamped(path: Path, known: dict[Path, Any]) -> Any:
    if path not in known:
        known[path] = stamp(path)
    return known[path]


def _facts(record: Record) -> dict[str, Any]:
    names = ("tile", "seconds", "cpu_seconds", "peak_mib", "host")
    return {name: record[name] for name in names}
