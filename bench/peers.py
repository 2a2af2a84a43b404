"""A whole job beside other ways to do it: CPU seconds, memory, and how right the map is.

    python bench/peers.py [--size 1024] [--rounds 2] [--before CHECKOUT] [--only A,B]

Simulates a scene with labels of 500 m, and maps it in turns with `overcast map` (weak and
forest), a plain script with scikit-learn's forest (`bench/plain.py`), and the same with
LightGBM where it is installed; with ``--before``, also with another checkout of overcast.
Every way has one thread. CPU seconds are user and system time of a process and its
children, the least of the rounds, so that other work on the machine counts little.
Writes the table of docs/speed.md between its marks.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import rasterio

from bench_table import write_table

_HERE = Path(__file__).resolve().parent
_ONE = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
_MAP = ["-m", "overcast", "map", "--s1", "s1.tif", "--s2", "s2.tif"]
_LABELS = ["--labels", "labels.tif", "--legend", "simplified-igbp", "--no-place"]


def ways(out: Path, before: Path | None) -> dict[str, tuple[list[str], str, Path]]:
    """Arguments for python, PYTHONPATH, and the map that comes out, for every way."""
    own = str(_HERE.parent / "src")
    found: dict[str, tuple[list[str], str, Path]] = {}

    def overcast(name: str, method: str, path: str) -> None:
        folder = out / name.replace(" ", "-").replace(",", "")
        words = [*_MAP, *_LABELS, "--method", method, "--out", str(folder)]
        found[name] = (words, path, folder / "map.tif")

    overcast("overcast weak", "weak", own)
    if before is not None:
        overcast("before weak", "weak", str(before / "src"))
    overcast("overcast forest", "forest", own)
    for learner in ("forest", "lightgbm"):
        if learner == "forest" or find_spec("lightgbm"):
            path = out / f"{learner}.tif"
            script = [str(_HERE / "plain.py"), ".", str(path), learner]
            found[f"plain script ({learner})"] = (script, "", path)
    return found


def spent(words: list[str], path: str, folder: Path) -> tuple[float, float, float]:
    """CPU seconds, seconds on the clock and peak megabytes of a python command."""
    environment = os.environ | _ONE
    # Users have compiled modules, which this would keep from being written.
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    environment["PYTHONPATH"] = path or environment.get("PYTHONPATH", "")
    start = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, *words],
        cwd=folder,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    assert process.stderr is not None
    text: list[bytes] = []
    reader = threading.Thread(
        target=lambda e: text.append(e.read()), args=[process.stderr]
    )
    reader.start()
    _, status, usage = os.wait4(process.pid, 0)
    reader.join()
    if status:
        raise RuntimeError(b"".join(text).decode())
    cpu = usage.ru_utime + usage.ru_stime
    return cpu, time.perf_counter() - start, usage.ru_maxrss / 1024


def scores(path: Path, truth: Path) -> tuple[float, float]:
    """Overall accuracy and mean IoU of a map."""
    with rasterio.open(path) as file, rasterio.open(truth) as true:
        found, expected = file.read(1), true.read(1)
    classes = np.unique(expected)
    unions = [((found == c) | (expected == c)).sum() for c in classes]
    shared = [((found == c) & (expected == c)).sum() for c in classes]
    both = np.array(shared) / np.array(unions)
    return float((found == expected).mean()), float(both.mean())


def main() -> None:
    """Run all ways in turns, and print and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=1024)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--before", type=Path)
    parser.add_argument("--only", default="")
    given = parser.parse_args()
    wanted = [w for w in given.only.split(",") if w]
    rows: dict[str, list[tuple[float, float, float]]] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        scene = folder / "scene"
        made = ["--seed", "1", "--size", str(given.size), "--labels", "modis"]
        words = ["-m", "overcast", "simulate", *made, "--out", str(scene)]
        spent(words, str(_HERE.parent / "src"), folder)
        right = {}
        for number in range(given.rounds):
            out = folder / str(number)
            out.mkdir()
            for way, (arguments, path, mapped) in ways(out, given.before).items():
                if wanted and way not in wanted:
                    continue
                rows.setdefault(way, []).append(spent(arguments, path, scene))
                right[way] = scores(mapped, scene / "truth.tif")
                cpu, clock, memory = rows[way][-1]
                print(
                    f"{way}: {cpu:.1f} CPU s in {clock:.1f} s, {memory:.0f} MB",
                    flush=True,
                )
    lines = ["| way | CPU s | peak MB | OA | mIoU |", "|---|---|---|---|---|"]
    for way, runs in rows.items():
        cpu, memory = min(r[0] for r in runs), max(r[2] for r in runs)
        oa, iou = right[way]
        lines.append(f"| {way} | {cpu:.1f} | {memory:.0f} | {oa:.3f} | {iou:.3f} |")
    print("\n".join(lines))
    if not given.only:
        write_table(f"jobs-{given.size}", lines)


if __name__ == "__main__":
    main()
