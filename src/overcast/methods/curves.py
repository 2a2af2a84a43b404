"""What a pixel looks like over its dates, in as many numbers whatever the dates are.

A channel of a series (a band, an index, filtered backscatter) is a curve of time,

    y(t) = sum_k a_k cos(pi k u),    u = (t - first) / (last - first),    k = 0 ... K - 1

where first and last are the days of the first and the last image that was learned from.
These are the terms of a discrete cosine transform (Ahmed, Natarajan and Rao 1974). Unlike
Fourier's, such a curve need not end as it began: a field is another one a year later.
The K numbers a_k minimise, over the days on which the pixel was seen,

    sum_t (y_t - y(t))^2 + r sum_k (k a_k)^2

where the second sum is the mean square of the slope of the curve, but for a factor. So a
day under cloud needs nothing that stands in for it, a gap is bridged smoothly, and a
scene of other days has the same features. A day of another year counts as the same day of
the nearest year that was learned from. `python -m bench.dates_of_worlds forest` compares
curves with stacked bands.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from overcast.geo.bands import Sensor
from overcast.geo.raster import Image
from overcast.geo.series import chip_at, observations
from overcast.geo.stack import Chip, Stack
from overcast.methods.arrays import check_array
from overcast.methods.features import feature_names, guide_of, layers_of

Floats = NDArray[np.float32]

_TERMS = 8
"""Terms of a curve at most."""
_RIDGE = 0.1
"""r, chosen on development worlds 1 and 3."""
_YEAR = 365.25
"""Days."""
_OPTICAL = ("B02", "B04", "B08", "B12", "NDVI", "NDMI")
"""Channels of an optical series, chosen on development worlds 1 to 4 and a real series."""
_FEWEST = 3
"""A sensor with fewer of these channels gives all that it has."""


@dataclass(frozen=True, slots=True)
class Curves:
    """Features of images of several dates: which days and series, and how many terms.

    Attributes
    ----------
    first, last
        Day of the first and of the last image that was learned from.
    terms
        Terms of the curves of every series, by its name, in order of names; 1 for a
        single image, of which every feature counts.
    """

    first: date
    last: date
    terms: Mapping[str, int]

    def __post_init__(self) -> None:
        if self.last < self.first:
            raise ValueError(
                f"the last day {self.last} is before the first {self.first}"
            )

    @classmethod
    def of(cls, stacks: Sequence[Stack]) -> Curves | None:
        """The days of stacks; None where all images are single."""
        days: dict[str, set[date]] = {}
        for stack in stacks:
            for name, moment in stack.moments.items():
                if name not in stack.targets:
                    days.setdefault(moment.series, set()).add(moment.day)
        every = sorted(set().union(*days.values()))
        if len(every) < 2:
            return None
        terms = {
            name: min(len(days.get(name, ())) or 1, _TERMS)
            for name in sorted(stacks[0].sensors)
        }
        return cls(every[0], every[-1], terms)

    def names(self, sensors: Mapping[str, Sensor], filtered: bool = True) -> list[str]:
        """Names of what `features` gives, in order."""
        return [
            f"{channel} cosine {term}" if count > 1 else channel
            for name, count in self.terms.items()
            for channel in _channels(name, sensors, filtered, count)
            for term in range(count)
        ]

    def features(
        self, chip: Chip, sensors: Mapping[str, Sensor], filtered: bool = True
    ) -> Floats:
        """Features float32 ``[F, h, w]``; NaN where no day saw the pixel."""
        parts = [
            self._curves(chip, name, sensors, filtered, count)
            for name, count in self.terms.items()
        ]
        return np.concatenate(parts, dtype=np.float32)

    def _curves(
        self,
        chip: Chip,
        name: str,
        sensors: Mapping[str, Sensor],
        filtered: bool,
        count: int,
    ) -> Floats:
        """Terms of the channels of a series, channel by channel."""
        all_names = feature_names(sensors, filtered)
        own = [n for n in all_names if n.startswith(f"{name}.")]
        chosen = [own.index(n) for n in _channels(name, sensors, filtered, count)]
        dated = observations(chip.images, chip.moments, name)
        seen = dated or [(self.first, chip.images[name])]
        values = np.stack(
            [
                _layers(chip, day, name, image, sensors, filtered)[chosen]
                for day, image in seen
            ]
        )
        return _terms(values, self._cosines([day for day, _ in seen], count))

    def _cosines(self, days: Sequence[date], count: int) -> NDArray[np.float64]:
        """Cosines ``[T, K]`` of days."""
        at = np.array([self._place(day) for day in days])
        return np.cos(np.pi * np.outer(at, np.arange(count)))

    def _place(self, day: date) -> float:
        """Where a day lies between the first (0) and the last one (1), by its season."""
        length = (self.last - self.first).days
        middle = self.first.toordinal() + length / 2
        after = day.toordinal() - middle
        if abs(after) > length / 2:
            after -= _YEAR * round(after / _YEAR)
        return float(np.clip(after / max(length, 1) + 0.5, 0, 1))

    def as_arrays(self) -> dict[str, NDArray[Any]]:
        """Days and terms, to be kept beside what was learned."""
        days = [self.first.toordinal(), self.last.toordinal()]
        return {
            "curves.days": np.array(days, np.int64),
            "curves.terms": np.array(list(self.terms.values()), np.int64),
        }

    @classmethod
    def from_arrays(
        cls, arrays: Mapping[str, NDArray[Any]], sensors: Mapping[str, Sensor]
    ) -> Curves | None:
        """What `as_arrays` kept, checked; None where single images were learned from.

        Raises
        ------
        ValueError
            If an array is another one, or missing; the message begins with its name.
        """
        if "curves.days" not in arrays and "curves.terms" not in arrays:
            return None
        limits = (1, date.max.toordinal())
        days = check_array(arrays, "curves.days", (2,), limits, whole=True)
        limits = (1, _TERMS)
        terms = check_array(arrays, "curves.terms", (len(sensors),), limits, whole=True)
        first, last = (date.fromordinal(int(day)) for day in days)
        if last < first:
            raise ValueError("array curves.days has a last day before the first")
        return cls(
            first, last, dict(zip(sorted(sensors), map(int, terms), strict=True))
        )


def _channels(
    name: str, sensors: Mapping[str, Sensor], filtered: bool, terms: int
) -> list[str]:
    """Names of the features of a series of which curves are made."""
    names = [n for n in feature_names(sensors, filtered) if n.startswith(f"{name}.")]
    if terms == 1:
        return names
    if sensors[name].kind == "sar":
        return [n for n in names if n.endswith(" filtered")] or names
    some = [n for n in names if n.removeprefix(f"{name}.") in _OPTICAL]
    return some if len(some) >= _FEWEST else names


def _layers(
    chip: Chip,
    day: date,
    name: str,
    image: Image,
    sensors: Mapping[str, Sensor],
    filtered: bool,
) -> Floats:
    """Features of one image; backscatter is filtered along the nearest optical one."""
    if not filtered:
        return image.values
    sar = image.sensor.kind == "sar"
    guide = guide_of(chip_at(chip, day)[0], sensors) if sar else None
    return layers_of(image, guide, sensors)


def _terms(values: Floats, cosines: NDArray[np.float64]) -> Floats:
    """Coefficients ``[C K, h, w]`` of curves through values ``[T, C, h, w]``."""
    days, channels, *shape = values.shape
    count = cosines.shape[1]
    flat = values.reshape(days, channels, -1)
    seen = np.asarray(np.isfinite(flat).all(axis=1))
    out = np.full((channels, count, flat.shape[2]), np.nan, np.float32)
    ridge = np.diag(_RIDGE * np.arange(count) ** 2)
    for pattern, pixels in _patterns(seen):
        if not pattern.any():
            continue
        some = cosines[pattern]
        solved = np.linalg.solve(some.T @ some + ridge, some.T).astype(np.float32)
        known = flat[pattern][:, :, pixels]
        out[:, :, pixels] = np.tensordot(solved, known, 1).transpose(1, 0, 2)
    return out.reshape(channels * count, *shape)


def _patterns(
    seen: NDArray[np.bool_],
) -> list[tuple[NDArray[np.bool_], NDArray[np.int64] | slice]]:
    """Each set of days ``[T]`` on which some pixels were seen, and which pixels."""
    if bool(np.all(seen == seen[:, :1])):
        return [(seen[:, 0], slice(None))]
    packed = np.ascontiguousarray(np.packbits(seen, axis=0).T)
    codes = packed.view(np.dtype((np.void, packed.shape[1]))).ravel()
    _, first, which = np.unique(codes, return_index=True, return_inverse=True)
    order = np.argsort(which, kind="stable")
    ends = np.cumsum(np.bincount(which))
    groups = np.split(order, ends[:-1])
    return [(seen[:, at], pixels) for at, pixels in zip(first, groups, strict=True)]
