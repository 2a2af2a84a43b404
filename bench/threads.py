"""CPU seconds of `overcast map` with its defaults, and with one thread of BLAS.

    python bench/threads.py [SIZE [PAIRS]]

Maps a simulated scene (1024 x 1024 pixels, labels of 500 m) with the default method:
once as users run it, once with ``OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1``, in turns.
CPU seconds are user and system time of the process and its children; another load on
the machine changes them less than the time on the clock. Bar: the median of the ratios is
at most 1.1.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

_OVERCAST = [sys.executable, "-m", "overcast"]
_ONE = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
_WAYS: dict[str, dict[str, str]] = {"default": {}, "one": _ONE}
_DEFAULTS = ["1024", "3"]
_CHOICES = {*_ONE, "MKL_NUM_THREADS", "GOMP_SPINCOUNT", "OMP_WAIT_POLICY"}
"""Variables that a user may have set: neither way of running starts with them."""


def seconds(world: Path, out: Path, threads: dict[str, str]) -> tuple[float, float]:
    """CPU seconds, and seconds on the clock, of a map."""
    files = ["--s1", "s1.tif", "--s2", "s2.tif", "--labels", "labels.tif"]
    words = [*files, "--legend", "simplified-igbp", "--out", str(out)]
    environment = {k: v for k, v in os.environ.items() if k not in _CHOICES}
    start = time.perf_counter()
    process = subprocess.Popen(
        [*_OVERCAST, "map", *words],
        cwd=world,
        env=environment | threads,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    assert process.stderr is not None
    text = process.stderr.read().decode()
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise RuntimeError(text)
    return usage.ru_utime + usage.ru_stime, time.perf_counter() - start


def main() -> None:
    """Print every pair, and the median of their ratios."""
    size, pairs = map(int, (sys.argv[1:] + _DEFAULTS[len(sys.argv) - 1 :]))
    ratios = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        made = [
            "simulate",
            "--seed",
            "1",
            "--size",
            str(size),
            "--out",
            str(folder / "world"),
        ]
        subprocess.run([*_OVERCAST, *made], check=True, capture_output=True)
        for pair in range(pairs):
            spent = {}
            for way in sorted(_WAYS, reverse=bool(pair % 2)):
                out = folder / f"{way}-{pair}"
                spent[way] = seconds(folder / "world", out, _WAYS[way])
            (cpu, clock), (one, alone) = spent["default"], spent["one"]
            ratios.append(cpu / one)
            print(
                f"default {cpu:.1f} CPU s in {clock:.1f} s, one thread of BLAS {one:.1f} "
                f"CPU s in {alone:.1f} s: {cpu / one:.2f} times",
                flush=True,
            )
    print(
        f"{size} x {size} pixels: median of {pairs} ratios {statistics.median(ratios):.2f}"
    )


if __name__ == "__main__":
    main()
