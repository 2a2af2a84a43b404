"""The layout of a run folder: names of its files and folders, each in this one place.

A run folder holds a plan, the interface of its predictor, a record of what was learned,
and what the method leaves there. Labels that count as evidence of place, a calibration,
parts for single dates and copies of a user's own code may be there too.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

RUN = "run"
"""Folder of a run beside the map that it was trained for."""
FORMAT = 1
"""Of the record; a run of another format is refused in words."""
PLAN = "plan.yaml"
"""The complete description of the run."""
INTERFACE = "interface.json"
"""The legend and the sensors that its predictor has."""
RECORD = "learned.json"
"""What was learned with, and the content of what was learned."""
SENSORS = "sensors.json"
"""The sensors of an encoder that was pretrained."""
ENCODER = "encoder.safetensors"
"""Weights of such an encoder."""
LOG = "log.jsonl"
"""Losses of every step."""
WEIGHTS = "model.safetensors"
"""Weights of a network."""
CALIBRATION = "calibration.json"
"""How its confidence is calibrated."""
PLACE = "place.json"
"""How much labels count as evidence of place."""
PLACE_LABELS = "place.tif"
"""Labels that do; those of further sources have a number."""
DATES = "dates.json"
"""Days that were learned from one by one, and how much each counts."""
CODE = "code"
"""Folder with copies of the user's own files that it was learned with."""
_PARTS = "dates"
_LEARNED = "*.safetensors"


@dataclass(frozen=True, slots=True)
class RunFolder:
    """A folder that holds a run, or shall hold one.

    Attributes
    ----------
    path
        The folder itself.
    """

    path: Path

    @classmethod
    def of(cls, folder: Path) -> RunFolder:
        """The run that a folder holds as ``run``, such as that of a map; else itself."""
        inner = folder / RUN
        return cls(inner if inner.is_dir() else folder)

    @classmethod
    def beside(cls, mapped: Path) -> RunFolder:
        """The run beside a map, given by its file."""
        return cls(mapped.with_name(RUN))

    @property
    def plan(self) -> Path:
        """Its plan."""
        return self.path / PLAN

    @property
    def interface(self) -> Path:
        """Its legend and sensors."""
        return self.path / INTERFACE

    @property
    def record(self) -> Path:
        """What was learned with."""
        return self.path / RECORD

    @property
    def sensors(self) -> Path:
        """Sensors of an encoder."""
        return self.path / SENSORS

    @property
    def encoder(self) -> Path:
        """Weights of an encoder."""
        return self.path / ENCODER

    @property
    def weights(self) -> Path:
        """Weights of a network."""
        return self.path / WEIGHTS

    @property
    def log(self) -> Path:
        """Losses of every step."""
        return self.path / LOG

    @property
    def calibration(self) -> Path:
        """Calibration of its confidence."""
        return self.path / CALIBRATION

    @property
    def place(self) -> Path:
        """How much labels count as evidence of place."""
        return self.path / PLACE

    @property
    def dates(self) -> Path:
        """Days that were learned from one by one."""
        return self.path / DATES

    @property
    def code(self) -> Path:
        """Folder of the user's own files."""
        return self.path / CODE

    @property
    def is_whole(self) -> bool:
        """Return whether there is a plan and an interface, as in every run that maps."""
        return self.plan.is_file() and self.interface.is_file()

    def place_labels(self, source: int = 0) -> Path:
        """Labels that count as evidence of place, of one of several sources."""
        first = self.path / PLACE_LABELS
        return first.with_stem(f"{first.stem}-{source}") if source else first

    def all_place_labels(self) -> list[Path]:
        """Labels of every source that counts as evidence of place."""
        first = Path(PLACE_LABELS)
        return sorted(self.path.glob(f"{first.stem}*{first.suffix}"))

    def date(self, day: date) -> RunFolder:
        """The part of a run that was learned from one day."""
        return RunFolder(self.path / _PARTS / day.isoformat())

    def learned(self) -> list[Path]:
        """Files of its method that hold what was learned; not those of single days."""
        return sorted(self.path.glob(_LEARNED))

    def all_learned(self) -> list[Path]:
        """All files that hold what was learned; those of single days last."""
        return [*self.learned(), *sorted(self.path.glob(f"{_PARTS}/*/{_LEARNED}"))]


def plan_of_map(folder: Path) -> Path | None:
    """The plan that says what a map in a folder was made of; None if there is none.

    `overcast map` leaves it in the run, `overcast predict` beside the map.
    """
    plans = RunFolder(folder / RUN).plan, folder / PLAN
    return next((plan for plan in plans if plan.exists()), None)
