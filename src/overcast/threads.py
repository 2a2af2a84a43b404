"""How many cores a command uses, and what libraries may do with them.

Products of small matrices wake the thread pools of BLAS and OpenMP thousands of times,
which costs more than it brings, and their sums depend on the number of threads. So these
libraries work with one thread here (`steady`), and whole windows of a map are spread
over the cores instead (`count`): results are joined in a fixed order, and have the same
bytes for any number of threads.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module

_OPENMP = "OMP_NUM_THREADS"
_VARIABLES = (
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "NUMEXPR_MAX_THREADS",
    "LOKY_MAX_CPU_COUNT",
)
"""Numbers of threads that libraries read when they are loaded, besides `_OPENMP`."""
_SPINS = "10000"
"""Rounds of waiting before a thread sleeps, of 300000 by default."""
_LOADED_FIRST = ("scipy.linalg", "sklearn.utils")
"""Modules that load BLAS and OpenMP: a pool can be limited once it is loaded."""
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_GIB = 1 << 30

_chosen: int | None = None


def cores() -> int:
    """Cores that this process may use, by its affinity and the quota of its cgroup."""
    from joblib import cpu_count

    return int(cpu_count())


def count() -> int:
    """Threads to use: as `use` was told, else all cores, or fewer if OpenMP has fewer."""
    return _usual() if _chosen is None else _chosen


def chosen() -> int | None:
    """Threads to use if `use` was told, else None."""
    return _chosen


def use(threads: int | None) -> None:
    """Choose the number of threads from now on; None for as many as are usual."""
    global _chosen  # noqa: PLW0603  (a process has one number of threads)
    _chosen = _usual() if threads is None else threads


@contextmanager
def steady() -> Iterator[None]:
    """Limit the pools of BLAS and OpenMP to one thread, except those of torch.

    Libraries that are loaded inside the context are not limited.
    """
    from threadpoolctl import ThreadpoolController

    controller = ThreadpoolController()
    paths = [library.filepath for library in controller.lib_controllers]
    numeric = [path for path in paths if "torch" not in path]
    with controller.select(filepath=numeric).limit(limits=1):
        yield


@contextmanager
def steady_learning() -> Iterator[None]:
    """Do what `steady` does, and load what methods learn with before."""
    for module in _LOADED_FIRST:
        import_module(module)
    with steady():
        yield


def prepare() -> None:
    """Settle what libraries read from the environment when they are loaded.

    Raises
    ------
    ValueError
        If a variable that says how many threads to use says no whole number.
    """
    if text := os.environ.get(_OPENMP, "").strip():
        # OpenMP takes a number for every level of nesting, other readers one number.
        os.environ[_OPENMP] = str(_first_level(text))
    for name in _VARIABLES:
        if text := os.environ.get(name, "").strip():
            _number(name, text)
    # Threads of OpenMP that wait spin for long, which makes learning much slower where
    # others use the cores too (bench/sharing.py).
    if not os.environ.keys() & {"OMP_WAIT_POLICY", "GOMP_SPINCOUNT"}:
        os.environ["GOMP_SPINCOUNT"] = _SPINS


def keep_memory() -> None:
    """Let glibc keep freed memory, as arrays of windows come and go.

    Returning their pages to the system and asking for them again costs a fifth of the
    CPU time of mapping.
    """
    if sys.platform != "linux":
        return
    c = ctypes.CDLL(None)
    if hasattr(c, "mallopt"):
        c.mallopt(_M_MMAP_THRESHOLD, _GIB)
        c.mallopt(_M_TRIM_THRESHOLD, _GIB)


def _usual() -> int:
    text = os.environ.get(_OPENMP, "")
    return min(cores(), _first_level(text)) if text.strip() else cores()


def _first_level(text: str) -> int:
    return _number(_OPENMP, text.split(",", maxsplit=1)[0], text)


def _number(name: str, text: str, whole: str | None = None) -> int:
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise ValueError(
            f"{name}={whole or text}: expected a whole number of threads, 1 or more; "
            "correct this environment variable, or unset it"
        )
    return number
