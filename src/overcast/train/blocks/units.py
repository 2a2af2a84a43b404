"""How a stack is cut into units that follow the blocks of its files.

`overcast.train.blocks.regions` reads two by two of them at once.
"""

from __future__ import annotations

from math import ceil

import numpy as np
from odc.geo.overlap import compute_reproject_roi

from overcast.geo.stack import Stack
from overcast.geo.tiling import Window
from overcast.geo.warp import aligned

_UNIT_PX = 512
"""Least side of a unit, so that a region of tiles is about 1024 pixels square."""
Span = tuple[int, int]


def pixel_bytes(stack: Stack) -> int:
    """Memory that a pixel of a region takes: values and validity, label and class."""
    return sum(4 * len(s.sensor.bands) + 1 for s in stack.images.values()) + 2


def unit_edges(stack: Stack, size: int, memory: int) -> tuple[list[int], list[int]]:
    """Edges of the units along both axes, on edges of blocks where it can be."""
    height, width = stack.shape
    most = memory // 4 // pixel_bytes(stack)
    if height * width <= most:
        return [0, height], [0, width]
    (block_h, first_y), (block_w, first_x) = (
        longest_block(stack, axis) for axis in (0, 1)
    )
    w = min(round_up(block_w, max(size, _UNIT_PX)), width)
    # Strips: the wider the blocks, the fewer rows.
    least = np.clip(_UNIT_PX**2 // w, size, max(size, _UNIT_PX))
    h = min(round_up(block_h, int(least)), height)
    while min(2 * h, height) * min(2 * w, width) > most and max(h, w) > size:
        h, w = (h, max(w // 2, size)) if w > size else (max(h // 2, size), w)
    return cuts_of(height, h, first_y), cuts_of(width, w, first_x)


def longest_block(stack: Stack, axis: int) -> tuple[int, int]:
    """Longest block of the images along an axis, and where the first of them begins."""
    lengths = []
    for source in stack.images.values():
        block = source.blocks[axis]
        if offset := aligned(source.grid, stack.grid):
            lengths.append((block, -offset[axis] % block))
        else:
            scale = compute_reproject_roi(source.grid, stack.grid).scale
            lengths.append((max(round(block / scale), 1), 0))
    return max(lengths)


def round_up(block: int, least: int) -> int:
    """The smallest multiple of `block` that is not below `least`."""
    return block * ceil(least / block)


def cuts_of(length: int, unit: int, first: int) -> list[int]:
    """Edges of units; the first and the last are longer rather than too short.

    Examples
    --------
    >>> cuts_of(1800, 512, 0)
    [0, 512, 1024, 1800]
    """
    return [0, *range(first + unit, length - unit + 1, unit), length]


def spans_of(edges: list[int]) -> list[Span]:
    """First and last edge of the regions along an axis: each unit lies in two of them.

    Examples
    --------
    >>> spans_of([0, 5, 10, 15])
    [(0, 1), (0, 2), (1, 3), (2, 3)]
    >>> spans_of([0, 5, 10])
    [(0, 2)]
    """
    units = len(edges) - 1
    if units <= 2:
        return [(0, units)]
    return [(max(i, 0), min(i + 2, units)) for i in range(-1, units)]


def window_between(rows: list[int], columns: list[int]) -> Window:
    """Return the window from the first to the last of some edges."""
    return Window(rows[0], columns[0], rows[-1] - rows[0], columns[-1] - columns[0])
