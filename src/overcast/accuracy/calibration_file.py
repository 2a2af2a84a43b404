"""What calibrating a run found, kept with the run in ``calibration.json``.

A run with this file maps with calibrated confidence; without it, with its method's own.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import numpy as np

from overcast.accuracy.calibration import Reliability
from overcast.accuracy.conformal import ConformalSets, Score
from overcast.accuracy.curve import STEPS, ConfidenceCurve, Scaling
from overcast.errors import cause, writing
from overcast.run_folder import RunFolder
from overcast.texts import read_text


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
    try:
        tree = json.loads(read_text(path))
        return Calibration(
            scaling=_scaling_of(tree),
            reference=str(tree["reference"]),
            pixels=_pixels_of(tree),
            before=reliability_of(tree["before"]),
            after=reliability_of(tree["after"]),
            sets=None if tree["sets"] is None else _sets_of(tree["sets"]),
        )
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise ValueError(
            f"{path}: not a calibration ({cause(error)}); calibrate the run again, or "
            "delete the file to map with confidence as the method has it"
        ) from error


def reliability_tree(found: Reliability) -> dict[str, Any]:
    """Plain values of a reliability, for JSON, with its expected error."""
    columns = ("edges", "pixels", "right", "confidence", "points")
    return {
        "expected_error": round(found.expected_error, 6),
        **{name: getattr(found, name).round(6).tolist() for name in columns},
    }


def reliability_of(tree: Mapping[str, Any]) -> Reliability:
    """The reliability that `reliability_tree` made plain values of.

    Files of overcast before 0.2 have no ``points``; those were pixels then.
    """
    columns = ("edges", "pixels", "right", "confidence", "points")
    values = {"points": tree["pixels"], **tree}
    return Reliability(*(np.asarray(values[name], np.float64) for name in columns))


def _pixels_of(tree: Mapping[str, Any]) -> int:
    pixels = tree["pixels"]
    if type(pixels) is not int or pixels < 0:
        raise ValueError(f"pixels is {pixels!r}, expected a whole number, 0 or more")
    return pixels


def _scaling_of(tree: Mapping[str, Any]) -> Scaling:
    values = np.asarray(tree["curve"], np.float64)
    if values.shape != (STEPS + 1,):
        raise ValueError(f"a curve of {len(values)} values, expected {STEPS + 1}")
    inside = bool(((values >= 0) & (values <= 1)).all())  # NaN is in no range
    if not inside or bool((np.diff(values) < 0).any()):
        raise ValueError("the curve leaves 0 to 1, or falls")
    temperature = float(tree["temperature"])
    if not 0 < temperature < np.inf:
        raise ValueError(f"temperature is {temperature}, expected above 0")
    return Scaling(temperature, ConfidenceCurve(values))


def _sets_tree(sets: ConformalSets) -> dict[str, Any]:
    # JSON has no infinity; no score is above 2.
    limits = np.minimum(sets.thresholds, 2).tolist()
    return {"score": sets.score, "coverage": sets.coverage, "thresholds": limits}


def _sets_of(tree: Mapping[str, Any]) -> ConformalSets:
    limits = np.asarray(tree["thresholds"], np.float64)
    score, coverage = tree["score"], float(tree["coverage"])
    if score not in get_args(Score):
        known = ", ".join(get_args(Score))
        raise ValueError(f"score is {score!r}, expected one of {known}")
    if not 0 < coverage < 1 or np.isnan(limits).any():
        raise ValueError("a coverage or a threshold is no share")
    return ConformalSets(score, coverage, limits)
