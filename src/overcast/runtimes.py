"""What carries out a network on a CPU: torch, or a compiler of networks.

A compiler takes some seconds for every size of window, and is then faster by a factor.
So it is used for large maps, unless somebody has chosen.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec

NAMES = ("auto", "torch", "onnx", "openvino")
_WORTH_PX = 4_000_000
"""Pixels of a map from which on compiling takes less time than it saves."""

_chosen = "auto"
_current = "torch"


def use(name: str) -> None:
    """Choose what carries out networks from now on, of `NAMES`."""
    global _chosen  # noqa: PLW0603  (a process has one choice, as of threads)
    _chosen = name


def current() -> str:
    """Return what carries out networks now: ``torch``, ``onnx`` or ``openvino``."""
    return _current


def asked() -> bool:
    """Return whether somebody has chosen what carries out networks."""
    return _chosen != "auto"


def fall_back(reason: str) -> None:
    """Go on with torch, and warn of it."""
    global _current  # noqa: PLW0603
    _current = "torch"
    warnings.warn(f"mapping goes on with torch ({reason})", stacklevel=2)


def runtime_for(pixels: int) -> str:
    """Return what carries out networks for a map of so many pixels."""
    if _chosen != "auto":
        return _chosen
    worth = pixels >= _WORTH_PX and find_spec("openvino") is not None
    return "openvino" if worth else "torch"


@contextmanager
def running(name: str) -> Iterator[None]:
    """Carry networks out by `name` inside the context."""
    global _current  # noqa: PLW0603
    before, _current = _current, name
    try:
        yield
    finally:
        _current = before
