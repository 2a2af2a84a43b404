"""Which overpasses are read, and why the others are not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any

from overcast.acquire.look import SceneLook
from overcast.acquire.period import Period
from overcast.acquire.scenes import ScenePiece, Take, same_acquisition


@dataclass(frozen=True, slots=True)
class Left:
    """An overpass or item that is not read, and why."""

    name: str
    why: str


@dataclass(frozen=True, slots=True)
class Choice:
    """Overpasses to read in order of time, and what was left out."""

    takes: tuple[Take, ...]
    left: tuple[Left, ...]


def choose_optical(
    takes: Sequence[Take],
    seen: Sequence[SceneLook],
    period: Period,
    count: int,
    least: float,
) -> Choice:
    """Choose `count` days: the clearest of every part of the period, then the clearest.

    An overpass is clear by the share of the *area's* pixels that are neither cloud,
    shadow nor no data. Those below `least` are left out.

    Raises
    ------
    ValueError
        If none is clear enough.
    """
    of = {id(take): one for take, one in zip(takes, seen, strict=True)}

    def clear(take: Take) -> tuple[float, float, str]:
        # Of equally clear ones the earliest, so that the choice is always the same.
        first = take.pieces[0].ident
        return (-of[id(take)].clear, take.when.timestamp(), first)

    usable = sorted(
        (t for t in takes if not of[id(t)].problem and of[id(t)].clear >= least),
        key=clear,
    )
    if not usable:
        raise ValueError(_none_clear(takes, seen, least))
    chosen: list[Take] = []
    for first, last in period.parts(count):
        inside = (t for t in usable if first <= t.day <= last)
        if (best := next(inside, None)) is not None:
            chosen.append(best)
    for take in usable:
        days = {t.day for t in chosen}
        if len(chosen) < count and take.day not in days:
            chosen.append(take)
    chosen.sort(key=lambda t: t.when)
    left = [
        Left(f"Sentinel-2 {take.named()}", _why_not(take, of[id(take)], chosen, least))
        for take in takes
        if take not in chosen
    ]
    return Choice(tuple(chosen), tuple(left))


def _none_clear(takes: Sequence[Take], seen: Sequence[SceneLook], least: float) -> str:
    if not takes:
        return (
            "no Sentinel-2 in the catalogue for this place and time; give a longer time, "
            "or another --source"
        )
    best = max(range(len(takes)), key=lambda k: seen[k].clear)
    problem = f" ({seen[best].problem})" if seen[best].problem else ""
    return (
        f"no day of {len(takes)} is clear on {least:.0%} of the area; the clearest is "
        f"{takes[best].day} with {seen[best].clear:.0%}{problem}; give a longer time, or "
        "--clear"
    )


def _why_not(take: Take, seen: SceneLook, chosen: Sequence[Take], least: float) -> str:
    if seen.problem:
        return seen.problem
    share = f"{seen.clear:.0%} clear"
    if seen.covered < 0.995:
        share += f", {seen.covered:.0%} covered"
    if seen.clear < least:
        return f"{share}; at least {least:.0%} is asked for"
    if any(t.day == take.day for t in chosen):
        return f"{share}; another overpass of that day is clearer"
    return f"{share}; clearer days are chosen"


def distinct(pieces: Sequence[ScenePiece]) -> tuple[list[ScenePiece], list[Left]]:
    """Sentinel-1 items, of several processings of one acquisition the newest."""
    newest: dict[str, ScenePiece] = {}
    left = []
    for piece in sorted(pieces, key=lambda p: (p.made, p.ident)):
        key = same_acquisition(piece.ident)
        if key in newest:
            left.append(Left(newest[key].ident, "processed again later"))
        newest[key] = piece
    return sorted(newest.values(), key=lambda p: p.ident), left


def choose_radar(
    takes: Sequence[Take], outline: Any, days: Sequence[date], count: int
) -> Choice:
    """Choose overpasses of one orbit, each nearest to one of the optical `days`.

    The orbit is the one whose overpasses cover most of the outline; of equals the one
    with most overpasses. Ascending and descending ones see slopes from other sides, and
    are never mixed.
    """
    whole = [take for take in takes if not take.missing]
    left = [
        Left(f"Sentinel-1 {take.named()}", f"has no {', '.join(take.missing)}")
        for take in takes
        if take.missing
    ]
    if not whole:
        return Choice((), tuple(left))
    orbit = _best_orbit(whole, outline, max(len(days), 1))
    same = [t for t in whole if t.orbit == orbit and t.covers(outline) > 0]
    chosen: list[Take] = []
    for day in days[:count]:
        rest = [t for t in same if t not in chosen]
        if rest:
            chosen.append(min(rest, key=partial(_apart, day)))
    chosen.sort(key=lambda t: t.when)
    best = " ".join(map(str, orbit))
    for take in whole:
        if take not in chosen:
            why = "nearer ones to the Sentinel-2 days are chosen"
            if take.orbit != orbit:
                why = f"another orbit; {best} covers more, or has more"
            left.append(Left(f"Sentinel-1 {take.named()}", why))
    return Choice(tuple(chosen), tuple(left))


def _best_orbit(takes: Sequence[Take], outline: Any, count: int) -> tuple[str, int]:
    """The orbit whose best `count` overpasses cover most; of equals, one with most."""
    orbits: dict[tuple[str, int], list[Take]] = {}
    for take in takes:
        orbits.setdefault(take.orbit, []).append(take)

    def worth(orbit: tuple[str, int]) -> tuple[float, int, tuple[str, int]]:
        covers = sorted((t.covers(outline) for t in orbits[orbit]), reverse=True)
        best = covers[:count]
        return (-round(sum(best) / len(best), 2), -len(covers), orbit)

    return min(orbits, key=worth)


def _apart(day: date, take: Take) -> tuple[int, float]:
    return abs((take.day - day).days), take.when.timestamp()
