"""What a map does to the labels that it was made from; no reference is needed.

Four figures of a map and the labels of its scene, by label cells (squares of some pixels
where labels are fine):

- ``agreement``: share of the cells whose label is the class that the map has most of in
  them. On real tiles it was 0.69 to 0.92 where class is land use and the map worse than
  its labels, and 0.95 and more where pixels decide; with labels that are often wrong it
  is low, and the map may be right.
- ``shares``: of the known pixels, by class, in the labels and in the map.
- ``far``: by class, the share of its mapped pixels that lie more than a few cells from
  every label of it.
- ``one_class``: the name of the class that all of the map has, if it has one only.

`contradictions` says which of them a reader must know.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox
from scipy.ndimage import distance_transform_edt

from overcast.geo.legend import Legend
from overcast.geo.raster import UNKNOWN
from overcast.geo.stack import LabelSource
from overcast.label_quality.cells import LabelCells
from overcast.label_quality.kind import are_drawn
from overcast.report.quicklook import look_at_classes, overview

LOW, GROWN, LEAST, FAR = 0.75, 2.0, 0.01, 0.5
"""Agreement below which the reader is told; growth of a share, and the share of the map
from which a class is large enough to be told of; share of a class that lies far."""
_CELLS = 3
"""Cells from the nearest label of its class, from which a pixel is far."""
_LONGEST_PX = 1000
_FEWEST_PX = 100
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Contradictions:
    """Figures of a map and its labels, see the head of this file.

    Drawn labels are where somebody drew them: how much of the scene they cover and how
    far a class lies from them means nothing, and is not told.
    """

    legend: Legend
    agreement: float
    labelled: Floats
    mapped: Floats
    far: Floats
    drawn: bool = False

    @property
    def one_class(self) -> str | None:
        """Name of the only class of the map, if labels have several."""
        only = np.flatnonzero(self.mapped)
        if len(only) != 1 or (self.labelled > 0).sum() < 2:
            return None
        return str(self.legend.names[only[0]])

    def tree(self) -> dict[str, Any]:
        """Plain values, for scores.json."""
        return {
            "agreement": round(self.agreement, 4),
            "one_class": self.one_class,
            "classes": {
                name: {
                    "labels": round(float(self.labelled[k]), 4),
                    "map": round(float(self.mapped[k]), 4),
                    "far": round(float(self.far[k]), 4),
                }
                for k, name in enumerate(self.legend.names)
            },
        }

    def notes(self) -> Iterator[str]:
        """Sentences on what a reader must know."""
        if self.one_class is not None:
            yield f"the whole map is {self.one_class}, the labels are not"
        if self.agreement < LOW:
            yield (
                f"the map contradicts its labels: in {1 - self.agreement:.0%} of their "
                "cells another class than the label covers most (this note comes from "
                "25 %). Either many labels are wrong, or the class is one that images do "
                "not show; points of known class tell (overcast sample, overcast assess)"
            )
        if self.drawn:
            return
        large = self.mapped >= LEAST
        grown = large & (self.labelled > 0) & (self.mapped >= GROWN * self.labelled)
        if grown.any():
            parts = (
                f"{self.legend.names[k]} ({self.labelled[k]:.1%} of the labels, "
                f"{self.mapped[k]:.1%} of the map)"
                for k in np.flatnonzero(grown)
            )
            yield f"at least twice the share that the labels have: {', '.join(parts)}"
        far = large & (self.labelled > 0) & (self.far >= FAR)
        if far.any():
            parts = (
                f"{self.legend.names[k]} ({self.far[k]:.0%})"
                for k in np.flatnonzero(far)
            )
            yield (
                f"mostly more than {_CELLS} cells away from every label of the class: "
                f"{', '.join(parts)}"
            )


def contradictions(
    mapped: LabelSource, labels: LabelSource, grid: GeoBox
) -> Contradictions | None:
    """Compare a map with the labels of its scene; None where too few are known.

    Large scenes are looked at roughly: every so many pixels.
    """
    seen = overview(grid, _LONGEST_PX)
    classes = look_at_classes(mapped, seen).values
    given = look_at_classes(labels, seen).values
    known = (classes != UNKNOWN) & (given != UNKNOWN)
    if known.sum() < _FEWEST_PX:
        return None
    count = len(labels.legend)
    number, _ = LabelCells.of(labels.grid, seen).numbers(seen)
    pairs = known & (number >= 0)
    _, cell = np.unique(number[pairs], return_inverse=True)
    votes = [_votes(values[pairs], cell, count) for values in (classes, given)]
    pixels = votes[0].sum(0)
    same = votes[0].argmax(0) == votes[1].argmax(0)
    across = np.sqrt(float(np.median(pixels)))
    shares = [
        np.bincount(values[known], minlength=count) / known.sum()
        for values in (classes, given)
    ]
    return Contradictions(
        labels.legend,
        float(np.average(same, weights=pixels)),
        shares[1],
        shares[0],
        _far(classes, given, max(across, 1) * _CELLS, count),
        are_drawn(labels, grid),
    )


def _votes(
    values: NDArray[np.uint8], cell: NDArray[np.intp], count: int
) -> NDArray[np.int64]:
    """Pixels ``[K, J]`` of every class in every cell."""
    cells = int(cell.max()) + 1
    flat = values.astype(np.int64) * cells + cell
    return np.bincount(flat, minlength=count * cells).reshape(count, cells)


def _far(
    classes: NDArray[np.uint8], given: NDArray[np.uint8], away: float, count: int
) -> Floats:
    """Share ``[K]`` of the mapped pixels of a class that no label of it is near."""
    far = np.zeros(count)
    for k in range(count):
        mine = classes == k
        if mine.any() and (given == k).any():
            far[k] = (distance_transform_edt(given != k)[mine] > away).mean()
    return far
