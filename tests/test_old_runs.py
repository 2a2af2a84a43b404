"""Runs of every version are read as they were, or refused in words."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from bench.miniature_run import RUNS, SETTINGS, classes

import overcast
from overcast.run import load_run
from overcast.run_folder import FORMAT, RECORD

VERSIONS = sorted(path.name for path in RUNS.iterdir())
_ALIKE = 0.99
"""Pixels that are the same on another machine, where sums round in another way."""


@pytest.mark.parametrize("method", SETTINGS)
@pytest.mark.parametrize("version", VERSIONS)
def test_a_run_of_an_old_version_maps_as_it_did(version: str, method: str) -> None:
    expected = json.loads((RUNS / version / "expected.json").read_text())
    run = RUNS / version / method
    if expected["format"] != FORMAT:
        with pytest.raises(ValueError, match="not a record of format"):
            load_run(run)
        return
    before, now = "".join(expected["classes"][method]), "".join(classes(run))
    same = sum(a == b for a, b in zip(before, now, strict=True))
    assert same >= _ALIKE * len(before)


def test_this_version_has_its_miniature() -> None:
    """Written by python -m bench.miniature_run; see docs/releasing.md."""
    assert overcast.__version__ in VERSIONS


def test_a_run_of_another_format_is_refused_in_words(tmp_path: Path) -> None:
    shutil.copytree(RUNS / VERSIONS[-1] / "forest", tmp_path / "run")
    record = tmp_path / "run" / RECORD
    tree = json.loads(record.read_text()) | {"format": FORMAT + 1}
    record.write_text(json.dumps(tree))
    with pytest.raises(
        ValueError, match=r"learned\.json: not a record of format"
    ) as said:
        load_run(tmp_path / "run")
    assert "\n" not in str(said.value)
