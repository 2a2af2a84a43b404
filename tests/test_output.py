"""Nothing is overwritten unasked, and nothing half-written is ever seen."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from overcast.output import Output, finish_left, forget, refuse_inputs

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


@pytest.mark.parametrize("name", ["run", "a.txt"])
def test_a_folder_of_somebody_else_is_not_replaced(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    (tmp_path / name / "precious.txt").write_text("mine")
    with pytest.raises(
        ValueError, match=f"{name}: a folder that overcast did not make"
    ):
        Output.begin(tmp_path, NAMES, "key", overwrite=True)
    assert (tmp_path / name / "precious.txt").read_text() == "mine"


def test_what_is_read_is_not_replaced(tmp_path: Path) -> None:
    for path in (tmp_path / "a.txt", tmp_path / "run" / "x.tif"):
        with pytest.raises(ValueError, match="read by this command"):
            refuse_inputs(tmp_path, NAMES, [str(path)])
    refuse_inputs(tmp_path, NAMES, [str(tmp_path / "b.txt")])


class Killed(BaseException):
    """The process ends here."""


STEPS = ("rename", "replace", "unlink", "rmdir", "mkdir")


def kill_at(number: int, patch: pytest.MonkeyPatch) -> list[str]:
    """Let the process end before its step number `number` on the disk; the steps."""
    steps: list[str] = []

    def counted(name: str, call: Any) -> Any:
        def step(*arguments: Any, **named: Any) -> Any:
            steps.append(name)
            if len(steps) > number:
                raise Killed
            return call(*arguments, **named)

        return step

    for name in STEPS:
        patch.setattr(os, name, counted(name, getattr(os, name)))
    return steps


def begun(folder: Path, key: str = "new") -> Output:
    """Work over old files, of which one will not be made again."""
    output = Output.begin(folder, (*NAMES, "gone.txt"), key, overwrite=True)
    if not output.finished:
        make(output, key)
        (output.work / "run" / "deep").mkdir(parents=True, exist_ok=True)
        (output.work / "run" / "deep" / "weights").write_text(key)
        (output.work / "run" / "plan.yaml").write_text(key)
        (output.work / "big.raw").write_text("not wanted")
    return output


def contents(folder: Path) -> dict[str, str]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): path.read_text() for path in files}


NEW = {"a.txt": "new", "run/deep/weights": "new", "run/plan.yaml": "new"}


@pytest.mark.parametrize("old", [True, False])
def test_a_finish_killed_at_any_step_is_finished_by_the_same_command(
    tmp_path: Path, old: bool
) -> None:
    number, finishes = 0, 0
    while True:
        folder = tmp_path / str(number)
        folder.mkdir()
        if old:
            (folder / "run").mkdir()
            for name in ("a.txt", "run/plan.yaml", "gone.txt"):
                (folder / name).write_text("old")
        output = begun(folder)
        with pytest.MonkeyPatch.context() as patch:
            kill_at(number, patch)
            try:
                output.finish()
            except Killed:
                killed = True
            else:
                killed = False
        whole = contents(folder)
        if killed:
            # The run is always there whole, in its place or in a hidden folder.
            assert {"new"} == {v for k, v in whole.items() if k.endswith("weights")}
            if (again := begun(folder)).finished:
                finishes += 1
            else:
                again.finish()
        assert contents(folder) == NEW
        assert sorted(path.name for path in folder.iterdir()) == ["a.txt", "run"]
        number += 1
        if not killed:
            break
    assert number > 8
    assert finishes > 4


def test_another_command_finds_files_moved(tmp_path: Path) -> None:
    output = begun(tmp_path)
    with pytest.MonkeyPatch.context() as patch:
        kill_at(4, patch)
        with pytest.raises(Killed):
            output.finish()
    assert finish_left(tmp_path) == "new"
    forget(tmp_path)
    assert contents(tmp_path) == NEW
    assert finish_left(tmp_path) is None
    with pytest.raises(ValueError, match=r"a\.txt: exists"):
        Output.begin(tmp_path, NAMES, "other", overwrite=False)


def test_a_reader_never_misses_a_file_that_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("old")
    output = begun(tmp_path)
    with pytest.MonkeyPatch.context() as patch:
        replace = os.replace

        def looked_at(source: Any, target: Any) -> None:
            assert (tmp_path / "a.txt").read_text() in ("old", "new")
            replace(source, target)
            assert (tmp_path / "a.txt").read_text() in ("old", "new")

        patch.setattr(os, "replace", looked_at)
        output.finish()
    assert (tmp_path / "a.txt").read_text() == "new"


def test_a_key_that_is_cut_short_never_has_its_name(tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "replace", lambda *_: (_ for _ in ()).throw(Killed()))
        with pytest.raises(Killed):
            Output.begin(tmp_path, NAMES, "key", overwrite=False)
    assert not (tmp_path / ".overcast-unfinished" / "key").exists()
    Output.begin(tmp_path, NAMES, "other", overwrite=False).discard()
