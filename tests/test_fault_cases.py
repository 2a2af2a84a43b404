"""Situations of public bug reports, each a script of its own that judges the command.

They are not part of the repository; where ../shared/faults/cases is, all are run.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FOLDER = ROOT.parent / "shared" / "faults" / "cases"
SCRIPTS = sorted(FOLDER.glob("*.py"))


@pytest.mark.skipif(not SCRIPTS, reason="../shared/faults/cases is not there")
@pytest.mark.timeout(900)
@pytest.mark.parametrize("script", SCRIPTS or [FOLDER], ids=lambda path: path.stem)
def test_fault_is_mended(script: Path) -> None:
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT / "src"),
        "OVERCAST": f"{sys.executable} -m overcast",
        "PYTHON": sys.executable,
    }
    environment.pop("OMP_NUM_THREADS", None)  # tests/conftest.py sets it, users don't
    done = subprocess.run(
        [sys.executable, str(script)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout[-3000:]}\n{done.stderr[-2000:]}"
