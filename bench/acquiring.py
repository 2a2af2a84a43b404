"""What it takes to fetch a place: memory by the size of the area, and CPU of a map.

    python bench/acquiring.py memory --width 2048 --lengths 1024 2048 --dates 12
    python bench/acquiring.py map --size 512

`memory` fetches dates of Sentinel-2 and makes a composite of them. All dates have the
same pixels, a small world laid side by side, served on the loopback address. Peak memory
is that of the process that fetches, and of the one that makes the composite.

`map` maps a world from its catalogue in one command, and by hand from the files that were
fetched; it says whether the two are the same to the bit.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from odc.geo.geobox import GeoBox

sys.path.insert(0, str(Path(__file__).parents[1]))
from bench.catalogue.make import (
    COARSE,
    KEYS,
    WindowRenderer,
    make_catalogue,
    source_text,
)
from bench.catalogue.serve import serving

from overcast.acquire.data_folder import MANIFEST, optical_in, radar_in
from overcast.geo.bands import SENTINEL_2
from overcast.worlds.scene import WorldScene, simulate

_SMALL = 128
_FIRST, _APART = datetime(2024, 1, 5, 10, 30, 31, tzinfo=UTC), timedelta(days=30)
_OVERCAST = (sys.executable, "-m", "overcast")


@dataclass(frozen=True, slots=True)
class Used:
    """What a command took: peak memory in MB, CPU seconds and seconds."""

    peak: float
    cpu: float
    wall: float


def command(*words: str) -> Used:
    """Carry out a command of overcast."""
    started = time.monotonic()
    process = subprocess.Popen([*_OVERCAST, *words], stdout=-3, stderr=-3)
    _, status, usage = os.wait4(process.pid, 0)
    assert status == 0, status
    cpu = usage.ru_utime + usage.ru_stime
    return Used(usage.ru_maxrss / 1e3, cpu, time.monotonic() - started)


def make(folder: Path, scene: WorldScene, shape: tuple[int, int], dates: int) -> GeoBox:
    """Write a catalogue of one tile of `shape`, seen on several dates."""
    maker = WindowRenderer(folder, scene)
    grid = GeoBox(shape, scene.grid.affine, scene.grid.crs)
    small = np.rint(scene.images["s2"].values * 10_000).astype(np.uint16) + 1000
    times = tuple(-(-n // _SMALL) for n in shape)
    assets: dict[str, Any] = {}
    scl = np.full((_SMALL, _SMALL), 4, np.uint8)
    layers = dict(zip(SENTINEL_2.names, small, strict=True)) | {"SCL": scl}
    for band, tile in layers.items():
        step = 2 if band in COARSE or band == "SCL" else 1
        values = np.tile(tile, times)[: shape[0] : step, : shape[1] : step]
        name = f"s2/{band}.tif"
        maker.cog(name, values, grid.zoom_out(step), 0)
        assets[KEYS.get(band, "scl")] = maker.asset(name, values, grid, nodata=0)
    for number in range(dates):
        when = _FIRST + number * _APART
        ident = f"S2A_32UPA_{when:%Y%m%d}_0_L2A"
        properties = maker.item(ident, "sentinel-2-l2a", when, grid, assets)
        properties |= {"s2:processing_baseline": "05.11", "proj:code": str(grid.crs)}
    text = json.dumps({"type": "FeatureCollection", "features": maker.items})
    (folder / "items.json").write_text(text, encoding="utf-8")
    return grid


def memory(given: argparse.Namespace) -> None:
    """Print a table of memory and time by the length of the area."""
    scene = simulate(11, _SMALL)
    head = (
        "| dates | width | length | fetch: MB at most | CPU s | composite: MB | CPU s |"
    )
    print(f"{head}\n|---|---|---|---|---|---|---|")
    for length in given.lengths:
        with tempfile.TemporaryDirectory() as name:
            shape = (length, given.width)
            grid = make(Path(name), scene, shape, given.dates)
            fetched, made = _fetched(Path(name), grid, given.dates)
        cells = (given.dates, given.width, length, f"{fetched.peak:.0f}")
        more = (f"{fetched.cpu:.0f}", f"{made.peak:.0f}", f"{made.cpu:.0f}")
        print("| " + " | ".join(map(str, (*cells, *more))) + " |", flush=True)


def _fetched(folder: Path, grid: GeoBox, dates: int) -> tuple[Used, Used]:
    """What fetching the whole grid takes, and what a composite of it does."""
    box = grid.footprint("EPSG:4326").boundingbox
    out = folder / "out"
    with serving(folder) as bed:
        source = folder / "source.toml"
        source.write_text(source_text(bed.url), encoding="utf-8")
        fetched = command(
            *("fetch", "--no-s1", "--year", "2024", "--dates", str(dates)),
            *("--bbox", ",".join(f"{v:.6f}" for v in box.bbox)),
            *("--grid", str(folder / "s2" / "B02.tif")),
            *("--source", str(source), "--out", str(out)),
        )
    made = command("composite", "--s2", str(out), "--out", str(folder / "composite"))
    return fetched, made


def whole(given: argparse.Namespace) -> None:
    """Print the CPU of a map of a box, and whether it is the map by hand."""
    with tempfile.TemporaryDirectory() as name:
        folder, out = Path(name), Path(name) / "out"
        make_catalogue(folder, 11, given.size)
        with serving(folder) as bed:
            source = folder / "source.toml"
            source.write_text(source_text(bed.url), encoding="utf-8")
            (dem,) = (item for item in bed.items if item["collection"] == "dem")
            west, south, east, north = dem["bbox"]
            box = (west + 2e-3, south + 1e-3, east - 2e-3, north - 1e-3)
            words = ("--bbox", ",".join(f"{v:.5f}" for v in box), "--year", "2024")
            more = ("--labels", "worldcover", "--source", str(source))
            used = command("map", *words, *more, "--dates", "2", "--out", str(out))
        command("map", *_by_hand(out / "data"), "--out", str(folder / "hand"))
        names = ("map.tif", "confidence.tif")
        same = all(_same(out / n, folder / "hand" / n) for n in names)
        with rasterio.open(out / "map.tif") as dataset:
            shape = list(dataset.shape)
    facts = {"shape": shape, "cpu_seconds": round(used.cpu, 1), "same_by_hand": same}
    print(json.dumps({**facts, "peak_mb": round(used.peak)}, indent=2))


def _by_hand(data: Path) -> Sequence[str]:
    """Options of files that were fetched, as one writes them."""
    files = json.loads((data / MANIFEST).read_text(encoding="utf-8"))["files"]
    words = []
    for name in optical_in(files):
        words += ["--s2", str(data / name)]
    for name in radar_in(files):
        words += ["--s1", str(data / name)]
    (labels,) = (name for name in files if name.startswith("labels"))
    return [*words, "--labels", str(data / labels), "--legend", "simplified-igbp"]


def _same(one: Path, other: Path) -> bool:
    with rasterio.open(one) as first, rasterio.open(other) as second:
        return bool((first.read() == second.read()).all())


def main() -> None:
    """Measure what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parts = parser.add_subparsers(dest="part", required=True)
    one = parts.add_parser("memory")
    one.add_argument("--width", type=int, default=2048)
    one.add_argument("--lengths", type=int, nargs="+", default=[1024, 2048])
    one.add_argument("--dates", type=int, default=12)
    one.set_defaults(do=memory)
    other = parts.add_parser("map")
    other.add_argument("--size", type=int, default=512)
    other.set_defaults(do=whole)
    given = parser.parse_args()
    given.do(given)


if __name__ == "__main__":
    main()
