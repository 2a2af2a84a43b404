"""Which label cell every pixel of a map lies in, and which block of cells.

A label coarser than the map says one thing of a whole cell: pixels of a cell are called
alike, and rightly or wrongly together. Labels as fine as the map are looked at by squares
of some pixels instead, for a single pixel is nothing that a person could judge.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, sqrt

import numpy as np
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox

from overcast.accuracy.bootstrap import block_side
from overcast.accuracy.independence import are_fine
from overcast.geo.extent import areas_ha
from overcast.geo.warp import overlap, pixel_of

_SQUARE_PX = 16
"""Map pixels along the side of a square of fine labels, at least."""
Numbers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class LabelCells:
    """Cells of a scene, numbered row by row, and blocks of them.

    Attributes
    ----------
    labels
        Part of the labels' grid under the scene.
    side
        Labels along a cell: 1, or more where they are as fine as the map.
    block
        Cells along a block.
    """

    labels: GeoBox
    side: int
    block: int

    @classmethod
    def of(cls, labels: GeoBox, scene: GeoBox) -> LabelCells:
        """Cells of labels under a scene, in blocks as `bootstrap.block_side` has them.

        Raises
        ------
        ValueError
            If they don't overlap.
        """
        spans = overlap(labels, scene)
        if spans is None:
            raise ValueError("labels and images do not overlap")
        part = labels[spans]
        one = np.ones(1, np.int64)
        label_px = sqrt(areas_ha(one, part)[0] / areas_ha(one, scene)[0])
        side = ceil(_SQUARE_PX / label_px) if are_fine(part, scene) else 1
        block = max(1, round(block_side(scene) / (side * label_px)))
        return cls(part, side, block)

    @property
    def are_labels(self) -> bool:
        """Return whether a cell is one label."""
        return self.side == 1

    @property
    def count(self) -> int:
        """Number of cells."""
        rows, columns = self._shape(1)
        return rows * columns

    @property
    def blocks(self) -> int:
        """Number of blocks."""
        rows, columns = self._shape(self.block)
        return rows * columns

    def numbers(self, grid: GeoBox) -> tuple[Numbers, Numbers]:
        """Cell and block of every pixel ``[H, W]`` of a grid; -1 outside the labels."""
        row, column = pixel_of(self.labels, grid)
        inside = (row >= 0) & (row < self.labels.shape[0])
        inside &= (column >= 0) & (column < self.labels.shape[1])
        cell, block = (
            np.where(
                inside,
                row // (self.side * n) * self._shape(n)[1] + column // (self.side * n),
                -1,
            )
            for n in (1, self.block)
        )
        return cell, block

    def outline(self, cell: int) -> GeoBox:
        """The labels of a cell, as a grid."""
        place = divmod(cell, self._shape(1)[1])
        rows, columns = (
            slice(n * self.side, min((n + 1) * self.side, size))
            for n, size in zip(place, self.labels.shape, strict=True)
        )
        return self.labels[rows, columns]

    def _shape(self, cells: int) -> tuple[int, int]:
        """Rows and columns of squares of so many cells."""
        h, w = self.labels.shape
        step = self.side * cells
        return -(-h // step), -(-w // step)
