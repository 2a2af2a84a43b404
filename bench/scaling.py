"""Time and memory of `overcast map` with its defaults, by the size of the scene.

    python bench/scaling.py --sizes 1024 2048 4096

The bar: 1024 x 1024 with both sensors within 2 minutes on 4 cores, and time growing no
faster than the number of pixels. Seconds are of the whole command, learning, mapping
and report; memory is the peak of its process.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from overcast.worlds.files import write_world

WORLD = 1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1024, 2048, 4096])
    print("| side, px | seconds | seconds per megapixel | peak memory, MB |")
    print("|---|---|---|---|")
    for size in parser.parse_args().sizes:
        seconds, peak_mb = measure(size)
        pixels = size**2 / 1e6
        print(
            f"| {size} | {seconds:.0f} | {seconds / pixels:.1f} | {peak_mb:.0f} |",
            flush=True,
        )


def measure(size: int) -> tuple[float, float]:
    """Seconds and megabytes of mapping a world of this side."""
    with tempfile.TemporaryDirectory() as folder:
        world, out = Path(folder) / "world", Path(folder) / "out"
        write_world(WORLD, size, world)
        command = [sys.executable, "-m", "overcast", "map", "--out", str(out)]
        for name, file in (
            ("s2", "s2.tif"),
            ("s1", "s1.tif"),
            ("labels", "labels.tif"),
        ):
            command += [f"--{name}", str(world / file)]
        command += ["--legend", "simplified-igbp"]
        start = time.perf_counter()
        with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
            _, status, usage = os.wait4(process.pid, 0)
        if status:
            raise SystemExit(f"overcast map failed at {size} pixels")
        return time.perf_counter() - start, usage.ru_maxrss / 1024


if __name__ == "__main__":
    main()
