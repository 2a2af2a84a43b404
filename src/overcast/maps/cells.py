"""A map of a window of a lattice, made of cells that don't depend on what is mapped.

A cell is read with the predictor's context around it, and the context is cut off again.
Its pixels are the same bytes whichever tile, and whichever region, the cell is mapped in:
a map of tiles of whole cells is one map of all. Nothing is blended. A predictor whose
context is all that a pixel depends on has no seams between cells.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox

from overcast.geo.lattice import Lattice, cells_of, read_on, widened, within
from overcast.geo.raster import UNKNOWN
from overcast.geo.stack import Stack
from overcast.geo.tiling import Window
from overcast.maps.predict import decide, in_steps, predict_chip
from overcast.maps.predictor import Predictor, is_threaded
from overcast.maps.stitch import Floats
from overcast.threads import count, steady

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class HeldMap:
    """A map in memory by rows, as `overcast.maps.predict.RawMap` is one in files.

    Attributes
    ----------
    classes
        Class indices uint8 ``[H, W]``, 255 where no sensor saw the ground.
    confidence
        float32 ``[H, W]``.
    probabilities
        uint8 ``[K, H, W]`` in steps of 1/254, or None.
    """

    classes: NDArray[np.uint8]
    confidence: Floats
    probabilities: NDArray[np.uint8] | None = None

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        h, w = self.classes.shape
        return h, w

    @property
    def count(self) -> int:
        """Number of classes whose probabilities were kept; 0 if they were not."""
        return 0 if self.probabilities is None else len(self.probabilities)

    def rows(self, start: int, stop: int) -> tuple[NDArray[np.uint8], Floats]:
        """Class indices and confidence ``[stop - start, W]``."""
        return self.classes[start:stop], self.confidence[start:stop]

    def probability_rows(self, start: int, stop: int) -> NDArray[np.uint8]:
        """Probabilities ``[K, stop - start, W]`` in steps of 1/254; 255 is no data."""
        assert self.probabilities is not None
        return self.probabilities[:, start:stop]

    def hide(self, where: NDArray[np.bool_]) -> None:
        """Make pixels unknown."""
        self.classes[where] = UNKNOWN
        self.confidence[where] = np.nan
        if self.probabilities is not None:
            self.probabilities[:, where] = UNKNOWN


def predict_cells(
    predictor: Predictor,
    stack: Stack,
    lattice: Lattice,
    window: Window,
    side: int,
    *,
    reach: Window | None = None,
    keep: bool = False,
) -> HeldMap:
    """Class and confidence of every pixel of a window of a lattice, in memory.

    Parameters
    ----------
    window
        What is mapped.
    side
        Pixels along a cell.
    reach
        Nothing is read beyond it, as nothing is read beyond the edge of a scene; without
        it, pixels beyond count as not seen.
    keep
        Keep the probabilities of all classes.
    """
    held = HeldMap(
        np.full((window.h, window.w), UNKNOWN, np.uint8),
        np.full((window.h, window.w), np.nan, np.float32),
        np.full((len(predictor.legend), window.h, window.w), UNKNOWN, np.uint8)
        if keep
        else None,
    )
    cells = cells_of(window, side)
    with steady():
        for part, values in _predicted(predictor, stack, lattice, cells, reach):
            place = Window(part.y - window.y, part.x - window.x, part.h, part.w)
            _put(held, place, values)
    return held


def predict_pixel(
    predictor: Predictor, stack: Stack, grid: GeoBox, place: tuple[int, int]
) -> Floats:
    """Probabilities ``[K]`` of a pixel, from its context on a grid; 0 if it was not seen.

    `place` is its row and column on the grid.
    """
    chip = read_on(stack, grid)
    if not any(image.valid.any() for image in chip.images.values()):
        return np.zeros(len(predictor.legend), np.float32)
    with steady():
        return np.asarray(predict_chip(predictor, chip)[(slice(None), *place)])


def _put(held: HeldMap, place: Window, values: Floats) -> None:
    classes, sure = decide(values)
    held.classes[place.slices] = classes
    held.confidence[place.slices] = sure
    if held.probabilities is not None:
        held.probabilities[(slice(None), *place.slices)] = in_steps(values)


def _predicted(
    predictor: Predictor,
    stack: Stack,
    lattice: Lattice,
    cells: Sequence[Window],
    reach: Window | None,
) -> Iterator[tuple[Window, Floats]]:
    """The seen parts of cells in order, and their probabilities ``[K, h, w]``."""

    def one(cell: Window) -> tuple[Window, Floats] | None:
        part, wide = within(cell, reach), within(widened(cell, predictor.halo), reach)
        if part is None or wide is None:
            return None
        chip = read_on(stack, lattice.grid(wide))
        if not any(image.valid.any() for image in chip.images.values()):
            return None
        inside = Window(part.y - wide.y, part.x - wide.x, part.h, part.w).slices
        return part, predict_chip(predictor, chip)[(slice(None), *inside)]

    threads = min(count(), len(cells)) if is_threaded(predictor) else 1
    made = map(one, cells) if threads <= 1 else _in_threads(one, cells, threads)
    yield from (pair for pair in made if pair is not None)


def _in_threads(
    do: Callable[[Window], T], items: Sequence[Window], threads: int
) -> Iterator[T]:
    """Results in the order of the items, a few of them ahead."""
    with ThreadPoolExecutor(threads, "overcast-cells") as pool:
        waiting: deque[Future[T]] = deque()
        try:
            for item in items:
                waiting.append(pool.submit(do, item))
                if len(waiting) > threads:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
