"""Training windows: batch number `step` as a pure function of seed and step.

Reading a window of 256 pixels out of a compressed file decodes whole blocks of it,
again for every window. So the grid is cut into regions that follow the files' blocks, a
few regions at a time are held in memory, and windows are drawn inside them; the regions
in use change slowly. Which ones they are depends on (seed, step) alone, what is in
memory is only a memo: any step can be computed first, last, or by another thread.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox

from overcast.geo.raster import Image
from overcast.geo.stack import Chip, Stack
from overcast.geo.tiling import Window
from overcast.train.batch import Batch, join
from overcast.train.blocks.regions import Regions

Stream = Callable[[int], Batch]
"""Batch number `step`: a pure function, so training resumes without loader state."""

_MEMORY = 1 << 30
_WINDOWS = 256
"""Windows drawn until one of the regions in use is replaced."""
_GUESSES = 64


@dataclass(frozen=True, eq=False)
class Crops:
    """Random square windows of a stack, as a `Stream`.

    Every window holds a pixel that some sensor saw and, if the stack has labels, whose
    class is known; around such a pixel, at a random place of it, the window is laid.

    Parameters
    ----------
    stack
        Where windows are cut.
    size
        Side of a window in pixels; along an axis that is shorter, the whole axis.
    batch
        Windows in a batch.
    seed
        Together with the step it decides everything.
    balance
        A class with share s of the known area is drawn with probability
        ~ s^(1 - balance): 0 draws by area, 1 makes all classes alike.
    memory
        Bytes of the stack that may be held; 1 GiB by default.

    Raises
    ------
    ValueError
        If a number is out of its range, or the stack has labels and none is known; from
        a call, if no pixel was seen, or none with a known label.
    """

    stack: Stack
    size: int
    batch: int
    seed: int = 0
    balance: float = 0.0
    memory: int | None = None
    _regions: Regions = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if min(self.size, self.batch) < 1 or self.seed < 0:
            raise ValueError(
                "size and batch must be 1 or more, seed 0 or more; got "
                f"size={self.size}, batch={self.batch}, seed={self.seed}"
            )
        if not 0 <= self.balance <= 1:
            raise ValueError(
                f"balance must be from 0 (by area) to 1 (alike), got {self.balance}"
            )
        regions = Regions(self.stack, self.size, self.balance, self.memory or _MEMORY)
        object.__setattr__(self, "_regions", regions)

    @property
    def known(self) -> int:
        """Pixels to learn from."""
        return self._regions.known

    def __call__(self, step: int) -> Batch:
        """Batch of a step."""
        return self.after(step * self.batch, step)

    def after(self, drawn: int, step: int) -> Batch:
        """Batch of a step, when so many windows were drawn of this stack before."""
        random = np.random.default_rng((self.seed, 1, step))
        pool = self._pool(drawn)
        # A region of which only a corner was seen gives as many windows as it has.
        ratios = np.array([self._regions.ratio(index) for index in pool])
        chosen = random.choice(pool, self.batch, p=ratios / ratios.sum())
        return Batch.of([self._window(random, int(index)) for index in chosen])

    def _pool(self, drawn: int) -> list[int]:
        """Regions in use: a stretch of an endless row of regions, each drawn alone."""
        oldest = drawn // _WINDOWS
        return [
            self._regions.draw(np.random.default_rng((self.seed, 2, number)))
            for number in range(oldest, oldest + self._regions.together)
        ]

    def _window(self, random: np.random.Generator, index: int) -> Chip:
        """Draw a class, a pixel of it, and where in the window that pixel lies."""
        region = self._regions.read(index)
        chances = self._regions.pixels(index) * self._regions.weight
        chosen = random.choice(len(chances), p=chances / chances.sum())
        starts, sides = [], []
        pixel = _pixel(random, region.classes, int(chosen))
        for at, length in zip(pixel, region.classes.shape, strict=True):
            side = min(self.size, length)
            start = at - int(random.integers(side))
            starts.append(min(max(start, 0), length - side))
            sides.append(side)
        return _cut(region.chip, Window(*starts, *sides))


def crops_of(
    stacks: Sequence[Stack],
    size: int,
    batch: int,
    seed: int = 0,
    balance: float = 0.0,
) -> Stream:
    """Random square windows of several stacks, see `Crops`.

    A window is of a stack with probability in proportion to what there is to learn in
    it. With `balance`, classes are balanced within every stack.

    Raises
    ------
    ValueError
        If there are no stacks, or `Crops` refuses all of them.
    """
    if len(stacks) == 1:
        return Crops(stacks[0], size, batch, seed, balance)
    if not stacks:
        raise ValueError("no scenes to draw windows of")
    memory = _MEMORY // len(stacks)
    every = [Crops(s, size, 1, seed + i, balance, memory) for i, s in enumerate(stacks)]
    area = np.array([crops.known for crops in every], float)
    shares = area / area.sum()

    def mixed(step: int) -> Batch:
        random = np.random.default_rng((seed, 6, step))
        chosen = random.choice(len(every), batch, p=shares)
        numbers = range(step * batch, (step + 1) * batch)
        # Its regions change as slowly as windows of that stack are drawn.
        return join(
            [
                every[n].after(int(number * shares[n]), number)
                for number, n in zip(numbers, chosen, strict=True)
            ]
        )

    return mixed


@contextmanager
def ahead(
    stream: Stream, first: int, last: int, depth: int = 8, threads: int = 2
) -> Iterator[Stream]:
    """Compute the batches of steps `first` to `last` before they are asked for.

    Inside the context, the stream that it gives returns what `stream` returns and
    raises what it raises. A jump forwards goes on from there; a step that went by is
    computed on the spot. Leaving the context waits for the batches under way.

    Parameters
    ----------
    stream
        What to compute.
    first, last
        First step, and the one after the last.
    depth
        Batches that are held, or under way, beyond the one in use.
    threads
        Threads that compute them.

    Raises
    ------
    ValueError
        If depth or threads are not positive.
    """
    if min(depth, threads) < 1:
        raise ValueError(
            f"depth and threads must be 1 or more, got depth={depth}, threads={threads}"
        )
    with ThreadPoolExecutor(threads, "overcast-stream") as workers:
        queue = _Queue(lambda step: workers.submit(stream, step), last, depth)
        queue.move(first)

        def upcoming(step: int) -> Batch:
            future = queue.take(step)
            return stream(step) if future is None else future.result()

        try:
            yield upcoming
        finally:
            queue.cancel()


@dataclass
class _Queue:
    """Batches of the step in use and of those after it; steps only grow."""

    submit: Callable[[int], Future[Batch]]
    last: int
    depth: int
    waiting: dict[int, Future[Batch]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)
    step: int = 0

    def take(self, step: int) -> Future[Batch] | None:
        """Return the batch of `step` to wait for; None if it went by."""
        with self.lock:
            if step > self.step:
                self.move(step)
            return self.waiting.get(step)

    def move(self, step: int) -> None:
        """Make `step` the one in use."""
        self.step = step
        for stale in [s for s in self.waiting if s < step]:
            self.waiting.pop(stale).cancel()
        for number in range(step, min(step + self.depth + 1, self.last)):
            if number not in self.waiting:
                self.waiting[number] = self.submit(number)

    def cancel(self) -> None:
        """Start nothing more."""
        for future in self.waiting.values():
            future.cancel()


def _pixel(
    random: np.random.Generator, classes: NDArray[np.uint8], chosen: int
) -> tuple[int, int]:
    """Row and column of a random pixel of a class, which must be there."""
    flat = classes.ravel()
    # Some guesses are much cheaper than a list of all its pixels.
    guesses = random.integers(flat.size, size=_GUESSES)
    hits = guesses[flat[guesses] == chosen]
    if not hits.size:
        hits = random.choice(np.flatnonzero(flat == chosen), 1)
    row, column = divmod(int(hits[0]), classes.shape[1])
    return row, column


def _cut(chip: Chip, window: Window) -> Chip:
    """Window of a chip."""
    inside = window.slices
    grid = chip.grid[inside]
    labels = chip.labels
    return Chip(
        images={n: _cut_image(i, inside, grid) for n, i in chip.images.items()},
        labels=labels and replace(labels, values=labels.values[inside], grid=grid),
        grid=grid,
    )


def _cut_image(image: Image, inside: tuple[slice, slice], grid: GeoBox) -> Image:
    return replace(
        image,
        values=image.values[(slice(None), *inside)],
        valid=image.valid[inside],
        grid=grid,
    )
