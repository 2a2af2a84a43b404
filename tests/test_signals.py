"""A request to end is what Ctrl-C is: one line, exit 130, nothing left behind that runs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import overcast


def started(folder: Path, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "overcast", *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(Path(overcast.__file__).parents[1])},
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def children(pid: int) -> list[int]:
    """Processes of a session, but for the one that began it."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[3]) == pid and int(path.parent.name) != pid and fields[0] != "Z":
            found.append(int(path.parent.name))
    return found


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_workers_end_with_the_command(tmp_path: Path) -> None:
    words = (
        "simulate",
        "--size",
        "2048",
        "--seed",
        "3",
        "--threads",
        "2",
        "--out",
        "o",
    )
    with started(tmp_path, *words) as process:
        end = time.monotonic() + 60
        while len(children(process.pid)) < 2 and time.monotonic() < end:
            time.sleep(0.05)
        assert len(children(process.pid)) >= 2
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=60)
        assert process.returncode == 130
        lines = [
            line for line in said.splitlines() if not line.startswith("simulating")
        ]
        assert [line for line in lines if "stopped" in line] == lines[-1:]
        assert "Traceback" not in said
        end = time.monotonic() + 10
        while children(process.pid) and time.monotonic() < end:
            time.sleep(0.05)
        assert not children(process.pid)
    assert not [p for p in (tmp_path / "o").iterdir() if not p.name.startswith(".")]
