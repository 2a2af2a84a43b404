"""What a method is: settings that fit on a stack and load again as a predictor."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from overcast.geo.bands import Sensor
from overcast.geo.legend import Legend
from overcast.geo.stack import Stack
from overcast.maps.predictor import Predictor
from overcast.progress import Progress


class Method(Protocol):
    """A frozen dataclass of settings; its file's name is its name on the command line.

    Whatever fitting learns is left in a folder, so that a run can be moved, resumed
    and loaded elsewhere; nothing in it is a pickle.
    """

    def fit(self, stack: Stack, folder: Path, seed: int, progress: Progress) -> None:
        """Learn from the labels of `stack`, leaving the result in `folder`.

        Raises
        ------
        ValueError
            If the stack has no labels, or no pixel of it has a known class.
        """
        ...

    def load(
        self, folder: Path, legend: Legend, sensors: Mapping[str, Sensor]
    ) -> Predictor:
        """Return the predictor that `fit` left in `folder`."""
        ...
