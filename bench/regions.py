"""What regions cost and hold: tiles on Dask, seams, classes of a region, the scheduler.

    python bench/regions.py tiles      # CPU of a tile: a bare process, and a Dask worker
    python bench/regions.py classes    # a region's run against a run for every tile
    python bench/regions.py scheduler  # 10,000 tasks that sleep, on 64 workers

Each prints JSON. `tiles` and `scheduler` take about 120 CPU seconds, `classes` 150. With
`--folder`, the same command goes on there with what is missing.
"""

from __future__ import annotations

import argparse
import heapq
import json
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import rasterio

from overcast.accuracy.confusion import Confusion
from overcast.geo.label_file import open_labels
from overcast.label_quality.mixtures import mixtures_of
from overcast.plan import Data, ImageInput, LabelInput, Plan
from overcast.product.rasters import written_legend
from overcast.region.description import Cut, Region
from overcast.region.engine import InTurn, engine_of
from overcast.region.events import Events
from overcast.region.ground import open_ground
from overcast.region.job import RegionOutput, map_region, predict_region
from overcast.region.tile import read_record
from overcast.run import Runs
from overcast.threads import keep_memory, use
from overcast.worlds.files import write_world

SIDE = 512


def region_of(world: Path, tiles: int = SIDE) -> Region:
    """A world as a region."""
    images = {
        "s2": ImageInput(path=str(world / "s2.tif"), sensor="sentinel-2"),
        "s1": ImageInput(path=str(world / "s1.tif"), sensor="sentinel-1"),
    }
    labels = LabelInput(path=str(world / "labels.tif"), legend="simplified-igbp")
    return Region(Plan(data=Data(images=images, labels=labels)), Cut(tiles=tiles))


def costs(out: Path) -> dict[str, float]:
    """CPU seconds and memory of the tiles in a folder, those that are full.

    The first full tile of a process also takes its memory from the system, and is told
    apart: of a country it is one of thousands.
    """
    paths = sorted((out / "tiles").iterdir(), key=lambda p: p.stat().st_mtime_ns)
    records = [read_record(path) for path in paths]
    whole = [r for r in records if r and sum(r["classes"].values()) == SIDE * SIDE]
    first = {r["process"]: r["tile"] for r in reversed(whole)}.values()
    later = [r["cpu_seconds"] for r in whole if r["tile"] not in first]
    begun = [r["cpu_seconds"] for r in whole if r["tile"] in first]
    return {
        "full_tiles": len(whole),
        "cpu_seconds_per_tile": round(statistics.mean(later), 3),
        "cpu_seconds_of_a_first_tile": round(statistics.mean(begun), 3),
        "peak_mib": max(r["peak_mib"] for r in whole),
    }


def tiles(folder: Path) -> dict[str, Any]:
    """CPU of a tile in a bare process and in Dask workers, in turns; and seams."""
    world_in(folder / "w", 5, 3 * SIDE)
    region, found = region_of(folder / "w"), {}
    use(1)
    keep_memory()
    map_region(region, RegionOutput(folder / "bare"), InTurn(), Events())
    runs = Runs((folder / "bare" / "run",))
    found["bare"] = costs(folder / "bare")
    both = [folder / "side1", folder / "side2"]
    with ProcessPoolExecutor(2, get_context("spawn")) as pool:
        list(pool.map(partial(_bare, region, folder / "bare" / "run"), both))
    sides = [costs(out)["cpu_seconds_per_tile"] for out in both]
    found["two bare side by side"] = {
        "cpu_seconds_per_tile": round(statistics.mean(sides), 3)
    }
    for number in (1, 2):
        with engine_of(workers=number, memory="3GiB") as engine:
            out = folder / f"dask{number}"
            predict_region(region, runs, RegionOutput(out), engine, Events())
        found[f"dask, {number} workers"] = costs(out)
    predict_region(region, runs, RegionOutput(folder / "again"), InTurn(), Events())
    found["bare again"] = costs(folder / "again")
    each = {name: one["cpu_seconds_per_tile"] for name, one in found.items()}
    bare = statistics.mean(each[k] for k in ("bare", "bare again"))
    larger = region_of(folder / "w", 4 * SIDE)
    predict_region(larger, runs, RegionOutput(folder / "large"), InTurn(), Events())
    return {
        **found,
        "one worker over bare": round(each["dask, 1 workers"] / bare, 3),
        "two workers over two bare": round(
            each["dask, 2 workers"] / each["two bare side by side"], 3
        ),
        "differs": int((values(folder / "bare") != values(folder / "dask2")).sum()),
        "seams": seams(folder / "bare", folder / "large"),
    }


def _bare(region: Region, run: Path, out: Path) -> None:
    """Map a region in a process of its own, as a worker would."""
    use(1)
    keep_memory()
    predict_region(region, Runs((run,)), RegionOutput(out), InTurn(), Events())


def world_in(folder: Path, seed: int, size: int) -> None:
    """A world in a folder, unless it is there."""
    if not folder.exists():
        draft = folder.with_name(f"{folder.name}.part")
        shutil.rmtree(draft, ignore_errors=True)
        write_world(seed=seed, size=size, folder=draft)
        draft.rename(folder)


def values(out: Path) -> np.ndarray:
    """The mosaic of a region of one zone."""
    with rasterio.open(out / "map-32632.vrt") as dataset:
        return np.asarray(dataset.read(1))


def seams(small: Path, large: Path) -> dict[str, float]:
    """Pixels that differ between tiles of two sizes, and changes of class at borders."""
    with rasterio.open(small / "map-32632.vrt") as one:
        first, box = one.read(1), one.bounds
    with rasterio.open(large / "map-32632.vrt") as other:
        place = other.window(*box).round_offsets().round_lengths()
        second = other.read(1, window=place)
    across, elsewhere = list[np.ndarray](), list[np.ndarray]()
    for row in range(1, first.shape[0]):
        known = (first[row] != 255) & (first[row - 1] != 255)
        changed = (first[row] != first[row - 1])[known]
        (elsewhere if row % SIDE else across).append(changed)
    rates = [float(np.concatenate(part).mean()) for part in (across, elsewhere)]
    return {
        "pixels that differ from tiles of 2048": int((first != second).sum()),
        "classes change across borders": round(rates[0], 4),
        "classes change elsewhere": round(rates[1], 4),
    }


def classes(folder: Path) -> dict[str, Any]:
    """A run of the left tiles on the right ones, and a run for every right one."""
    world = folder / "w"
    world_in(world, 7, 3 * SIDE)
    use(2)
    region = region_of(world, 256)
    map_region(region, RegionOutput(folder / "all"), InTurn(), Events())
    legend = written_legend(next((folder / "all" / "tiles").glob("*/map.tif")))
    mapped = values(folder / "all")
    stack = open_ground(region).zones[0].stack
    assert stack.labels is not None
    named = np.bincount(
        stack.labels.read(stack.grid.zoom_out(8)).values.ravel(), minlength=256
    )[: len(legend)]
    cell = (463 / 80) ** 2
    real = set(range(len(legend))) - mixtures_of(legend).keys()
    enough = [legend.names[k] for k in sorted(real) if named[k] / cell >= 12]
    known = [
        n
        for n, c in zip(legend.names, legend.codes, strict=True)
        if (mapped == c).any()
    ]
    left, right = _halves(folder, world)
    halves = []
    for name, part in (("left", left), ("right", right)):
        map_region(part, RegionOutput(folder / name), InTurn(), Events())
        halves.append(Runs((folder / name / "run",)))
    scores = {}
    for name, runs in zip(("of the left", "of its own"), halves, strict=True):
        out = folder / name.replace(" ", "-")
        predict_region(right, runs, RegionOutput(out), InTurn(), Events())
        scores[name] = score(out, world / "truth.tif", legend)
    each = [score_own(folder, world, right, number, legend) for number in range(3)]
    return {
        "tiles": len(list((folder / "all" / "tiles").iterdir())),
        "classes with 12 label cells or more": enough,
        "classes of the map": known,
        "lost": sorted(set(enough) - set(known)),
        "mean IoU on held-out tiles": {
            "run of the left two thirds": scores["of the left"],
            "run of these tiles together": scores["of its own"],
            "a run for each tile": round(statistics.mean(each), 4),
        },
    }


def _halves(folder: Path, world: Path) -> tuple[Region, Region]:
    """The left two thirds and the right third of a world, as files and regions."""
    parts = []
    for name, (start, stop) in {"l": (0, 2 * SIDE), "r": (2 * SIDE, 3 * SIDE)}.items():
        parts.append(_cut(world, folder / name, (0, 3 * SIDE), (start, stop)))
    return region_of(parts[0]), region_of(parts[1])


def _cut(
    world: Path, out: Path, rows: tuple[int, int], columns: tuple[int, int]
) -> Path:
    if out.exists():
        return out
    out.mkdir()
    for name in ("s1.tif", "s2.tif"):
        with rasterio.open(world / name) as source:
            window = rasterio.windows.Window.from_slices(rows, columns)
            profile = source.profile | {
                "height": window.height,
                "width": window.width,
                "transform": source.window_transform(window),
            }
            with rasterio.open(out / name, "w", **profile) as target:
                target.write(source.read(window=window))
                target.descriptions = source.descriptions
                target.update_tags(**source.tags())
    (out / "labels.tif").symlink_to(world / "labels.tif")
    return out


def score(out: Path, truth: Path, legend: Any) -> float:
    """Mean IoU of the tiles of a region against the truth."""
    total = None
    for path in sorted(out.glob("tiles/*/map.tif")):
        source = open_labels(path, legend)
        own = source.read(source.grid)
        right = open_labels(truth, legend).read(source.grid)
        part = Confusion.of(right.values, own.values, len(legend))
        total = part if total is None else total + part
    assert total is not None
    return round(float(total.mean_iou), 4)


def score_own(
    folder: Path, world: Path, right: Region, number: int, legend: Any
) -> float:
    """Mean IoU of the run of a single tile on that tile."""
    rows = (number * SIDE, (number + 1) * SIDE)
    place = _cut(world, folder / f"t{number}", rows, (2 * SIDE, 3 * SIDE))
    out = folder / f"tile{number}"
    map_region(region_of(place), RegionOutput(out), InTurn(), Events())
    return score(out, world / "truth.tif", legend)


def scheduler(folder: Path, tasks: int = 10_000, workers: int = 64) -> dict[str, Any]:
    """Wall time of many tiles on many workers, against one without a scheduler.

    Tasks sleep for as long as measured tiles of 512 pixels took CPU. Workers are threads
    of this process, so all that they, the scheduler and the client do is one thread's
    work: more than a scheduler of its own has. What that takes for a task goes into a
    model of larger tiles, which take as much longer as they have more pixels.
    """
    from distributed import Client, LocalCluster

    from overcast.region.dask_engine import OnDask

    naps = np.random.default_rng(0).choice(_measured(folder), tasks)
    before = _resident_mib()
    cluster = LocalCluster(
        n_workers=workers,
        threads_per_worker=1,
        processes=False,
        memory_limit=0,
        dashboard_address=":0",
        silence_logs=50,
    )
    with cluster, Client(cluster, set_as_default=False) as client:
        engine = OnDask(client, 2)
        ready = _resident_mib()
        cpu, wall = time.process_time(), time.perf_counter()
        names = [f"tile-{n}" for n in range(tasks)]
        done = sum(1 for _ in engine.each(_nap, naps.tolist(), names))
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        after = _resident_mib()
    ideal = _makespan(naps, workers, 0.0)
    model = {
        f"tiles of {SIDE * k}": _makespan(k * k * naps, workers, cpu / tasks)
        / (k * k * ideal)
        - 1
        for k in (1, 2, 4)
    }
    return {
        "tasks": done,
        "workers": workers,
        "seconds_of_a_task": round(float(naps.mean()), 3),
        "wall_s": round(wall, 1),
        "without_scheduler_s": round(ideal, 1),
        "overhead": round(wall / ideal - 1, 4),
        "overhead_by_model": {name: round(part, 4) for name, part in model.items()},
        "cpu_ms_per_task": round(1000 * cpu / tasks, 2),
        "resident_mib": {"before": before, f"{workers} workers": ready, "end": after},
        "load": os.getloadavg()[1],
    }


def _measured(folder: Path) -> list[float]:
    """CPU seconds of nine tiles."""
    world_in(folder / "w", 5, 3 * SIDE)
    use(1)
    map_region(
        region_of(folder / "w"), RegionOutput(folder / "bare"), InTurn(), Events()
    )
    records = [read_record(path) for path in (folder / "bare" / "tiles").iterdir()]
    return [r["cpu_seconds"] for r in records if r]


def _makespan(naps: np.ndarray, workers: int, service: float) -> float:
    """Seconds until all tasks are done, each by the worker that is free first.

    Before a worker begins, the scheduler serves it for `service` seconds, one worker
    after another. No task is given out ahead.
    """
    free = [0.0] * workers
    served = 0.0
    for nap in naps:
        served = max(free[0], served) + service
        heapq.heapreplace(free, served + float(nap))
    return max(free)


def _resident_mib() -> int:
    return int(psutil.Process().memory_info().rss) >> 20


def _nap(seconds: float) -> float:
    time.sleep(seconds)
    return seconds


_MEASURES: dict[str, Callable[[Path], dict[str, Any]]] = {
    "tiles": tiles,
    "classes": classes,
    "scheduler": scheduler,
}


def main() -> None:
    """Measure one thing, and print it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=tuple(_MEASURES))
    parser.add_argument("--folder", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = given.folder or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        print(json.dumps(_MEASURES[given.what](folder), indent=2))


if __name__ == "__main__":
    main()
