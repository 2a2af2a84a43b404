"""Whether labels of cells lie beside the land that they are of.

A map with the wrong datum, a corner taken for a centre or a cell lost on the way lies half
a cell or more beside the ground. A predictor that learned from it still looks like the
ground. With P its probabilities and l_d the labels moved by d,

    e(d) = mean P(l_d | x)

is highest at the place where labels belong, or near it, since the predictor learned a
part of the mistake. Moves of half a cell and of a cell in eight directions are tried.

The best one counts if the sum over squares of a cell of what it gains is `SURE` times its
standard error, the root of the sum of squares, or more: neighbours within a cell are no
new evidence. In a scene of a few dozen cells that is never so.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox

from overcast.geo.raster import UNKNOWN
from overcast.geo.stack import LabelSource
from overcast.label_quality.registration import Shift

SURE = 2.0
"""Standard errors from which labels are said to lie beside the land: of development
worlds 3 and 5 and two tiles, 2.0 to 6.1 where labels of 100 m do, at most 1.2 elsewhere."""
_LEAST_SIDE = 4
"""Pixels of the images along a cell, at least: smaller ones blur into their neighbours."""
_LEAST_CELLS = 20

View = tuple[GeoBox, NDArray[np.float32]]
"""A window's grid, and the probabilities ``[K, h, w]`` of a map in it."""


def beside_land(
    labels: LabelSource, views: Sequence[View], side: float
) -> Shift | None:
    """Return how far labels must be moved; None if they lie where they belong.

    `side` is that of a cell in pixels of the views.
    """
    if side < _LEAST_SIDE:
        return None
    moves = [(0, 0)]
    moves += [
        (round(part * side * down), round(part * side * right))
        for part in (0.5, 1.0)
        for down, right in product((-1, 0, 1), repeat=2)
        if down or right
    ]
    gains = np.concatenate(
        [_gains(labels, view, moves, side) for view in views]
        or [np.zeros((0, len(moves)))]
    )
    if len(gains) < _LEAST_CELLS:
        return None
    total, error = gains.sum(0), np.sqrt((gains**2).sum(0))
    best = int(total.argmax())
    if total[best] <= 0 or total[best] < SURE * error[best]:
        return None
    down, right = moves[best]
    return Shift(-down, -right)


def _gains(
    labels: LabelSource, view: View, moves: Sequence[tuple[int, int]], side: float
) -> NDArray[np.float64]:
    """What every move gains over none, ``[J, M]`` by squares of a cell."""
    grid, values = view
    read = np.stack(
        [labels.read(grid.translate_pix(right, down)).values for down, right in moves]
    )
    known = (read != UNKNOWN).all(0) & (values.sum(0) > 0)
    row, column = (at[known] // side for at in np.indices(grid.shape))
    _, square = np.unique(row * grid.shape[1] + column, return_inverse=True)
    pixels, every = values[:, known], read[:, known]
    right = [pixels[one, np.arange(len(one))] for one in every]
    return np.stack([np.bincount(square, weights=one - right[0]) for one in right], 1)
