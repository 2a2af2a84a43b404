"""Damaged files of every format, read by commands.

A command that reads one ends with exit 0 and the right result, or with one line that
names the file. Where a changed bit lies in pixel data that no checksum covers, another
result is no fault, and is counted apart.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from bench.corpus.runner import Command, Outcome, run
from bench.corpus.scene import new_scene
from bench.faults.clean import done, warm_up
from bench.faults.damage import ways_of
from bench.faults.formats import FORMATS, Format
from bench.faults.journal import Finding, Place
from bench.faults.state import keep, put_back, state_of

__all__ = ["FORMATS", "Format", "damaged"]
_SHORTEST = 3
"""Letters of a name; any text may hold so many."""
MEMORY = 2 << 30
"""Bytes of memory, above which reading a small file is a fault."""


def damaged(form: Format, place: Place, count: int, seed: int) -> Iterator[Finding]:
    """Read files of a format, each damaged in another way."""
    folder, start = place.work / "scene", place.work / "start"
    shutil.rmtree(folder, ignore_errors=True)
    form.before(new_scene(folder, place.cache))
    keep(folder, start)
    warm_up(form.words, folder, place.work)
    put_back(start, folder)
    clean = done(run(Command(form.words), folder), form.name)
    right = _result(form, folder, clean)
    ways = ways_of(form.file)
    for number in range(count):
        random = np.random.default_rng([seed, number, *form.name.encode()])
        way = ways[int(random.integers(len(ways)))]
        moment = f"{way.__name__.strip('_')}, number {number}"
        if not place.wants(moment):
            continue
        put_back(start, folder)
        path = folder / form.file
        path.write_bytes(way(path.read_bytes(), random))
        outcome = run(Command(form.words), folder)
        word, problem = _judged(form, folder, outcome, right)
        yield place.add(Finding(form.name, moment, word, problem))


def _result(form: Format, folder: Path, outcome: Outcome) -> Any:
    if form.result is None:
        return outcome.out
    if form.result.endswith(".tif"):
        import rasterio

        with rasterio.open(folder / form.result) as data:
            return data.read().tobytes()
    path = folder / form.result
    return state_of(path.parent, exact=False).get(path.name)


def _judged(
    form: Format, folder: Path, outcome: Outcome, right: Any
) -> tuple[str, str]:
    """Word and problem: same, refused, another (no checksum can tell), or fault."""
    if problem := _broken(outcome):
        return "fault", problem
    if outcome.code != 0:
        content = (folder / form.file).read_bytes()
        problem = _unnamed(form, outcome, content)
        return ("fault", problem) if problem else ("refused", "")
    if _result(form, folder, outcome) == right:
        return "same", ""
    if form.pixels or outcome.notes:
        return "another", ""
    return "fault", "another result, not a word"


def _unnamed(form: Format, outcome: Outcome, content: bytes) -> str | None:
    """Say what is wrong with the refusal of a content."""
    lines = outcome.errors
    if len(lines) != 1:
        return f"{len(lines)} lines: {outcome.err[-300:]}"
    names = (Path(form.file).name, form.file.rsplit("/", 1)[0], *form.names)
    if not any(name in lines[0] for name in names) and not _is_named_in(
        content, lines[0]
    ):
        return f"names no file: {lines[0][:300]}"
    return None


def _is_named_in(content: bytes, line: str) -> bool:
    """Whether a line begins with the name of a file that the damaged file names."""
    subject = line.removeprefix("overcast: error: ").split(": ")[0]
    name = Path(subject).name.encode()
    return len(name) > _SHORTEST and name in content


def _broken(outcome: Outcome) -> str | None:
    if outcome.hung:
        return "it hangs"
    if outcome.code < 0:
        return f"ended by signal {-outcome.code}"
    if "Traceback (most recent call last)" in outcome.err:
        return f"a traceback: {outcome.err.strip().splitlines()[-1][:300]}"
    if outcome.peak > MEMORY:
        return f"{outcome.peak >> 20} MiB of memory"
    if outcome.code not in (0, 2):
        return f"exit {outcome.code}: {outcome.err.strip()[-300:]}"
    return None
