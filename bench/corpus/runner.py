"""overcast run as its users run it, in a fork of a process that has imported it once.

A command starts in milliseconds so. It has its own session, folder, streams and limits, and
ends with `os._exit`; what it did is judged from outside.
"""

from __future__ import annotations

import contextlib
import os
import resource
import select
import signal
import subprocess
import sys
import traceback
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

CPU_S, WALL_S, MEMORY = 60, 150, 4 << 30
"""Limits of a command: seconds of CPU, seconds in all, bytes."""
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
_ROOT = Path(__file__).parents[2]

Words = tuple[object, ...]
Talk = Callable[[Path], str]
"""What is asked of a command while it runs, given the file of its standard output."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a command ended.

    Attributes
    ----------
    code
        Exit status; below 0, the signal that ended it.
    out, err
        Standard output and standard error.
    hung
        Whether it was ended here because it took too long.
    peak
        Most resident memory, bytes.
    answer
        What it said while it ran, if it was asked.
    """

    code: int
    out: str
    err: str
    hung: bool
    peak: int
    answer: str = ""

    @property
    def notes(self) -> list[str]:
        """Lines that say what was noticed, in either stream."""
        lines = [*self.err.splitlines(), *self.out.splitlines()]
        return [line for line in lines if line.strip().startswith("note")]

    @property
    def errors(self) -> list[str]:
        """Lines that say why it was refused."""
        start = "overcast: error:"
        return [line for line in self.err.splitlines() if line.startswith(start)]


def preload() -> None:
    """Import what commands import, so that forks share it."""
    for name in THREADS:
        os.environ.setdefault(name, "1")
    import pyogrio  # noqa: F401
    import rasterio  # noqa: F401
    import shapely  # noqa: F401
    import sklearn.cluster
    import sklearn.ensemble  # noqa: F401

    import overcast.cli
    import overcast.jobs.mapping  # noqa: F401


@dataclass(frozen=True, slots=True)
class Command:
    """Words of a command line, or a function, and where and how it runs.

    While it runs, `talk` is given its output and then ends it, and `during` its number.
    """

    words: Words = ()
    script: Callable[[], None] | None = None
    environment: Mapping[str, str] | None = None
    talk: Talk | None = None
    during: Callable[[int], None] | None = None
    file_limit: int | None = None
    wall_s: float = WALL_S


def run(
    command: Command, folder: Path, fresh: bool = False, beside: Path | None = None
) -> Outcome:
    """Run a command in `folder`; `fresh` starts Python anew instead of forking.

    What it says goes into files beside the folder, or beside another path.
    """
    named = beside or folder
    streams = named.parent / f"{named.name}.out", named.parent / f"{named.name}.err"
    for path in streams:
        path.touch()
    if fresh and command.script is None:
        pid = _start_anew(command, folder, streams)
    else:
        sys.stdout.flush()
        sys.stderr.flush()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            pid = os.fork()
        if pid == 0:
            _carry_out(command, folder, streams)
    if command.during is not None:
        command.during(pid)
    answer = "" if command.talk is None else _asked(command.talk, streams[0], pid)
    status, usage, hung = _wait(pid, command.wall_s)
    out, err = (path.read_text("utf-8", errors="replace") for path in streams)
    code = os.waitstatus_to_exitcode(status)
    return Outcome(code, out, err, hung, usage.ru_maxrss * 1024, answer)


def _start_anew(command: Command, folder: Path, streams: tuple[Path, Path]) -> int:
    words = [os.fsdecode(str(word)) for word in command.words]
    environment = {**os.environ, **(command.environment or {})}
    environment["PYTHONPATH"] = str(_ROOT / "src")
    with streams[0].open("wb") as out, streams[1].open("wb") as err:
        return subprocess.Popen(
            [sys.executable, "-m", "overcast", *words],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            preexec_fn=lambda: _limit(command),  # noqa: PLW1509
            start_new_session=True,
        ).pid


def _limit(command: Command) -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S + 5))
    held = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    most = held + MEMORY + (MEMORY >> 2)
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    if command.file_limit is not None:
        limits = (command.file_limit, command.file_limit)
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def _carry_out(command: Command, folder: Path, streams: tuple[Path, Path]) -> None:
    """Be the command; never returns."""
    code = 1
    try:
        os.setsid()
        _redirect(streams)
        os.chdir(folder)
        os.environ.update(command.environment or {})
        _limit(command)
        code = _in_this_process(command)
    except BaseException:  # whatever leaves a command is a traceback for its user
        traceback.print_exc()
    finally:
        try:
            sys.stdout.flush()
            sys.stderr.flush()
        finally:
            os._exit(code)


def _redirect(streams: tuple[Path, Path]) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    for number, path in zip((1, 2), streams, strict=True):
        target = os.open(path, flags, 0o644)
        os.dup2(target, number)
        os.close(target)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    signal.signal(signal.SIGINT, signal.default_int_handler)
    warnings.resetwarnings()
    warnings.simplefilter("default")
    warnings.simplefilter("ignore", DeprecationWarning)
    warnings.simplefilter("ignore", PendingDeprecationWarning)
    warnings.simplefilter("ignore", ResourceWarning)


def _in_this_process(command: Command) -> int:
    from overcast import cli

    try:
        if command.script is None:
            sys.argv = ["overcast", *map(str, command.words)]
            cli.main()
        else:
            command.script()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except (ValueError, OSError) as error:
        if command.script is None:
            raise
        # What a script's author sees as the last line of a traceback.
        print(f"overcast: error: {error}", file=sys.stderr)
        return 2
    return 0


def _asked(talk: Talk, out: Path, pid: int) -> str:
    try:
        return talk(out)
    except Exception as error:
        return f"no answer: {error!r}"
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGINT)


def _wait(pid: int, wall_s: float) -> tuple[int, resource.struct_rusage, bool]:
    descriptor = os.pidfd_open(pid)
    try:
        ended, _, _ = select.select([descriptor], [], [], wall_s)
    finally:
        os.close(descriptor)
    _end_session(pid)
    _, status, usage = os.wait4(pid, 0)
    return status, usage, not ended or status == signal.SIGXCPU


def _end_session(pid: int) -> None:
    """End what a command left running, which is in its session and no other."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
