"""Several predictors as one: the weighted mean of their probabilities.

    p[k, y, x] = sum over members m of  w_m p_m[k, y, x],    sum of w_m = 1

Networks that began with other weights err in other places; where they agree they are
mostly right, which also makes the mean's confidence a better one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from overcast.geo.bands import Sensor
from overcast.geo.legend import Legend
from overcast.geo.stack import Chip
from overcast.maps.predictor import Predictor


@dataclass(frozen=True, slots=True)
class Ensemble:
    """Predictors of the same classes from the same images.

    Attributes
    ----------
    members
        One or more.
    weights
        How much each counts; equally, if none are given. Only ratios matter.

    Raises
    ------
    ValueError
        If there are no members, they differ in legend or images, or weights are not
        one for each, none negative, with a positive sum.
    """

    members: tuple[Predictor, ...]
    weights: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if not self.members:
            raise ValueError("an ensemble needs a member, got none")
        for number, member in enumerate(self.members[1:], 2):
            _check_alike(self.members[0], member, number)
        if not self.weights:
            return
        if len(self.weights) != len(self.members):
            raise ValueError(
                f"{len(self.weights)} weights for {len(self.members)} runs; expected "
                "one for each"
            )
        # A comparison with NaN is False.
        if not (min(self.weights) >= 0 and 0 < sum(self.weights) < np.inf):
            raise ValueError(
                f"weights are {', '.join(map(str, self.weights))}; expected none "
                "negative, and one or more that are positive"
            )

    @property
    def parts(self) -> tuple[Predictor, ...]:
        """The predictors that it asks."""
        return self.members

    @property
    def legend(self) -> Legend:
        """The K classes of the probabilities."""
        return self.members[0].legend

    @property
    def sensors(self) -> Mapping[str, Sensor]:
        """The images that every member reads."""
        return self.members[0].sensors

    @property
    def halo(self) -> int:
        """Context of the member that draws on most."""
        return max(member.halo for member in self.members)

    def predict(self, chip: Chip) -> NDArray[np.float32]:
        """Weighted mean probabilities ``[K, h, w]``; one member's are held at a time."""
        weights = self.weights or (1.0,) * len(self.members)
        total = np.zeros((len(self.legend), *chip.grid.shape), np.float32)
        for member, weight in zip(self.members, weights, strict=True):
            total += member.predict(chip) * np.float32(weight / sum(weights))
        return total


def _check_alike(first: Predictor, other: Predictor, number: int) -> None:
    if other.legend != first.legend:
        raise ValueError(
            f"run {number} has the legend {other.legend.name} "
            f"({', '.join(other.legend.names)}), the first {first.legend.name} "
            f"({', '.join(first.legend.names)}); an ensemble needs one"
        )
    if dict(other.sensors) != dict(first.sensors):
        raise ValueError(
            f"run {number} reads {_described(other)}, the first {_described(first)}; "
            "an ensemble needs the same images of the same sensors"
        )


def _described(predictor: Predictor) -> str:
    return ", ".join(
        f"{name} ({sensor.name}: {' '.join(sensor.names)})"
        for name, sensor in predictor.sensors.items()
    )
