"""How long learning takes where others use the cores too, by how threads wait.

    python bench/sharing.py

Threads of a step wait for the slowest of them. Where they spin meanwhile, as OpenMP has
it by default, they take from others, and from each other, the core that they wait for;
``overcast`` tells them to sleep soon. Seconds of `overcast pretrain` on a small world, with
the machine to itself and beside as many busy processes as it has cores.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

_OVERCAST = [sys.executable, "-m", "overcast"]
_SPINNING = {"GOMP_SPINCOUNT": "300000"}
"""What libgomp does if it is told nothing."""
_BUSY = [sys.executable, "-c", "while True: pass"]


def seconds(world: Path, out: Path, how: dict[str, str]) -> float:
    """Of a short training."""
    told = ["--set", "schedule={steps: 60}", "--out", str(out)]
    start = time.perf_counter()
    subprocess.run(
        [*_OVERCAST, "pretrain", str(world), *told],
        env={**os.environ, **how},
        check=True,
        capture_output=True,
    )
    return time.perf_counter() - start


def main() -> None:
    cores = len(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        made = ["simulate", "--size", "256", "--out", str(folder / "world")]
        subprocess.run([*_OVERCAST, *made], check=True, capture_output=True)
        for others in (0, cores):
            with ExitStack() as stack:
                for _ in range(others):
                    busy = subprocess.Popen(_BUSY)
                    stack.callback(busy.wait)
                    stack.callback(busy.kill)
                spins, sleeps = (
                    seconds(folder / "world", folder / f"{others}-{len(how)}", how)
                    for how in (_SPINNING, {})
                )
            print(
                f"{others} others on {cores} cores: spinning {spins:.1f} s, sleeping soon "
                f"{sleeps:.1f} s, {spins / sleeps:.2f} times"
            )


if __name__ == "__main__":
    main()
