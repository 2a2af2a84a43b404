"""A small disk: every command on one that is full, and then with room.

On Linux, and only for an account that may mount, the disk is a tmpfs of its own that no
other process sees. Elsewhere this part is passed over, and that is said.
"""

from __future__ import annotations

import ctypes
import os
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

from bench.corpus.runner import Command, Outcome, run
from bench.faults.commands import Job
from bench.faults.kills import Clean, Finding, carry_out
from bench.faults.state import differences, put_back, state_of

STEP = 4096
_FULL = "the disk is full"
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
    job: Job, work: Path, cache: Path, sizes: int | None = None
) -> Iterator[Finding]:
    """Carry out a command on disks of every size from what it starts with up.

    Parameters
    ----------
    sizes
        How many sizes, evenly from the smallest to the first that is enough; every
        4 kB if None.
    """
    disk = SmallDisk(work / "disk")
    try:
        clean = carry_out(job, disk.folder, cache, states=False)
        start = work / "before"
        shutil.move(clean.start, start)
        clean.start = start
        folder = disk.folder / "scene"
        least, most = _needed(job, clean, disk, folder)
        for size in _steps(least, most, sizes):
            yield from _on_one(job, clean, disk, size)
    finally:
        disk.free()


def _needed(job: Job, clean: Clean, disk: SmallDisk, folder: Path) -> tuple[int, int]:
    """Bytes that are used before, and the least, in steps of 4 kB, that is enough."""
    put_back(clean.start, folder)
    least, enough = disk.used, 1 << 27
    low, high = least, enough
    while high - low > STEP:
        middle = (low + high) // 2 // STEP * STEP
        disk.resize(1 << 30)
        put_back(clean.start, folder)
        disk.resize(middle)
        if run(Command(job.words), folder).code == 0:
            high = middle
        else:
            low = middle
        disk.resize(1 << 30)
    return least, high


def _steps(least: int, most: int, sizes: int | None) -> Iterable[int]:
    every = range(least, most, STEP)
    if sizes is None or len(every) <= sizes:
        return every
    return sorted(
        {every[round(k * (len(every) - 1) / (sizes - 1))] for k in range(sizes)}
    )


def _on_one(job: Job, clean: Clean, disk: SmallDisk, size: int) -> Iterator[Finding]:
    folder = disk.folder / "scene"
    disk.resize(1 << 30)
    put_back(clean.start, folder)
    before = state_of(folder, exact=False)
    disk.resize(size)
    outcome = run(Command(job.words), folder)
    moment = f"a disk of {size >> 10} kB"
    problem = wrong_line(outcome) or cut_files(before, clean, folder)
    disk.resize(1 << 30)
    if problem is None:
        again = run(Command(job.words), folder)
        unlike = differences(clean.made, state_of(folder, exact=False))
        if again.code != 0:
            problem = f"with room: exit {again.code}: {again.err.strip()[-200:]}"
        elif unlike:
            problem = "with room: " + "; ".join(unlike[:5])
    yield Finding(job.name, moment, "fault" if problem else "same", problem or "")


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
