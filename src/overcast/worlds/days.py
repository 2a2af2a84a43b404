"""Days of a year on which a world is seen, and what differs between them.

One land through a year: the class and the patches stay, spectra follow the season, crops
are sown and harvested, and light, haze, wind, clouds and speckle are those of the day.

How much a patch keeps of what distinguishes it from its class was measured on fifteen
clear dates of 16 parcels in Flanders: within a class, spectra of parcels correlate by .41
over less than 45 days and by 0 (maize) to .26 (grass) over longer gaps; texture within a
parcel by .63 and .03 to .25. Scores of patches are a lasting part and one that fades over
`FADE_DAYS`. The same is assumed of other classes and of Sentinel-1, but that towns, rock
and woods last longer.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from overcast.worlds.measured import (
    BARREN,
    CLASSES,
    CROP,
    FOREST,
    URBAN,
    WATER,
    statistics,
)
from overcast.worlds.noise import Floats, key_of, stream
from overcast.worlds.region import SUN_ELEVATION, WorldRegion
from overcast.worlds.spectra import (
    LOWEST_REFLECTANCE,
    SLOTS,
    SUBTYPES,
    draw_spectra,
    kinds_of,
    scores_of,
)

FADE_DAYS = 40.0
_LASTING = {URBAN: 0.85, BARREN: 0.5, FOREST: 0.4, WATER: 0.3}
"""Share of the variance of patches that lasts; .2 for other classes."""
_OTHERS_LASTING = 0.2
_YEAR = 2024
_MIDDLE = {"winter": 15, "spring": 105, "summer": 196, "autumn": 288}
"""Day of the year that the statistics of a season stand for."""
_RAMP_DAYS = 35.0
_GREEN = 0.8


@dataclass(frozen=True, slots=True)
class Day:
    """A day on which a world is seen: its number among the days, and its date."""

    number: int
    date: datetime.date

    @property
    def of_year(self) -> int:
        """1 to 366."""
        return self.date.timetuple().tm_yday

    @property
    def season(self) -> str:
        """Season whose middle is nearest."""
        away = {
            s: abs((self.of_year - d + 183) % 366 - 183) for s, d in _MIDDLE.items()
        }
        return min(away, key=lambda season: away[season])


def days_of(seed: int, count: int) -> tuple[Day, ...]:
    """So many days of 2024, one in each equal part of the year.

    Raises
    ------
    ValueError
        If `count` is not 2 to 73, five days apart at least on average.
    """
    if not 2 <= count <= 73:
        raise ValueError(f"dates is {count}, expected 2 to 73")
    rng = stream(seed, f"days-{count}")
    part = 366 / count
    at = (np.arange(count) + rng.uniform(0.2, 0.8, count)) * part
    first = datetime.date(_YEAR, 1, 1)
    return tuple(
        Day(number, first + datetime.timedelta(days=int(offset)))
        for number, offset in enumerate(at, 1)
    )


def region_on(day: Day, seed: int, region: WorldRegion) -> WorldRegion:
    """Return the region as it is on a day: its season, light, haze, moisture and wind."""
    rng = stream(seed, f"day-{day.number}")
    return replace(
        region,
        season=day.season,
        haze=abs(float(rng.normal(0, 0.004))),
        light=float(rng.normal(1, 0.03)),
        moisture_db=float(np.clip(rng.normal(0, 0.5), -1, 1)),
        wind=float(rng.uniform()),
        sun_elevation=SUN_ELEVATION[day.season] + float(rng.uniform(-5, 5)),
    )


def spectra_on(
    day: Day, days: tuple[Day, ...], seed: int, region: WorldRegion
) -> Floats:
    """Mean vectors of patches on a day float32 ``[10 * SLOTS, 12]``.

    Parameters
    ----------
    day, days
        The day, and all days of the series in order; what fades fades between them.
    seed, region
        Of the world, the region as it is without a day.
    """
    base = draw_spectra(seed, region).reshape(10, SLOTS, 12).astype(np.float64)
    table = np.zeros_like(base)
    for c in CLASSES:
        of = statistics(c, region.season)
        lasting = _LASTING.get(c, _OTHERS_LASTING)
        kinds = kinds_of(seed, c, region)
        fading = _fading(c, day, days, seed, kinds)
        scores = np.sqrt(lasting) * (base[c] - of.mean) / of.std
        scores += np.sqrt(1 - lasting) * fading
        mean, std = _statistics_on(c, day)
        table[c] = mean + std * scores
        if c == CROP:
            table[c] += _growth(day, seed, kinds)
    table[..., 10:] += region_on(day, seed, region).moisture_db - region.moisture_db
    table[..., :10] = table[..., :10].clip(LOWEST_REFLECTANCE, 0.95)
    return np.round(table, 5).reshape(-1, 12).astype(np.float32)


def _fading(
    c: int, day: Day, days: tuple[Day, ...], seed: int, kinds: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Scores of patches that forget: a first-order autoregression over the days."""
    scores: NDArray[np.float64] | None = None
    before = day
    for one in days[: day.number]:
        new = scores_of(stream(seed, f"spectra-{c}@{one.number}"), c, kinds)
        if scores is None:
            scores = new
        else:
            keep = np.exp(-(one.date - before.date).days / FADE_DAYS)
            scores = keep * scores + np.sqrt(1 - keep**2) * new
        before = one
    assert scores is not None
    return scores


def _statistics_on(c: int, day: Day) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and spread of a class on a day, between those of the two nearest seasons."""
    names = list(_MIDDLE)
    middles = np.array([*_MIDDLE.values(), _MIDDLE["winter"] + 366])
    at = day.of_year if day.of_year >= middles[0] else day.of_year + 366
    k = int(np.searchsorted(middles, at, side="right")) - 1
    weight = (at - middles[k]) / (middles[k + 1] - middles[k])
    one = statistics(c, names[k])
    two = statistics(c, names[(k + 1) % len(names)])
    mean = (1 - weight) * one.mean + weight * two.mean
    return mean, (1 - weight) * one.std + weight * two.std


def _growth(day: Day, seed: int, kinds: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the change of crops by being green or bare, of every patch ``[SLOTS, 12]``.

    Winter crops stand from October to July, summer crops from April to October, each
    kind with days of its own (by hand, after calendars of temperate Europe). The mean
    over kinds stays that of the season.
    """
    rng = stream(seed, "growth")
    count = SUBTYPES[CROP]
    winter = rng.random(count) < 0.45
    sown = np.where(winter, rng.uniform(275, 310, count), rng.uniform(95, 150, count))
    cut = np.where(winter, rng.uniform(180, 215, count), rng.uniform(235, 295, count))
    since = (day.of_year - sown) % 366
    left = (cut - sown) % 366 - since
    green = np.minimum(since, left) / _RAMP_DAYS
    green = green.clip(0, 1) - green.clip(0, 1).mean()
    bare, full = statistics(BARREN).mean, statistics(CROP).mean
    change: NDArray[np.float64] = _GREEN * (full - bare)
    return np.asarray(green[kinds][:, None] * change)


def key_on(day: Day | None, seed: int, part: str) -> int:
    """Key of what a day brings, such as speckle; without a day that of the world."""
    return key_of(seed, part if day is None else f"{part}@{day.number}")
