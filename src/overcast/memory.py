"""Memory that a piece of work needs, compared with what is free before it is taken."""

from __future__ import annotations

import os
from pathlib import Path

from overcast.errors import MachineError

_GROUPS = (
    ("memory.max", "memory.current"),
    ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes"),
)
"""Files below /sys/fs/cgroup that limit a container, and say what it has taken."""


def need(count: float, what: str, advice: str) -> None:
    """Refuse work that needs more than `count` bytes, if fewer are free.

    Parameters
    ----------
    count
        Bytes that the work needs at least; an estimate too low refuses nothing wrongly.
    what
        The work, such as ``windows of 8192 pixels``.
    advice
        What to do instead.

    Raises
    ------
    MachineError
        If there is not so much memory.
    """
    free = available()
    if free is not None and count > free:
        raise MachineError(
            f"{what}: needs {_shown(count)} of memory or more, and {_shown(free)} are "
            f"free; {advice}"
        )


def available() -> int | None:
    """Bytes that this process may still take; None where the system does not say."""
    known = [free for free in (_of_system(), _of_group()) if free is not None]
    return min(known, default=None)


def _of_system() -> int | None:
    try:
        for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) << 10
    except (OSError, ValueError):
        pass
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):
        return None


def _of_group() -> int | None:
    """Bytes that the container has left."""
    for limit, used in _GROUPS:
        root = Path("/sys/fs/cgroup")
        try:
            most = int((root / limit).read_text(encoding="ascii"))
            return max(most - int((root / used).read_text(encoding="ascii")), 0)
        except (OSError, ValueError):
            continue
    return None


def _shown(count: float) -> str:
    return f"{count / 2**30:.3g} GB"
