"""How many cells of the labels say that a class is there: what it can be learned from.

In simulated scenes with 500 m labels, a class that fewer than 6 cells name rightly was
not found again, and one with more was. About half of the coarse labels are right, so a
class wants twice as many.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox

from overcast.accuracy.design import count_classes
from overcast.geo.raster import UNKNOWN
from overcast.geo.stack import LabelSource, Stack
from overcast.geo.warp import pixel_of
from overcast.pages.quicklook import look_at_classes, overview

ENOUGH = 12
_LONGEST_PX = 1000


def support(labels: LabelSource, grid: GeoBox) -> NDArray[np.int64]:
    """Label pixels ``[K]`` that a grid shows of every class.

    Where label pixels are large, not all pixels of a large grid are looked at; where
    they are small, all are, since a few of them may be all there is of a class.
    """
    seen = overview(grid, _LONGEST_PX)
    row, column = pixel_of(labels.grid, seen)
    across = int(np.ptp(row)) + 1, int(np.ptp(column)) + 1
    if max(across) > max(seen.shape):
        pixels = count_classes(labels, grid=grid)
        size = grid.shape[0] * grid.shape[1] / (across[0] * across[1])
        cells: NDArray[np.int64] = np.ceil(pixels / max(size, 1)).astype(np.int64)
        return cells
    classes = look_at_classes(labels, seen).values
    cell = row.astype(np.int64) * labels.grid.shape[1] + column
    known = classes != UNKNOWN
    pairs = np.unique(np.stack([classes[known].astype(np.int64), cell[known]]), axis=1)
    return np.bincount(pairs[0], minlength=len(labels.legend))


def remarks(stack: Stack) -> list[str]:
    """Which classes of the legend can hardly, or not at all, be learned of a stack."""
    if stack.labels is None:
        return []
    cells = support(stack.labels, stack.grid)
    named = list(zip(stack.labels.legend.names, cells, strict=True))
    thin = [f"{name} ({n})" for name, n in named if 0 < n < ENOUGH]
    never = [name for name, n in named if n == 0]
    found = []
    if thin:
        found.append(
            f"fewer than {ENOUGH} cells of the labels, hardly to be learned: "
            f"{', '.join(thin)}"
        )
    if never:
        found.append(
            f"nowhere in the labels, so nowhere in the map: {', '.join(never)}"
        )
    return found
