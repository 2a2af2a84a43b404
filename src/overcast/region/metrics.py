"""What a job has done so far, as a file of OpenMetrics text for monitors to read.

https://prometheus.io/docs/specs/om/open_metrics_spec/; node_exporter's textfile
collector reads such files.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from overcast.output import write_whole
from overcast.region.tile import Record

METRICS = "metrics.prom"
_SELDOM_S = 2.0
"""Between two writings, at least: tiles may be small and many."""
_HELP = {
    "overcast_tiles": ("gauge", "Tiles of the region by state."),
    "overcast_tile_seconds": ("counter", "Seconds that tiles of this job took."),
    "overcast_tile_cpu_seconds": ("counter", "CPU seconds of tiles of this job."),
    "overcast_peak_memory_bytes": ("gauge", "Largest memory of a process of this job."),
    "overcast_workers": ("gauge", "Tiles that are worked on at a time."),
}


@dataclass(slots=True)
class Metrics:
    """Numbers of a job, and the folder of their file."""

    out: Path
    tiles: int
    finished: int
    workers: int
    failed: int = 0
    seconds: float = 0.0
    cpu: float = 0.0
    peak_mib: int = 0
    written: float = field(default=0.0)

    def add(self, record: Record | None) -> None:
        """Count a tile that was made, or None for one that failed."""
        if record is None:
            self.failed += 1
        else:
            self.finished += 1
            self.seconds += float(record["seconds"])
            self.cpu += float(record["cpu_seconds"])
            self.peak_mib = max(self.peak_mib, int(record["peak_mib"]))
        if time.monotonic() - self.written > _SELDOM_S:
            self.write()

    def write(self) -> None:
        """Write the file; it is whole or as it was."""
        write_whole(self.out / METRICS, self.text())
        self.written = time.monotonic()

    def text(self) -> str:
        """The numbers as OpenMetrics text."""
        missing = self.tiles - self.finished - self.failed
        states = {"finished": self.finished, "failed": self.failed, "missing": missing}
        values: Mapping[str, Mapping[str, float]] = {
            "overcast_tiles": {f'{{state="{k}"}}': v for k, v in states.items()},
            "overcast_tile_seconds": {"_total": round(self.seconds, 3)},
            "overcast_tile_cpu_seconds": {"_total": round(self.cpu, 3)},
            "overcast_peak_memory_bytes": {"": self.peak_mib << 20},
            "overcast_workers": {"": self.workers},
        }
        lines = []
        for name, (kind, about) in _HELP.items():
            lines += [f"# TYPE {name} {kind}", f"# HELP {name} {about}"]
            lines += [f"{name}{rest} {value}" for rest, value in values[name].items()]
        return "\n".join([*lines, "# EOF"]) + "\n"
