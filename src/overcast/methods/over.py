"""Learning from chosen windows of large stacks, each of them by itself.

What a window gives (pixels drawn, clusters counted) depends on the window and the seed
alone, and is summed in the order of the windows. So it has the same bytes in one process
and on many machines, in whatever order windows are worked on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from inspect import signature
from pathlib import Path
from typing import Any, Protocol, TypeGuard, TypeVar, runtime_checkable

import numpy as np
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox

from overcast.geo.lattice import widened, within
from overcast.geo.near import near
from overcast.geo.stack import Stack
from overcast.geo.tiling import Window
from overcast.methods.method import Learner
from overcast.progress import Progress

T = TypeVar("T")
R = TypeVar("R")
Each = Callable[[Callable[[Any], Any], Sequence[Any], str], list[Any]]
"""Does something with every item, and returns the results in the order of the items.
The text says what it is, for progress."""


def in_turn(do: Callable[[T], R], items: Sequence[T], stage: str) -> list[R]:
    """Do something with items one after another, in this process."""
    return [do(item) for item in items]


@dataclass(frozen=True, slots=True)
class Piece:
    """A window of one of several stacks, with what is read there.

    Attributes
    ----------
    index
        Which stack it is of.
    window
        Where, on the grid of the stack.
    wide
        The same with the context of features.
    stack
        The stack, with the files that reach the window.
    """

    index: int
    window: Window
    wide: Window
    stack: Stack = field(repr=False)

    @property
    def inside(self) -> tuple[slice, slice]:
        """Where the window lies in what is read."""
        y, x = self.window.y - self.wide.y, self.window.x - self.wide.x
        return Window(y, x, self.window.h, self.window.w).slices

    def random(self, *seed: int) -> np.random.Generator:
        """Random numbers of this window alone."""
        place = (self.index, self.window.y, self.window.x)
        return np.random.default_rng((*seed, *place))


@dataclass(frozen=True, slots=True)
class Chosen:
    """Windows that a method learns from.

    Attributes
    ----------
    windows
        Number of the stack and the window on its grid, in order.
    totals
        Label pixels of every class in all of the ground ``[K]``, about.
    shown
        Label pixels of every class in the chosen windows ``[K]``, about.
    each
        How work on windows is done.
    """

    windows: tuple[tuple[int, Window], ...]
    totals: NDArray[np.float64]
    shown: NDArray[np.float64]
    each: Each = in_turn

    def pieces(self, stacks: Sequence[Stack], halo: int) -> Iterator[Piece]:
        """The windows of stacks, with `halo` pixels around them."""
        for index, window in self.windows:
            stack = stacks[index]
            wide = within(widened(window, halo), Window(0, 0, *stack.shape)) or window
            yield Piece(index, window, wide, near(stack, stack.grid[wide.slices]))


class Windowed(Protocol):
    """A method that can learn from chosen windows."""

    def fit(
        self,
        stacks: Sequence[Stack],
        folder: Path,
        seed: int,
        progress: Progress,
        over: Chosen | None = None,
    ) -> None:
        """Fit as `Method.fit` does, on the windows where they are given."""
        ...


@runtime_checkable
class RatedWindowed(Windowed, Protocol):
    """Such a method that says how well it explains labels that it was not fitted on."""

    def fit_rated(
        self,
        stacks: Sequence[Stack],
        folder: Path,
        seed: int,
        progress: Progress,
        over: Chosen | None = None,
    ) -> float:
        """Fit, and return the mean log-likelihood of labels of held-out cells."""
        ...


@dataclass(frozen=True, slots=True)
class Over:
    """A method that learns from chosen windows alone, as a method."""

    method: Windowed
    over: Chosen

    @property
    def reads_series(self) -> bool:
        """Whether the method learns from several dates as they are."""
        return getattr(self.method, "reads_series", False)

    def fit(
        self, stacks: Sequence[Stack], folder: Path, seed: int, progress: Progress
    ) -> None:
        """Fit on the windows."""
        self.method.fit(stacks, folder, seed, progress, self.over)

    def fit_rated(
        self, stacks: Sequence[Stack], folder: Path, seed: int, progress: Progress
    ) -> float:
        """Fit on the windows; how well held-out labels are explained, if it is known."""
        if isinstance(self.method, RatedWindowed):
            return self.method.fit_rated(stacks, folder, seed, progress, self.over)
        self.fit(stacks, folder, seed, progress)
        return 0.0


def takes_over(method: Learner) -> TypeGuard[Windowed]:
    """Return whether a method can learn from chosen windows."""
    return "over" in signature(method.fit).parameters


def batches(items: Sequence[T], size: int) -> list[Sequence[T]]:
    """Items in groups of `size`, in order."""
    return [items[i : i + size] for i in range(0, len(items), size)]


@dataclass(frozen=True, slots=True)
class Where:
    """The parts of large scenes that are learned from.

    Attributes
    ----------
    over
        Chosen windows, for a method that takes them (`takes_over`); None lets it choose.
    place
        Grid on which labels count as evidence of place, in the place of the first
        scene's.
    """

    over: Chosen | None = None
    place: GeoBox | None = None


EVERYWHERE = Where()
