"""Commands that are killed, and given again.

At every file event, and at random moments. The same command must end with the bytes that
it would have made at once, and nothing else may stay.
"""

from __future__ import annotations

import random
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from bench.corpus.runner import Command, Outcome, Words, run
from bench.faults.commands import Job, prepare
from bench.faults.events import watch
from bench.faults.state import State, differences, keep, put_back, state_of


@dataclass(frozen=True, slots=True)
class Finding:
    """How a command ended that was given again.

    Attributes
    ----------
    job, moment
        Which command, and where it was killed.
    word
        "same" bytes; "whole" where all was there before it was given again, and it
        said so; or "fault".
    about
        What is wrong.
    """

    job: str
    moment: str
    word: str
    about: str = ""


@dataclass(slots=True)
class Clean:
    """A command that nobody stops: its states, its seconds, and what it makes."""

    start: Path
    seconds: float
    made: State
    moments: list[tuple[str, Path]] = field(default_factory=list)


def watched(words: Words, folder: Path, act: Callable[[str], None]) -> Command:
    """The command with `act` called before every file event in `folder`."""

    def script() -> None:
        from overcast import cli

        watch(folder, act)
        sys.argv = ["overcast", *map(str, words)]
        cli.main()

    return Command(script=script)


def carry_out(job: Job, work: Path, cache: Path, states: bool = True) -> Clean:
    """Carry out a command in ``work/scene``, with copies of its states at file events."""
    folder = work / "scene"
    prepare(job, folder, cache)
    start, copies = work / "start", work / "states"
    keep(folder, start)
    shutil.rmtree(copies, ignore_errors=True)
    copies.mkdir()
    count = 0

    def act(event: str) -> None:
        nonlocal count
        if states:
            keep(folder, copies / f"{count:04d}")
            with (copies / "events.txt").open("a", encoding="utf-8") as log:
                log.write(event + "\n")
        count += 1

    begun = time.monotonic()
    outcome = run(watched(job.words, folder, act), folder)
    if outcome.code != 0:
        raise RuntimeError(f"{job.name}: {outcome.err[-2000:]}")
    clean = Clean(start, time.monotonic() - begun, state_of(folder, exact=False))
    if states:
        events = (copies / "events.txt").read_text(encoding="utf-8").splitlines()
        clean.moments = [
            (f"event {n} of {len(events)} ({event})", copies / f"{n:04d}")
            for n, event in enumerate(events)
        ]
    return clean


def at_events(
    job: Job, work: Path, cache: Path, count: int | None = None, seed: int = 0
) -> Iterator[Finding]:
    """Kill a command at its file events: at all, or at `count` drawn ones.

    Equal states of the disk are tried once.
    """
    clean = carry_out(job, work, cache)
    tried: dict[str, Finding] = {}
    moments = clean.moments
    if count is not None and count < len(moments):
        moments = random.Random(f"{seed} {job.name}").sample(moments, count)
    for moment, copy in moments:
        digest = repr(sorted(state_of(copy).items()))
        if digest not in tried:
            put_back(copy, work / "scene")
            tried[digest] = again(job, moment, work / "scene", clean)
        same = tried[digest]
        yield Finding(job.name, moment, same.word, same.about)


def at_random(
    job: Job, work: Path, cache: Path, count: int, seed: int
) -> Iterator[Finding]:
    """Kill a command at random moments of its time."""
    clean = carry_out(job, work, cache, states=False)
    moments = random.Random(f"{seed} {job.name}")
    for _ in range(count):
        seconds = moments.uniform(0.01, clean.seconds)
        put_back(clean.start, work / "scene")
        killed = run(ending(job.words, seconds), work / "scene")
        moment = f"after {seconds:.3f} s"
        if killed.code >= 0 and killed.code != 0:
            yield Finding(job.name, moment, "fault", killed.err[-300:])
            continue
        yield again(job, moment, work / "scene", clean)


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
