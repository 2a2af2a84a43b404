"""What the log of a training run tells: the loss, and how right pseudo-labels were.

A log has a JSON object a line, one of each step: ``step``, ``loss``, every loss and
gauge by name. Gauges of pseudo-labels are there where their truth rode along, see
`overcast.recipes.dllr.pseudo_label_accuracy`: ``right WHEN``, ``right WHEN edge`` and
``right WHEN of K``, WHEN being ``before`` and ``after`` their reassignment, and the shares
of pixels that each was counted on, ``pixels edge`` and ``pixels of K``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

Log = Sequence[Mapping[str, float]]
_PARTS = 4
"""Stretches of a training that are told apart."""


@dataclass(frozen=True, slots=True)
class Right:
    """Share of right pseudo-labels, and of pixels counted; None of no pixel."""

    pixels: float
    before: float | None
    after: float | None


@dataclass(frozen=True, slots=True)
class Stretch:
    """Pseudo-labels of steps `first` to `last`: of all pixels, and of those near edges."""

    first: int
    last: int
    everywhere: Right
    edges: Right


@dataclass(frozen=True, slots=True)
class PseudoLabels:
    """Pseudo-labels over training, and in each stretch by name of the true class.

    Classes that were not there are left out.
    """

    stretches: Sequence[Stretch]
    classes: Mapping[str, Sequence[Right]]


def read_log(path: Path) -> Log:
    """Records of a log in order; none if there is no such file."""
    if not path.is_file():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def pseudo_labels(log: Log, names: Sequence[str]) -> PseudoLabels | None:
    """Return how right pseudo-labels were; None if the run has no gauges of it.

    Parameters
    ----------
    log
        Records of steps.
    names
        Of the classes, in the order of their numbers.
    """
    counted = [record for record in log if "right after" in record]
    if not counted:
        return None
    parts = min(_PARTS, len(counted))
    ends = [round(len(counted) * n / parts) for n in range(parts + 1)]
    pieces = [counted[a:b] for a, b in pairwise(ends)]
    stretches = [
        Stretch(
            int(piece[0]["step"]),
            int(piece[-1]["step"]),
            _right(piece, ""),
            _right(piece, " edge"),
        )
        for piece in pieces
    ]
    series = {
        name: [_right(piece, f" of {k}") for piece in pieces]
        for k, name in enumerate(names)
    }
    measured = {n: r for n, r in series.items() if any(right.pixels for right in r)}
    return PseudoLabels(stretches, measured)


def _right(log: Log, group: str) -> Right:
    """Means over steps, each by the share of pixels that it counted."""
    weights = [record[f"pixels{group}"] if group else 1.0 for record in log]
    total = sum(weights)
    before, after = (
        sum(w * r[f"right {when}{group}"] for w, r in zip(weights, log, strict=True))
        / total
        if total
        else None
        for when in ("before", "after")
    )
    return Right(total / len(log), before, after)
