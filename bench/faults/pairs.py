"""Two commands at once in one folder: one works, and the other says who does."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

from bench.corpus.runner import Command, Words, run
from bench.faults.clean import Clean, carry_out
from bench.faults.commands import Job
from bench.faults.journal import Finding, Place
from bench.faults.state import differences, put_back, state_of

_SAYS = ("is being written by", "exists; give another", "unfinished work of another")


def at_once(job: Job, place: Place) -> Iterator[Finding]:
    """Give a command twice at once, and again with the second one a little later."""
    clean = carry_out(job, place)
    for share, moment in ((0.0, "at once"), (0.5, "the second half a time later")):
        if place.wants(moment):
            put_back(clean.start, place.work / "scene")
            delay = share * clean.seconds
            yield place.add(_pair(job, moment, place.work / "scene", clean, delay))


def _pair(job: Job, moment: str, folder: Path, clean: Clean, delay: float) -> Finding:
    begun = time.monotonic() + 0.05
    children = [
        _start(job.words, folder, begun + wait, folder.parent / f"pair-{number}.json")
        for number, wait in enumerate((0.0, delay))
    ]
    for pid, _ in children:
        os.waitpid(pid, 0)
    ends = [json.loads(path.read_text(encoding="utf-8")) for _, path in children]
    problem = _problem(ends)
    if problem is None:
        unlike = differences(clean.made, state_of(folder, exact=False))
        problem = "; ".join(unlike[:5]) or None
    return Finding(job.name, moment, "fault" if problem else "same", problem or "")


def _problem(ends: list[tuple[int, str]]) -> str | None:
    worked = [code for code, _ in ends if code == 0]
    if not worked:
        return f"neither worked: {ends[0][1][-200:]} / {ends[1][1][-200:]}"
    for code, text in ends:
        if "Traceback" in text:
            return f"a traceback: {text.strip().splitlines()[-1][:200]}"
        if code != 0 and not (code == 2 and any(words in text for words in _SAYS)):
            return f"exit {code}: {text[-300:]}"
    return None


def _start(words: Words, folder: Path, when: float, result: Path) -> tuple[int, Path]:
    """Run a command in a process that waits for its moment."""
    result.unlink(missing_ok=True)
    pid = os.fork()
    if pid:
        return pid, result
    try:
        time.sleep(max(when - time.monotonic(), 0))
        streams = folder.parent / result.stem
        streams.mkdir(exist_ok=True)
        outcome = run(Command(words), folder, beside=streams / "run")
        result.write_text(json.dumps([outcome.code, outcome.err]), encoding="utf-8")
    finally:
        os._exit(0)
