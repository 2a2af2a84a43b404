"""A small disk: every command on one that is full, and then with room.

On Linux, and only for an account that may mount, the disk is a tmpfs of its own that no
other process sees. Elsewhere this part is passed over, and that is said.
"""

from __future__ import annotations

import ctypes
import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from bench.corpus.runner import Command, Outcome, run
from bench.faults.clean import Clean, carry_out, digest, watched
from bench.faults.commands import Job
from bench.faults.journal import Finding, Place
from bench.faults.state import differences, put_back, state_of

STEP = 4096
_FULL = "the disk is full"
_ENOUGH = "it was enough"
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
        self._mount(1 << 30, 0)

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
        How many sizes, evenly from the smallest to the most that it uses; if None,
        every 4 kB, until it has done all on several disks in turn.
    """
    disk = SmallDisk(place.work / "disk")
    try:
        clean = carry_out(job, place, disk.folder / "scene")
        enough = 0
        for size in _sizes(_used(job, clean, disk, place), sizes):
            moment = f"a disk of {size >> 10} kB"
            if place.wants(moment):
                yield _on_one(job, clean, (disk, size, moment), place)
            known = place.known(moment)
            enough = enough + 1 if known.about == _ENOUGH else 0
            if sizes is None and enough == _IN_TURN:
                return
    finally:
        disk.free()


def _used(job: Job, clean: Clean, disk: SmallDisk, place: Place) -> tuple[int, int]:
    """Bytes that are used before a command, and the most that it uses at file events."""
    folder, kept = disk.folder / "scene", place.work / "needed.json"
    if kept.exists():
        least, most = json.loads(kept.read_text())
        return int(least), int(most)
    put_back(clean.start, folder)
    least, seen = disk.used, place.work / "used.txt"

    def act(_: str) -> None:
        with seen.open("a", encoding="utf-8") as log:
            log.write(f"{disk.used}\n")

    seen.write_text("0\n")
    run(watched(job.words, folder, act), folder, beside=place.work / "run")
    most = max(disk.used, *map(int, seen.read_text(encoding="utf-8").split()))
    kept.write_text(json.dumps([least, most]))
    return least, most


def _sizes(used: tuple[int, int], count: int | None) -> Iterable[int]:
    least, most = used
    if count is None:
        return range(least, 1 << 30, STEP)
    every = range(least, most, STEP)
    if len(every) <= count:
        return every
    return sorted(
        {every[round(k * (len(every) - 1) / (count - 1))] for k in range(count)}
    )


def _on_one(
    job: Job, clean: Clean, size: tuple[SmallDisk, int, str], place: Place
) -> Finding:
    """What a command does on a disk of a size, and afterwards where there is room."""
    disk, most, moment = size
    folder, beside = disk.folder / "scene", place.work / "run"
    disk.resize(1 << 30)
    put_back(clean.start, folder)
    before = state_of(folder, exact=False)
    disk.resize(most)
    outcome = run(Command(job.words), folder, beside=beside)
    problem = wrong_line(outcome) or cut_files(before, clean, folder)
    disk.resize(1 << 30)
    state = f"{digest(folder)} {outcome.code == 0}"
    if problem is None and (same := place.like(state)) is not None:
        problem = same.about if same.word == "fault" else None
    elif problem is None:
        again = run(Command(job.words), folder, beside=beside)
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
        and digest not in (before.get(name), clean.made.get(name))
    ]
    return f"cut: {', '.join(cut)}" if cut else None
