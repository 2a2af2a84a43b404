"""Training windows: batch number `step` as a pure function of seed and step.

Reading a window of 256 pixels out of a compressed file decodes whole blocks of it,
again for every window. So the grid is cut into regions that follow the files' blocks, a
few regions at a time are held in memory, and windows are drawn inside them; the regions
in use change slowly. Which ones they are depends on (seed, step) alone, what is in
memory is only a memo: any step can be computed first, last, or by another thread.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from overcast.geo.raster import UNKNOWN, Image, Labels
from overcast.geo.stack import Chip, Stack
from overcast.geo.tiling import Window
from overcast.learn.batch import Batch

Stream = Callable[[int], Batch]
"""Batch number `step`: a pure function, so training resumes without loader state."""

_REGION_PX = 1024
_STRIP_PX = 1024 * 1024
_SURVEY_PX = 1500
_TRIES = 50
_POOL, _REUSE = 4, 8
"""Regions in use at a time, and steps after which one of them is replaced."""


class Crops:
    """Random square windows of a stack, as a `Stream`.

    Parameters
    ----------
    stack
        Where windows are cut. With labels, every window has a known pixel; without,
        a valid one.
    size
        Side of a window in pixels; no more than the grid has.
    batch
        Windows in a batch.
    seed
        Together with the step it decides everything.
    balance
        0 draws windows by area; 1 makes a window around each class alike likely.
    """

    def __init__(
        self,
        stack: Stack,
        size: int,
        batch: int,
        seed: int = 0,
        *,
        balance: float = 0.0,
    ) -> None:
        self.stack, self.size, self.batch, self.seed = stack, size, batch, seed
        self.balance = balance
        self._regions = _Memo(2 * _POOL)

    def __call__(self, step: int) -> Batch:
        """Batch of a step."""
        random = np.random.default_rng((self.seed, 1, step))
        newest = step // _REUSE + _POOL
        return Batch.of([self._window(random, newest) for _ in range(self.batch)])

    def _window(self, random: np.random.Generator, newest: int) -> Chip:
        for _ in range(_TRIES):
            number = newest - int(random.integers(_POOL))
            region = self._region_of(number)
            chip = _cut(self._read(region), region, self._place(random, region))
            if _holds_something(chip):
                return chip
        raise ValueError(
            f"none of {_TRIES} windows of {self.size} pixels held an observed pixel"
            + (" with a known label" if self.stack.labels else "")
        )

    def _region_of(self, number: int) -> Window:
        """Return the region at place `number` of the endless row of regions."""
        random = np.random.default_rng((self.seed, 2, number))
        if self._survey is None:
            return self._tiles[int(random.integers(len(self._tiles)))]
        y, x = self._survey.draw(random, Window(0, 0, *self.stack.shape))
        inside = [t for t in self._tiles if _contains(t, y, x)]
        return inside[int(random.integers(len(inside)))]

    def _place(self, random: np.random.Generator, region: Window) -> Window:
        """Draw a window in `region`, around a pixel whose class was drawn first."""
        h, w = min(self.size, region.h), min(self.size, region.w)
        if self._survey is None:
            y = region.y + int(random.integers(region.h - h + 1))
            x = region.x + int(random.integers(region.w - w + 1))
            return Window(y, x, h, w)
        centre = self._survey.draw(random, region)
        y = centre[0] - int(random.integers(h))
        x = centre[1] - int(random.integers(w))
        return Window(
            int(np.clip(y, region.y, region.y + region.h - h)),
            int(np.clip(x, region.x, region.x + region.w - w)),
            h,
            w,
        )

    def _read(self, region: Window) -> Chip:
        return self._regions.get(region, lambda: self.stack.read(region))

    @cached_property
    def _tiles(self) -> list[Window]:
        """Regions, overlapping by a window so that no place is out of reach."""
        height, width = self.stack.shape
        blocks = [source.blocks for source in self.stack.images.values()]
        rows, columns = _REGION_PX, _REGION_PX
        if max(b[1] for b in blocks) > _REGION_PX:  # strips: whole rows come at once
            columns = width
            rows = max(_STRIP_PX // width, 2 * self.size)
        rows, columns = min(rows, height), min(columns, width)
        ys = _starts(height, rows, min(self.size, rows) - 1)
        xs = _starts(width, columns, min(self.size, columns) - 1)
        return [Window(y, x, rows, columns) for y in ys for x in xs]

    @cached_property
    def _survey(self) -> _Survey | None:
        return (
            None if self.stack.labels is None else _Survey.of(self.stack, self.balance)
        )


@dataclass(frozen=True)
class _Survey:
    """Where which class lies, at a resolution at which the whole grid can be held."""

    classes: NDArray[np.uint8]
    step: float
    weight: NDArray[np.float64]

    @classmethod
    def of(cls, stack: Stack, balance: float) -> _Survey:
        step = max(max(stack.shape) / _SURVEY_PX, 1.0)
        assert stack.labels is not None
        found = stack.labels.read(stack.grid.zoom_out(step)).values
        counts = np.bincount(
            found[found != UNKNOWN], minlength=len(stack.labels.legend)
        )
        if counts.sum() == 0:
            raise ValueError("no pixel of the grid has a known label")
        share = counts / counts.sum()
        weight = np.where(counts > 0, np.maximum(share, 1e-12) ** (1 - balance), 0.0)
        return cls(found, step, weight)

    def draw(self, random: np.random.Generator, region: Window) -> tuple[int, int]:
        """Draw a pixel of the grid in `region`: its class first, then its place."""
        top, left = int(region.y / self.step), int(region.x / self.step)
        bottom = int(np.ceil((region.y + region.h) / self.step))
        right = int(np.ceil((region.x + region.w) / self.step))
        part = self.classes[top:bottom, left:right]
        counts = np.bincount(part[part != UNKNOWN], minlength=len(self.weight))
        weight = np.where(counts > 0, self.weight, 0.0)
        if weight.sum() == 0:
            y, x = region.y + region.h // 2, region.x + region.w // 2
            return y, x
        chosen = random.choice(len(weight), p=weight / weight.sum())
        # A few tries at random are much cheaper than a list of all its pixels.
        for _ in range(_TRIES):
            row, column = (int(random.integers(n)) for n in part.shape)
            if part[row, column] == chosen:
                break
        else:
            places = np.flatnonzero(part == chosen)
            row, column = divmod(int(random.choice(places)), part.shape[1])
        y, x = (int((n + 0.5) * self.step) for n in (top + row, left + column))
        return min(y, region.y + region.h - 1), min(x, region.x + region.w - 1)


@dataclass
class _Memo:
    """The regions read last; threads that want the same one wait for one reading."""

    size: int
    lock: threading.Lock = field(default_factory=threading.Lock)
    kept: OrderedDict[Window, Future[Chip]] = field(default_factory=OrderedDict)

    def get(self, key: Window, read: Callable[[], Chip]) -> Chip:
        with self.lock:
            mine = key not in self.kept
            future = self.kept.setdefault(key, Future())
            self.kept.move_to_end(key)
            while len(self.kept) > self.size:
                self.kept.popitem(last=False)
        if mine:
            try:
                future.set_result(read())
            except BaseException as error:
                with self.lock:
                    self.kept.pop(key, None)
                future.set_exception(error)
                raise
        return future.result()


@contextmanager
def ahead(
    stream: Stream, first: int, last: int, depth: int = 4, threads: int = 2
) -> Iterator[Stream]:
    """Compute the batches of steps `first` to `last` before they are asked for.

    Inside the context, the stream that it gives returns what `stream` returns, and
    raises what it raises; a step out of order is computed on the spot.
    """
    with ThreadPoolExecutor(threads, "overcast-stream") as workers:
        waiting: dict[int, Future[Batch]] = {}

        def upcoming(step: int) -> Batch:
            for stale in [s for s in waiting if s < step]:
                waiting.pop(stale).cancel()
            for number in range(max(step, first), min(step + depth, last)):
                if number not in waiting:
                    waiting[number] = workers.submit(stream, number)
            future = waiting.pop(step, None)
            return stream(step) if future is None else future.result()

        try:
            yield upcoming
        finally:
            for future in waiting.values():
                future.cancel()


def _cut(chip: Chip, region: Window, window: Window) -> Chip:
    """Window of a region that was read before."""
    inside = Window(window.y - region.y, window.x - region.x, window.h, window.w).slices
    grid = chip.grid[inside]
    return Chip(
        images={n: _cut_image(i, inside) for n, i in chip.images.items()},
        labels=None
        if chip.labels is None
        else Labels(
            values=chip.labels.values[inside], grid=grid, legend=chip.labels.legend
        ),
        grid=grid,
    )


def _cut_image(image: Image, inside: tuple[slice, slice]) -> Image:
    return replace(
        image,
        values=image.values[(slice(None), *inside)],
        valid=image.valid[inside],
        grid=image.grid[inside],
    )


def _holds_something(chip: Chip) -> bool:
    seen = np.logical_or.reduce([image.valid for image in chip.images.values()])
    known = seen if chip.labels is None else seen & chip.labels.valid
    return bool(known.any())


def _contains(window: Window, y: int, x: int) -> bool:
    return window.y <= y < window.y + window.h and window.x <= x < window.x + window.w


def _starts(length: int, size: int, overlap: int) -> list[int]:
    last = length - size
    return [*range(0, last, max(size - overlap, 1)), last]
