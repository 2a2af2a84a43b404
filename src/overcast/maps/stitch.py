"""Blend overlapping windows into finished bands of rows, in constant memory.

    band[k, y, x] = sum over windows w of  a_w(y) b_w(x) values_w[k, y, x]

where a and b are the ramps of `Tiling`, which sum to 1 at every pixel. Only one row
of windows is held: rows that no later window touches are finished and leave.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from overcast.geo.tiling import Tiling, Window

Floats = NDArray[np.float32]
Shape = tuple[int, int]


def windows_from(tiling: Tiling, shape: Shape, first_row: int = 0) -> Iterator[Window]:
    """Windows that rows from `first_row` on draw on, in row-major order.

    Examples
    --------
    >>> [w.y for w in windows_from(Tiling(4, 1), (9, 4), first_row=5)]
    [2, 5]
    """
    for window in tiling.windows(shape):
        if window.y + window.h > first_row:
            yield window


def stitch(
    parts: Iterable[tuple[Window, Floats | None]],
    tiling: Tiling,
    shape: Shape,
    classes: int,
    first_row: int = 0,
) -> Iterator[tuple[int, Floats]]:
    """Yield bands of finished rows, top down.

    What is yielded from `first_row` on is, bit for bit, what a stitching from row 0
    yields there: sums are made in the same order.

    Parameters
    ----------
    parts
        Every window of ``windows_from(tiling, shape, first_row)`` in that order, with
        its values float32 ``[K, h, w]``; None counts as zero everywhere.
    tiling
        How the raster was cut.
    shape
        Rows and columns of the raster.
    classes
        K.
    first_row
        Rows above are not wanted.

    Yields
    ------
    tuple[int, NDArray[np.float32]]
        First row, and blended values ``[K, rows, W]``, which the caller may keep.

    Raises
    ------
    ValueError
        If a window is missing or out of order, or its values have another shape.
    """
    source = iter(parts)
    down, across = tiling.ramps(shape[0]), tiling.ramps(shape[1])
    ends = [*tiling.starts(shape[0])[1:], shape[0]]
    begun = np.zeros((classes, 0, shape[1]), np.float32)
    for row, end in zip(tiling.rows(shape), ends, strict=True):
        top, height = row[0].y, row[0].h
        if top + height <= first_row:
            continue
        sums = np.zeros((classes, height, shape[1]), np.float32)
        sums[:, : begun.shape[1]] = begun
        for window in row:
            values = _next(source, window, classes)
            if values is not None:
                weight = np.outer(down[top], across[window.x])
                _add(sums[:, :, window.x : window.x + window.w], values, weight)
        begun = sums[:, end - top :]
        if end > first_row:
            start = max(top, first_row)
            yield start, sums[:, start - top : end - top]


def _next(
    source: Iterator[tuple[Window, Floats | None]], expected: Window, classes: int
) -> Floats | None:
    window, values = next(source, (None, None))
    if window != expected:
        raise ValueError(
            f"windows must come row by row: got {window}, expected {expected}"
        )
    shape = (classes, expected.h, expected.w)
    if values is not None and values.shape != shape:
        raise ValueError(
            f"values of {expected} have shape {values.shape}, expected {shape}: "
            "classes, rows, columns"
        )
    return values


def _add(sums: Floats, values: Floats, weight: Floats) -> None:
    # Class by class, the product stays in the processor's cache.
    product = np.empty_like(weight)
    for k, value in enumerate(values):
        np.multiply(value, weight, out=product)
        sums[k] += product
