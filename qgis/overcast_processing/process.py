"""overcast as a program that runs beside QGIS, and can be stopped; no QGIS here."""

from __future__ import annotations

import queue
import re
import signal
import subprocess
import sys
import threading

from .executable import environment

_STEP = re.compile(
    r"^(?!note:|overcast:)(?P<stage>.+?): (?P<done>\d+) of (?P<total>\d+)(?: .*)?$"
)
_ERROR = "overcast: error: "
_PATIENCE = 10.0
"""Seconds that a program has to end itself after it was asked to."""
_WINDOWS = sys.platform == "win32"


class RunError(Exception):
    """overcast ended with an error; the message is the line that it gave."""


class StoppedError(Exception):
    """The user stopped it."""


def step_of(line):
    """Stage and share of a line about progress, or None of any other line."""
    match = _STEP.match(line)
    if match is None or int(match["total"]) == 0:
        return None
    return match["stage"], int(match["done"]) / int(match["total"])


def run(program, words, say=print, step=None, stopped=lambda: False):
    """Run the program with words; what it wrote to standard output.

    Parameters
    ----------
    program
        Path of overcast.
    words
        What comes after it on the command line.
    say
        Takes every line that is for the reader.
    step
        Takes stage and share of work that is done.
    stopped
        Says whether the user has asked to stop.

    Raises
    ------
    RunError
        If it ends with another code than 0, or does not start.
    StoppedError
        If the user stopped it.
    """
    child = start(program, words)
    lines = queue.Queue()
    output = []
    readers = [
        threading.Thread(target=_read, args=(child.stderr, lines.put), daemon=True),
        threading.Thread(target=_read, args=(child.stdout, output.append), daemon=True),
    ]
    for reader in readers:
        reader.start()
    errors = []
    while readers[0].is_alive() or not lines.empty():
        if stopped():
            end(child)
            raise StoppedError("stopped")
        try:
            line = lines.get(timeout=0.1)
        except queue.Empty:
            continue
        _tell(line, errors, say, step)
    readers[1].join()
    code = child.wait()
    if code != 0:
        raise RunError(
            errors[-1] if errors else f"overcast ended with exit code {code}"
        )
    return "".join(output)


def start(program, words):
    """Start the program, with pipes for what it says.

    Raises
    ------
    RunError
        If it can't be started.
    """
    flags = 0
    if _WINDOWS:
        flags = subprocess.CREATE_NO_WINDOW
    try:
        return subprocess.Popen(
            [str(program), *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment(program),
            encoding="utf-8",
            errors="replace",
            creationflags=flags,
        )
    except OSError as error:
        raise RunError(f"{program}: {error.strerror or error}") from error


def end(child):
    """Ask a program to end, as Ctrl-C does, and end it if it does not.

    Windows sends Ctrl-C through a console, which QGIS lacks; there the program is ended
    with all that it started. overcast keeps what it finished.
    """
    if child.poll() is not None:
        return
    if _WINDOWS:
        tree = ["taskkill", "/T", "/F", "/PID", str(child.pid)]
        subprocess.run(tree, check=False, capture_output=True)
    else:
        child.send_signal(signal.SIGINT)
    try:
        child.wait(_PATIENCE)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def _tell(line, errors, say, step):
    """Give a line to whom it is for."""
    line = line.rstrip()
    where = step_of(line)
    if where is not None and step is not None:
        step(*where)
    elif line.startswith(_ERROR):
        errors.append(line[len(_ERROR) :])
    elif line:
        say(line)


def _read(stream, take):
    with stream:
        for line in stream:
            take(line)


def version_of(program):
    """Version that a program says.

    Raises
    ------
    RunError
        If it is not overcast, or does not start.
    """
    said = run(program, ["--version"], say=lambda line: None).strip()
    if not re.match(r"^\d+\.\d+", said):
        raise RunError(f"{program}: not overcast; it says {said[:40]!r}")
    return said
