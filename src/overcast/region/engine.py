"""Work on many tiles: one after another in this process, or on a Dask cluster.

An engine takes a function and its arguments, and gives back results as they come, or
why there is none. What Dask needs is imported where a cluster is asked for alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from overcast.errors import FAULT, MACHINE, explain

T = TypeVar("T")
RETRIES = 2
"""Times that a task is tried again after it has failed."""


@dataclass(frozen=True, slots=True)
class Failed:
    """Why a task has no result: a line for the reader, and an exit code."""

    line: str
    code: int = MACHINE


class TaskError(RuntimeError):
    """A task's error as a line and an exit code, whichever process it was raised in."""

    def __init__(self, line: str, code: int) -> None:
        super().__init__(line, code)
        self.line, self.code = line, code


class Engine(Protocol):
    """Does tasks."""

    @property
    def workers(self) -> int:
        """Tasks that are done at a time."""
        ...

    def each(
        self, do: Callable[[T], Any], items: Sequence[T], names: Sequence[str]
    ) -> Iterator[tuple[int, Any]]:
        """Position and result of every item, as results come; `Failed` for no result."""
        ...


@dataclass(frozen=True, slots=True)
class InTurn:
    """Tasks one after another, in this process."""

    retries: int = RETRIES

    @property
    def workers(self) -> int:
        """One."""
        return 1

    def each(
        self, do: Callable[[T], Any], items: Sequence[T], names: Sequence[str]
    ) -> Iterator[tuple[int, Any]]:
        """As `Engine.each`, in the order of the items."""
        for number, item in enumerate(items):
            yield number, self._one(do, item)

    def _one(self, do: Callable[[T], Any], item: T) -> Any:
        for left in range(self.retries, -1, -1):
            try:
                return explained(do, item)
            except TaskError as error:
                if not left or error.code == FAULT:
                    return Failed(error.line, error.code)
        raise AssertionError


def explained(do: Callable[[T], Any], item: T) -> Any:
    """Do a task; an error leaves it as a line and an exit code."""
    try:
        return do(item)
    except TaskError:
        raise
    except Exception as error:
        code, line = explain(error)
        raise TaskError(line, code) from error


def engine_of(
    address: str | None = None,
    workers: int | None = None,
    memory: str | None = None,
    retries: int = RETRIES,
) -> AbstractContextManager[Engine]:
    """The engine that options ask for, as a context.

    Parameters
    ----------
    address
        Of a Dask scheduler.
    workers
        Of a cluster on this machine, in the place of an address.
    memory
        Of each worker, such as ``2GiB``.
    retries
        Times that a task is tried again.
    """
    if address is None and workers is None:
        return nullcontext(InTurn(retries))
    from overcast.region.dask_engine import on_dask

    return on_dask(address, workers, memory, retries)
