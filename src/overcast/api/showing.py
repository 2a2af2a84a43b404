"""How work in Python shows how far it is: a bar in notebooks and at a prompt."""

from __future__ import annotations

import html
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from overcast.progress import Progress, quiet

if TYPE_CHECKING:
    from IPython.display import DisplayHandle

Shown = bool | Progress | None
"""Whether progress is shown, or what shows it; None is for notebooks and prompts."""


class NotebookBar:
    """A `overcast.progress.Progress` that draws a bar for every stage in a notebook.

    It is plain HTML, so that it needs no widgets.
    """

    def __init__(self) -> None:
        self._stages: dict[str, DisplayHandle] = {}

    def __call__(self, stage: str, done: int, total: int, note: str = "") -> None:
        """Show that `done` of `total` steps of `stage` are behind us."""
        from IPython.display import HTML, display

        text = (
            f"<progress max='{max(total, 1)}' value='{done}'></progress> "
            f"{html.escape(stage)}: {done} of {total} {html.escape(note)}"
        )
        if stage in self._stages:
            self._stages[stage].update(HTML(text))
        else:
            self._stages[stage] = display(HTML(text), display_id=True)


@contextmanager
def showing(progress: Shown) -> Iterator[Progress]:
    """Give what shows progress, for as long as the context lasts."""
    if callable(progress):
        yield progress
    elif in_notebook() and progress is not False:
        yield NotebookBar()
    elif progress or (progress is None and hasattr(sys, "ps1")):
        from overcast.bar import Bar

        with Bar() as bar:
            yield bar
    else:
        yield quiet


def in_notebook() -> bool:
    """Return whether this Python is the kernel of a notebook."""
    shell = sys.modules.get("IPython")
    active = None if shell is None else shell.get_ipython()
    return type(active).__name__ == "ZMQInteractiveShell"
