"""What calibrating a run found, kept with the run in ``calibration.json``.

A run with this file maps with calibrated confidence; without it, with its method's own.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from overcast.accuracy.calibration import Reliability
from overcast.accuracy.conformal import ConformalSets, Score
from overcast.accuracy.curve import STEPS, ConfidenceCurve, Scaling
from overcast.errors import writing
from overcast.run_folder import RunFolder
from overcast.schema import from_tree, read_json

_ADVICE = (
    "calibrate the run again, or delete the file to map with confidence as the method "
    "has it"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """A temperature and a curve, what they were learned from, and what they did.

    Attributes
    ----------
    scaling
        See `overcast.accuracy.curve`.
    reference
        Name of the file whose classes were taken for true.
    pixels
        How many of its pixels were used.
    before, after
        Reliability without and with them; each pixel was judged with what was learned
        from others.
    sets
        Classes that a pixel may have, if a coverage was asked for.
    """

    scaling: Scaling
    reference: str
    pixels: int
    before: Reliability
    after: Reliability
    sets: ConformalSets | None = None


def write_calibration(calibration: Calibration, run: Path) -> None:
    """Write it into a run's folder; the file is whole or not there."""
    tree = {
        "temperature": calibration.scaling.temperature,
        "curve": calibration.scaling.curve.values.round(6).tolist(),
        "reference": calibration.reference,
        "pixels": calibration.pixels,
        "before": reliability_tree(calibration.before),
        "after": reliability_tree(calibration.after),
        "sets": None if calibration.sets is None else _sets_tree(calibration.sets),
    }
    path = RunFolder(run).calibration
    scratch = path.with_name(f"{path.name}.tmp")
    with writing(path):
        scratch.write_text(json.dumps(tree, indent=2) + "\n", encoding="utf-8")
        scratch.replace(path)


def read_calibration(run: Path) -> Calibration | None:
    """Read what `write_calibration` left in a run's folder; None if there is none.

    Raises
    ------
    ValueError
        If the file is there and is not what was written.
    """
    path = RunFolder(run).calibration
    if not path.is_file():
        return None
    tree = from_tree(_File, read_json(path, _ADVICE), path, _ADVICE)
    try:
        return Calibration(
            scaling=tree.scaling(),
            reference=tree.reference,
            pixels=tree.pixels,
            before=tree.before.values(),
            after=tree.after.values(),
            sets=None if tree.sets is None else tree.sets.values(),
        )
    except ValueError as error:
        raise ValueError(f"{path}: {error}; {_ADVICE}") from error


@dataclass(frozen=True, slots=True)
class _Bins:
    """Reliability as the file has it; before overcast 0.2 without ``points``."""

    edges: tuple[float, ...]
    pixels: tuple[float, ...]
    right: tuple[float, ...]
    confidence: tuple[float, ...]
    points: tuple[float, ...] | None = None
    expected_error: float = 0.0

    def values(self) -> Reliability:
        """The reliability that `reliability_tree` made plain values of."""
        points = self.pixels if self.points is None else self.points
        return Reliability(
            *(
                np.asarray(values, np.float64)
                for values in (
                    self.edges,
                    self.pixels,
                    self.right,
                    self.confidence,
                    points,
                )
            )
        )


@dataclass(frozen=True, slots=True)
class _Sets:
    """Sets of classes as the file has them."""

    score: Score
    coverage: float
    thresholds: tuple[float, ...]

    def values(self) -> ConformalSets:
        """The sets, if their coverage is a share."""
        if not 0 < self.coverage < 1:
            raise ValueError(f"coverage is {self.coverage}, expected between 0 and 1")
        return ConformalSets(self.score, self.coverage, np.asarray(self.thresholds))


@dataclass(frozen=True, slots=True)
class _File:
    """What ``calibration.json`` holds."""

    temperature: float
    curve: tuple[float, ...]
    reference: str
    pixels: int
    before: _Bins
    after: _Bins
    sets: _Sets | None

    def __post_init__(self) -> None:
        """Check what types don't say."""
        if self.pixels < 0:
            raise ValueError(f"pixels is {self.pixels}, expected 0 or more")
        if not self.temperature > 0:
            raise ValueError(f"temperature is {self.temperature}, expected above 0")
        if len(self.curve) != STEPS + 1:
            raise ValueError(
                f"curve has {len(self.curve)} values, expected {STEPS + 1}"
            )
        values = np.asarray(self.curve, np.float64)
        if values.min() < 0 or values.max() > 1 or bool((np.diff(values) < 0).any()):
            raise ValueError("curve leaves 0 to 1 or falls, expected rising shares")

    def scaling(self) -> Scaling:
        """How confidence is scaled."""
        curve = ConfidenceCurve(np.asarray(self.curve, np.float64))
        return Scaling(self.temperature, curve)


def reliability_tree(reliability: Reliability) -> dict[str, Any]:
    """Plain values of a reliability, for JSON, with its expected error."""
    columns = ("edges", "pixels", "right", "confidence", "points")
    return {
        "expected_error": round(reliability.expected_error, 6),
        **{name: getattr(reliability, name).round(6).tolist() for name in columns},
    }


def reliability_of(tree: object, where: object) -> Reliability:
    """The reliability that `reliability_tree` made plain values of; `where` names it.

    Raises
    ------
    ValueError
        If the values are others.
    """
    return from_tree(_Bins, tree, where).values()


def _sets_tree(sets: ConformalSets) -> dict[str, Any]:
    # JSON has no infinity; no score is above 2.
    limits = np.minimum(sets.thresholds, 2).tolist()
    return {"score": sets.score, "coverage": sets.coverage, "thresholds": limits}
