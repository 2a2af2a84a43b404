"""A region whose workers and client are killed at random moments, a hundred times.

    python -m bench.region_kills --folder kills/ --seconds 300

Prints JSON. A kill takes about 6 CPU seconds, and all of them some quarters of an hour. So
the same command goes on where it stopped: after `--seconds`, or when it was interrupted.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from bench.regions import values, world_in

from overcast.region.description import Region, read_region
from overcast.region.engine import InTurn
from overcast.region.events import Events
from overcast.region.job import RegionOutput, map_region

_SENSORS = {"s1": "sentinel-1", "s2": "sentinel-2"}
_CLIENT = 0.25
"""Share of kills that hit the client: each costs a new start of everything."""
_OVERCAST = [sys.executable, "-c", "from overcast.cli import main; main()"]


def kills(folder: Path, count: int = 100, seconds: float = 1e9) -> dict[str, Any]:
    """Kill a job's processes at random moments, and give its command again.

    A job is over when all tiles are there. It is compared with a calm one, and begun
    again from nothing.
    """
    region, out = _tiny(folder), folder / "out"
    map_region(region, RegionOutput(folder / "calm"), InTurn(), Events())
    path, began = folder / "kills.json", time.monotonic()
    state = {"client": 0, "worker": 0, "whole": 0, "again": 0, "differ": 0}
    if path.exists():
        state = json.loads(path.read_text())
    random = np.random.default_rng(sum(state.values()))
    made = _times(out)
    while state["client"] + state["worker"] < count:
        if time.monotonic() - began > seconds:
            break
        _killed(folder, random, state)
        now = _times(out)
        state["again"] += sum(now.get(name) != when for name, when in made.items())
        made = now
        if (
            len(made) == len(_times(folder / "calm"))
            and (out / "summary.json").exists()
        ):
            state["whole"] += 1
            state["differ"] += int((values(out) != values(folder / "calm")).sum())
            made.clear()
            shutil.rmtree(out)
        path.write_text(json.dumps(state))
    return {
        "killed": {kind: state[kind] for kind in ("client", "worker")},
        "jobs that came to an end": state["whole"],
        "pixels that differ": state["differ"],
        "finished tiles that were made again": state["again"],
        "tiles": len(_times(folder / "calm")),
    }


def _tiny(folder: Path) -> Region:
    """A region of some hundred tiles of 32 x 32 pixels."""
    world_in(folder / "w", 5, 320)
    images = {k: {"path": f"w/{k}.tif", "sensor": s} for k, s in _SENSORS.items()}
    labels = {"path": "w/labels.tif", "legend": "simplified-igbp"}
    method = {"name": "weak", "clusters": [24, 24], "samples": 3000}
    tree = {"tiles": 32, "data": {"images": images, "labels": labels}, "method": method}
    (folder / "region.yaml").write_text(json.dumps(tree))
    return read_region(folder / "region.yaml")


def _times(out: Path) -> dict[str, int]:
    """When each tile was finished."""
    records = out.glob("tiles/[0-9]*/tile.json")  # drafts begin with a point
    return {path.parent.name: path.stat().st_mtime_ns for path in records}


def _killed(folder: Path, random: np.random.Generator, state: dict[str, int]) -> None:
    """Run the command of a job, and kill its processes until it or its client ends."""
    words = [*_OVERCAST, "map", "--region", "region.yaml", "--workers", "2"]
    job = subprocess.Popen(
        [*words, "--out", "out"],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    while job.poll() is None:
        time.sleep(float(random.uniform(0.5, 16)))
        if job.poll() is not None:
            break
        workers = [
            child.pid
            for child in psutil.Process(job.pid).children(True)
            if "spawn_main" in " ".join(child.cmdline())
        ]
        is_client = not workers or random.random() < _CLIENT
        victim = job.pid if is_client else int(random.choice(workers))
        os.kill(victim, signal.SIGKILL)
        state["client" if is_client else "worker"] += 1
        if is_client:
            # Its workers go on for a moment, as they do on other machines.
            job.wait()
            time.sleep(1)
            with suppress(ProcessLookupError):
                os.killpg(job.pid, signal.SIGKILL)


def main() -> None:
    """Kill on, and print what became of it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=1e9)
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    print(json.dumps(kills(given.folder, given.count, given.seconds), indent=2))


if __name__ == "__main__":
    main()
