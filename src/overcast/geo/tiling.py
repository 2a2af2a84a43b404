"""Cut a raster into overlapping windows, and the weights that blend them back.

Pure geometry. Blending is a partition of unity by construction: along each axis the
ramps of all windows are divided by their sum once, and the weight of a window is the
outer product of two such vectors; so weights of all windows sum to 1 at every pixel
and nothing has to be divided afterwards.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox

Floats = NDArray[np.float32]


class Window(NamedTuple):
    """A rectangle of pixels: rows ``y:y+h``, columns ``x:x+w``."""

    y: int
    x: int
    h: int
    w: int

    @property
    def slices(self) -> tuple[slice, slice]:
        """Index of the window in an array ending in ``[H, W]``."""
        return slice(self.y, self.y + self.h), slice(self.x, self.x + self.w)


@dataclass(frozen=True, slots=True)
class Tiling:
    """Windows of at most `size` x `size` pixels, neighbours sharing at least `overlap`.

    As few as do, evenly spaced, and no larger than they need to be: a fixed size would
    have the last window of every row cover what its neighbour has covered.
    """

    size: int
    overlap: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.overlap < self.size:
            raise ValueError(f"need 0 <= overlap < size, got {self}")

    def side(self, length: int) -> int:
        """Pixels of every window along an axis.

        Examples
        --------
        >>> Tiling(512, 28).side(1024)
        360
        """
        count = self._count(length)
        return -(-(length + (count - 1) * self.overlap) // count)

    def starts(self, length: int) -> list[int]:
        """First pixels of the windows along an axis.

        Examples
        --------
        >>> Tiling(4, 1).starts(9)
        [0, 2, 5]
        """
        count, last = self._count(length), length - self.side(length)
        return [i * last // max(count - 1, 1) for i in range(count)]

    def _count(self, length: int) -> int:
        return max(-(-(length - self.overlap) // (self.size - self.overlap)), 1)

    def rows(self, shape: tuple[int, int]) -> Iterator[list[Window]]:
        """Windows covering `shape`, one list for each row of windows, top down."""
        h, w = (self.side(n) for n in shape)
        for y in self.starts(shape[0]):
            yield [Window(y, x, h, w) for x in self.starts(shape[1])]

    def windows(self, shape: tuple[int, int]) -> Iterator[Window]:
        """All windows, row by row.

        Examples
        --------
        >>> [w.x for w in Tiling(4, 1).windows((4, 9))]
        [0, 2, 5]
        """
        for row in self.rows(shape):
            yield from row

    def ramps(self, length: int) -> dict[int, Floats]:
        """Blending weight along an axis for every start; together they sum to 1.

        Examples
        --------
        >>> {k: v.tolist() for k, v in Tiling(2, 1).ramps(3).items()}
        {0: [1.0, 0.5], 1: [0.5, 1.0]}
        """
        size = self.side(length)
        edge = np.minimum(np.arange(size), np.arange(size)[::-1]) + 1
        ramp = np.minimum(edge / (self.overlap + 1), 1.0)
        total = np.zeros(length)
        for start in self.starts(length):
            total[start : start + size] += ramp
        return {
            start: (ramp / total[start : start + size]).astype(np.float32)
            for start in self.starts(length)
        }


def pieces(grid: GeoBox, rows: int = 512) -> list[tuple[slice, slice]]:
    """Bands of rows that cover a grid, so that a whole file is never in memory."""
    h, w = grid.shape
    return [(slice(y, min(y + rows, h)), slice(0, w)) for y in range(0, h, rows)]
