"""A predictor of several dates: the mean of what is said of each, where it was seen.

    p(c | pixel) = sum_t v_t w_t p_t(c | pixel) / sum_t v_t w_t

where p_t says what a pixel looks like on day t, v_t is 1 where the leading series saw it
on that day and hardly more than nothing elsewhere, and w_t is how much the day tells
(`overcast.methods.by_date`). Where no day saw a pixel with the leading sensor, what the
other sensors saw decides, by the same rule.

A run of other days maps too: every day of the scene is mapped by the predictor of the day
nearest to it in time, or in the season.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from overcast.geo.bands import Sensor
from overcast.geo.legend import Legend
from overcast.geo.series import apart, chip_at, chip_days
from overcast.geo.stack import Chip, Stack
from overcast.maps.predictor import Predictor, every_part

Floats = NDArray[np.float32]
_UNSEEN = 1e-3
"""v of a day on which the leading sensor did not see a pixel and another one did."""


@dataclass(frozen=True, slots=True)
class ByDate:
    """Predictors of single dates as one of several.

    Attributes
    ----------
    members
        One for all days, or one a day.
    days
        Day of every member; none where one serves all.
    weights
        How much the day of every member counts; only ratios matter.

    Raises
    ------
    ValueError
        If there are no members, or not a day and a weight for each of several.
    """

    members: tuple[Predictor, ...]
    days: tuple[date, ...] = ()
    weights: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        count = len(self.members)
        if not count or (count > 1 and len(self.days) != count):
            raise ValueError(f"{count} predictors for {len(self.days)} days")
        if self.days and len(self.weights) != count:
            raise ValueError(f"{len(self.weights)} weights for {count} days")

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
        """The images and series that every member reads."""
        return self.members[0].sensors

    @property
    def halo(self) -> int:
        """Context of the member that draws on most."""
        return max(member.halo for member in self.members)

    def predict(self, chip: Chip) -> Floats:
        """Probabilities ``[K, h, w]``; of a chip of single images, as they are."""
        days = chip_days(chip)
        if not days:
            # A run of several dates knows no better day than its best for a single one.
            return self.members[self._best()].predict(chip)
        total = np.zeros((len(self.legend), *chip.grid.shape), np.float32)
        mass = np.zeros(chip.grid.shape, np.float32)
        for day in days:
            one, leading = chip_at(chip, day)
            seen = np.logical_or.reduce([i.valid for i in one.images.values()])
            if not seen.any():
                continue
            index = self._nearest(day)
            weight = self.weights[index] if self.weights else 1.0
            led = one.images[leading].valid if leading in one.images else seen
            counts = np.where(led, weight, weight * _UNSEEN).astype(np.float32)
            counts *= seen
            total += self.members[index].predict(one) * counts
            mass += counts
        return np.asarray(total / np.where(mass > 0, mass, 1), np.float32)

    def _nearest(self, day: date) -> int:
        """Number of the member of the day nearest to another one."""
        if len(self.members) == 1:
            return 0
        return min(
            range(len(self.days)),
            key=lambda n: (apart(self.days[n], day), self.days[n]),
        )

    def _best(self) -> int:
        return int(np.argmax(self.weights)) if self.weights else 0


def for_dates(predictor: Predictor, stack: Stack) -> Predictor:
    """The predictor as it maps a stack: of several dates, one that averages them.

    A predictor that learned from single images says the same of every day.
    """
    if not stack.moments or _knows_dates(predictor):
        return predictor
    return ByDate((predictor,))


def _knows_dates(predictor: Predictor) -> bool:
    """Tell whether a predictor, or one of those that it is made of, takes several dates."""
    return any(
        isinstance(part, ByDate) or getattr(part, "reads_series", False)
        for part in every_part(predictor)
    )
