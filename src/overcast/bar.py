"""A progress bar on standard error; lines instead, where that is not a terminal."""

from __future__ import annotations

import os
from typing import Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)

LINES = "OVERCAST_PROGRESS"
"""Environment variable: ``lines`` writes a line for every percent, for programs."""


class Bar:
    """A `overcast.progress.Progress` that draws, as a context."""

    def __init__(self) -> None:
        self._console = Console(stderr=True)
        self._progress = Progress(
            TextColumn("{task.description:<14}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(elapsed_when_finished=True),
            TextColumn("{task.fields[note]}"),
            console=self._console,
            disable=not self._console.is_terminal,
        )
        self._tasks: dict[str, TaskID] = {}
        self._often = os.environ.get(LINES) == "lines"
        self._percent: dict[str, int] = {}

    def __enter__(self) -> Bar:
        self._progress.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self._progress.stop()

    def __call__(self, stage: str, done: int, total: int, note: str = "") -> None:
        """Show that `done` of `total` steps of `stage` are behind us."""
        first = stage not in self._tasks
        if first:
            self._tasks[stage] = self._progress.add_task(stage, total=total, note=note)
        if self._progress.disable:
            if first or done == total or self._is_next(stage, done, total):
                text = f"{stage}: {done} of {total} {note}".rstrip()
                self._console.print(text, highlight=False, markup=False)
            return
        self._progress.update(
            self._tasks[stage], completed=done, total=total, note=note
        )

    def _is_next(self, stage: str, done: int, total: int) -> bool:
        """Return whether a program that reads lines is told of this step."""
        percent = 100 * done // max(total, 1)
        before = self._percent.get(stage)
        self._percent[stage] = percent
        return self._often and percent != before
