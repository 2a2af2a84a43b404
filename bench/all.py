"""Run every bench and keep what it printed in bench/results/.

make bench
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parent
BENCHES = (
    "startup",
    "stitching",
    "overhead",
    "memory",
    "reading",
    "scaling",
    "audit",
    "calibration",
    "coverage",
    "transport",
    "viewer",
)


def main() -> None:
    results = FOLDER / "results"
    results.mkdir(exist_ok=True)
    for name in BENCHES:
        print(f"== {name}", flush=True)
        done = subprocess.run(
            [sys.executable, str(FOLDER / f"{name}.py")],
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        )
        print(done.stdout, flush=True)
        (results / f"{name}.txt").write_text(done.stdout)


if __name__ == "__main__":
    main()
