"""How much of every cluster lies in every label cell, counted window by window."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox
from scipy.sparse import csr_matrix

from overcast.geo.raster import UNKNOWN
from overcast.geo.stack import Chip, LabelSource, Stack, agree
from overcast.geo.tiling import Window
from overcast.geo.warp import pixel_of
from overcast.methods.features import HALO
from overcast.methods.proportions import Cells
from overcast.methods.sampling import whole_windows
from overcast.progress import Progress

_MOST_WINDOWS = 400
"""Of large stacks only so many windows are counted: 26 million pixels are plenty."""
_Pairs = tuple[NDArray[np.int64], NDArray[np.int64]]
"""Cell times width plus column, and how many pixels have it."""


def count_cells(
    stacks: Sequence[Stack],
    clusters: Callable[[Chip], list[NDArray[np.intp]]],
    widths: Sequence[int],
    least: int,
    seed: int,
    progress: Progress,
) -> list[Cells]:
    """Cells of every clustering.

    Parameters
    ----------
    stacks
        Those without labels are passed over.
    clusters
        Cluster of every pixel of a chip ``[h * w]``, for every clustering.
    widths
        Number of clusters of every clustering.
    least
        Pixels along the side of a cell, at least: finer labels are taken together.
    seed
        Which windows of a large stack are counted.
    progress
        Told of every window.

    Raises
    ------
    ValueError
        If no stack has labels, or none is known.
    """
    classes = len(_labels_of(agree(stacks)).legend)
    sizes = [*widths, classes]
    found: list[list[_Pairs]] = [[] for _ in sizes]
    labelled = [stack for stack in stacks if stack.labels is not None]
    number = _Numbers(labelled, least)
    for index, chip, inside, done in _chips(labelled, seed):
        assert chip.labels is not None
        labels = chip.labels.values[inside].ravel()
        cell = number.of(index, chip.grid)[inside].ravel()
        images = chip.images.values()
        seen = np.logical_or.reduce([image.valid for image in images])[inside].ravel()
        seen &= (labels != UNKNOWN) & (cell >= 0)
        shape = chip.labels.values.shape
        columns = [c.reshape(shape)[inside].ravel() for c in clusters(chip)]
        columns.append(labels.astype(np.intp))
        for kept, column, size in zip(found, columns, sizes, strict=True):
            pair = cell[seen] * size + column[seen]
            kept.append(np.unique(pair, return_counts=True))
        progress("counting", *done)
    tables = [_table(kept, size) for kept, size in zip(found, sizes, strict=True)]
    called = np.asarray(tables[-1].toarray())
    return [_cells(table, called) for table in tables[:-1]]


class _Numbers:
    """Numbers of the cells of several stacks, no two alike.

    A cell is a square of label pixels, at least so many pixels wide.
    """

    def __init__(self, stacks: Sequence[Stack], least: int) -> None:
        self.grids = [_labels_of(stack).grid for stack in stacks]
        self.together = [_together(stack, least) for stack in stacks]
        cells = [
            -(-grid.shape[0] // n) * self._across(grid, n)
            for grid, n in zip(self.grids, self.together, strict=True)
        ]
        self.first = np.concatenate([[0], np.cumsum(cells)])

    def of(self, index: int, grid: GeoBox) -> NDArray[np.int64]:
        """Cell of every pixel of `grid` in stack `index`, -1 outside the labels."""
        labels, together = self.grids[index], self.together[index]
        row, column = pixel_of(labels, grid)
        inside = (row >= 0) & (row < labels.shape[0])
        inside &= (column >= 0) & (column < labels.shape[1])
        across = self._across(labels, together)
        own = row // together * across + column // together
        return np.where(inside, own + self.first[index], -1)

    @staticmethod
    def _across(labels: GeoBox, together: int) -> int:
        return int(-(-labels.shape[1] // together))


def _labels_of(stack: Stack) -> LabelSource:
    assert stack.labels is not None
    return stack.labels


def _table(kept: list[_Pairs], width: int) -> csr_matrix:
    """Counts ``[J, width]``, a row for every cell that has pixels."""
    pairs, often = (np.concatenate(part) for part in zip(*kept, strict=True))
    _, rows = np.unique(pairs // width, return_inverse=True)
    shape = (int(rows.max()) + 1, width)
    return csr_matrix((often.astype(np.float64), (rows, pairs % width)), shape)


def _chips(
    stacks: Sequence[Stack], seed: int
) -> Iterator[tuple[int, Chip, tuple[slice, slice], tuple[int, int]]]:
    """Windows of stacks, all or many, and where their own pixels lie in them."""
    windows: list[tuple[int, Window, tuple[slice, slice]]] = [
        (index, wide, inside)
        for index, stack in enumerate(stacks)
        for wide, inside in whole_windows(stack.shape, HALO)
    ]
    if len(windows) > _MOST_WINDOWS:
        random = np.random.default_rng((seed, 5))
        chosen = random.choice(len(windows), _MOST_WINDOWS, replace=False)
        windows = [windows[i] for i in sorted(chosen)]
    for done, (index, wide, inside) in enumerate(windows, 1):
        yield index, stacks[index].read(wide), inside, (done, len(windows))


def _together(stack: Stack, least: int) -> int:
    """Label pixels along the side of a cell that is `least` pixels wide or wider."""
    # As many as lie across the middle of the scene, whatever the projections.
    spans = [slice(max(n // 2 - 128, 0), n // 2 + 128) for n in stack.shape]
    middle = stack.grid[tuple(spans)]
    row, column = pixel_of(_labels_of(stack).grid, middle)
    across = max(int(np.ptp(row)), int(np.ptp(column))) + 1
    return max(1, round(least * across / max(middle.shape)))


def _cells(table: csr_matrix, labels: NDArray[np.float64]) -> Cells:
    pixels = np.asarray(table.sum(1)).ravel()
    shares = csr_matrix(table.multiply(1 / pixels[:, None]))
    # A cell at the border of the scene is known in part, and counts in part.
    weight = np.minimum(pixels / np.median(pixels), 1.0)
    return Cells(shares, labels / labels.sum(1, keepdims=True), weight)
