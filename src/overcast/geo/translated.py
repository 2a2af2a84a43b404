"""Labels seen through others: translated to another legend, or hidden under drawn ones."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox

from overcast.geo.derived import Derived
from overcast.geo.legend import Legend, normal_name
from overcast.geo.raster import UNKNOWN, Labels
from overcast.geo.stack import LabelSource
from overcast.geo.warp import overlap
from overcast.texts import read_text

Table = NDArray[np.uint8]
_COLUMNS = "source,target"


@dataclass(frozen=True, slots=True)
class Translated(Derived[LabelSource]):
    """A source of labels with every class given as one of another legend.

    Attributes
    ----------
    source
        Labels of a legend of their own.
    table
        Position in `legend` of every position of theirs ``[256]``; unknown where there
        is none.
    legend
        What classes become.
    """

    table: Table = field(repr=False)
    legend: Legend

    def read(self, grid: GeoBox) -> Labels:
        """Class positions ``[H, W]`` on `grid`."""
        values = self.table[self.source.read(grid).values]
        return Labels(values=values, grid=grid, legend=self.legend)


@dataclass(frozen=True, slots=True)
class LabelsUnder(Derived[LabelSource]):
    """Labels as fine as the images, unknown where labels that win over them are known.

    Those that win can be read in the projection of the images alone; in another one
    nothing is hidden.
    """

    above: tuple[LabelSource, ...]

    @property
    def legend(self) -> Legend:
        """Return the legend of the classes that it gives."""
        return self.source.legend

    def read(self, grid: GeoBox) -> Labels:
        """Class positions ``[H, W]`` on `grid`."""
        labels = self.source.read(grid)
        values = labels.values.copy()
        for other in self.above:
            if other.grid.crs == grid.crs and overlap(other.grid, grid):
                values[other.read(grid).valid] = UNKNOWN
        return replace(labels, values=values)


def read_crosswalk(path: Path, source: Legend, target: Legend) -> Table:
    """Table ``[256]`` of a CSV with the columns ``source`` and ``target``.

    Both hold codes or names. A class that is to be left out has no target.

    Raises
    ------
    ValueError
        If it is no such CSV, names a class that a legend lacks, or leaves a class of
        the source out without saying so.
    """
    try:
        text = read_text(path, "utf-8-sig")
        rows = list(csv.DictReader(text.splitlines(), strict=True))
        pairs = [(row["source"].strip(), row["target"].strip()) for row in rows]
    except (OSError, UnicodeDecodeError, csv.Error, KeyError, AttributeError) as error:
        raise ValueError(
            f"{path}: not a crosswalk; expected a CSV in UTF-8 with the columns {_COLUMNS}"
        ) from error
    known, meant = _positions(source), _positions(target) | {"": UNKNOWN}
    table = np.full(256, UNKNOWN, np.uint8)
    named: set[int] = set()
    for one, other in pairs:
        position = _position(known, one, path, source)
        if position in named:
            raise ValueError(f"{path}: {one} has two targets; give it one")
        named.add(position)
        table[position] = _position(meant, other, path, target)
    if missing := [n for k, n in enumerate(source.names) if k not in named]:
        raise ValueError(
            f"{path}: no row for {', '.join(missing[:5])}"
            f"{' ...' if len(missing) > 5 else ''}; give every class of {source.name} a "
            f"class of {target.name}, or an empty target to leave it out"
        )
    return table


def _positions(legend: Legend) -> dict[str, int]:
    names = {normal_name(name): k for k, name in enumerate(legend.names)}
    return names | {str(code): k for k, code in enumerate(legend.codes)}


def _position(known: Mapping[str, int], text: str, path: Path, legend: Legend) -> int:
    position = known.get(normal_name(text))
    if position is None:
        raise ValueError(
            f"{path}: {text!r} is neither a code nor a name of the legend {legend.name} "
            f"({', '.join(f'{c.code} {c.name}' for c in legend.classes)})"
        )
    return position
