"""Run a pure function over many things in processes side by side, results in order."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
import warnings
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any, TypeVar

from overcast.threads import keep_memory

T = TypeVar("T")
R = TypeVar("R")

_AHEAD = 2
"""Results waiting per process: enough to keep it busy, few enough for the memory."""
_GUARD = 'if __name__ == "__main__":'
_function: Callable[[Any], Any]


def refuse_twice() -> None:
    """Refuse to begin in a process that was started for work and runs the script again.

    Raises
    ------
    RuntimeError
        If this is such a process.
    """
    if getattr(multiprocessing.current_process(), "_inheriting", False):
        raise RuntimeError(
            f"{sys.argv[0]}: starts processes, and each of them runs it again; put what "
            f"it does under {_GUARD}"
        )


def map_ordered(
    function: Callable[[T], R], things: Sequence[T], processes: int
) -> Iterator[R]:
    """Results of `function`, which must be picklable, in the order of `things`.

    This process does the work alone, and warns, if the main script has no guard, since
    each new process would run it again, and if a process ends before its work is done.
    """
    refuse_twice()
    if processes > 1 and len(things) > 1 and not _is_guarded():
        warnings.warn(
            f"{sys.argv[0]}: one process does all the work; put what the script does "
            f"under {_GUARD} to use several",
            stacklevel=2,
        )
        processes = 1
    if processes <= 1 or len(things) < 2:
        yield from map(function, things)
        return
    done = 0
    try:
        for result in _pooled(function, things, processes):
            done += 1
            yield result
    except BrokenProcessPool:
        warnings.warn(
            f"{sys.argv[0]}: a process ended before its work was done; this one does "
            "the rest",
            stacklevel=2,
        )
        yield from map(function, things[done:])


def _pooled(
    function: Callable[[T], R], things: Sequence[T], processes: int
) -> Iterator[R]:
    context = multiprocessing.get_context("spawn")
    others = multiprocessing.active_children()
    with ProcessPoolExecutor(processes, context, _begin, (function,)) as pool:
        waiting: deque[Future[R]] = deque()
        try:
            for thing in things:
                with _undisturbed():
                    waiting.append(pool.submit(_call, thing))
                if len(waiting) > _AHEAD * processes:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        except (KeyboardInterrupt, GeneratorExit):
            # At once: one that is just starting would complain that this one is gone.
            for process in multiprocessing.active_children():
                if process not in others:
                    process.kill()
            raise
        finally:
            for future in waiting:
                future.cancel()


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Let requests to end wait: half a process that starts can't be ended in peace."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _is_guarded() -> bool:
    """Return whether a new process can import the main script and not repeat its work."""
    main = sys.modules["__main__"]
    path = getattr(main, "__file__", None)
    if path is None or getattr(main, "__spec__", None) is not None:
        return True
    try:
        return "__name__" in Path(path).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return True


def _begin(function: Callable[[Any], Any]) -> None:
    global _function  # noqa: PLW0603  (a process has one, and is told it once)
    _function = function
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # the parent ends this process
    threading.Thread(target=_end_with_parent, daemon=True).start()
    keep_memory()


def _end_with_parent() -> None:
    """End this process when its parent ends, however that ends."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


def _call(thing: Any) -> Any:
    return _function(thing)
