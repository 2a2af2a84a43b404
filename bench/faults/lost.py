"""A folder that is lost while a command writes to it, and comes back.

From one file event on, every event in the folder fails with an input/output error, as
where a network drive goes away. The command must end with exit 3 and one line that names a
file. When the folder is back, the same command must end as if nothing had been.
"""

from __future__ import annotations

import errno
import os
import random
from collections.abc import Callable, Iterator
from pathlib import Path

from bench.corpus.runner import Command, run
from bench.faults.clean import Clean, carry_out, watched
from bench.faults.commands import Job
from bench.faults.disk import cut_files, is_whole, wrong_line
from bench.faults.journal import Finding, Place
from bench.faults.state import differences, put_back, state_of

_GONE = "the disk reports an input/output error"


def losing(folder: Path, first: int) -> Callable[[str], None]:
    """What to call before file events, so that from the event `first` on all fail."""
    count = 0

    def act(event: str) -> None:
        nonlocal count
        count += 1
        kind, _, name = event.partition(" ")
        # Removing a tree is no call of the system; its parts are, and they fail.
        if count > first and kind != "shutil.rmtree":
            raise OSError(errno.EIO, os.strerror(errno.EIO), str(folder / name))

    return act


def on_lost_folders(
    job: Job, place: Place, count: int | None, seed: int
) -> Iterator[Finding]:
    """Lose the folder at file events of a command: at all, or at `count` drawn ones."""
    clean = carry_out(job, place)
    moments = range(len(clean.moments))
    chosen = list(moments)
    if count is not None and count < len(moments):
        chosen = sorted(random.Random(f"{seed} {job.name}").sample(moments, count))
    for number in chosen:
        if place.wants(clean.moments[number][0]):
            yield place.add(_on_one(job, number, place, clean))


def _on_one(job: Job, number: int, place: Place, clean: Clean) -> Finding:
    """What a command does that loses its folder, and then finds it again."""
    folder = place.work / "scene"
    put_back(clean.start, folder)
    before = state_of(folder, exact=False)
    outcome = run(watched(job.words, folder, losing(folder, number)), folder)
    problem = wrong_line(outcome, _GONE) or cut_files(before, clean, folder)
    if problem is None:
        again = run(Command(job.words), folder)
        unlike = differences(clean.made, state_of(folder, exact=False))
        if again.code != 0 and not is_whole(outcome, again, unlike):
            problem = f"with the folder: exit {again.code}: {again.err[-200:]}"
        elif unlike:
            problem = "with the folder: " + "; ".join(unlike[:5])
    word = "fault" if problem else "same"
    return Finding(job.name, clean.moments[number][0], word, problem or "")
