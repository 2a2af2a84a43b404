"""What labels of mixed cells can say of a pixel.

The label of a large cell is the class of most of it. It says nothing against a pond or a
village that is too small to be most of a cell, and a rule that takes each label for that of
every pixel would take such classes off the map. How far this is so, the map without place
tells. Two figures are of the pixels that have a label:

- t, the share on which that map has the class of the label;
- p, the share on which it has the class that most of their cell has in it. The best
  labels that cells of this size can have would agree with the map on p, so t is at most p.

The size of cells explains the share (1 - p) / (1 - t) of the disagreement, and

    f = r((1 - p) / (1 - t); LOW, HIGH),

where r rises from 0 to 1 between its limits. With f = 0, labels contradict the map where
cells are pure, and are labels of pixels. With f = 1, the labels are the majority of what
the map shows: they say what most of a cell is. With R(l | c) the share of the map's pixels
of class c that lie in cells which are mostly l,

    N(l | c) = (1 - f) [l = c] + f R(l | c)

is the label that a pixel of class c has, if it is right (`overcast.maps.placed`). Of a
class with few pixels, R is not known well: each class counts as if one more cell of its
own were pure.

The limit: a map without place that paints a class on its look-alikes, in patches below a
cell, makes that class one that labels can't name.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
LOW, HIGH = 0.7, 1.0
"""Shares of the disagreement that the size of cells explains, from which f rises, and at
which it is 1. Development worlds 3 and 5 of real land hardly tell limits of .5 to .8 from
each other."""


@dataclass(frozen=True, slots=True)
class MixedCells:
    """How cells of labels divide the pixels of a map.

    Attributes
    ----------
    counts
        Pixels of class c in cells that are mostly l ``[K, K]``, by l and c.
    cells
        How many cells there are.
    """

    counts: Floats
    cells: int

    @classmethod
    def none(cls, classes: int) -> MixedCells:
        """No pixel yet."""
        return cls(np.zeros((classes, classes)), 0)

    @classmethod
    def of(
        cls, mapped: NDArray[Any], cells: NDArray[np.int64], classes: int
    ) -> MixedCells:
        """Of classes ``[N]`` of pixels in cells ``[N]``."""
        numbers, place = np.unique(cells, return_inverse=True)
        shape = len(numbers), classes
        votes = np.bincount(place * classes + mapped, minlength=shape[0] * classes)
        most = votes.reshape(shape).argmax(1)[place]
        counts = np.bincount(most * classes + mapped, minlength=classes**2)
        return cls(counts.reshape(classes, classes).astype(float), len(numbers))

    def __add__(self, other: MixedCells) -> MixedCells:
        return MixedCells(self.counts + other.counts, self.cells + other.cells)

    @property
    def pure(self) -> float:
        """Share p of the pixels that have the class which most of their cell has."""
        return float(np.trace(self.counts) / max(self.counts.sum(), 1))

    def explained(self, agreed: float) -> float:
        """Return f by the share t of pixels that agree with their label."""
        share = (1 - self.pure) / max(1 - agreed, 1e-9)
        return float(np.clip((share - LOW) / (HIGH - LOW), 0, 1))

    def named(self, explained: float) -> Floats:
        """Return N ``[K, K]`` by f."""
        classes = len(self.counts)
        one = self.counts.sum() / max(self.cells, 1) or 1.0
        shares = self.counts + one * np.eye(classes)
        shares /= shares.sum(0)
        return np.asarray((1 - explained) * np.eye(classes) + explained * shares)
