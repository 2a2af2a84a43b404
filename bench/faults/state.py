"""The state of a folder: kept, put back, and compared with another one."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import sqlite3
from collections.abc import Mapping
from contextlib import closing, suppress
from pathlib import Path

from overcast import again, lock

State = Mapping[str, str]
"""Digests of files, and "folder", by relative path."""
_TIMES = re.compile(
    r"\b20\d\d-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?)?(Z|\+00:00)?\b"
    r"|\d{1,2}:\d\d(:\d\d)?"
)
_HASHES = re.compile(
    r"overcast-map-[0-9a-f]{16}|[0-9a-f]{16}(?= \(hash of sizes, times)"
)
"""Of the times of input files: where the command itself makes them, at another time."""
_MAKES_INPUTS = ("data/fetch.json", "world/world.json")
"""Files beside a map of which the command has made the images as well."""
_SAYS_TIMES = (".html", ".json", ".jsonl")
"""Files that say when they were made, and how long it took."""


_SAYS_RUNS = ("tile.json", "summary.json")
"""Files of a region that say what this run of a command did, and how long it took."""
_OF_RUNS = ("metrics.prom", "report.html")
"""Files of a region that are about the work itself."""
_RUNS = ("seconds", "cpu_seconds", "peak_mib", "process", "made", "nothing_to_do")


def keep(folder: Path, copy: Path) -> None:
    """Copy a folder as it is on the disk now; what vanishes meanwhile is left out."""
    shutil.rmtree(copy, ignore_errors=True)
    try:
        shutil.copytree(folder, copy, symlinks=True)
    except shutil.Error as error:
        gone = [text for *_, text in error.args[0] if "No such file" not in str(text)]
        if gone:
            raise


def put_back(copy: Path, folder: Path) -> None:
    """Make `folder` what it was when it was kept, with the same times of change."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(copy, folder, symlinks=True)


def state_of(folder: Path, exact: bool = True) -> dict[str, str]:
    """Digests of all in a folder.

    Without `exact`, times are left out of the files that say them.
    """
    state = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_dir() and not path.is_symlink():
            state[name] = "folder"
        elif path.name.startswith((lock.HOLDER, lock.LOCK)) and exact:
            state[name] = "lock"
        elif path.name == again.MADE:
            state[name] = "times of files"
        elif not exact and path.name in _OF_RUNS and _is_region(path.parent):
            state[name] = "seconds"
        else:
            content = path.read_bytes() if exact else _timeless(path)
            state[name] = hashlib.sha256(content).hexdigest()[:16]
    return state


def _is_region(folder: Path) -> bool:
    return (folder / "region.json").is_file()


def _timeless(path: Path) -> bytes:
    if path.suffix == ".gpkg":
        with suppress(sqlite3.DatabaseError):  # one that is cut short
            return _rows(path)
    if path.suffix == ".parquet":
        with suppress(OSError, ValueError):  # one that is cut short
            return _TIMES.sub("TIME", _table(path)).encode()
    content = path.read_bytes()
    if path.suffix in _SAYS_TIMES:
        text = content.decode("utf-8", "replace")
        if any((path.parent / name).is_file() for name in _MAKES_INPUTS):
            text = _HASHES.sub("HASH", text)
        return _TIMES.sub("TIME", _without_clock(path, text)).encode()
    return content


def _without_clock(path: Path, text: str) -> str:
    if path.name in _SAYS_RUNS:
        tree = json.loads(text)
        return json.dumps({k: v for k, v in tree.items() if k not in _RUNS})
    if path.suffix == ".jsonl":
        rows = [json.loads(line) for line in text.splitlines()]
        return json.dumps(
            [{k: v for k, v in r.items() if k != "seconds"} for r in rows]
        )
    return text


def _rows(path: Path) -> bytes:
    """All rows of a GeoPackage but the time of its last change."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as base:
        names = [
            str(name)
            for (name,) in base.execute(
                "select name from sqlite_master where type='table' order by name"
            )
        ]
        tables = []
        for name in names:
            cursor = base.execute(f'select * from "{name}"')
            columns = [column[0] for column in cursor.description]
            keep = [k for k, c in enumerate(columns) if c not in _CLOCKS]
            tables.append([name, [[str(row[k]) for k in keep] for row in cursor]])
    return json.dumps(tables).encode()


def _table(path: Path) -> str:
    """All rows of a Parquet file, as a text."""
    import pyarrow.parquet

    rows = pyarrow.parquet.read_table(path).to_pylist()
    return json.dumps(rows, default=str)


_CLOCKS = ("last_change", "timestamp", "update_time")


def differences(expected: State, actual: State) -> list[str]:
    """What is missing, unexpected, or of other bytes; empty if the states are alike."""
    lines = [f"{name} is missing" for name in expected if name not in actual]
    lines += [f"{name} stays" for name in actual if name not in expected]
    both = expected.keys() & actual.keys()
    lines += [f"{n} has other bytes" for n in both if expected[n] != actual[n]]
    return sorted(lines)
