"""A command that nobody disturbs: what it starts from and makes, and its time."""

from __future__ import annotations

import hashlib
import importlib
import json
import shutil
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from bench.corpus.runner import Command, Outcome, Words, run
from bench.faults.commands import Job, prepare
from bench.faults.events import watch
from bench.faults.journal import Place
from bench.faults.state import State, keep, put_back, state_of

_MODULES = "modules.txt"


@dataclass(slots=True)
class Clean:
    """A command that nobody stops.

    Attributes
    ----------
    start
        Copy of the folder before it.
    seconds
        How long it takes.
    made
        The state of the folder after it.
    moments
        Its file events, with copies of the folder before each.
    """

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


def carry_out(job: Job, place: Place, folder: Path | None = None) -> Clean:
    """Carry out a command undisturbed, or read what was kept of that.

    In the `folder` of the place's own scene, copies at all file events are kept.
    """
    work = place.work if folder is None else folder.parent.parent / "disk-kept"
    states, folder = folder is None, folder or place.work / "scene"
    start, kept = work / "start", work / "clean.json"
    if not kept.exists():
        work.mkdir(exist_ok=True)
        shutil.rmtree(folder, ignore_errors=True)
        prepare(job, folder, place.cache)
        keep(folder, start)
        warm_up(job.words, folder, place.work)
        put_back(start, folder)
        kept.write_text(json.dumps(_measured(job, work, folder, states)))
    import_again(place.work)
    tree = json.loads(kept.read_text())
    copies, events = work / "states", tree["events"]
    moments = [
        (f"event {n} of {len(events)} ({event})", copies / f"{n:04d}")
        for n, event in enumerate(events)
    ]
    return Clean(start, tree["seconds"], tree["made"], moments)


def _measured(job: Job, work: Path, folder: Path, states: bool) -> dict[str, object]:
    copies = work / "states"
    shutil.rmtree(copies, ignore_errors=True)
    copies.mkdir()
    log = copies / "events.txt"
    log.touch()
    count = 0

    def act(event: str) -> None:
        nonlocal count
        keep(folder, copies / f"{count:04d}")
        with log.open("a", encoding="utf-8") as stream:
            stream.write(event + "\n")
        count += 1

    begun, beside = time.monotonic(), work / "run"
    done(run(Command(job.words), folder, beside=beside), job.name)
    seconds = time.monotonic() - begun
    if states:
        put_back(work / "start", folder)
        done(run(watched(job.words, folder, act), folder, beside=beside), job.name)
    return {
        "seconds": seconds,
        "made": state_of(folder, exact=False),
        "events": log.read_text(encoding="utf-8").splitlines(),
    }


def done(outcome: Outcome, name: str) -> Outcome:
    """An outcome that is as it should be where nothing disturbs.

    Raises
    ------
    RuntimeError
        If it is not.
    """
    if outcome.code != 0:
        raise RuntimeError(f"{name}: {outcome.err[-2000:]}")
    return outcome


def share() -> None:
    """Do once what every command does alike, whatever its files: forks share it.

    Templates are compiled, and the package's own sources looked through. Nothing that
    depends on a command or a file is shared.
    """
    from overcast import discover
    from overcast.report.page import _environment

    for role in discover.ROLES:
        discover.names(role)
    for name in _environment().list_templates(extensions=["j2"]):
        _environment().get_template(name)


def warm_up(words: Words, folder: Path, work: Path) -> None:
    """Learn which modules a command imports, and import them before it is forked again.

    Nothing else is shared with the commands: no value that one of them computed.
    """
    names = work / _MODULES

    def script() -> None:
        from overcast import cli

        sys.argv = ["overcast", *map(str, words)]
        try:
            cli.main()
        finally:
            names.write_text("\n".join(sys.modules), encoding="utf-8")

    run(Command(script=script), folder)
    import_again(work)


def import_again(work: Path) -> None:
    """Import what a command imported before."""
    path = work / _MODULES
    names = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    for name in names:
        if name not in sys.modules and not name.startswith("__"):
            with suppress(Exception):  # one that only another one can import
                importlib.import_module(name)


def digest(folder: Path) -> str:
    """One text for the state of a folder, with all its bytes and hidden files."""
    text = repr(sorted(state_of(folder).items()))
    return hashlib.sha256(text.encode()).hexdigest()[:16]
