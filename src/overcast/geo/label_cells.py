"""Label cells: where they lie, and which were drawn together as a polygon.

A cell is a pixel of the labels, or a square of them where they are about as fine as the
images. Labels on a fine grid may be those of a coarser map, resampled: their borders
give that away (`overcast.geo.grain`), and a cell is then as large as that map's pixels
were.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox
from scipy.ndimage import label

from overcast.geo.grain import grain
from overcast.geo.raster import UNKNOWN
from overcast.geo.stack import LabelSource, Stack
from overcast.geo.tiling import pieces
from overcast.geo.warp import pixel_of

Floats = NDArray[np.float64]
_LOOKED_AT_PX = 1024
"""Along the side of the middle of the labels, where blocks are looked for."""
_FEW, _RARELY = 5, 0.05
"""Polygons were drawn if rarely one has so few pixels of the labels."""


class CellNumbers:
    """Numbers of the cells of several stacks, no two alike, and sizes of polygons."""

    def __init__(self, stacks: Sequence[Stack], least: int) -> None:
        self.grids = [labels_of(stack).grid for stack in stacks]
        blocks = [_block(stack) for stack in stacks]
        self.together = [
            max(block, _together(stack, least))
            for block, stack in zip(blocks, stacks, strict=True)
        ]
        cells = [
            -(-grid.shape[0] // n) * _across(grid, n)
            for grid, n in zip(self.grids, self.together, strict=True)
        ]
        self.first = np.concatenate([[0], np.cumsum(cells)])
        self.polygons = [
            _polygon_sizes(stack, block) if together == block else None
            for stack, block, together in zip(
                stacks, blocks, self.together, strict=True
            )
        ]

    def of(self, index: int, grid: GeoBox) -> NDArray[np.int64]:
        """Cell of every pixel of `grid` in stack `index`, -1 outside the labels."""
        labels, together = self.grids[index], self.together[index]
        row, column = pixel_of(labels, grid)
        inside = (row >= 0) & (row < labels.shape[0])
        inside &= (column >= 0) & (column < labels.shape[1])
        own = row // together * _across(labels, together) + column // together
        return np.where(inside, own + self.first[index], -1)

    def size(self, numbers: NDArray[np.int64]) -> Floats:
        """Cells of the polygon that each cell is part of; 1 without polygons."""
        out = np.ones(len(numbers))
        for index, sizes in enumerate(self.polygons):
            mine = (numbers >= self.first[index]) & (numbers < self.first[index + 1])
            if sizes is not None:
                corner, table = sizes
                own = numbers[mine] - self.first[index]
                across = _across(self.grids[index], self.together[index])
                row, column = np.divmod(own, across)
                out[mine] = table[row - corner[0], column - corner[1]]
        return out


def _across(grid: GeoBox, together: int) -> int:
    return int(-(-grid.shape[1] // together))


def labels_of(stack: Stack) -> LabelSource:
    """Labels of a stack that has some."""
    assert stack.labels is not None
    return stack.labels


def cell_sides(stack: Stack, least: int) -> tuple[int, int]:
    """Label pixels along a cell of the labels, and along one of `least` image pixels.

    The first is more than 1 where labels are a coarser map on a finer grid, or finer
    than the images.
    """
    side = max(_block(stack), _together(stack, 1))
    return side, max(side, _together(stack, least))


def are_polygons(stack: Stack, block: int) -> bool:
    """Return whether labels are a map of polygons with a minimum size, as CORINE is.

    Hardly any patch of a class, but for those that the edge of the scene cuts, has few
    cells of `block` label pixels.
    """
    _, values = _cell_labels(stack, block)
    sizes: list[NDArray[np.int64]] = []
    for c in np.unique(values[values != UNKNOWN]):
        numbers, count = label(values == c)
        inside = np.ones(count + 1, np.bool_)
        for edge in (numbers[0], numbers[-1], numbers[:, 0], numbers[:, -1]):
            inside[edge] = False
        inside[0] = False
        sizes.append(np.bincount(numbers.ravel(), minlength=count + 1)[inside])
    whole = np.concatenate(sizes) if sizes else np.zeros(0, np.int64)
    return bool(whole.size) and float((whole < _FEW).mean()) <= _RARELY


def count_pieces(stack: Stack) -> int:
    """Patches of one class in labels that somebody drew, on the grid of the images.

    One that two bands of rows of a large scene share counts twice.
    """
    count = 0
    for spans in pieces(stack.grid):
        values = labels_of(stack).read(stack.grid[spans]).values
        for c in np.unique(values[values != UNKNOWN]):
            count += int(label(values == c)[1])
    return count


def _block(stack: Stack) -> int:
    """Side in label pixels of the blocks that labels consist of; 1 if they don't."""
    labels = labels_of(stack)
    spans = []
    for part in _part(labels.grid, stack.grid):
        start = max((part.start + part.stop - _LOOKED_AT_PX) // 2, part.start)
        spans.append(slice(start, min(start + _LOOKED_AT_PX, part.stop)))
    return round(grain(labels.read(labels.grid[*spans]).values))


def _polygon_sizes(
    stack: Stack, block: int
) -> tuple[tuple[int, int], NDArray[np.int64]] | None:
    """Cells of the polygon that every cell is part of, if labels were drawn as such.

    A cell is a square of `block` label pixels. For the part of the labels that the
    stack lies in, whose first row and column of cells come with it.
    """
    corner, values = _cell_labels(stack, block)
    sizes = np.ones(values.shape, np.int64)
    every: list[NDArray[np.int64]] = []
    for c in np.unique(values[values != UNKNOWN]):
        numbers, _ = label(values == c)
        count = np.bincount(numbers.ravel())
        sizes = np.where(numbers > 0, count[numbers], sizes)
        every.append(count[1:])
    together = np.concatenate(every) if every else np.ones(1, np.int64)
    if (together < _FEW).mean() > _RARELY:
        return None
    return corner, sizes


def _cell_labels(stack: Stack, block: int) -> tuple[tuple[int, int], NDArray[np.uint8]]:
    """First row and column of the cells that a stack lies in, and labels of all.

    The label of a cell is that of its middle.
    """
    labels = labels_of(stack)
    firsts, middles = [], []
    for part, length in zip(
        _part(labels.grid, stack.grid), labels.grid.shape, strict=True
    ):
        cells = np.arange(part.start // block, (part.stop - 1) // block + 1)
        firsts.append(int(cells[0]))
        middles.append((cells * block + block // 2).clip(0, length - 1))
    rows, columns = middles
    across = slice(int(columns[0]), int(columns[-1]) + 1)
    # Row by row, since labels may be as many as the pixels of a whole scene.
    read = [labels.read(labels.grid[row : row + 1, across]).values[0] for row in rows]
    return (firsts[0], firsts[1]), np.stack(read)[:, columns - columns[0]]


def _part(labels: GeoBox, grid: GeoBox) -> tuple[slice, slice]:
    """Rows and columns of labels that a grid lies in, with some around it."""
    edge = grid.zoom_out(max(max(grid.shape) / 256, 1))
    spans = []
    for at, length in zip(pixel_of(labels, edge), labels.shape, strict=True):
        start = min(max(int(at.min()) - 2, 0), length - 1)
        spans.append(slice(start, max(min(int(at.max()) + 3, length), start + 1)))
    return spans[0], spans[1]


def _together(stack: Stack, least: int) -> int:
    """Label pixels along the side of a cell that is `least` pixels wide or wider."""
    # As many as lie across the middle of the scene, whatever the projections.
    spans = [slice(max(n // 2 - 128, 0), n // 2 + 128) for n in stack.shape]
    middle = stack.grid[tuple(spans)]
    row, column = pixel_of(labels_of(stack).grid, middle)
    across = max(int(np.ptp(row)), int(np.ptp(column))) + 1
    return max(1, round(least * across / max(middle.shape)))
