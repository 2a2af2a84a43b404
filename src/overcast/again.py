"""The same command given again: what it made is there, and nothing is to be done.

A folder remembers the fingerprint of the command that made it, and what its files were:
size and time of change. If all of that still agrees, the command has nothing to do.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from overcast.output import Output, finish_left, forget, write_whole

MADE = ".overcast-made"
_FORMAT = 1


def remember(folder: Path, key: str, names: Iterable[str]) -> None:
    """Note in a folder which command made what is there of some files and folders.

    A folder where nothing more can be written is left as it is.
    """
    files = {name: _state(folder / name) for name in sorted(names)}
    made = {name: state for name, state in files.items() if state}
    text = json.dumps({"format": _FORMAT, "key": key, "files": made})
    with suppress(OSError):
        write_whole(folder / MADE, text)


def remember_work(output: Output, key: str) -> None:
    """Note it in the work folder of an output, so that it appears with the files.

    A command that is stopped later on has nothing to do when it is given again.
    """
    remember(output.work, key, (*output.names, *output.more))
    output.more.append(MADE)


def is_done(folder: Path, key: str) -> bool:
    """Return whether this very command made what is in a folder, and it is unchanged."""
    finish_left(folder)
    try:
        tree = json.loads((folder / MADE).read_text(encoding="utf-8"))
        files: dict[str, Any] = tree["files"]
        mine = tree["format"] == _FORMAT and tree["key"] == key
        same = all(_state(folder / name) == state for name, state in files.items())
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False
    done = bool(mine and files and same)
    if done:
        forget(folder)
    return done


def _state(path: Path) -> list[list[Any]]:
    """Name, size and time of every file of a path; nothing if it is not there."""
    files = sorted(path.rglob("*")) if path.is_dir() else [path]
    return [
        [str(file.relative_to(path.parent)), stat.st_size, stat.st_mtime_ns]
        for file in files
        if file.is_file()
        for stat in (file.stat(),)
    ]
