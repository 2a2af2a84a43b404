"""One command at a time writes to a folder, and the others hear who does."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import overcast
from overcast import lock
from overcast.output import Output

HOLD = """
import sys
from pathlib import Path
from overcast.output import Output
sys.argv = ["overcast", "map", "--out", "it's here"]
Output.begin(Path(sys.stdin.readline().strip()), ("a.txt",), "key", False)
print("held", flush=True)
sys.stdin.readline()
"""


@contextmanager
def holder(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that has begun to write to a folder."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(overcast.__file__).parents[1])},
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdin.write(f"{folder}\n")
        process.stdin.flush()
        assert process.stdout.readline() == "held\n"
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize("key", ["key", "other"])
def test_a_second_process_is_refused_at_once(
    tmp_path: Path, key: str, overwrite: bool
) -> None:
    with holder(tmp_path / "out") as process:
        work = tmp_path / "out" / ".overcast-unfinished"
        with pytest.raises(ValueError, match=r"out: is being written by") as refusal:
            Output.begin(tmp_path / "out", ("a.txt",), key, overwrite)
        assert (work / "key").read_text() == "key"
    text = str(refusal.value)
    assert f"by process {process.pid} (overcast map --out " in text
    assert f"on {socket.gethostname()}; wait for it, or give another --out" in text
    assert "\n" not in text


def test_what_a_killed_process_held_is_taken_over_and_said(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    with holder(folder) as process:
        (folder / ".overcast-unfinished" / "a.txt").write_text("half")
        process.send_signal(signal.SIGKILL)
        process.wait()
        output = Output.begin(folder, ("a.txt",), "key", overwrite=False)
    (note,) = output.notes
    assert f"process {process.pid} (overcast map --out " in note
    assert "was stopped before it was done; this command takes over" in note
    with output:
        assert (output.work / "a.txt").read_text() == "half"
    assert [path.name for path in folder.iterdir()] == ["a.txt"]


def test_another_thread_is_refused_and_the_same_one_goes_on(tmp_path: Path) -> None:
    refused: list[str] = []

    def begin() -> None:
        try:
            Output.begin(tmp_path, ("a.txt",), "key", False)
        except ValueError as error:
            refused.append(str(error))

    Output.begin(tmp_path, ("a.txt",), "key", False)
    thread = threading.Thread(target=begin)
    thread.start()
    thread.join()
    assert len(refused) == 1
    assert f"is being written by process {os.getpid()} (" in refused[0]
    again = Output.begin(tmp_path, ("a.txt",), "key", False)
    assert again.notes == ()
    again.discard()


@pytest.mark.parametrize("error", [ValueError, OSError, KeyboardInterrupt, None])
def test_the_folder_is_free_after_any_end(
    tmp_path: Path, error: type[BaseException] | None
) -> None:
    folder = tmp_path / "out"
    try:
        with Output.begin(folder, ("a.txt",), "key", False) as output:
            (output.work / "a.txt").touch()
            if error is not None:
                raise error("ends here")
    except (ValueError, OSError, KeyboardInterrupt):
        pass
    names = {path.name for path in folder.iterdir()} if folder.exists() else set()
    assert names == {
        ValueError: set(),
        OSError: {".overcast-unfinished"},
        KeyboardInterrupt: {".overcast-unfinished"},
        None: {"a.txt"},
    }.get(error)
    with holder(tmp_path / "other"):
        pass


def test_a_refused_command_leaves_the_folder_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "a.txt").touch()
    with pytest.raises(ValueError, match="exists"):
        Output.begin(tmp_path, ("a.txt",), "key", False)
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "out").touch()
    with pytest.raises(ValueError, match=r"out: a file; give a folder for --out"):
        lock.acquire(tmp_path / "out")


@pytest.mark.parametrize("text", ["", "[]", '{"process": "x"}', "not JSON"])
def test_a_holder_file_of_nonsense_is_no_obstacle(tmp_path: Path, text: str) -> None:
    (tmp_path / lock.HOLDER).write_text(text)
    (note,) = lock.acquire(tmp_path)
    assert "another process on this or another machine was stopped" in note
    assert json.loads((tmp_path / lock.HOLDER).read_text())["process"] == os.getpid()
    lock.release(tmp_path)
    assert not any(tmp_path.iterdir())


def test_a_file_system_without_locks_is_written_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(lock.errno.ENOLCK, "No locks available")

    monkeypatch.setattr(lock.FileLock, "acquire", fail)
    with Output.begin(tmp_path, ("a.txt",), "key", False) as output:
        (output.work / "a.txt").touch()
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]
