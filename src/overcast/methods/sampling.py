"""Pixels of stacks, labelled ones or all, drawn evenly over them, in constant memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from overcast.geo.raster import UNKNOWN
from overcast.geo.stack import Chip, LabelSource, Stack, agree, image_names, label_names
from overcast.geo.tiling import Window
from overcast.memory import need
from overcast.methods.over import Chosen, Piece
from overcast.progress import Progress

FEWEST_SAMPLES = 100
"""Pixels that a method may be set to learn from, at least."""
WINDOW = 256
_PLENTY = 10_000
"""From here on, a class that is not drawn is a rare one."""
_MOST_WINDOWS = 64
"""Of a large stack only so many windows are read: 4 million pixels are plenty."""


@dataclass(frozen=True, slots=True)
class Sample:
    """Features float32 ``[N, F]`` and class indices uint8 ``[N]`` of N pixels."""

    features: NDArray[np.float32]
    classes: NDArray[np.uint8]


_NONE = Sample(np.empty((0, 0), np.float32), np.empty(0, np.uint8))


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
    _refuse_many(stacks, count)
    labelled = [stack for stack in stacks if stack.labels is not None]
    windows = _chosen(labelled, seed, has_labels)
    chances = _chances(windows, classes, count, balanced)
    sample = _drawn(windows, features, np.append(chances, 0), halo, seed, progress)
    if not len(sample.classes):
        raise ValueError(
            f"{image_names(labelled)}: no pixel with a known label was seen by any "
            "sensor; check nodata tags and masks"
        )
    if balanced:
        names = _labels_of(labelled[0]).legend.names
        _refuse_too_few(names, chances, sample, count)
    return sample


def _refuse_many(stacks: Sequence[Stack], count: int) -> None:
    """Refuse more pixels than memory holds, of those that there are."""
    bands = sum(len(sensor.bands) for sensor in stacks[0].sensors.values())
    pixels = sum(int(np.prod(stack.shape)) for stack in stacks)
    need(
        4.0 * min(count, pixels) * bands,
        f"samples of {count:,} pixels",
        "give fewer samples",
    )


def _refuse_too_few(
    names: Sequence[str], chances: NDArray[np.float64], drawn: Sample, count: int
) -> None:
    """Refuse a number of pixels by which a class was left to chance, and lost."""
    share = np.bincount(drawn.classes, minlength=len(names))
    lost = [n for n, c, s in zip(names, chances, share, strict=True) if c < 1 and not s]
    if lost and count < _PLENTY:
        raise ValueError(
            f"samples is {count}: no pixel of {', '.join(lost)} was drawn; give more"
        )


def sample_seen(
    stacks: Sequence[Stack],
    features: Callable[[Chip], NDArray[np.float32]],
    count: int,
    *,
    halo: int,
    seed: int,
    progress: Progress,
    over: Chosen | None = None,
) -> NDArray[np.float32]:
    """Features ``[N, F]`` of about `count` pixels that a sensor saw, labelled or not.

    Few labels show few of the kinds of pixels that there are.

    Windows that were chosen, if `over` has some, are drawn from each by itself.

    Raises
    ------
    ValueError
        If no sensor saw anything.
    """
    _refuse_many(stacks, count)
    bare = [replace(stack, labels=None, others=()) for stack in stacks]
    if over is not None:
        pixels = sum(window.h * window.w for _, window in over.windows)
        chances = _evenly(count, pixels)
        sample = sample_over(bare, features, chances, halo=halo, seed=seed, over=over)
    else:
        windows = _chosen(bare, seed)
        pixels = sum(window.h * window.w for _, window in windows)
        chances = _evenly(count, pixels)
        sample = _drawn(windows, features, chances, halo, seed, progress)
    if not len(sample.classes):
        raise ValueError(
            f"{image_names(stacks)}: no sensor saw a pixel of the grid; check nodata "
            "tags and masks"
        )
    return sample.features


def sample_over(
    stacks: Sequence[Stack],
    features: Callable[[Chip], NDArray[np.float32]],
    chances: NDArray[np.float64],
    *,
    halo: int,
    seed: int,
    over: Chosen,
) -> Sample:
    """Draw pixels of chosen windows, each with the chance of its class; unknown is last.

    What a window gives depends on the window and the seed alone.
    """
    draw = partial(draw_piece, features, chances, seed)
    return joined(over.each(draw, list(over.pieces(stacks, halo)), "sampling"))


def _evenly(count: int, pixels: int) -> NDArray[np.float64]:
    """Chance with which a pixel of known class, and one of unknown class, is drawn."""
    return np.array([min(1.0, count / max(pixels, 1)), 0.0])


def _drawn(
    windows: Sequence[tuple[Stack, Window]],
    features: Callable[[Chip], NDArray[np.float32]],
    chances: NDArray[np.float64],
    halo: int,
    seed: int,
    progress: Progress,
) -> Sample:
    """Pixels of some windows, drawn with the chance of their class; unknown is last."""
    random = np.random.default_rng((seed, 4))
    samples = []
    for done, (stack, window) in enumerate(windows, 1):
        wide = widen(window, halo, stack.shape)
        piece = Piece(0, window, wide, stack)
        samples.append(_draw(features, chances, piece, random))
        progress("sampling", done, len(windows))
    return joined(samples)


def draw_piece(
    features: Callable[[Chip], NDArray[np.float32]],
    chances: NDArray[np.float64],
    seed: int,
    piece: Piece,
) -> Sample:
    """Pixels of one window, drawn with the chance of their class; unknown is last.

    They depend on the window and the seed alone.
    """
    return _draw(features, chances, piece, piece.random(seed, 4))


def _draw(
    features: Callable[[Chip], NDArray[np.float32]],
    chances: NDArray[np.float64],
    piece: Piece,
    random: np.random.Generator,
) -> Sample:
    chip = piece.stack.read(piece.wide)
    labels = _learnable(chip)[piece.inside]
    chance = chances[np.minimum(labels, len(chances) - 1)]
    drawn = random.random(labels.shape) < chance
    if not drawn.any():
        return _NONE
    values = features(chip)[(slice(None), *piece.inside)][:, drawn].T
    return Sample(values, labels[drawn])


def joined(samples: Sequence[Sample]) -> Sample:
    """Pixels of several windows, in their order."""
    some = [sample for sample in samples if len(sample.classes)]
    if not some:
        return _NONE
    values = np.concatenate([sample.features for sample in some])
    classes = np.concatenate([sample.classes for sample in some])
    return Sample(np.ascontiguousarray(values, np.float32), classes)


def whole_windows(
    shape: tuple[int, int], halo: int = 0
) -> Iterator[tuple[Window, tuple[slice, slice]]]:
    """Windows that cover a stack, `halo` wider, and where their own pixels lie in them."""
    for window in _cells(shape):
        wide = widen(window, halo, shape)
        inside = Window(window.y - wide.y, window.x - wide.x, window.h, window.w)
        yield wide, inside.slices


def _learnable(chip: Chip) -> NDArray[np.uint8]:
    """Class indices, 0 without labels; unknown where no sensor saw the ground."""
    seen = np.logical_or.reduce([image.valid for image in chip.images.values()])
    labels = np.uint8(0) if chip.labels is None else chip.labels.values
    return np.where(seen, labels, UNKNOWN).astype(np.uint8)


def _chances(
    windows: list[tuple[Stack, Window]], classes: int, count: int, balanced: bool
) -> NDArray[np.float64]:
    """Probability with which a pixel of each class is drawn."""
    totals = np.zeros(classes)
    for stack, window in windows:
        labels = _labels_of(stack).read(stack.grid[window.slices]).values
        totals += np.bincount(labels[labels != UNKNOWN], minlength=classes)
    if totals.sum() == 0:
        names = label_names([stack for stack, _ in windows])
        raise ValueError(f"{names}: no pixel of the grid has a known label")
    return chances_of(totals, count, balanced)


def chances_of(
    totals: NDArray[np.float64], count: int, balanced: bool
) -> NDArray[np.float64]:
    """Chance of a pixel of every class ``[K]``, of which there are `totals`."""
    if not balanced:
        return np.full(len(totals), min(1.0, count / totals.sum()))
    share = count / (totals > 0).sum()
    return np.asarray(np.minimum(1.0, share / np.maximum(totals, 1)))


def chances_over(over: Chosen, count: int, *, balanced: bool) -> NDArray[np.float64]:
    """Chance of a pixel of every class in chosen windows ``[K + 1]``; unknown is last.

    With `balanced`, as many of every class are drawn; else of each class as many as it
    has in all of the ground, however many of them the windows show.
    """
    chances = chances_of(over.shown, count, balanced=True)
    if not balanced:
        wanted = count * over.totals / over.totals.sum()
        chances = np.minimum(1.0, wanted / np.maximum(over.shown, 1))
    return np.append(chances, 0)


def _labels_of(stack: Stack) -> LabelSource:
    assert stack.labels is not None
    return stack.labels


def has_labels(stack: Stack, window: Window) -> bool:
    """Return whether any label in a window of a stack is known."""
    labels = _labels_of(stack).read(stack.grid[window.slices])
    return bool((labels.values != UNKNOWN).any())


def _any(stack: Stack, window: Window) -> bool:
    return True


def _chosen(
    stacks: Sequence[Stack], seed: int, fit: Callable[[Stack, Window], bool] = _any
) -> list[tuple[Stack, Window]]:
    """All windows of small stacks, some that are `fit` of large ones, in order of place."""
    windows = [(stack, window) for stack in stacks for window in _cells(stack.shape)]
    if len(windows) <= _MOST_WINDOWS:
        return windows
    random = np.random.default_rng((seed, 3))
    # Where labels are few, most windows have none: those that have some are looked for.
    shuffled = random.permutation(len(windows))
    fitting = (int(i) for i in shuffled if fit(*windows[i]))
    return [windows[i] for i in sorted(islice(fitting, _MOST_WINDOWS))]


def _cells(shape: tuple[int, int]) -> Iterator[Window]:
    for y in range(0, shape[0], WINDOW):
        for x in range(0, shape[1], WINDOW):
            yield Window(y, x, min(WINDOW, shape[0] - y), min(WINDOW, shape[1] - x))


def widen(window: Window, halo: int, shape: tuple[int, int]) -> Window:
    """A window and `halo` pixels around it, as far as a raster of `shape` goes."""
    y, x = max(window.y - halo, 0), max(window.x - halo, 0)
    bottom = min(window.y + window.h + halo, shape[0])
    right = min(window.x + window.w + halo, shape[1])
    return Window(y, x, bottom - y, right - x)
