"""Commands that are killed, and given again.

At every file event, and at random moments. The same command must end with the bytes that
it would have made at once, and nothing else may stay.
"""

from __future__ import annotations

import random
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

from bench.corpus.runner import Command, Outcome, Words, run
from bench.faults.clean import Clean, carry_out, digest
from bench.faults.commands import Job
from bench.faults.journal import Finding, Place
from bench.faults.state import differences, put_back, state_of

_DRAWN = 20
"""Moments that are drawn for every kill: some come after the command has ended."""


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
    drawn = random.Random(f"{seed} {job.name}")
    moments = [drawn.uniform(0.01, clean.seconds) for _ in range(_DRAWN * count)]
    for number, seconds in enumerate(moments):
        moment = f"number {number}, after {seconds:.3f} s"
        if len(place.findings) >= count:
            return
        if not place.wants(moment):
            continue
        put_back(clean.start, place.work / "scene")
        killed = run(ending(job.words, seconds), place.work / "scene")
        if killed.code == 0:
            continue  # it was done by then
        if killed.code > 0:
            yield place.add(Finding(job.name, moment, "fault", killed.err[-300:]))
        else:
            yield _tried(job, moment, place, clean)


def ending(words: Words, seconds: float) -> Command:
    """The command, ended by the system after some seconds, as by a kill."""

    def script() -> None:
        from overcast import cli

        # Its default is to end the process at once; nothing of Python runs any more.
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_REAL, seconds)
        sys.argv = ["overcast", *map(str, words)]
        cli.main()

    return Command(script=script)


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
