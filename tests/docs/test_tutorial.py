"""The tutorial runs as it is written, on scenes of a ninth of the pixels."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from overcast.viewer.scene import open_scene
from tests.docs.pages import ROOT, blocks

TUTORIAL = ROOT / "docs" / "tutorial.md"


def test_it_shows_every_step() -> None:
    shown = [text.split()[1] for kind, text in blocks(TUTORIAL) if kind == "sh"]
    steps = ["simulate", "inspect", "map", "view", "sample", "assess", "calibrate"]
    assert shown == [*steps, "polygons", "simulate", "assess"]


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_it_runs_as_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for kind, text in blocks(TUTORIAL):
        if kind == "python":
            exec(compile(text, str(TUTORIAL), "exec"), {})
        elif kind == "sh":
            for line in text.replace("\\\n", " ").splitlines():
                run(line)
    item = json.loads(Path("out/stac-item.json").read_text())
    assert item["properties"]["proj:code"] == "EPSG:32632"
    assert Path("out/set_sizes.tif").is_file()
    assert Path("out/map.gpkg").is_file()
    page = Path("out/report.html").read_text()
    assert "Estimated areas" in page
    assert "calibrated on" in page


def run(line: str) -> None:
    """One line of the page; the viewer, which waits for Ctrl-C, is only opened."""
    program, command, *words = shlex.split(line)
    assert program == "overcast"
    if command == "view":
        with open_scene(Path(words[0])) as scene:
            assert {"map", "confidence"} <= set(scene.layers)
        return
    small = ["170" if word == "512" else word for word in words]
    done = CliRunner().invoke(program, [command, *small])
    assert done.exit_code == 0, (line, done.output, done.exception)
