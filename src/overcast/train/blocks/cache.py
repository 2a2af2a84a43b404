"""What was read last, bounded in bytes, and read once for all threads that want it."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar


class Sized(Protocol):
    """Something that knows its memory, as arrays do."""

    @property
    def nbytes(self) -> int:
        """Bytes of memory."""
        ...


Value = TypeVar("Value", bound=Sized)


@dataclass
class Memo(Generic[Value]):
    """Values by number; the ones used longest ago go when `memory` bytes are full.

    What is being read is not counted, and the value used last always stays.
    """

    memory: int
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _kept: OrderedDict[int, Future[Value]] = field(default_factory=OrderedDict)

    def get(self, key: int, read: Callable[[], Value]) -> Value:
        """Value of `key`; threads that want the same one wait for one reading.

        Raises what `read` raises, to all of them; nothing is kept of it.
        """
        with self._lock:
            mine = key not in self._kept
            future = self._kept.setdefault(key, Future())
            self._kept.move_to_end(key)
        if mine:
            try:
                future.set_result(read())
            except BaseException as error:
                with self._lock:
                    del self._kept[key]
                future.set_exception(error)
                raise
            self._shrink()
        return future.result()

    @property
    def nbytes(self) -> int:
        """Bytes that are held."""
        with self._lock:
            return sum(self._sizes().values())

    def _shrink(self) -> None:
        with self._lock:
            sizes = self._sizes()
            while sum(sizes.values()) > self.memory and len(sizes) > 1:
                oldest = next(iter(sizes))
                del self._kept[oldest], sizes[oldest]

    def _sizes(self) -> dict[int, int]:
        """Bytes of what was read, oldest first; a failure is about to be dropped."""
        return {
            key: future.result().nbytes
            for key, future in self._kept.items()
            if future.done() and future.exception() is None
        }
