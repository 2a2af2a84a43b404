"""When: a year, two dates, or the same season of either."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise

_SEASONS = {
    "spring": (3, 4, 5),
    "summer": (6, 7, 8),
    "autumn": (9, 10, 11),
    "winter": (12, 1, 2),
}
"""Months north of the equator; half a year later south of it."""
SEASONS = tuple(_SEASONS)


@dataclass(frozen=True, slots=True)
class Period:
    """A period of days, both ends included; only some of its `months`, if given."""

    first: date
    last: date
    months: tuple[int, ...] = ()

    @property
    def interval(self) -> str:
        """Return the period as STAC writes it."""
        return f"{self.first}T00:00:00Z/{self.last}T23:59:59Z"

    def holds(self, day: date) -> bool:
        """Return whether a day is in the period."""
        inside = self.first <= day <= self.last
        return inside and (not self.months or day.month in self.months)

    def parts(self, count: int) -> list[tuple[date, date]]:
        """The days that are meant in `count` parts about as long."""
        length = (self.last - self.first).days + 1
        every = (self.first + timedelta(days=n) for n in range(length))
        days = [day for day in every if self.holds(day)]
        count = max(min(count, len(days)), 1)
        edges = [round(k * len(days) / count) for k in range(count + 1)]
        return [(days[low], days[high - 1]) for low, high in pairwise(edges)]


def period_of(
    year: int | None,
    first: str | None,
    last: str | None,
    season: str | None,
    south: bool = False,
) -> Period:
    """Return the period that options say.

    Raises
    ------
    ValueError
        If they say none, or two, or one that ends before it begins.
    """
    if (year is None) == (first is None and last is None):
        raise ValueError(
            "a time, once: --year 2024, or --from 2024-04-01 --to 2024-09-30"
        )
    if year is not None:
        if not 2014 <= year <= 2100:
            raise ValueError(f"--year {year}: Sentinel-1 flies since 2014")
        begin, end = date(year, 1, 1), date(year, 12, 31)
        if season == "winter":
            # A winter begins in the year before, in the north.
            begin = date(year, 6, 1) if south else date(year - 1, 12, 1)
            end = date(year, 8, 31) if south else date(year, 2, 28)
    else:
        if first is None or last is None:
            raise ValueError("--from and --to: give both")
        begin, end = _day("--from", first), _day("--to", last)
    if end < begin:
        raise ValueError(f"--from {begin} --to {end}: ends before it begins")
    months: tuple[int, ...] = ()
    if season is not None:
        shift = 6 if south else 0
        months = tuple((m + shift - 1) % 12 + 1 for m in _SEASONS[season])
    period = Period(begin, end, months)
    if not _any_day(period):
        raise ValueError(f"--season {season}: no day of it from {begin} to {end}")
    return period


def _any_day(period: Period) -> bool:
    length = (period.last - period.first).days + 1
    return any(period.holds(period.first + timedelta(days=n)) for n in range(length))


def _day(option: str, text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError(
            f"{option} {text}: expected a day, such as 2024-04-01"
        ) from None
