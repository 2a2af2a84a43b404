"""One command at a time writes to a folder: who does is known, and others are refused.

The lock is the operating system's, and ends with the process that holds it, however that
ends. A file beside it says who holds it; one that a process left when it was killed is
taken over.
"""

from __future__ import annotations

import errno
import json
import os
import shlex
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

from filelock import FileLock, Timeout

LOCK, HOLDER = ".overcast-lock", ".overcast-holder"
_LONGEST = 60
"""Letters of a command that are shown."""
_NO_LOCKS = {errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOTSUP}
"""What file systems say that have no locks."""

_mine: dict[Path, tuple[int, FileLock]] = {}
"""Locks that this process holds: by which thread, and the lock itself."""


def acquire(folder: Path, scope: str = "") -> tuple[str, ...]:
    """Make this process the one that writes to `folder`, which is made if need be.

    A second call from the same thread replaces the first one: the work that it was for
    has ended. With a `scope`, such as the name of one file, other scopes of the folder
    stay free.

    Returns
    -------
    tuple[str, ...]
        What is to be said: that a process that held the folder was killed.

    Raises
    ------
    ValueError
        If another process, or another thread of this one, writes there, or `folder`
        is a file.
    """
    if folder.exists() and not folder.is_dir():
        raise ValueError(f"{folder}: a file; give a folder for --out")
    place, holder = _files(folder, scope)
    thread, held = _mine.get(place, (None, None))
    if held is not None and thread == threading.get_ident():
        held.release()
        del _mine[place]
        holder.unlink(missing_ok=True)
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(place, timeout=0, thread_local=False)
    shown = folder / scope
    try:
        lock.acquire()
    except Timeout as error:
        raise ValueError(_refusal(shown, holder)) from error
    except NotImplementedError:
        return ()
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise
        return ()
    _mine[place] = threading.get_ident(), lock
    notes = _left(shown, holder)
    _sign(holder)
    return notes


def release(folder: Path, scope: str = "") -> None:
    """Let others write to `folder`; nothing happens if this process does not hold it."""
    place, holder = _files(folder, scope)
    _, lock = _mine.pop(place, (None, None))
    if lock is None:
        return
    # Both files go while the lock is held: no other process's files are removed.
    try:
        for path in (holder, place):
            with suppress(OSError):
                path.unlink(missing_ok=True)
    finally:
        lock.release()
    with suppress(OSError):  # Windows removes no file that is open
        if os.name == "nt":
            place.unlink(missing_ok=True)


@contextmanager
def writing(folder: Path) -> Iterator[tuple[str, ...]]:
    """Hold `folder` for the time of the context, which gives what is to be said."""
    notes = acquire(folder)
    try:
        yield notes
    finally:
        release(folder)


def contents(folder: Path) -> list[Path]:
    """Files and folders in `folder` besides the lock's own."""
    return [path for path in folder.iterdir() if path.name not in (LOCK, HOLDER)]


def _files(folder: Path, scope: str) -> tuple[Path, Path]:
    """Return the lock of a folder, or of a scope in it, and the file of its holder."""
    place, end = folder.resolve(), f"-{scope}" if scope else ""
    return place / (LOCK + end), place / (HOLDER + end)


def _sign(path: Path) -> None:
    words = [Path(sys.argv[0]).name, *sys.argv[1:]]
    if Path(sys.argv[0]).parts[-2:] == ("overcast", "__main__.py"):
        words[0] = "overcast"
    facts = {
        "process": os.getpid(),
        "host": socket.gethostname(),
        "command": shlex.join(words),
        "since": datetime.now().strftime("%Y-%m-%d %H:%M"),
    }
    draft = path.with_name(f"{path.name}.draft")
    draft.write_text(json.dumps(facts), encoding="utf-8")
    draft.replace(path)


def _signed(holder: Path) -> tuple[str, str]:
    """Return the process that signed for a folder, in words, and its host."""
    try:
        facts = json.loads(holder.read_text(encoding="utf-8"))
        command = str(facts["command"])
        if len(command) > _LONGEST:
            command = command[: _LONGEST - 4] + " ..."
        words = f"process {int(facts['process'])} ({command}, since {facts['since']})"
        return words, str(facts["host"])
    except (OSError, ValueError, KeyError, TypeError):
        return "another process", "this or another machine"


def _refusal(shown: Path, holder: Path) -> str:
    words, host = _signed(holder)
    return (
        f"{shown}: is being written by {words} on {host}; wait for it, or give "
        "another --out"
    )


def left(folder: Path) -> tuple[str, ...]:
    """Return what is to be said of a folder before it is acquired; see `acquire`."""
    return _left(folder, _files(folder, "")[1])


def _left(shown: Path, holder: Path) -> tuple[str, ...]:
    if not holder.exists():
        return ()
    words, host = _signed(holder)
    said = (
        f"{shown}: {words} on {host} was stopped before it was done; this command "
        "takes over"
    )
    return (said,)
