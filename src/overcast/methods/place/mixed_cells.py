"""What labels of mixed cells can say of a pixel.

The label of a large cell is the class of most of it. It says nothing against a pond or a
village that is too small to be most of a cell, and a rule that takes each label for that of
every pixel would take such classes off the map. How far this is so, the map without place
tells. Two figures are of the pixels that have a label:

- t, the share on which that map has the class of the label;
- p, the share on which it has the class that most of their cell has in it. The best
  labels that cells of this size can have would agree with the map on p, so t is at most p.

The size of cells explains the share (1 - p) / (1 - t) of the disagreement. Where it
explains all of it, labels contradict no cell as a whole: they say what most of a cell is,
and the small patches in it are the map's. Such patches are of a class, or of what looks
like it. Whole cells tell which: phi_c is the share of the map's pixels of class c, in cells
that are mostly c on it, which have the label c. A class that the map paints on its
look-alikes also fills cells with another label. So

    f_c = r((1 - p) / (1 - t)) r(phi_c),

where r rises from 0 to 1 between `LOW` and `HIGH`. With R(l | c) the share of the map's
pixels of class c that lie in cells which are mostly l,

    N(l | c) = (1 - f_c) [l = c] + f_c R(l | c)

is the label that a pixel of class c has, if it is right (`overcast.maps.placed`). Of a
class with few pixels, R is not known well: each class counts as if one more cell of its
own were pure.

The limits: a class that fills no cell of the map has f_c = 0, and labels of other cells
speak against it. Phi_c of a few cells is chance.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
LOW, HIGH = 0.7, 0.9
"""Shares from which both factors of f rise, and at which they are 1. On development worlds
3, 5 and 7, limits of .6 to .8 and .8 to 1 differ by .001 in mean IoU."""


@dataclass(frozen=True, slots=True)
class MixedCells:
    """How cells of labels divide the pixels of a map.

    Attributes
    ----------
    counts
        Pixels of class c in cells that are mostly l ``[K, K]``, by l and c.
    labelled
        Those of them with c = l that have the label c ``[K]``.
    cells
        How many cells there are.
    """

    counts: Floats
    labelled: Floats
    cells: int

    @classmethod
    def none(cls, classes: int) -> MixedCells:
        """No pixel yet."""
        return cls(np.zeros((classes, classes)), np.zeros(classes), 0)

    @classmethod
    def of(
        cls,
        mapped: NDArray[Any],
        labels: NDArray[Any],
        cells: NDArray[np.int64],
        classes: int,
    ) -> MixedCells:
        """Of pixels ``[N]``: their classes on the map, their labels, and their cells."""
        numbers, place = np.unique(cells, return_inverse=True)
        shape = len(numbers), classes
        votes = np.bincount(place * classes + mapped, minlength=shape[0] * classes)
        most = votes.reshape(shape).argmax(1)[place]
        counts = np.bincount(most * classes + mapped, minlength=classes**2)
        same = mapped[(most == mapped) & (labels == mapped)]
        return cls(
            counts.reshape(classes, classes).astype(float),
            np.bincount(same, minlength=classes).astype(float),
            len(numbers),
        )

    def __add__(self, other: MixedCells) -> MixedCells:
        return MixedCells(
            self.counts + other.counts,
            self.labelled + other.labelled,
            self.cells + other.cells,
        )

    @property
    def shares(self) -> Floats:
        """Share of every class ``[K]`` of the pixels."""
        return np.asarray(self.counts.sum(0) / max(self.counts.sum(), 1))

    @property
    def pure(self) -> float:
        """Share p of the pixels that have the class which most of their cell has."""
        return float(np.trace(self.counts) / max(self.counts.sum(), 1))

    def explained(self, agreed: float) -> Floats:
        """Return f ``[K]`` by the share t of pixels that agree with their label."""
        by_size = _rise((1 - self.pure) / max(1 - agreed, 1e-9))
        whole = np.diag(self.counts)
        return np.asarray(by_size * _rise(self.labelled / np.maximum(whole, 1)))

    def pure_by(self, explained: Floats) -> float:
        """Return p_N, the share of right labels that are of the pixel's class, by f."""
        whole = np.diag(self.counts) / np.maximum(self.counts.sum(0), 1)
        return float(1 - (self.shares * explained * (1 - whole)).sum())

    def named(self, explained: Floats) -> Floats:
        """Return N ``[K, K]`` by f."""
        classes = len(self.counts)
        one = self.counts.sum() / max(self.cells, 1) or 1.0
        shares = self.counts + one * np.eye(classes)
        shares /= shares.sum(0)
        return np.asarray((1 - explained) * np.eye(classes) + explained * shares)


def _rise(values: Any) -> Any:
    return np.clip((values - LOW) / (HIGH - LOW), 0, 1)
