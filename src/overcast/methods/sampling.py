"""Labelled pixels of a stack, drawn evenly over it, in constant memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from overcast.geo.raster import UNKNOWN
from overcast.geo.stack import Chip, LabelSource, Stack, agree
from overcast.geo.tiling import Window
from overcast.progress import Progress

_WINDOW = 256
_MOST_WINDOWS = 64
"""Of a large stack only so many windows are read: 4 million pixels are plenty."""


@dataclass(frozen=True, slots=True)
class Sample:
    """Features float32 ``[N, F]`` and class indices uint8 ``[N]`` of N pixels."""

    features: NDArray[np.float32]
    classes: NDArray[np.uint8]


def sample_pixels(
    stacks: Sequence[Stack],
    features: Callable[[Chip], NDArray[np.float32]],
    count: int,
    *,
    halo: int,
    seed: int,
    balanced: bool,
    progress: Progress,
) -> Sample:
    """Draw about `count` labelled pixels; with `balanced`, as many of every class.

    A class with fewer pixels than its part gives all that it has. `features` turns a
    chip into ``[F, h, w]`` and may draw on `halo` pixels around a pixel.

    Raises
    ------
    ValueError
        If no stack has labels, or none is known where a sensor saw the ground.
    """
    classes = len(_labels_of(agree(stacks)).legend)
    windows = _chosen([s for s in stacks if s.labels is not None], seed)
    chance = _chances(windows, classes, count, balanced)
    random = np.random.default_rng((seed, 4))
    found: list[tuple[NDArray[np.float32], NDArray[np.uint8]]] = []
    for done, (stack, window) in enumerate(windows, 1):
        wide = _widen(window, halo, stack.shape)
        chip = stack.read(wide)
        inside = Window(window.y - wide.y, window.x - wide.x, window.h, window.w).slices
        labels = _learnable(chip)[inside]
        drawn = (
            random.random(labels.shape)
            < np.append(chance, 0)[np.minimum(labels, len(chance))]
        )
        if drawn.any():
            values = features(chip)[(slice(None), *inside)]
            found.append((values[:, drawn].T, labels[drawn]))
        progress("sampling", done, len(windows))
    if not found:
        raise ValueError("no pixel with a known label was seen by any sensor")
    values, known = (np.concatenate(part) for part in zip(*found, strict=True))
    return Sample(np.ascontiguousarray(values, np.float32), known)


def whole_windows(
    shape: tuple[int, int], halo: int = 0
) -> Iterator[tuple[Window, tuple[slice, slice]]]:
    """Windows that cover a stack, `halo` wider, and where their own pixels lie in them."""
    for window in _cells(shape):
        wide = _widen(window, halo, shape)
        inside = Window(window.y - wide.y, window.x - wide.x, window.h, window.w)
        yield wide, inside.slices


def _learnable(chip: Chip) -> NDArray[np.uint8]:
    """Class indices, unknown where no sensor saw the ground."""
    assert chip.labels is not None
    seen = np.logical_or.reduce([image.valid for image in chip.images.values()])
    return np.where(seen, chip.labels.values, UNKNOWN).astype(np.uint8)


def _chances(
    windows: list[tuple[Stack, Window]], classes: int, count: int, balanced: bool
) -> NDArray[np.float64]:
    """Probability with which a pixel of each class is drawn."""
    totals = np.zeros(classes)
    for stack, window in windows:
        found = _labels_of(stack).read(stack.grid[window.slices]).values
        totals += np.bincount(found[found != UNKNOWN], minlength=classes)
    if totals.sum() == 0:
        raise ValueError("no pixel of the grid has a known label")
    if not balanced:
        return np.full(classes, min(1.0, count / totals.sum()))
    share = count / (totals > 0).sum()
    return np.asarray(np.minimum(1.0, share / np.maximum(totals, 1)))


def _labels_of(stack: Stack) -> LabelSource:
    assert stack.labels is not None
    return stack.labels


def _chosen(stacks: Sequence[Stack], seed: int) -> list[tuple[Stack, Window]]:
    """All windows of small stacks, some of large ones, in order of place."""
    windows = [(stack, window) for stack in stacks for window in _cells(stack.shape)]
    if len(windows) <= _MOST_WINDOWS:
        return windows
    random = np.random.default_rng((seed, 3))
    chosen = random.choice(len(windows), _MOST_WINDOWS, replace=False)
    return [windows[i] for i in sorted(chosen)]


def _cells(shape: tuple[int, int]) -> Iterator[Window]:
    for y in range(0, shape[0], _WINDOW):
        for x in range(0, shape[1], _WINDOW):
            yield Window(y, x, min(_WINDOW, shape[0] - y), min(_WINDOW, shape[1] - x))


def _widen(window: Window, halo: int, shape: tuple[int, int]) -> Window:
    y, x = max(window.y - halo, 0), max(window.x - halo, 0)
    bottom = min(window.y + window.h + halo, shape[0])
    right = min(window.x + window.w + halo, shape[1])
    return Window(y, x, bottom - y, right - x)
