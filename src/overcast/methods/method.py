"""What a method is: settings that fit on a stack and load again as a predictor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol, cast

from overcast.geo.bands import Sensor
from overcast.geo.legend import Legend
from overcast.geo.stack import Stack
from overcast.maps.predictor import Predictor
from overcast.plan import Plan, choose
from overcast.progress import Progress


class Learner(Protocol):
    """What learns from stacks.

    Whatever fitting learns is left in a folder, so that a run can be moved, resumed
    and loaded elsewhere; nothing in it is a pickle.
    """

    def fit(
        self, stacks: Sequence[Stack], folder: Path, seed: int, progress: Progress
    ) -> None:
        """Learn from the labels of `stacks`, leaving the result in `folder`.

        Stacks without labels are for methods that learn from images alone as well;
        the others pass them over.

        Raises
        ------
        ValueError
            If no stack has labels, no pixel of them has a known class, or the stacks
            differ in sensors or legend.
        """
        ...


class Method(Learner, Protocol):
    """A frozen dataclass of settings; its file's name is its name on the command line."""

    def load(
        self, folder: Path, legend: Legend, sensors: Mapping[str, Sensor]
    ) -> Predictor:
        """Return the predictor that `fit` left in `folder`."""
        ...


def method_of(plan: Plan) -> Method:
    """Return the method that the plan names, with its settings.

    Raises
    ------
    ValueError
        If there is no such method or setting.
    """
    return cast(Method, choose("methods", plan.method))
