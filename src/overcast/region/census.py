"""Which classes the labels of a region name, and the windows that are learned from.

All labels are counted once, block by block, at a coarser pixel. Windows are then chosen
by what they show: enough cells of every class in every stratum, the rare classes first.
A class that two windows of ten thousand name is learned from these two.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox

from overcast.geo.extent import areas_ha
from overcast.geo.raster import UNKNOWN
from overcast.geo.stack import LabelSource, Stack
from overcast.geo.tiling import Window
from overcast.geo.warp import overlap
from overcast.methods.over import Chosen, Each
from overcast.methods.sampling import WINDOW

ENOUGH = 600
"""Cells of a class in a stratum: three times what a smooth estimate is made for."""
_LEAST, _MOST = 64, 64
"""Windows of any content in all, and windows for one class in a stratum."""
_COARSER, _LOOK_PX = 8, 128
_ACROSS = 8
"""Windows along a block that is counted at once."""
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Census:
    """Label cells of every window.

    Attributes
    ----------
    windows
        Number of the stack and window, in order.
    cells
        Label cells of every class in every window ``[W, K]``, with fractions.
    pixels
        The same in pixels.
    """

    windows: tuple[tuple[int, Window], ...]
    cells: Floats
    pixels: Floats


def take_census(stacks: Sequence[Stack], outlines: Sequence[Any], each: Each) -> Census:
    """Count the labels of all windows of some stacks that touch an outline.

    Parameters
    ----------
    stacks
        One a zone, with labels of one legend.
    outlines
        Of each, in its own projection.
    each
        How work on blocks is done.
    """
    blocks = [
        (index, stack, windows)
        for index, (stack, outline) in enumerate(zip(stacks, outlines, strict=True))
        for windows in _blocks(stack, outline)
    ]
    tasks = [(stack.labels, stack.grid, windows) for _, stack, windows in blocks]
    counted = each(_count_block, tasks, "reading labels")
    windows = [(index, w) for index, _, some in blocks for w in some]
    pixels = np.concatenate(counted)
    sizes = np.concatenate([np.full(len(w), _cell_pixels(s)) for _, s, w in blocks])
    order = sorted(range(len(windows)), key=lambda i: windows[i])
    return Census(
        tuple(windows[i] for i in order),
        (pixels / sizes[:, None])[order],
        pixels[order],
    )


def choose_windows(
    census: Census, seed: int, each: Each, strata: NDArray[np.int64] | None = None
) -> Chosen:
    """Windows that show enough cells of every class, and some of any content.

    `strata` ``[W]`` say which stratum each window is of; without them, every stack is
    one. The choice depends on the census, the strata and the seed alone.
    """
    random = np.random.default_rng((seed, 31))
    shuffled = random.permutation(len(census.windows))
    taken = np.zeros(len(shuffled), np.bool_)
    taken[shuffled[census.cells[shuffled].any(1)][:_LEAST]] = True
    if strata is None:
        strata = np.array([index for index, _ in census.windows])
    for stratum in np.unique(strata):
        inside = shuffled[strata[shuffled] == stratum]
        totals = census.cells[inside].sum(0)
        for c in np.argsort(totals, kind="stable"):
            taken[_enough(census.cells[:, c], inside, taken)] = True
    return Chosen(
        tuple(census.windows[i] for i in np.flatnonzero(taken)),
        census.pixels.sum(0),
        census.pixels[taken].sum(0),
        each,
    )


def _enough(
    cells: Floats, inside: NDArray[np.intp], taken: NDArray[np.bool_]
) -> NDArray[np.intp]:
    """Windows to be added, so that there are enough cells of a class."""
    held = float(cells[inside[taken[inside]]].sum())
    more = inside[~taken[inside] & (cells[inside] > 0)][:_MOST]
    before = held + np.cumsum(cells[more]) - cells[more]
    return more[before < ENOUGH]


def _blocks(stack: Stack, outline: Any) -> list[list[Window]]:
    """Windows of a stack that touch an outline, those of a block together."""
    h, w = stack.shape
    shapely.prepare(outline)
    size = _ACROSS * WINDOW
    blocks = []
    for top in range(0, h, size):
        for left in range(0, w, size):
            windows = [
                Window(y, x, min(WINDOW, h - y), min(WINDOW, w - x))
                for y in range(top, min(top + size, h), WINDOW)
                for x in range(left, min(left + size, w), WINDOW)
            ]
            own = [one for one in windows if _touches(stack.grid, one, outline)]
            if own:
                blocks.append(own)
    return blocks


def _touches(grid: GeoBox, window: Window, outline: Any) -> bool:
    box = grid[window.slices].boundingbox
    return bool(outline.intersects(shapely.box(*box.bbox)))


def _count_block(block: tuple[LabelSource, GeoBox, Sequence[Window]]) -> Floats:
    """Pixels of every class in some windows of a block ``[W, K]``, about."""
    labels, whole, windows = block
    counts = np.zeros((len(windows), len(labels.legend)))
    top, left = min(w.y for w in windows), min(w.x for w in windows)
    bottom = max(w.y + w.h for w in windows)
    right = max(w.x + w.w for w in windows)
    grid = whole[top:bottom, left:right]
    shape = (-(-(bottom - top) // _COARSER), -(-(right - left) // _COARSER))
    values = labels.read(grid.zoom_to(shape)).values
    per = (bottom - top) * (right - left) / (shape[0] * shape[1])
    for number, window in enumerate(windows):
        y, x = (window.y - top) // _COARSER, (window.x - left) // _COARSER
        part = values[
            y : y + -(-window.h // _COARSER), x : x + -(-window.w // _COARSER)
        ]
        known = part[part != UNKNOWN]
        counts[number] = per * np.bincount(known, minlength=len(labels.legend))
    return counts


def _cell_pixels(stack: Stack) -> float:
    """Pixels of a stack in a pixel of its labels, at least one."""
    labels = stack.labels
    assert labels is not None
    h, w = stack.shape
    rows = slice(max(h // 2 - _LOOK_PX, 0), h // 2 + _LOOK_PX)
    middle = stack.grid[rows, max(w // 2 - _LOOK_PX, 0) : w // 2 + _LOOK_PX]
    if (spans := overlap(labels.grid, middle)) is None:
        return 1.0
    one = np.array([1])
    (label_ha,), (pixel_ha,) = (areas_ha(one, g) for g in (labels.grid[spans], middle))
    return max(label_ha / pixel_ha, 1.0)
