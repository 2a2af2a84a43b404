"""Commands that are killed, and given again.

At every file event, and at random moments. The same command must end with the bytes that
it would have made at once, and nothing else may stay.
"""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Iterator
from pathlib import Path

from bench.corpus.runner import Command, Outcome, run
from bench.faults.clean import Clean, carry_out, digest, done
from bench.faults.commands import Job
from bench.faults.journal import Finding, Place
from bench.faults.moments import stopping
from bench.faults.state import differences, keep, put_back, state_of

_ROUNDS = 100
"""Runs of a command, at most: moments that come after its end are drawn again."""


def at_events(
    job: Job, place: Place, count: int | None = None, seed: int = 0
) -> Iterator[Finding]:
    """Kill a command at its file events: at all, or at `count` drawn ones.

    Equal states of the disk are tried once.
    """
    clean = carry_out(job, place)
    moments = clean.moments
    if count is not None and count < len(moments):
        moments = random.Random(f"{seed} {job.name}").sample(moments, count)
    for moment, copy in moments:
        if place.wants(moment):
            put_back(copy, place.work / "scene")
            yield _tried(job, moment, place, clean)


def at_random(job: Job, place: Place, count: int, seed: int) -> Iterator[Finding]:
    """Kill a command at random moments of its time."""
    clean = carry_out(job, place)
    for moment, copy in _stopped(job, place, clean, (count, seed)):
        if place.wants(moment):
            put_back(copy, place.work / "scene")
            yield _tried(job, moment, place, clean)


def _stopped(
    job: Job, place: Place, clean: Clean, drawn: tuple[int, int]
) -> list[tuple[str, Path]]:
    """Copies of the folder at a count of random moments, and what those are called."""
    count, seed = drawn
    copies, folder = place.work / "moments", place.work / "scene"
    listed = copies / "moments.json"
    if not listed.exists():
        shutil.rmtree(copies, ignore_errors=True)
        copies.mkdir()
        random_, names = random.Random(f"{seed} {job.name}"), list[str]()

        def keep_one(seconds: float) -> None:
            keep(folder, copies / f"{len(names):04d}")
            names.append(f"number {len(names)}, after {seconds:.3f} s")

        for _ in range(_ROUNDS):
            missing = count - len(names)
            seconds = [random_.uniform(0.01, clean.seconds) for _ in range(missing)]
            put_back(clean.start, folder)
            command = Command(job.words, during=stopping(seconds, keep_one))
            done(run(command, folder), job.name)
            if len(names) == count:
                break
        listed.write_text(json.dumps(names), encoding="utf-8")
    names = json.loads(listed.read_text(encoding="utf-8"))
    return [(name, copies / f"{n:04d}") for n, name in enumerate(names)]


def _tried(job: Job, moment: str, place: Place, clean: Clean) -> Finding:
    """What comes of the state of the disk, unless that of an equal one is known."""
    state = digest(place.work / "scene")
    same = place.like(state)
    if same is None:
        same = again(job, moment, place.work / "scene", clean)
    return place.add(Finding(job.name, moment, same.word, same.about), state)


def again(job: Job, moment: str, folder: Path, clean: Clean) -> Finding:
    """Give the command again, and compare what it leaves with what it makes at once."""
    whole = not differences(clean.made, state_of(folder, exact=False))
    outcome = run(Command(job.words), folder)
    unlike = differences(clean.made, state_of(folder, exact=False))
    if whole and outcome.code == 2 and "exist" in outcome.err and not unlike:
        return Finding(job.name, moment, "whole")
    problem = _problem(outcome) or "; ".join(unlike)
    return Finding(job.name, moment, "fault" if problem else "same", problem)


def _problem(outcome: Outcome) -> str | None:
    if outcome.hung:
        return "it hangs"
    if "Traceback (most recent call last)" in outcome.err:
        return f"a traceback: {outcome.err.strip().splitlines()[-1][:300]}"
    if outcome.code != 0:
        return f"exit {outcome.code}: {outcome.err.strip()[-300:]}"
    return None
