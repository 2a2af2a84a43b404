"""What happens while a region is mapped, for people or for machines that read logs."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from overcast.progress import Progress, quiet


@dataclass(slots=True)
class Events:
    """Tells of events: JSON lines, or a progress bar.

    Attributes
    ----------
    say
        Writes a line; None draws progress instead.
    progress
        The bar.
    """

    say: Callable[[str], None] | None = None
    progress: Progress = quiet
    started: dict[str, float] = field(default_factory=dict)

    def __call__(self, event: str, level: str = "info", **facts: Any) -> None:
        """Tell of an event, with what there is to be known of it."""
        if self.say is None:
            return
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        line = {"time": now.replace("+00:00", "Z"), "level": level, "event": event}
        self.say(json.dumps({**line, **facts}, ensure_ascii=False))

    def step(self, stage: str, done: int, total: int, note: str = "") -> None:
        """Progress of a stage, as a bar shows it; of JSON its beginning and end."""
        if self.say is None:
            self.progress(stage, done, total, note)
        elif stage not in self.started or done == total:
            self.started[stage] = done
            self(f"stage {stage}", done=done, total=total)
