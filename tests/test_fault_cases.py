"""Situations of public bug reports, each a script of its own that judges the command.

They are not part of the repository; where ../shared/faults/cases is, all are run.
Scripts that only call the command get one that is served (`served.py`): the same code
in a process of its own, without the time of the imports. Scripts that kill, limit or
time the command, or start Python themselves, get the command itself.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FOLDER = ROOT.parent / "shared" / "faults" / "cases"
SCRIPTS = sorted(FOLDER.glob("*.py"))
SERVER = Path(__file__).with_name("served.py")
OF_PROCESSES = ("Popen", "preexec_fn", "resource", "kill", "OMP_NUM_THREADS")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The command that asks a server of this module."""
    path = tmp_path_factory.mktemp("served") / "socket"
    command = [sys.executable, str(SERVER), str(path)]
    with subprocess.Popen(
        command, env=_environment(), stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        assert server.stdout.readline() == "ready\n"
        yield f"{sys.executable} -S {SERVER} {path} --"
        server.terminate()


def _environment() -> dict[str, str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    environment.pop("OMP_NUM_THREADS", None)  # tests/conftest.py sets it, users don't
    return environment


@pytest.mark.skipif(not SCRIPTS, reason="../shared/faults/cases is not there")
@pytest.mark.timeout(900)
@pytest.mark.parametrize("script", SCRIPTS or [FOLDER], ids=lambda path: path.stem)
def test_fault_is_mended(script: Path, served: str) -> None:
    text = script.read_text(encoding="utf-8")
    alone = any(word in text for word in OF_PROCESSES)
    command = f"{sys.executable} -m overcast" if alone else served
    done = subprocess.run(
        [sys.executable, str(script)],
        env={**_environment(), "OVERCAST": command, "PYTHON": sys.executable},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout[-3000:]}\n{done.stderr[-2000:]}"
