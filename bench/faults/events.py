"""File events of a process, by an audit hook: what is on the disk before each of them.

A process that is killed leaves what it has written by then, so a copy of the folder that
is taken before an event is what a kill at that event leaves. One run gives the states
of all its events.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path

_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
_ON_PATHS = (
    *("os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.link", "os.symlink"),
    *("os.truncate", "shutil.rmtree"),
)
_FOLDER_ARGUMENT = {"os.rename": 2, "os.remove": 1, "os.mkdir": 2, "os.rmdir": 1}
"""Where the descriptor of the folder is among the arguments."""


def watch(folder: Path, act: Callable[[str], None]) -> None:
    """Call `act` before every file event in `folder`, for the rest of the process.

    Events: open for writing, rename, remove, make or remove a folder, link, truncate.
    `act` is given the event and the path. Events of `act` itself don't count.
    """
    busy = threading.RLock()
    inside = threading.local()
    place = str(folder)

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        if event != "open" and event not in _ON_PATHS:
            return
        if getattr(inside, "acting", False):
            return
        path = _path(event, arguments)
        if path is None or not (path == place or path.startswith(place + "/")):
            return
        with busy:
            inside.acting = True
            try:
                act(f"{event} {path[len(place) + 1 :]}")
            finally:
                inside.acting = False

    sys.addaudithook(hook)


def _path(event: str, arguments: tuple[object, ...]) -> str | None:
    if event == "open":
        flags = arguments[2]
        if not isinstance(flags, int) or not flags & _WRITES:
            return None
    given = arguments[0]
    if isinstance(given, os.PathLike):
        given = os.fspath(given)
    if isinstance(given, bytes):
        given = os.fsdecode(given)
    if not isinstance(given, str):
        return None
    at = _FOLDER_ARGUMENT.get(event)
    descriptor = arguments[at] if at is not None and at < len(arguments) else -1
    if isinstance(descriptor, int) and descriptor >= 0:
        given = os.path.join(os.readlink(f"/proc/self/fd/{descriptor}"), given)
    return os.path.abspath(given)
