"""A single file is whole or not there, and a command that was killed begins anew."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from overcast import lock
from overcast.cli import program
from overcast.output_file import begin_file, results
from tests.test_output import Killed, kill_at


def write(folder: Path, facts: object = "facts", overwrite: bool = False) -> None:
    output = begin_file(folder / "a.tif", facts, overwrite, beside=("a.qml",))
    with output:
        (output.work / "a.tif").write_text("new")
        (output.work / "a.qml").write_text("style")


def test_files_take_their_names_at_the_end(tmp_path: Path) -> None:
    with begin_file(tmp_path / "f" / "a.tif", "", False) as output:
        (output.work / "a.tif").write_text("new")
        assert not (tmp_path / "f" / "a.tif").exists()
    assert [path.name for path in (tmp_path / "f").iterdir()] == ["a.tif"]


@pytest.mark.parametrize("error", [ValueError, OSError])
def test_nothing_stays_of_a_file_that_fails(
    tmp_path: Path, error: type[Exception]
) -> None:
    def fail() -> None:
        with begin_file(tmp_path / "a.tif", "", False) as output:
            (output.work / "a.tif").write_text("half")
            raise error("ends here")

    with pytest.raises(error):
        fail()
    assert not any(tmp_path.iterdir())  # the folder was there before, and stays


def test_every_step_may_be_the_last(tmp_path: Path) -> None:
    number = 0
    while True:
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "mine.txt").write_text("mine")
        with pytest.MonkeyPatch.context() as patch:
            kill_at(number, patch)
            try:
                write(folder)
            except Killed:
                killed = True
            else:
                killed = False
        if killed:
            free()
            write(folder)  # the same command, without --overwrite
        names = sorted(path.name for path in folder.iterdir())
        assert names == ["a.qml", "a.tif", "mine.txt"]
        assert (folder / "a.tif").read_text() == "new"
        with pytest.raises(ValueError, match=r"a\.(tif|qml): exists"):
            write(folder)
        number += 1
        if not killed:
            break
    assert number > 12


def test_another_command_is_refused_after_a_kill(tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        kill_at(7, patch)
        with pytest.raises(Killed):
            write(tmp_path)
    free()
    with pytest.raises(ValueError, match=r"unfinished work of another|exists"):
        write(tmp_path, facts="others")


def test_two_files_of_one_folder_are_written_at_once(tmp_path: Path) -> None:
    one = begin_file(tmp_path / "a", "", False)
    with one, begin_file(tmp_path / "b", "", False) as other:
        (one.work / "a").touch()
        (other.work / "b").touch()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b"]


def free() -> None:
    """Let go of locks, as the system does when a process is killed."""
    for _, held in lock._mine.values():
        held.release(force=True)
    lock._mine.clear()


def both(folder: Path, overwrite: bool = False) -> None:
    files = {"out": folder / "a.json", "table": folder / "a.csv"}
    with results(files, files, (), overwrite) as written:
        written.drafts["out"].write_text("scores")
        written.drafts["table"].write_text("table")


def test_out_and_table_are_there_together_after_any_kill(tmp_path: Path) -> None:
    number = 0
    while True:
        folder = tmp_path / str(number)
        folder.mkdir()
        with pytest.MonkeyPatch.context() as patch:
            kill_at(number, patch)
            try:
                both(folder)
            except Killed:
                killed = True
            else:
                killed = False
        if killed:
            free()
            both(folder)
        assert sorted(path.name for path in folder.iterdir()) == ["a.csv", "a.json"]
        with pytest.raises(ValueError, match=r"a\.json: exists"):
            both(folder)
        number += 1
        if not killed:
            break
    assert number > 20


def test_a_table_that_exists_is_never_replaced_unasked(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("mine")
    for number in range(12):
        free()
        with pytest.MonkeyPatch.context() as patch:
            kill_at(number, patch)
            with pytest.raises((Killed, ValueError)):
                both(tmp_path)
    assert (tmp_path / "a.csv").read_text() == "mine"


@pytest.mark.parametrize("words", [("palette", "worldcover", "--out"), ()])
def test_a_command_that_was_killed_is_named(
    tmp_path: Path, words: tuple[str, ...]
) -> None:
    (tmp_path / ".overcast-holder-l.csv").write_text(
        '{"process": 7, "host": "there", "command": "overcast palette", "since": "now"}'
    )
    if not words:
        with begin_file(tmp_path / "l.csv", "", False) as output:
            said = "\n".join(output.notes)
    else:
        result = CliRunner().invoke(program, [*words, str(tmp_path / "l.csv")])
        assert result.exit_code == 0
        said = result.stderr
    assert "process 7 (overcast palette, since now) on there was stopped" in said
    assert "this command takes over" in said
    assert not [p for p in tmp_path.iterdir() if p.name.startswith(".")]
