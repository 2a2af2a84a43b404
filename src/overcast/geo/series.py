"""What a sensor saw on several dates: the one noun of time.

An image of a sensor is a **series** of observations. Each has a day, a grid and a mask of
its own. A single image is a series of one, needs no day, and is read as it always was.

A `Stack` of several dates holds every observation as an image of its own, named
``SERIES@DAY`` (``s2@2024-05-03``); `Stack.moments` says which series and day that is.
Arrays of a whole series have the axes **time, band, row, column** (``[T, C, H, W]``),
with days in order.

One rule serves for a sensor that is missing on a day, a day that is missing in a scene
and a pixel that is missing on a day: the observation nearest in time stands in for
another day, and what nobody saw is invalid (NaN), never filled.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from overcast.geo.raster import Image

if TYPE_CHECKING:
    from overcast.geo.stack import Chip, ImageSource, Stack

_NEAR_DAYS = 45
"""Beyond so many days, the same season of another year is nearer than another season."""
_YEAR = 365.25


@dataclass(frozen=True, slots=True, order=True)
class Moment:
    """The time and orbit of an observation.

    Attributes
    ----------
    series
        Name of the image of a plan that it belongs to, such as ``s2``.
    day
        When it was seen (UTC).
    """

    series: str
    day: date

    @property
    def name(self) -> str:
        """Name of the observation among the images of a stack."""
        return f"{self.series}@{self.day.isoformat()}"


Moments = Mapping[str, Moment]
"""Name of an image to its moment; single images have none."""


def series_of(name: str, moments: Moments) -> str:
    """Name of the series that an image belongs to; of a single image, its own."""
    return moments[name].series if name in moments else name


def days_of(stack: Stack) -> tuple[date, ...]:
    """Days of the leading series of a stack, in order; none if it has single images.

    An optical series leads, since optical images differ most between dates; else the
    series with most days does.
    """
    read = {n: m for n, m in stack.moments.items() if n not in stack.targets}
    return _leading(read, stack.images)[1]


def chip_days(chip: Chip) -> tuple[date, ...]:
    """Days of the leading series of a chip, as `days_of` has them for a stack."""
    return _leading(chip.moments, chip.images)[1]


def _leading(
    moments: Moments, images: Mapping[str, Image | ImageSource]
) -> tuple[str, tuple[date, ...]]:
    """Name and days of the series that leads; nothing where all images are single."""
    days: dict[str, list[date]] = {}
    optical = set()
    for name, moment in moments.items():
        days.setdefault(moment.series, []).append(moment.day)
        if images[name].sensor.kind == "optical":
            optical.add(moment.series)
    if not days:
        return "", ()
    first = max(days, key=lambda name: (name in optical, len(days[name])))
    return first, tuple(sorted(days[first]))


def at(stack: Stack, day: date) -> Stack:
    """A stack of single images: of every series the observation nearest to a day."""
    chosen = nearest(stack.moments, day)
    images = {
        series_of(name, stack.moments): source
        for name, source in stack.images.items()
        if name not in stack.moments or name in chosen
    }
    targets = frozenset(series_of(name, stack.moments) for name in stack.targets)
    return replace(stack, images=images, moments={}, targets=targets)


def each_date(stack: Stack) -> list[Stack]:
    """Stacks of single images, one for every day; a stack that has no days alone."""
    return [at(stack, day) for day in days_of(stack)] or [stack]


def middle(stack: Stack) -> Stack:
    """A stack of single images: of several dates, those of the one in the middle."""
    every = each_date(stack)
    return every[len(every) // 2]


def shown_of(
    stack: Stack, shares: Mapping[str, Mapping[date, float]], most: int = 4
) -> dict[str, ImageSource]:
    """Images to show of a stack: of a series, a few clear dates spread over its time.

    `shares` says by series how much of the stack each date saw. Dates that saw less than
    half of what the clearest one saw are left out.
    """
    series: dict[str, list[str]] = {}
    for name, moment in sorted(stack.moments.items(), key=lambda item: item[1].day):
        own = shares[moment.series]
        if own[moment.day] >= max(own.values()) / 2:
            series.setdefault(moment.series, []).append(name)
    chosen = set(stack.images.keys() - stack.moments.keys())
    for names in series.values():
        count = min(most, len(names))
        at = np.linspace(0, len(names) - 1, count).round().astype(int)
        chosen |= {names[place] for place in at}
    return {name: source for name, source in stack.images.items() if name in chosen}


def chip_at(chip: Chip, day: date) -> tuple[Chip, str]:
    """A chip of single images, as `at` has it for a stack; which series leads."""
    chosen = nearest(chip.moments, day)
    images = {
        series_of(name, chip.moments): image
        for name, image in chip.images.items()
        if name not in chip.moments or name in chosen
    }
    leading = _leading(chip.moments, chip.images)[0]
    return replace(chip, images=images, moments={}), leading


def nearest(moments: Moments, day: date) -> frozenset[str]:
    """Return, for every series, the name of the observation nearest in time to a day."""
    best: dict[str, tuple[float, date, str]] = {}
    for name, moment in moments.items():
        key = (apart(moment.day, day), moment.day, name)
        if moment.series not in best or key < best[moment.series]:
            best[moment.series] = key
    return frozenset(name for _, _, name in best.values())


def apart(one: date, other: date) -> float:
    """Days between two days; far apart, days between their seasons, and more.

    Examples
    --------
    >>> apart(date(2024, 5, 3), date(2024, 5, 13))
    10.0
    >>> may, january = date(2024, 5, 3), date(2024, 1, 1)
    >>> apart(date(2023, 5, 3), may) < apart(january, may)
    True
    """
    days = float(abs((one - other).days))
    if days <= _NEAR_DAYS:
        return days
    season = days % _YEAR
    return _NEAR_DAYS + min(season, _YEAR - season) + days / 1e6


def observations(
    images: Mapping[str, Image], moments: Moments, series: str
) -> list[tuple[date, Image]]:
    """Days and images of a series, in order of time."""
    own = [(m.day, name) for name, m in moments.items() if m.series == series]
    return [(day, images[name]) for day, name in sorted(own) if name in images]


def only(
    names: Iterable[str], images: Iterable[str], moments: Moments
) -> tuple[str, ...]:
    """Names of those images that belong to one of the series `names`."""
    wanted = set(names)
    return tuple(n for n in images if series_of(n, moments) in wanted)


def spread(days: Sequence[date]) -> str:
    """A number of dates in words: ``15 dates, 2018-08-04 to 2019-11-12``."""
    if len(days) == 1:
        return f"1 date, {days[0].isoformat()}"
    return f"{len(days)} dates, {min(days).isoformat()} to {max(days).isoformat()}"
