"""Random moments of a command: what is on the disk at each of them.

A process that is stopped by the system (SIGSTOP) has left on the disk what one that is
killed then leaves, since nothing of its own runs at either. So it is stopped, the folder
is copied, and it goes on: one run gives the states of many moments.
"""

from __future__ import annotations

import os
import select
import signal
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

_PAUSE_S = 0.0005
_LIVES, _STOPPED = "RSD", "T"
"""States of processes, as the system names them."""


def stopping(
    moments: Sequence[float], keep: Callable[[float], None]
) -> Callable[[int], None]:
    """What stops a command at moments of its time, and calls `keep` with each.

    Parameters
    ----------
    moments
        Seconds in which it runs; time in which it is stopped doesn't count.
    keep
        Called while the command is stopped, unless it has ended before.
    """

    def during(pid: int) -> None:
        ended = os.pidfd_open(pid)
        try:
            run = 0.0
            for moment in sorted(moments):
                if select.select([ended], [], [], moment - run)[0]:
                    return
                run = moment
                _signal(pid, signal.SIGSTOP)
                _wait_until_stopped(pid)
                if not select.select([ended], [], [], 0)[0]:
                    keep(moment)
                _signal(pid, signal.SIGCONT)
        finally:
            os.close(ended)

    return during


def _signal(pid: int, number: signal.Signals) -> None:
    """Send a signal to a command and its workers, once it has a session of its own."""
    with suppress(ProcessLookupError):
        if os.getpgid(pid) == pid:
            os.killpg(pid, number)
        else:
            os.kill(pid, number)


def _wait_until_stopped(pid: int) -> None:
    """Wait until nothing of a command runs any more."""
    while any(state in _LIVES for state in _states(pid)):
        time.sleep(_PAUSE_S)


def _states(pid: int) -> list[str]:
    """States of the processes of a command."""
    states = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # one that has ended
            words = path.read_text(encoding="utf-8").rpartition(")")[2].split()
            if pid in (int(path.parent.name), int(words[2])):
                states.append(words[0])
    return states
