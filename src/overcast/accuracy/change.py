"""Classes of change, their legend, and their areas with intervals from a sample.

A map of change has a class for land that stays what it is, for each of the larger
transitions, and one for all others, so that a judge has a word for any change, mapped or
not. It is sampled and estimated as any map is; that gives
the equations of Olofsson et al. (2013, Remote Sens. Environ. 129, 122-131; 2014), the
strata being the classes of change. Gain and loss of a class are sums of transitions.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from overcast.accuracy.area import Estimate, StratifiedSample
from overcast.accuracy.confusion import plain
from overcast.geo.legend import LandClass, Legend, normal_name

Counts = NDArray[np.int64]

MOST = 20
"""Transitions that have a class of their own; the others are rare, and one class."""
OTHER = "Other change"
_NONE = -1
_ALL = 254
"""Classes that codes of a byte can name, with one for what is not known."""
_PALE = 0.72
"""How much white is in the colour of land that stays what it is."""
_SHADES = (0.0, 0.25, -0.25, 0.45, -0.45)
"""Lighter and darker than the new class, so that transitions to it differ."""


@dataclass(frozen=True, slots=True)
class ChangeLegend:
    """What the classes of a map of change mean.

    Attributes
    ----------
    land
        Classes of the maps.
    legend
        Classes of change.
    before, after
        Class positions ``[L]`` in `land` of every class of change; -1 for all others.
    """

    land: Legend
    legend: Legend
    before: NDArray[np.int64]
    after: NDArray[np.int64]

    @classmethod
    def of(cls, land: Legend, transitions: Counts, most: int = MOST) -> ChangeLegend:
        """Classes of the transitions ``[K, K]`` (pixels) that occur, the largest first.

        Raises
        ------
        ValueError
            If the maps have more classes than a map of change can hold.
        """
        size = len(land)
        if size + most + 1 > _ALL:
            raise ValueError(
                f"legend {land.name} has {size} classes, expected at most "
                f"{_ALL - 1 - most} for a map of change; map fewer classes"
            )
        occur = transitions.sum(0) + transitions.sum(1)
        stays = np.flatnonzero(occur).tolist()
        off = transitions * (1 - np.eye(size, dtype=np.int64))
        order = [divmod(int(i), size) for i in np.argsort(-off, None, "stable")]
        moves = [(a, b) for a, b in order if off[a, b]]
        pairs = [*((k, k) for k in stays), *moves[:most], (_NONE, _NONE)]
        classes = [
            LandClass(code, *_look(land, pair, pairs))
            for code, pair in enumerate(pairs, 1)
        ]
        before, after = np.array(pairs, np.int64).reshape(-1, 2).T
        return cls(land, Legend("change", tuple(classes)), before, after)

    @property
    def positions(self) -> NDArray[np.uint8]:
        """Class of change ``[K, K]`` by class before and after; 255 if there is none."""
        (other,) = np.flatnonzero(self.before == _NONE)
        table = np.full((len(self.land),) * 2, other, np.uint8)
        np.fill_diagonal(table, 255)
        known = self.before != _NONE
        table[self.before[known], self.after[known]] = np.flatnonzero(known)
        return table

    @property
    def is_change(self) -> NDArray[np.bool_]:
        """Bool ``[L]``: the class is one of change."""
        return np.asarray(
            (self.before != self.after) | (self.before == _NONE), np.bool_
        )

    def naming(self, texts: Iterable[str]) -> ChangeLegend:
        """The same with a class at the end for every other transition that texts name.

        So what a judge saw counts as gain and loss, though the map has none of it.
        """
        names = self.land.names
        every = {
            normal_name(_named(a, b)): (i, j)
            for i, a in enumerate(names)
            for j, b in enumerate(names)
            if i != j
        }
        own = {normal_name(name) for name in self.legend.names}
        named = dict.fromkeys(normal_name(text) for text in texts)
        more = [every[name] for name in named if name in every and name not in own]
        room = _ALL - len(self.legend)
        classes = list(self.legend.classes)
        for a, b in more[:room]:
            look = _named(names[a], names[b]), self.land.classes[b].colour
            classes.append(LandClass(len(classes) + 1, *look))
        olds, news = np.array(more[:room], np.int64).reshape(-1, 2).T
        return replace(
            self,
            legend=Legend(self.legend.name, tuple(classes)),
            before=np.concatenate([self.before, olds]),
            after=np.concatenate([self.after, news]),
        )

    def groups(self) -> Iterator[tuple[str, str, NDArray[np.bool_]]]:
        """Kind, class and members ``[L]`` of all change, every gain and every loss."""
        yield "change", "all", self.is_change
        moves = self.is_change & (self.before != _NONE)
        for k, name in enumerate(self.land.names):
            for kind, side in (("gain", self.after), ("loss", self.before)):
                members = moves & (side == k)
                if members.any():
                    yield kind, name, members


def _look(
    land: Legend, pair: tuple[int, int], pairs: list[tuple[int, int]]
) -> tuple[str, str]:
    """Name and colour of a class of change."""
    a, b = pair
    if a == _NONE:
        return OTHER, "808080"
    new = land.classes[b]
    if a == b:
        return f"{new.name}, unchanged", _mixed(new, _PALE)
    same = [p for p in pairs if p[1] == b and p[0] != b]
    shade = _SHADES[same.index(pair) % len(_SHADES)]
    return _named(land.names[a], new.name), _mixed(new, shade)


def _named(before: str, after: str) -> str:
    return f"{before} to {after}"


def _mixed(land: LandClass, white: float) -> str:
    """Colour of a class with a share of white, or of black where that is below 0."""
    end = 255 if white > 0 else 0
    mixed = (round(v + (end - v) * abs(white)) for v in land.rgb)
    return "".join(f"{v:02x}" for v in mixed)


def estimate_change(
    sample: StratifiedSample, classes: ChangeLegend, total_ha: float
) -> dict[str, Any]:
    """Areas of all change, and of gain and loss of every class, in hectares."""
    groups = list(classes.groups())
    areas = sample.areas_of(np.array([members for *_, members in groups]))
    entries = [_entry(areas, k, total_ha) for k in range(len(groups))]
    result: dict[str, Any] = {"change": None, "gain": {}, "loss": {}}
    for (kind, name, _), entry in zip(groups, entries, strict=True):
        if kind == "change":
            result["change"] = entry
        else:
            result[kind][name] = entry
    return result


def _entry(areas: Estimate, k: int, unit: float) -> dict[str, Any]:
    low, high = areas.interval
    return {
        "value": plain(float(areas.value[k]) * unit),
        "standard_error": plain(float(areas.standard_error[k]) * unit),
        "low": plain(float(low[k]) * unit),
        "high": plain(float(high[k]) * unit),
    }
