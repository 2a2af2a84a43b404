from __future__ import annotations

import os
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from click.testing import CliRunner

from overcast.cli.commands.view import command
from tests.viewer.folders import make


def test_no_map(tmp_path: Path) -> None:
    done = CliRunner().invoke(command, [str(tmp_path)])
    assert isinstance(done.exception, ValueError)
    assert "no map.tif or change.tif there" in str(done.exception)


@pytest.mark.parametrize("package", ["rio_tiler", "maplibre"])
def test_what_to_install(package: str, tmp_path: Path) -> None:
    code = (
        f"import sys; sys.modules[{package!r}] = None\n"
        f"sys.argv = ['overcast', 'view', {str(tmp_path)!r}]\n"
        "from overcast.cli import main; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], check=False, capture_output=True, text=True
    )
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert "python -m pip install 'overcast[viewer]'" in line
    assert package in line


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_until_it_is_ended(tmp_path: Path, ending: signal.Signals) -> None:
    out = make(tmp_path)
    (tmp_path / "given" / "s1.tif").unlink()
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    arguments = [sys.executable, "-m", "overcast", "view", str(out), "--no-browser"]
    with subprocess.Popen(
        arguments,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1", "TMPDIR": str(scratch)},
        # A shell that runs the tests in the background has interrupts ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
    ) as started:
        try:
            assert started.stdout is not None
            address = started.stdout.readline().strip()
            with urllib.request.urlopen(f"{address}scene.json", timeout=20) as reply:
                assert reply.status == 200
            assert list(scratch.iterdir())
            started.send_signal(ending)
            _, said = started.communicate(timeout=20)
        finally:
            started.kill()
    assert address.startswith("http://127.0.0.1:")
    assert started.returncode == 0
    assert list(scratch.iterdir()) == []
    assert "note: s1 not shown: " in said
    assert "Traceback" not in said
