"""How long work tells whoever waits for it how far it is."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Called often; the command line draws a bar, a test or a script nothing."""

    def __call__(self, stage: str, done: int, total: int, note: str = "") -> None:
        """`done` of `total` steps of `stage`; `note` is a short text such as a loss."""
        ...


def quiet(stage: str, done: int, total: int, note: str = "") -> None:
    """Say nothing."""
