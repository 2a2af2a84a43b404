"""Run a pure function over many things in processes side by side, results in order."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import sys
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")
R = TypeVar("R")

_AHEAD = 2
"""Results waiting per process: enough to keep it busy, few enough for the memory."""
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_function: Callable[[Any], Any]


def processors() -> int:
    """Processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def beside(
    function: Callable[[T], R], things: Sequence[T], processes: int
) -> Iterator[R]:
    """Results of `function`, which must be picklable, in the order of `things`."""
    if processes <= 1 or len(things) < 2:
        yield from map(function, things)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, context, _begin, (function,)) as pool:
        waiting: deque[Future[R]] = deque()
        for thing in things:
            waiting.append(pool.submit(_call, thing))
            if len(waiting) > _AHEAD * processes:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _begin(function: Callable[[Any], Any]) -> None:
    global _function  # noqa: PLW0603  (a process has one, and is told it once)
    _function = function
    if sys.platform == "linux":
        # Arrays of a window come and go; returning their pages to the system and
        # asking for them again doubles the time.
        c = ctypes.CDLL(None)
        c.mallopt(_M_MMAP_THRESHOLD, 1 << 30)
        c.mallopt(_M_TRIM_THRESHOLD, 1 << 30)


def _call(thing: Any) -> Any:
    return _function(thing)
