"""Processes side by side: results in order, no hang, no process left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import psutil
import pytest

import overcast
from overcast.worlds.parallel import map_ordered

SLOW = """
import os, time
from overcast.worlds.parallel import map_ordered


def double(x):
    return 2 * x, os.getpid()


def end_at_two(x):
    if x == 2 and __name__ != "__main__":
        os._exit(9)
    return 2 * x


def wait(x):
    print(os.getpid(), flush=True)
    time.sleep(600)
"""


def start(script: str, folder: Path) -> subprocess.Popen[str]:
    path = folder / "script.py"
    path.write_text(SLOW + textwrap.dedent(script))
    return subprocess.Popen(
        [sys.executable, str(path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(overcast.__file__).parents[1])},
    )


def output_of(script: str, folder: Path) -> tuple[int, str, str]:
    process = start(script, folder)
    try:
        out, err = process.communicate(timeout=120)
    finally:
        process.kill()
    return process.returncode, out, err


@pytest.mark.parametrize("processes", [1, 2])
def test_results_are_in_order(processes: int) -> None:
    assert list(map_ordered(abs, range(-9, 0), processes)) == list(range(9, 0, -1))


def test_a_script_with_a_guard_uses_processes(tmp_path: Path) -> None:
    script = """
    if __name__ == "__main__":
        made = list(map_ordered(double, range(9), 2))
        print([x for x, _ in made], os.getpid() in {p for _, p in made})
    """
    code, out, err = output_of(script, tmp_path)
    assert (code, out, err) == (0, f"{list(range(0, 18, 2))} False\n", "")


def test_a_script_without_a_guard_works_alone(tmp_path: Path) -> None:
    script = """
    made = list(map_ordered(double, range(9), 2))
    print([x for x, _ in made], {os.getpid()} == {p for _, p in made})
    """
    # The word that a guard has is in SLOW: taken out, so that there is none.
    path = tmp_path / "script.py"
    path.write_text(
        "import os\nfrom overcast.worlds.parallel import map_ordered\n"
        "def double(x):\n    return 2 * x, os.getpid()\n" + textwrap.dedent(script)
    )
    done = subprocess.run(
        [sys.executable, str(path)],
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "PYTHONPATH": str(Path(overcast.__file__).parents[1])},
    )
    assert (done.returncode, done.stdout) == (0, f"{list(range(0, 18, 2))} True\n")
    assert "one process does all the work; put what the script does under if" in (
        done.stderr
    )
    assert "Traceback" not in done.stderr


def test_a_guard_around_something_else_does_not_hang(tmp_path: Path) -> None:
    code, out, err = output_of("print(list(map_ordered(abs, range(9), 2)))", tmp_path)
    assert (code, out) == (0, f"{list(range(9))}\n")
    assert "starts processes, and each of them runs it again" in err
    assert "a process ended before its work was done; this one does the rest" in err


def test_a_process_that_ends_early_is_stood_in_for(tmp_path: Path) -> None:
    script = """
    if __name__ == "__main__":
        print(list(map_ordered(end_at_two, range(9), 2)))
    """
    code, out, err = output_of(script, tmp_path)
    assert (code, out) == (0, f"{list(range(0, 18, 2))}\n")
    assert "a process ended before its work was done; this one does the rest" in err


@pytest.mark.skipif(os.name == "nt", reason="needs signals")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_no_process_outlives_its_parent(tmp_path: Path, number: int) -> None:
    script = """
    if __name__ == "__main__":
        list(map_ordered(wait, range(9), 2))
    """
    process = start(script, tmp_path)
    assert process.stdout is not None
    workers = [int(process.stdout.readline()) for _ in range(2)]
    process.send_signal(number)
    process.communicate(timeout=60)
    until = time.monotonic() + 60
    while any(map(_runs, workers)) and time.monotonic() < until:
        time.sleep(0.05)
    assert not any(map(_runs, workers))


def _runs(process: int) -> bool:
    try:
        return bool(psutil.Process(process).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
