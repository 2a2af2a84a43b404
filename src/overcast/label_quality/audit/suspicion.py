"""How suspicious labels are: one minus the estimated share of what they say.

For labels coarser than the map, the share of the label's class in its cell; for labels as
fine as the map, the probability of the label at its pixel.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from overcast.geo.raster import UNKNOWN
from overcast.label_quality.cells import LabelCells, Numbers
from overcast.maps.memory import memory_map

Floats = NDArray[np.float32]
_WHOLE = 0.5
"""Share of the pixels of a usual cell that a cell needs to be shown to somebody."""


class CellSums:
    """Pixels and agreement of every label cell, in files so that memory stays small.

    Parameters
    ----------
    cells
        Cells that are counted.
    folder
        Where the files go.
    """

    def __init__(self, cells: LabelCells, folder: Path) -> None:
        self.cells = cells
        shape = (cells.count,)
        self.agreement = memory_map(folder / "agreement.raw", np.float32, shape)
        self.pixels = memory_map(folder / "pixels.raw", np.float32, shape)
        self.label = memory_map(folder / "label.raw", np.uint8, shape)

    def add(self, cell: Numbers, agreement: Floats, label: NDArray[np.uint8]) -> None:
        """Count N pixels: their cell, the probability of their label, their label."""
        cells, first, place = np.unique(cell, return_index=True, return_inverse=True)
        self.agreement[cells] += np.bincount(place, agreement)
        self.pixels[cells] += np.bincount(place)
        # Squares of fine labels hold several: they are told apart by nothing.
        self.label[cells] = label[first] if self.cells.are_labels else UNKNOWN

    def suspicion(self, cell: Numbers) -> Floats:
        """Suspicion of cells, of any shape; NaN where no pixel was counted."""
        pixels = self.pixels[cell]
        share = self.agreement[cell] / np.maximum(pixels, 1)
        return np.where(pixels > 0, np.clip(1 - share, 0, 1), np.float32(np.nan))

    def worst(self, count: int, each: int) -> list[int]:
        """The most suspicious cells, of one label at most `each`, the worst first.

        Cells at the border of the scene, of which little is seen, are left out.
        """
        occurring = np.flatnonzero(self.pixels)
        occurring = occurring[
            self.pixels[occurring] >= _WHOLE * np.median(self.pixels[occurring])
        ]
        level, label = self.suspicion(occurring), self.label[occurring]
        order = np.argsort(-level, kind="stable")
        chosen: list[np.intp] = []
        for kind in np.unique(label):
            most = count if kind == UNKNOWN else each
            chosen += list(order[label[order] == kind][:most])
        chosen.sort(key=lambda place: -float(level[place]))
        return [int(occurring[place]) for place in chosen[:count]]


def pixel_suspicion(
    probabilities: Floats, labels: NDArray[np.uint8], known: NDArray[np.bool_]
) -> Floats:
    """One minus the probability of a pixel's own label ``[H, W]``; NaN if not `known`.

    `probabilities` are ``[K, H, W]``.
    """
    own = np.where(known, labels, 0)[None].astype(np.intp)
    agreement = np.take_along_axis(probabilities, own, 0)[0]
    return np.where(known, np.clip(1 - agreement, 0, 1), np.float32(np.nan))
