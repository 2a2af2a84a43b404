"""Tasks on a Dask cluster: one that is running somewhere, or one on this machine.

At most a few tasks a worker are given out at a time, so the scheduler holds few. A task
that fails is tried again, elsewhere if it can be; so is one whose worker dies.
"""

from __future__ import annotations

import asyncio
import os
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import dask
from distributed import Client, Future, LocalCluster, as_completed
from distributed.scheduler import KilledWorker

from overcast.errors import FAULT, MACHINE, MachineError
from overcast.region.engine import Engine, Failed, TaskError, explained

T = TypeVar("T")
_AHEAD = 3
"""Tasks that are given out for every one that is worked on."""
_GIB = 1 << 30
ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "GDAL_CACHEMAX": "128",
    "MALLOC_TRIM_THRESHOLD_": str(_GIB),
    "MALLOC_MMAP_THRESHOLD_": str(_GIB),
    "MALLOC_ARENA_MAX": "1",
}
"""Of every worker. Dask's own trim threshold of 64 KiB doubles the CPU time of mapping. A
worker's task is a thread, and an arena of its own gives memory back whatever the thresholds
say: ten thousand page faults a tile."""
_SELDOM = {
    "distributed.worker.profile.enabled": False,
    "distributed.admin.tick.interval": "1s",
    "distributed.admin.system-monitor.interval": "5s",
    "distributed.worker.memory.monitor-interval": "1s",
}
"""A worker looks after itself 60 times a second by default, which costs 2 % of a core."""
_CONNECT_S = 30
_LOST = (OSError, asyncio.TimeoutError, asyncio.CancelledError)


@contextmanager
def on_dask(
    address: str | None, workers: int | None, memory: str | None, retries: int
) -> Iterator[Engine]:
    """An engine on a scheduler's workers, or on a cluster that ends with the context.

    Raises
    ------
    MachineError
        If the scheduler does not answer.
    """
    if address is not None:
        try:
            client = Client(address, timeout=_CONNECT_S, set_as_default=False)
        except (*_LOST, ValueError) as error:
            raise MachineError(
                f"--dask {address}: no scheduler answers there ({error}); start one, or "
                "give --workers N for a cluster on this machine"
            ) from error
        with client:
            yield OnDask(client, retries)
        return
    environment = {
        **ENVIRONMENT,
        **{k: os.environ[k] for k in ENVIRONMENT if k in os.environ},
    }
    environment["OMP_NUM_THREADS"] = "1"
    with (
        dask.config.set(
            {
                "distributed.nanny.pre-spawn-environ": environment,
                **_SELDOM,
            }
        ),
        LocalCluster(
            n_workers=workers or 1,
            threads_per_worker=1,
            memory_limit=memory or "auto",
            dashboard_address=":0",
            silence_logs=50,
        ) as cluster,
        Client(cluster, set_as_default=False) as client,
    ):
        yield OnDask(client, retries)


@dataclass(frozen=True, slots=True)
class OnDask:
    """Tasks on the workers of a scheduler."""

    client: Client
    retries: int

    @property
    def workers(self) -> int:
        """Threads of all workers, at least one."""
        threads: list[int] = list(self.client.nthreads().values())
        return max(sum(threads), 1)

    def each(
        self, do: Callable[[T], Any], items: Sequence[T], names: Sequence[str]
    ) -> Iterator[tuple[int, Any]]:
        """As `Engine.each`, in the order in which tasks end.

        Raises
        ------
        MachineError
            If the scheduler goes away.
        """
        waiting: dict[Future, int] = {}
        left = iter(range(len(items)))
        with self.client.as_current():
            coming = as_completed()
        try:
            while True:
                most = _AHEAD * self.workers
                while len(waiting) < most and (number := next(left, None)) is not None:
                    future = self._submit(do, items[number], names[number])
                    waiting[future] = number
                    coming.add(future)
                if not waiting:
                    return
                future = next(coming)
                yield waiting.pop(future), self._result(future)
        except _LOST as error:
            raise MachineError(
                f"the Dask scheduler went away ({type(error).__name__}); start it again, "
                "and give the same command: it does what is missing"
            ) from error
        finally:
            self.client.cancel(list(waiting), force=True)

    def _submit(self, do: Callable[[T], Any], item: T, name: str) -> Future:
        return self.client.submit(
            partial(explained, do),
            item,
            key=f"overcast-{name}-{uuid.uuid4().hex[:8]}",
            pure=False,
            retries=self.retries,
        )

    def _result(self, future: Future) -> Any:
        if future.status == "cancelled":
            raise asyncio.CancelledError
        if future.status != "error":
            return future.result()
        error = future.exception()
        if isinstance(error, TaskError):
            return Failed(error.line, error.code)
        if isinstance(error, KilledWorker):
            return Failed(
                "its workers were killed again and again, most likely for memory; give "
                "them more (--memory), or make smaller tiles",
                MACHINE,
            )
        return Failed(f"{type(error).__name__}: {error}", FAULT)
