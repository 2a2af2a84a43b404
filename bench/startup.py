"""How long the command line takes to say something.

    python bench/startup.py

Best of five of `overcast --help` (bar: 0.5 s), beside `python -c pass`.
"""

from __future__ import annotations

import subprocess
import sys
import time


def best(command: list[str]) -> float:
    """Seconds of the fastest of five runs."""
    times = []
    for _ in range(5):
        start = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        times.append(time.perf_counter() - start)
    return min(times)


def main() -> None:
    print(f"python -c pass        {best([sys.executable, '-c', 'pass']):.3f} s")
    command = [sys.executable, "-m", "overcast", "--help"]
    print(f"overcast --help       {best(command):.3f} s (bar 0.5)")
    command = [sys.executable, "-m", "overcast", "inspect", "--help"]
    print(f"overcast inspect -h   {best(command):.3f} s")


if __name__ == "__main__":
    main()
