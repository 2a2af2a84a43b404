"""Regions: pieces of a stack that are read whole, so that blocks are decoded once.

Each axis is cut into units (`overcast.train.blocks.units`), and a region is two by two
neighbouring units, fewer at the border, so that every unit lies in equally many regions
and every window in at least one. With weight w_p of a pixel p, and m_r the sum of weights
in region r, drawing a region by m_r and in it a pixel by w_p draws pixels by weight:

    P(p) = sum over r that hold p of (m_r / sum of m) (w_p / m_r)  ~  w_p.

A pixel of a class with share s of the known area weighs s^(-balance), so that the class
is drawn with probability ~ s^(1 - balance).
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise, product
from math import ceil, sqrt

import numpy as np
from numpy.typing import NDArray

from overcast.geo.raster import UNKNOWN, Image, Labels
from overcast.geo.stack import Chip, Stack
from overcast.geo.tiling import Window
from overcast.geo.warp import aligned
from overcast.train.blocks.cache import Memo
from overcast.train.blocks.units import (
    Span,
    longest_block,
    pixel_bytes,
    round_up,
    spans_of,
    unit_edges,
    window_between,
)

_PIECE_PX = 512 * 512
_THREADS = 4
"""A region is read in pieces of about so many pixels, by so many threads."""
_SURVEY_PX, _SURVEY_ROWS = 2_000_000, 512
_REGIONS = (2, 8)
"""At least and at most so many regions are in use together."""


@dataclass(frozen=True, slots=True)
class CachedRegion:
    """A piece of a stack in memory.

    `classes` uint8 ``[H, W]`` says what there is to learn: the label (0 if the stack has
    none) where a sensor saw the ground, else `UNKNOWN`.
    """

    window: Window
    chip: Chip
    classes: NDArray[np.uint8]

    @classmethod
    def of(cls, stack: Stack, window: Window, rows: int) -> CachedRegion:
        """Read a window, so many rows at a time."""
        chip = _read(stack, window, rows)
        seen = np.logical_or.reduce([image.valid for image in chip.images.values()])
        classes = np.uint8(0) if chip.labels is None else chip.labels.values
        return cls(window, chip, np.where(seen, classes, np.uint8(UNKNOWN)))

    @property
    def nbytes(self) -> int:
        """Memory that it takes."""
        images = self.chip.images.values()
        labels = 0 if self.chip.labels is None else self.chip.labels.values.nbytes
        held = sum(image.values.nbytes + image.valid.nbytes for image in images)
        return held + labels + self.classes.nbytes


class Regions:
    """All regions of a stack, read when wanted; at most `memory` bytes are kept, or two.

    Attributes
    ----------
    windows
        Where each region lies.
    weight
        float64 ``[K]``: weight of a pixel of each class; one class if unlabelled.
    mass
        float64 ``[R]``: sum of the weights in each region, if all of it was seen.
    together
        Number of regions that `memory` holds beside one that is being read.

    Raises
    ------
    ValueError
        If the stack has labels, and none is known.
    """

    def __init__(self, stack: Stack, size: int, balance: float, memory: int) -> None:
        self.stack, self.memory = stack, memory
        rows, columns = unit_edges(stack, size, memory)
        counts = _count_classes(stack, rows, columns)
        self.known = int(counts.sum())
        if self.known == 0:
            raise ValueError(
                f"no pixel of the grid ({stack.shape[0]} x {stack.shape[1]}) has a "
                "known label; check that the labels overlap the grid, and their nodata "
                "value"
            )
        share = np.maximum(counts.sum((0, 1)), 1) / self.known
        self.weight = share**-balance
        spans = list(product(spans_of(rows), spans_of(columns)))
        self.windows = [
            window_between(rows[a : b + 1], columns[c : d + 1])
            for (a, b), (c, d) in spans
        ]
        unit_mass = counts @ self.weight
        self.mass = np.array([unit_mass[a:b, c:d].sum() for (a, b), (c, d) in spans])
        largest = max(w.h * w.w for w in self.windows) * pixel_bytes(stack)
        self.together = int(np.clip(memory // largest - 1, *_REGIONS))
        width = max(w.w for w in self.windows)
        self._rows = round_up(longest_block(stack, 0)[0], ceil(_PIECE_PX / width))
        # Those in use together must stay, or each window would read its region again.
        self._kept = Memo[CachedRegion](max(memory, self.together * largest))
        self._pixels: dict[int, NDArray[np.int64]] = {}

    def read(self, index: int) -> CachedRegion:
        """Region number `index`, from memory if it is there."""
        window = self.windows[index]
        return self._kept.get(
            index, lambda: CachedRegion.of(self.stack, window, self._rows)
        )

    def pixels(self, index: int) -> NDArray[np.int64]:
        """Pixels of each class ``[K]`` that there are to learn in a region."""
        if index not in self._pixels:
            classes = self.read(index).classes
            self._pixels[index] = _count(classes)[: len(self.weight)]
        return self._pixels[index]

    def ratio(self, index: int) -> float:
        """Weight that there is to learn in a region, over what was expected of it."""
        return float(self.pixels(index) @ self.weight / self.mass[index])

    def draw(self, random: np.random.Generator) -> int:
        """Draw a region by its mass; one with nothing to learn gives way to the next.

        Raises
        ------
        ValueError
            If no region has anything to learn.
        """
        # The first of a race of exponential times is drawn by mass; the others follow
        # in an order, so that no region is tried twice and none is left out.
        with np.errstate(divide="ignore"):
            times = random.exponential(size=len(self.mass)) / self.mass
        for index in np.argsort(times, kind="stable"):
            if self.mass[index] > 0 and self.pixels(int(index)).any():
                return int(index)
        height, width = self.stack.shape
        names = ", ".join(self.stack.images)
        labels = "" if self.stack.labels is None else " where a label is known"
        raise ValueError(
            f"no pixel of the grid ({height} x {width}) was seen by any image ({names})"
            f"{labels}; check that the inputs overlap, and their nodata values"
        )


def _read(stack: Stack, window: Window, rows: int) -> Chip:
    """Read by bands of rows, some at a time, so that what is made on the way is small."""
    y, x, h, w = window
    grid = stack.grid[window.slices]
    images = {
        name: Image(
            values=np.empty((len(source.sensor.bands), h, w), np.float32),
            valid=np.empty((h, w), np.bool_),
            grid=grid,
            sensor=source.sensor,
        )
        for name, source in stack.images.items()
    }
    classes = np.empty((h, w), np.uint8)

    def fill(band: Span) -> None:
        piece = stack.read(Window(y + band[0], x, band[1] - band[0], w))
        for name, image in piece.images.items():
            images[name].values[:, slice(*band)] = image.values
            images[name].valid[slice(*band)] = image.valid
        if piece.labels is not None:
            classes[slice(*band)] = piece.labels.values

    with ThreadPoolExecutor(_THREADS, "overcast-region") as readers:
        list(readers.map(fill, _bands(0, h, rows)))
    labels = None
    if stack.labels is not None:
        labels = Labels(values=classes, grid=grid, legend=stack.labels.legend)
    return Chip(images=images, labels=labels, grid=grid)


def _count_classes(
    stack: Stack, rows: list[int], columns: list[int]
) -> NDArray[np.int64]:
    """Pixels of each class in each unit ``[Y, X, K]``; unlabelled ones are one class.

    Labels on the grid's own lattice are all read, since a few points on a large grid
    are easily missed; others, which must be warped, on a coarser grid.
    """
    if stack.labels is None:
        return np.multiply.outer(np.diff(rows), np.diff(columns))[..., None]
    step = 1
    if aligned(stack.labels.grid, stack.grid) is None:
        step = ceil(sqrt(np.prod(stack.shape) / _SURVEY_PX))
    grid = stack.grid.zoom_out(step)
    left_right = [ceil(edge / step) for edge in columns]
    counts = []
    for top, bottom in pairwise(ceil(edge / step) for edge in rows):
        counts.append(np.zeros((len(columns) - 1, UNKNOWN + 1), np.int64))
        for start, stop in _bands(top, bottom, _SURVEY_ROWS):
            codes = stack.labels.read(grid[start:stop, :]).values
            for unit, (left, right) in enumerate(pairwise(left_right)):
                counts[-1][unit] += _count(codes[:, left:right])
    classes = len(stack.labels.legend)
    return np.stack(counts)[..., :classes] * step**2


def _count(classes: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Pixels of each index; by bands, since `bincount` makes eight bytes of each."""
    rows = max(_PIECE_PX // max(classes.shape[1], 1), 1)
    counts = np.zeros(UNKNOWN + 1, np.int64)
    for top, bottom in _bands(0, len(classes), rows):
        counts += np.bincount(classes[top:bottom].ravel(), minlength=len(counts))
    return counts


def _bands(top: int, bottom: int, rows: int) -> Iterator[Span]:
    """Cut rows into bands of so many.

    Examples
    --------
    >>> list(_bands(2, 9, 3))
    [(2, 5), (5, 8), (8, 9)]
    """
    for start in range(top, bottom, rows):
        yield start, min(start + rows, bottom)
