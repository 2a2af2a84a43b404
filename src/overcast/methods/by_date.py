"""Learning from several dates.

- **Together**: a method that reads a series as it is (`forest`).
- **Apart**: a predictor for every day, since a field looks otherwise in May than in
  August (`weak`, `kmeans`). Every day counts by how well it explains the labels
  of cells that it was not fitted on, where the method says that (`Rated`).
- **Shared**: one network for all days. Every day of a scene is a scene with the same
  labels, so that its encoder is shared, and a day that is missing is nothing special.

`overcast.maps.by_date` averages what predictors of single days say. ``dates.json`` keeps
days and weights.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np

from overcast.errors import writing
from overcast.geo.bands import Sensor
from overcast.geo.legend import Legend
from overcast.geo.series import at, days_of
from overcast.geo.stack import Stack
from overcast.maps.by_date import ByDate
from overcast.maps.predictor import Predictor
from overcast.methods.method import Learner, Method
from overcast.progress import Progress
from overcast.run_folder import RunFolder
from overcast.schema import from_tree, read_json

_ADVICE = "train the run again"

_SHOWN = 3
_SHARPNESS = 12.0
"""How fast a day loses weight with what it leaves unexplained; see docs/dates.md."""


@runtime_checkable
class Rated(Protocol):
    """A method that says how well it explains labels that it was not fitted on."""

    def fit_rated(
        self, stacks: Sequence[Stack], folder: Path, seed: int, progress: Progress
    ) -> float:
        """Fit, and return the mean log-likelihood of labels of held-out cells."""
        ...


def fit_by_date(
    method: Learner,
    stacks: Sequence[Stack],
    folder: Path,
    seed: int,
    progress: Progress,
) -> None:
    """Learn from stacks of several dates, leaving days and what was learned in `folder`.

    Days are those of the first stack that has some. A further scene takes part with its
    observation nearest to each.
    """
    days = next(days for stack in stacks if (days := days_of(stack)))
    if getattr(method, "reads_series", False):
        method.fit(stacks, folder, seed, progress)
        return
    if getattr(method, "shares_dates", False):
        scenes = [at(s, d) for s in stacks for d in days_of(s) or days]
        method.fit(scenes, folder, seed, progress)
        _write(folder, (), ())
        return
    ratings = []
    for number, day in enumerate(days):
        own = RunFolder(folder).date(day).path
        own.mkdir(parents=True, exist_ok=True)

        single = [at(stack, day) for stack in stacks]
        if isinstance(method, Rated):
            ratings.append(
                method.fit_rated(
                    single, own, seed, _of_all(progress, number, len(days))
                )
            )
        else:
            method.fit(single, own, seed, _of_all(progress, number, len(days)))
            ratings.append(0.0)
    gain = np.exp(_SHARPNESS * (np.array(ratings) - max(ratings)))
    _write(folder, days, tuple(round(float(w), 6) for w in gain / gain.sum()))


def _of_all(progress: Progress, number: int, count: int) -> Progress:
    """Progress of one day of several."""

    def shown(stage: str, done: int, total: int, note: str = "") -> None:
        progress(f"date {number + 1} of {count}: {stage}", done, total, note)

    return shown


def load_by_date(
    method: Method, folder: Path, legend: Legend, sensors: Mapping[str, Sensor]
) -> Predictor:
    """Return the predictor that `fit_by_date`, or a method alone, left in `folder`."""
    if not (RunFolder(folder).dates).is_file():
        return method.load(folder, legend, sensors)
    days, weights = read_dates(folder)
    if not days:
        return ByDate((method.load(folder, legend, sensors),))
    folders = (RunFolder(folder).date(day).path for day in days)
    members = tuple(method.load(own, legend, sensors) for own in folders)
    return ByDate(members, days, weights)


def read_dates(folder: Path) -> tuple[tuple[date, ...], tuple[float, ...]]:
    """Days and weights of a run's folder; none where one predictor serves all days.

    Raises
    ------
    ValueError
        If the file is not what `fit_by_date` wrote.
    """
    path = RunFolder(folder).dates
    tree = from_tree(_Dates, read_json(path, _ADVICE), path, _ADVICE)
    try:
        days = tuple(map(date.fromisoformat, tree.days))
    except ValueError as error:
        raise ValueError(f"{path}: days: {error}; {_ADVICE}") from error
    return days, tree.weights


@dataclass(frozen=True, slots=True)
class _Dates:
    """What ``dates.json`` holds."""

    days: tuple[str, ...]
    weights: tuple[float, ...]

    def __post_init__(self) -> None:
        """Check that every day has a share."""
        if len(self.days) != len(self.weights):
            raise ValueError("expected a weight for each of the days")
        if not all(0 <= w <= 1 for w in self.weights):
            raise ValueError("weights: expected numbers from 0 to 1")


def said_of_dates(folder: Path) -> tuple[str, ...]:
    """Which dates of a run count most, a sentence; nothing of a run without dates."""
    if not (RunFolder(folder).dates).is_file() or not (dates := read_dates(folder))[0]:
        return ()
    if max(dates[1]) == min(dates[1]):
        return ()
    ranked = sorted(zip(dates[1], dates[0], strict=True), reverse=True)[:_SHOWN]
    shares = ", ".join(f"{day.isoformat()} {weight:.0%}" for weight, day in ranked)
    return (f"dates that tell most of the labels, and how much they count: {shares}",)


def _write(folder: Path, days: Sequence[date], weights: Sequence[float]) -> None:
    tree = {"days": [day.isoformat() for day in days], "weights": list(weights)}
    path = RunFolder(folder).dates
    scratch = path.with_name(f"{path.name}.tmp")
    with writing(path):
        scratch.write_text(json.dumps(tree, indent=2) + "\n", encoding="utf-8")
        scratch.replace(path)
