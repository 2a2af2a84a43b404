"""From the zip to an assessed map, in QGIS itself; where it is installed.

pytest -m slow tests/qgis/test_in_qgis.py
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
from bench.qgis_plugin import ROOT, TABLE, write_zip

from overcast.geo.legend import load_legend
from tests.product.test_qgis import python_of_qgis

SESSION = ROOT / "bench" / "qgis_session.py"
pytestmark = pytest.mark.slow


def qgis_process() -> str | None:
    """The program itself: Debian's wrapper gives it an option that it does not know."""
    return shutil.which("qgis_process.bin") or shutil.which("qgis_process")


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a profile that has the plugin, and a small world."""
    if python_of_qgis() is None or qgis_process() is None:
        pytest.skip("needs QGIS (apt-get install qgis python3-qgis)")
    folder = tmp_path_factory.mktemp("qgis")
    plugins = folder / "profile/profiles/default/python/plugins"
    plugins.mkdir(parents=True)
    with zipfile.ZipFile(write_zip(folder)) as archive:
        archive.extractall(plugins)
    program = folder / "overcast"
    program.write_text(
        f'#!/bin/sh\nexec {sys.executable} -m overcast "$@"\n', encoding="utf-8"
    )
    program.chmod(0o755)
    simulated = ["simulate", "--size", "128", "--seed", "7", "--out", folder / "world"]
    subprocess.run([program, *simulated], check=True, capture_output=True)
    return folder


def environment(ground: Path) -> dict[str, str]:
    return {
        "PATH": os.defpath,
        "HOME": str(ground),
        "XDG_RUNTIME_DIR": str(ground),
        "QT_QPA_PLATFORM": "offscreen",
        "QGIS_CUSTOM_CONFIG_PATH": str(ground / "profile"),
        "OVERCAST_EXECUTABLE": str(ground / "overcast"),
    }


def process(ground: Path, *words: str) -> str:
    """What qgis_process prints."""
    program = qgis_process()
    assert program is not None
    done = subprocess.run(
        [program, *words],
        check=False,
        capture_output=True,
        text=True,
        env=environment(ground),
    )
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout


def json_of(printed: str) -> Any:
    """What follows the messages of QGIS."""
    return json.loads(printed[printed.index("{") :])


def test_qgis_process_runs_an_algorithm_from_the_zip(ground: Path) -> None:
    process(ground, "plugins", "enable", "overcast_processing")
    printed = process(ground, "--json", "list")
    listed = json_of(printed)["providers"]["overcast"]["algorithms"]
    table = json.loads(TABLE.read_text(encoding="utf-8"))
    assert set(listed) == {f"overcast:{a['id']}" for a in table}
    files = f"FILES={ground / 'world/s2.tif'}"
    done = process(ground, "--json", "run", "overcast:inspect", "--", files)
    (file,) = json.loads(json_of(done)["results"]["RESULT"])
    assert file["path"] == str(ground / "world/s2.tif")


@pytest.fixture(scope="module")
def seen(ground: Path) -> Any:
    """What a session saw."""
    python, out = python_of_qgis(), ground / "out"
    assert python is not None
    out.mkdir()
    plugins = ground / "profile/profiles/default/python/plugins"
    done = subprocess.run(
        [python, SESSION, plugins, ground / "world", out],
        check=False,
        capture_output=True,
        text=True,
        env=environment(ground),
    )
    assert done.returncode == 0, done.stderr
    return json_of(done.stdout)


def test_a_map_opens_in_the_colours_of_its_legend(seen: Any) -> None:
    legend = load_legend("simplified-igbp")
    expected = [[c.name, f"#{c.colour.lower()}"] for c in legend.classes]
    assert seen["map"]["legend"] == expected
    assert seen["map"]["renderer"] == seen["generalised"] == "paletted"
    assert seen["map"]["confidence"] == "singlebandpseudocolor"
    assert Path(seen["map"]["page"]).name == "report.html"


def test_a_sample_is_judged_without_seeing_the_map(seen: Any) -> None:
    judged = seen["judged"]
    assert judged["visited"] == judged["filled"] == 60
    assert set(judged["hidden"]) == {
        *("stratum", "stratum_name", "stratum_pixels", "stratum_share"),
        "stratum_points",
    }
    assert judged["layers_while_judging"] == ["Imagery"]
    assert seen["layers_after"] == ["Confidence", "Imagery", "Map", "Sample"]
    assert "60 judged" in judged["progress"]


def test_the_sample_that_was_judged_is_assessed(seen: Any) -> None:
    accuracy = seen["scores"]["estimates"]["overall_accuracy"]
    assert accuracy["low"] < accuracy["value"] < accuracy["high"]
    points = seen["scores"]["estimates"]["per_class"].values()
    assert sum(one["points_reference"] for one in points) == 60
    assert "<table>" in seen["words"]


def test_what_overcast_refuses_is_one_line(seen: Any) -> None:
    assert seen["refused"].count("\n") == 0
    assert "s2.tif" in seen["refused"]
