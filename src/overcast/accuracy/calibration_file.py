"""What calibrating a run found, kept with the run in ``calibration.json``.

A run with this file maps with calibrated confidence; without it, with its method's own.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from overcast.accuracy.calibration import Reliability
from overcast.accuracy.conformal import ConformalSets
from overcast.accuracy.curve import STEPS, ConfidenceCurve, Scaling

NAME = "calibration.json"


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


def write_calibration(found: Calibration, run: Path) -> None:
    """Write it into a run's folder; the file is whole or not there."""
    tree = {
        "temperature": found.scaling.temperature,
        "curve": found.scaling.curve.values.round(6).tolist(),
        "reference": found.reference,
        "pixels": found.pixels,
        "before": reliability_tree(found.before),
        "after": reliability_tree(found.after),
        "sets": None if found.sets is None else _sets_tree(found.sets),
    }
    scratch = run / f"{NAME}.tmp"
    scratch.write_text(json.dumps(tree, indent=2) + "\n", encoding="utf-8")
    scratch.replace(run / NAME)


def read_calibration(run: Path) -> Calibration | None:
    """What `write_calibration` left in a run's folder; None if it was not calibrated.

    Raises
    ------
    ValueError
        If the file is there and is not what was written.
    """
    path = run / NAME
    if not path.is_file():
        return None
    try:
        tree = json.loads(path.read_text(encoding="utf-8"))
        return Calibration(
            scaling=_scaling_of(tree),
            reference=str(tree["reference"]),
            pixels=int(tree["pixels"]),
            before=reliability_of(tree["before"]),
            after=reliability_of(tree["after"]),
            sets=None if tree["sets"] is None else _sets_of(tree["sets"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(
            f"{path}: not a calibration ({error}); calibrate the run again, or delete "
            "the file to map with confidence as the method has it"
        ) from error


def reliability_tree(found: Reliability) -> dict[str, Any]:
    """Plain values of a reliability, for JSON, with its expected error."""
    columns = ("edges", "pixels", "right", "confidence")
    return {
        "expected_error": round(found.expected_error, 6),
        **{name: getattr(found, name).round(6).tolist() for name in columns},
    }


def reliability_of(tree: Mapping[str, Any]) -> Reliability:
    """The reliability that `reliability_tree` made plain values of."""
    columns = ("edges", "pixels", "right", "confidence")
    return Reliability(*(np.asarray(tree[name], np.float64) for name in columns))


def _scaling_of(tree: Mapping[str, Any]) -> Scaling:
    values = np.asarray(tree["curve"], np.float64)
    if len(values) != STEPS + 1:
        raise ValueError(f"a curve of {len(values)} values, expected {STEPS + 1}")
    return Scaling(float(tree["temperature"]), ConfidenceCurve(values))


def _sets_tree(sets: ConformalSets) -> dict[str, Any]:
    # JSON has no infinity; no score is above 2.
    limits = np.minimum(sets.thresholds, 2).tolist()
    return {"score": sets.score, "coverage": sets.coverage, "thresholds": limits}


def _sets_of(tree: Mapping[str, Any]) -> ConformalSets:
    limits = np.asarray(tree["thresholds"], np.float64)
    return ConformalSets(tree["score"], float(tree["coverage"]), limits)
