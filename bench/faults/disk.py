"""A small disk: every command on one that is full, and then with room.

On Linux, and only for an account that may mount, the disk is a tmpfs of its own that no
other process sees. Elsewhere this part is passed over, and that is said.
"""

from __future__ import annotations

import ctypes
import json
import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Xml

from bench.corpus.runner import Command, Outcome, run
from bench.faults.clean import Clean, carry_out, digest, done, watched
from bench.faults.commands import Job
from bench.faults.forks import ROOM, Forks, named, shape_of
from bench.faults.journal import Finding, Place
from bench.faults.state import differences, put_back, state_of

STEP = 4096
_FULL, _DRAFT, _REGION = "the disk is full", ".draft", "region.json"
_ENOUGH = "it was enough"
_EVERY, _MOST = 8, 32
"""Of sizes in turn on which a command fails alike, each so many is given again; at most
about so many of them."""
_MORE = 1 << 20
"""Bytes with which any command has enough that used half of the rest at file events."""
_LONGEST_S = 3600.0
"""Seconds for one run and all its copies."""
_OWN = 50
"""Sizes that have runs of their own, of those that no copy meets."""
_IN_TURN = 3
"""Disks in turn on which a command has done all: larger ones have room as well."""
_NEW_MOUNTS, _PRIVATE, _RECURSIVE, _REMOUNT = 0x20000, 1 << 18, 1 << 14, 32


def can_mount() -> bool:
    """Whether this account may have a disk of its own; if so, it has its own mounts."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_NEW_MOUNTS) != 0:
        return False
    return bool(libc.mount(b"none", b"/", None, _RECURSIVE | _PRIVATE, None) == 0)


class SmallDisk:
    """A tmpfs on a folder; its size can be changed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._mount(ROOM, 0)

    def resize(self, size: int) -> None:
        """Let the disk have `size` bytes, in pages of 4 kB."""
        self._mount(max(size, STEP), _REMOUNT)

    def free(self) -> None:
        """Take the disk away."""
        ctypes.CDLL(None).umount2(os.fsencode(self.folder), 2)

    @property
    def used(self) -> int:
        """Bytes in use."""
        facts = os.statvfs(self.folder)
        return (facts.f_blocks - facts.f_bfree) * facts.f_frsize

    def _mount(self, size: int, flags: int) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        options = f"size={size}".encode()
        place = os.fsencode(self.folder)
        if libc.mount(b"tmpfs", place, b"tmpfs", flags, options) != 0:
            raise OSError(ctypes.get_errno(), "mount", str(self.folder))


def on_full_disks(
    job: Job, place: Place, sizes: int | None = None
) -> Iterator[Finding]:
    """Carry out a command on disks of every size from what it starts with up.

    Parameters
    ----------
    sizes
        How many sizes, evenly from the smallest to the most that it uses, each by a run
        of its own; if None, every 4 kB, until it has done all on several disks in turn.
    """
    disk = SmallDisk(place.work / "disk")
    try:
        clean = carry_out(job, place, disk.folder / "scene")
        used = _used(job, clean, disk, place)
        rows = _met(job, clean, disk, place) if sizes is None else []
        yield from _by_copies(job, clean, (disk, rows), place)
        met = {row["size"] for row in rows}
        for size in _sizes(used, sizes or _OWN, met):
            if place.wants(_moment(size)):
                yield _on_one(job, clean, (disk, size), place)
        if sizes is None:
            yield from _enough(job, clean, disk, place)
    finally:
        disk.free()


def _moment(size: int) -> str:
    return f"a disk of {size >> 10} kB"


def _used(job: Job, clean: Clean, disk: SmallDisk, place: Place) -> tuple[int, int]:
    """Bytes that are used before a command, and the most that it uses at file events."""
    folder, needed = disk.folder / "scene", place.work / "needed.json"
    if needed.exists():
        least, most = json.loads(needed.read_text())
        return int(least), int(most)
    put_back(clean.start, folder)
    least, seen = disk.used, place.work / "used.txt"

    def act(event: str) -> None:
        with seen.open("a", encoding="utf-8") as log:
            log.write(json.dumps([disk.used, event, shape_of(folder)]) + "\n")

    seen.write_text("", encoding="utf-8")
    run(watched(job.words, folder, act), folder, beside=place.work / "run")
    most = max(disk.used, *(row[0] for row in _lines(seen)))
    needed.write_text(json.dumps([least, most]))
    return least, most


def _by_copies(
    job: Job, clean: Clean, met: tuple[SmallDisk, list[dict[str, Any]]], place: Place
) -> Iterator[Finding]:
    """What a command does on disks that copies of one run of it met.

    A few sizes have runs of their own as well, which must say the same.
    """
    disk, rows = met
    own = {row["size"] for row in (*rows[:1], *rows[len(rows) // 2 :][:1], *rows[-1:])}
    for alike in _alike(rows):
        every = max(_EVERY, len(alike) // _MOST)
        faults, chosen = 0, {*range(0, len(alike), every), len(alike) - 1}
        for number in (*sorted(chosen), *sorted({*range(len(alike))} - chosen)):
            row = alike[number]
            size, moment = row["size"], _moment(row["size"])
            if place.wants(moment):
                if size in own:
                    said = row["err"]
                    yield _on_one(job, clean, (disk, size), place, said)
                else:
                    again = number in chosen or faults > 0
                    yield _of_copy(job, clean, (disk, row, again), place)
            faults += place.known(moment).word == "fault"


def _of_copy(
    job: Job, clean: Clean, met: tuple[SmallDisk, dict[str, Any], bool], place: Place
) -> Finding:
    """Judge what a copy did; give the command again, unless it was for a like size."""
    disk, row, again = met
    moment, copy = _moment(row["size"]), place.work / "met" / row["state"]
    outcome = Outcome(row["code"], "", row["err"], hung=False, peak=0)
    before = state_of(clean.start, exact=False)
    problem = wrong_line(outcome) or cut_files(before, clean, copy)
    if again or place.like(_named(row["state"], outcome)) is not None:
        put_back(copy, disk.folder / "scene")
        return _with_room(job, clean, (disk, moment, problem), outcome, place)
    word = "fault" if problem else "alike"
    return place.add(Finding(job.name, moment, word, problem or ""))


def _met(job: Job, clean: Clean, disk: SmallDisk, place: Place) -> list[dict[str, Any]]:
    """Sizes that copies of the process have met: how they ended, and what they left."""
    results = place.work / "met"
    if not (results / "done").exists():
        shutil.rmtree(results, ignore_errors=True)
        results.mkdir()
        least, most = _used(job, clean, disk, place)
        rows = _lines(place.work / "used.txt")
        expected = [(event, shape) for _, event, shape in rows]
        forks = Forks(disk, results, expected, least, 2 * most + _MORE, STEP)
        put_back(clean.start, disk.folder / "scene")
        words = watched(job.words, disk.folder / "scene", forks)
        command = replace(words, wall_s=_LONGEST_S)
        done(run(command, disk.folder / "scene", beside=place.work / "run"), job.name)
        (results / "done").touch()
    return [row for row in _lines(results / "sizes.jsonl") if row["code"] != 0]


def _alike(rows: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """Sizes in turn on which a command failed before one event, and said the same."""
    groups = groupby(rows, lambda row: (row["event"], row["code"], row["err"]))
    return [list(group) for _, group in groups]


def _lines(path: Path) -> list[Any]:
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def _sizes(used: tuple[int, int], count: int, met: set[int]) -> Iterable[int]:
    """Sizes that were not met, or so many of them, evenly."""
    every = [size for size in range(*used, STEP) if size not in met]
    if len(every) <= count:
        return every
    return sorted(
        {every[round(k * (len(every) - 1) / (count - 1))] for k in range(count)}
    )


def _enough(job: Job, clean: Clean, disk: SmallDisk, place: Place) -> Iterator[Finding]:
    """Larger disks, until several in turn are enough."""
    enough, (_, most) = 0, _used(job, clean, disk, place)
    for size in range(most, ROOM, STEP):
        if place.wants(_moment(size)):
            yield _on_one(job, clean, (disk, size), place)
        known = place.known(_moment(size))
        enough = enough + 1 if known.about == _ENOUGH else 0
        if enough == _IN_TURN:
            return


def sizes_left(findings: Sequence[Finding]) -> int:
    """How many sizes, by 4 kB, lie between those that were met."""
    words = [finding.moment.split() for finding in findings]
    met = [int(moment[-2]) << 10 for moment in words if moment[-1] == "kB"]
    return (max(met) - min(met)) // STEP + 1 - len(met) if met else 0


def _on_one(
    job: Job,
    clean: Clean,
    size: tuple[SmallDisk, int],
    place: Place,
    said: str | None = None,
) -> Finding:
    """What a command does on a disk of a size, and afterwards where there is room.

    If it is known what a copy of a process `said` on such a disk, it must say that.
    """
    disk, most = size
    folder = disk.folder / "scene"
    disk.resize(ROOM)
    put_back(clean.start, folder)
    before = state_of(folder, exact=False)
    disk.resize(most)
    outcome = run(Command(job.words), folder, beside=place.work / "run")
    problem = wrong_line(outcome) or cut_files(before, clean, folder)
    if said is not None and named(said).splitlines()[-1:] != list(
        map(named, outcome.errors)
    ):
        problem = f"says {outcome.err[-200:]}, and a copy {said[-200:]}"
    disk.resize(ROOM)
    return _with_room(job, clean, (disk, _moment(most), problem), outcome, place)


def _with_room(
    job: Job,
    clean: Clean,
    failed: tuple[SmallDisk, str, str | None],
    outcome: Outcome,
    place: Place,
) -> Finding:
    """What a command does that has failed on a full disk, and then has room."""
    disk, moment, problem = failed
    folder = disk.folder / "scene"
    state = _named(digest(folder), outcome)
    if problem is None and (same := place.like(state)) is not None:
        problem = same.about if same.word == "fault" else None
    elif problem is None:
        again = run(Command(job.words), folder, beside=place.work / "run")
        unlike = differences(clean.made, state_of(folder, exact=False))
        if again.code != 0 and not is_whole(outcome, again, unlike):
            problem = f"with room: exit {again.code}: {again.err.strip()[-200:]}"
        elif unlike:
            problem = "with room: " + "; ".join(unlike[:5])
    else:
        state = ""
    word = "fault" if problem else "same"
    said = problem or (_ENOUGH if outcome.code == 0 else "")
    return place.add(Finding(job.name, moment, word, said), state)


def _named(state: str, outcome: Outcome) -> str:
    return f"{state} {outcome.code == 0}"


def _is_progress(path: Path) -> bool:
    """Whether a file says what is done of a region, and is whole."""
    if not any((parent / _REGION).exists() for parent in path.parents[:2]):
        return False
    text = path.read_text(encoding="utf-8", errors="replace")
    try:
        if path.suffix in (".json", ".jsonl"):
            lines = [text] if path.suffix == ".json" else text.splitlines()
            return bool([json.loads(line) for line in lines])
        if path.suffix == ".vrt":
            return Xml.fromstring(text).tag == "VRTDataset"
    except (ValueError, Xml.ParseError):
        return False
    ends = {".prom": "\n", ".html": "</html>\n", ".parquet": "PAR1"}
    return text.endswith(ends.get(path.suffix, "\0"))


def is_whole(first: Outcome, again: Outcome, unlike: list[str]) -> bool:
    """Whether a command that had done all only says that its files exist."""
    return first.code == 0 and "exist" in again.err and not unlike


def wrong_line(outcome: Outcome, cause: str = _FULL) -> str | None:
    """What is wrong with how a command says that the machine failed, or None."""
    lines = outcome.errors
    if "Traceback (most recent call last)" in outcome.err:
        return f"a traceback: {outcome.err.strip().splitlines()[-1][:200]}"
    if outcome.code == 0:
        return None
    if outcome.code != 3 or len(lines) != 1:
        return f"exit {outcome.code}: {outcome.err.strip()[-300:]}"
    words = lines[0].removeprefix("overcast: error: ")
    if ".overcast-" in words or cause not in words:
        return f"says {words[:200]}"
    if ": " not in words or words.startswith("a file or connection"):
        return f"names no file: {words[:200]}"
    return None


def cut_files(before: dict[str, str], clean: Clean, folder: Path) -> str | None:
    """Names of files under their final names that are neither old nor right, or None."""
    now = state_of(folder, exact=False)
    cut = [
        name
        for name, digest in now.items()
        if "/." not in f"/{name}"
        and not name.endswith(_DRAFT)
        and digest not in (before.get(name), clean.made.get(name))
        and not _is_progress(folder / name)
    ]
    return f"cut: {', '.join(cut)}" if cut else None
