"""Memory and time of fetching, by the width and the length of the area.

    python bench/acquiring.py --width 2048 --lengths 1024 2048 4096

Images of one tile on two days, made of a small world laid side by side, served on the
loopback address. Peak memory is that of the process that fetches.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from odc.geo.geobox import GeoBox

sys.path.insert(0, str(Path(__file__).parents[1]))
from bench.catalogue.make import COARSE, DAYS, KEYS, WindowRenderer, source_text
from bench.catalogue.serve import serving

from overcast.geo.bands import SENTINEL_2
from overcast.worlds.scene import WorldScene, simulate

_SMALL = 128


def make(folder: Path, scene: WorldScene, width: int, length: int) -> GeoBox:
    """Write a catalogue of one tile of `length` rows."""
    maker = WindowRenderer(folder, scene)
    grid = GeoBox((length, width), scene.grid.affine, scene.grid.crs)
    small = np.rint(scene.images["s2"].values * 10_000).astype(np.uint16) + 1000
    times = (-(-length // _SMALL), -(-width // _SMALL))
    for day in DAYS[:2]:
        ident = f"S2A_32UPA_{day.when:%Y%m%d}_0_L2A"
        assets: dict[str, Any] = {}
        scl = np.full((_SMALL, _SMALL), 4, np.uint8)
        for band, tile in {
            **dict(zip(SENTINEL_2.names, small, strict=True)),
            "SCL": scl,
        }.items():
            step = 2 if band in COARSE or band == "SCL" else 1
            values = np.tile(tile, times)[:length:step, :width:step]
            name = f"s2/{ident}/{band}.tif"
            maker.cog(name, values, grid.zoom_out(step), 0)
            assets[KEYS.get(band, "scl")] = maker.asset(name, values, grid, nodata=0)
        properties = maker.item(ident, "sentinel-2-l2a", day.when, grid, assets)
        properties |= {"s2:processing_baseline": "05.11", "proj:code": str(grid.crs)}

    text = json.dumps({"type": "FeatureCollection", "features": maker.items})
    (folder / "items.json").write_text(text, encoding="utf-8")
    return grid


def fetch(folder: Path, grid: GeoBox) -> tuple[float, float, float]:
    """Peak memory in MB, CPU seconds and seconds of fetching the whole grid."""
    box = grid.footprint("EPSG:4326").boundingbox
    with serving(folder) as bed:
        source = folder / "source.toml"
        source.write_text(source_text(bed.url), encoding="utf-8")
        command = [sys.executable, "-m", "overcast", "fetch", "--no-s1"]
        command += ["--bbox", ",".join(f"{v:.6f}" for v in box.bbox), "--year", "2024"]
        command += ["--grid", str(next(folder.glob("s2/*/B02.tif"))), "--dates", "2"]
        command += ["--source", str(source), "--out", str(folder / "out")]
        started = time.monotonic()
        process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        _, status, usage = _wait(process)
        assert status == 0, status
    return (
        usage.ru_maxrss / 1e3,
        usage.ru_utime + usage.ru_stime,
        time.monotonic() - started,
    )


def _wait(process: subprocess.Popen[bytes]) -> tuple[int, int, resource.struct_rusage]:

    return os.wait4(process.pid, 0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--width", type=int, default=2048)
    parser.add_argument("--lengths", type=int, nargs="+", default=[1024, 2048, 4096])
    given = parser.parse_args()
    scene = simulate(11, _SMALL)
    print("| width | length | peak MB | CPU s | s |\n|---|---|---|---|---|")
    for length in given.lengths:
        with tempfile.TemporaryDirectory() as name:
            grid = make(Path(name), scene, given.width, length)
            peak, cpu, wall = fetch(Path(name), grid)
        print(f"| {given.width} | {length} | {peak:.0f} | {cpu:.0f} | {wall:.0f} |")


if __name__ == "__main__":
    main()
