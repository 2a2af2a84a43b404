"""Nothing is overwritten unasked, and nothing half-written is ever seen."""

from __future__ import annotations

from pathlib import Path

import pytest

from overcast.output import Output

NAMES = ("a.txt", "run")


def make(output: Output, text: str) -> None:
    (output.work / "a.txt").write_text(text)


def test_files_appear_at_the_end(tmp_path: Path) -> None:
    output = Output.begin(tmp_path / "out", NAMES, "key", overwrite=False)
    make(output, "1")
    assert not (tmp_path / "out" / "a.txt").exists()
    output.finish()
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["a.txt"]


def test_what_exists_is_refused_or_replaced(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "mine.txt").touch()
    with pytest.raises(ValueError, match=r"run: exists; give another --out"):
        Output.begin(tmp_path, NAMES, "key", overwrite=False)
    output = Output.begin(tmp_path, NAMES, "key", overwrite=True)
    make(output, "2")
    output.finish()
    # What the new work did not make is gone, what others made is not.
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.txt", "mine.txt"]


def test_unfinished_work_goes_on_for_its_own_command_only(tmp_path: Path) -> None:
    make(Output.begin(tmp_path, NAMES, "key", overwrite=False), "half")
    again = Output.begin(tmp_path, NAMES, "key", overwrite=False)
    assert (again.work / "a.txt").read_text() == "half"
    with pytest.raises(ValueError, match="unfinished work of another command"):
        Output.begin(tmp_path, NAMES, "other", overwrite=False)
    other = Output.begin(tmp_path, NAMES, "other", overwrite=True)
    assert not (other.work / "a.txt").exists()


def test_discarded_work_leaves_nothing(tmp_path: Path) -> None:
    output = Output.begin(tmp_path / "out", NAMES, "key", overwrite=False)
    make(output, "half")
    output.discard()
    assert not (tmp_path / "out").exists()
