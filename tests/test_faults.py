"""A small random part of `python -m bench.faults`; the seed is printed.

FAULTS_SEED=7 python -m pytest tests/test_faults.py draws the same part again.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SEEDS = range(1, 9)


def faults(*words: str) -> str:
    """What the bench prints, if it finds no fault."""
    drawn = str(SEEDS[time.time_ns() // 1000 % len(SEEDS)])
    seed = os.environ.get("FAULTS_SEED", drawn)
    done = subprocess.run(
        [sys.executable, "-m", "bench.faults", *words, "--seed", seed],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        check=False,
    )
    print(f"FAULTS_SEED={seed}", done.stdout)
    assert done.returncode == 0, f"FAULTS_SEED={seed}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.mark.timeout(600)
def test_commands_that_are_killed_end_right_and_damaged_files_are_refused() -> None:
    said = faults("kills", "files", "--small")
    assert "| **all** | 18 |" in said
    assert "| **all** | 9 |" in said


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs a disk of its own"
)
@pytest.mark.timeout(600)
def test_a_full_disk_of_every_size_is_said_and_gone_on_from() -> None:
    said = faults("disks", "--only", "palette")
    assert "passed over" in said or "| palette |" in said
    assert "sizes not tried" not in said


def test_a_bench_that_finds_a_fault_says_so() -> None:
    """Files beside the output that a command would not have left."""
    from bench.faults.state import differences

    assert differences({"a": "1", "b": "2"}, {"a": "3", "c": "2"}) == [
        "a has other bytes",
        "b is missing",
        "c stays",
    ]


def test_hooks_see_every_kind_of_file_event(tmp_path: Path) -> None:
    code = f"""
import os, shutil, sys
from pathlib import Path
from bench.faults.events import watch
folder, events = Path({str(tmp_path)!r}), []
watch(folder, events.append)
(folder / "a").mkdir()
(folder / "a" / "b.txt").write_text("1")
(folder / "a" / "b.txt").read_text()
(folder / "a" / "b.txt").replace(folder / "c.txt")
(folder / "c.txt").unlink()
(folder / "a" / "d").mkdir()
shutil.rmtree(folder / "a")
Path(os.devnull).write_text("elsewhere")
print("\\n".join(events))
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines() == [
        "os.mkdir a",
        "open a/b.txt",
        "os.rename a/b.txt",
        "os.remove c.txt",
        "os.mkdir a/d",
        "shutil.rmtree a",
        "os.rmdir a/d",
        "os.rmdir a",
    ]


def test_every_command_that_writes_files_is_disturbed() -> None:
    """A new command gets a job of the bench, or is said to write nothing."""
    from bench.faults.commands import JOBS

    from overcast.cli import commands

    folder = Path(commands.__file__).parent
    names = {path.stem for path in folder.glob("[a-z]*.py")}
    assert names - {"inspect", "view"} == {str(job.words[0]) for job in JOBS}
    assert {job.words[:2] for job in JOBS if job.words[0] == "labels"} == {
        ("labels", "audit"),
        ("labels", "suggest"),
    }


def test_what_was_found_is_kept_and_equal_states_are_tried_once(tmp_path: Path) -> None:
    from bench.faults.journal import Finding, OutOfTimeError, Place

    (tmp_path / "map-x").mkdir()
    first = Place.of(tmp_path, ("kills", "map x"), time.monotonic() + 60)
    assert first.wants("event 1")
    first.add(Finding("map x", "event 1", "same"), "state")
    again = Place.of(tmp_path, ("kills", "map x"), time.monotonic() - 1)
    assert not again.wants("event 1")
    assert again.findings == first.findings
    with pytest.raises(OutOfTimeError):
        again.wants("event 2")
    other = Place.of(tmp_path, ("random", "map x"), time.monotonic())
    assert not other.findings
    assert other.like("state") == first.findings[0]
    assert not again.done
    again.finish()
    assert again.done
    assert not other.done


def test_a_folder_is_put_back_under_the_eyes_of_who_works_in_it(tmp_path: Path) -> None:
    from bench.faults.forks import KeptFolder, shape_of

    folder = tmp_path / "scene"
    (folder / "a" / "deep").mkdir(parents=True)
    (folder / "a" / "log").write_text("one\n")
    (folder / "gone").write_text("two\n")
    with (folder / "holes").open("wb") as file:
        file.truncate(1 << 20)
    (folder / "link").symlink_to("gone")
    before = shape_of(folder)
    with (folder / "a" / "log").open("a+") as log:
        log.seek(2)
        kept = KeptFolder.of(folder, tmp_path / "links", tmp_path)
        log.write("more")
        log.flush()
        (folder / "holes").write_bytes(b"1" * 9999)
        (folder / "gone").unlink()
        (folder / "link").unlink()
        (folder / "a" / "deep").rmdir()
        (folder / "new").mkdir()
        (folder / "new" / "file").touch()
        kept.put_back()
        kept.forget()
        assert log.tell() == 2
        assert (folder / "a" / "log").read_text() == "one\n"
        assert os.path.samestat(os.fstat(log.fileno()), os.stat(folder / "a" / "log"))
    assert shape_of(folder) == before
    assert (folder / "link").read_text() == "two\n"
    assert [path.name for path in tmp_path.iterdir()] == ["scene"]


def test_a_command_that_is_stopped_leaves_the_disk_alone(tmp_path: Path) -> None:
    from bench.corpus.runner import Command, run
    from bench.faults.moments import stopping

    log, seen = tmp_path / "scene" / "log", []
    log.parent.mkdir()

    def write() -> None:
        with log.open("w") as file:
            for number in range(2000):
                print(number, file=file, flush=True)
                time.sleep(1e-4)

    def look(_: float) -> None:
        size = log.stat().st_size if log.exists() else 0
        time.sleep(0.01)
        seen.append((size, log.stat().st_size if log.exists() else 0))

    moments = [0.15, 0.05, 0.1, 600.0]
    done = run(Command(script=write, during=stopping(moments, look)), log.parent)
    assert done.code == 0
    assert all(first == second for first, second in seen)
    assert seen == sorted(seen)
    assert log.read_text().endswith("1999\n")
