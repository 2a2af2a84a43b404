"""How coarse a class map really is: the spacing of the borders between its classes.

A coarse map resampled onto a fine grid consists of blocks, as wide as its own pixels
were, in round numbers or not. Along a row, borders between classes then lie on a comb of
that spacing w, wherever it begins, so that with x_1 ... x_n the places of the n borders

    R(f) = sum over rows (|sum_k exp(2 pi i f x_k)|^2 - n) / sum over rows (n^2 - n),

the mean of cos(2 pi f d) over all pairs of borders of one row, d apart, is near 1 at
f = 1/w and its multiples. In a map that is as fine as its grid nothing like it is seen.
Every row may have a comb of its own, so a lattice may be turned a little, or slanted as
MODIS's is on any map, and blocks may differ in width by a pixel.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from overcast.geo.raster import UNKNOWN

_FALLEN, _COHERENT = 0.3, 0.45
"""R falls to the first between its peaks and rises to the second at them. On simulated
scenes it stays below .15 in fine maps, and rises above .6 in one direction or the other
where coarse ones are warped twice."""
_SURE = 5.0
"""Standard deviations of R, from which it counts, were all borders drawn by chance."""
_FINEST = 2.5
"""Spacing in pixels below which blocks can't be told from pixels."""
_FEWEST = 4
"""Blocks along a row, at least: fewer borders than so many lie on a comb by chance."""
_KNOWN = 0.5
"""Share of pixels with a class, at least. Pieces of a scene that somebody labelled have
borders where the pieces are, which says nothing of blocks; a map covers what it maps."""


def grain(classes: NDArray[np.integer], unknown: int = UNKNOWN) -> float:
    """Side in pixels of the blocks that classes ``[H, W]`` consist of; 1 if they don't.

    Also 1 where that can't be told: of fewer than four blocks along both sides, and of
    classes of less than half of the pixels.

    Examples
    --------
    >>> coarse = np.random.default_rng(0).integers(0, 5, (9, 9))
    >>> round(grain(coarse.repeat(7, 0).repeat(7, 1)))
    7
    >>> grain(coarse)
    1.0
    """
    if (classes != unknown).mean() < _KNOWN:
        return 1.0
    return max(_spacing(turned, unknown) for turned in (classes, classes.T))


def on_blocks(classes: NDArray[np.integer], unknown: int = UNKNOWN) -> list[str]:
    """Say that classes ``[H, W]`` consist of blocks, if they do."""
    side = grain(classes, unknown)
    if side == 1:
        return []
    return [
        f"blocks of about {side:.0f} pixels: a coarser map on a finer grid; method weak "
        "learns from such blocks, everything else takes every pixel for a label"
    ]


def _spacing(classes: NDArray[np.integer], unknown: int) -> float:
    """Spacing of the borders along rows; 1 if there is none."""
    before, after = classes[:, :-1], classes[:, 1:]
    border = (before != after) & (before != unknown) & (after != unknown)
    # Rows that repeat each other, as those of one block do, are one piece of evidence.
    border = border[np.r_[True, (border[1:] != border[:-1]).any(1)]]
    often = border.sum(1)
    pairs = int((often * (often - 1)).sum())
    if not pairs:
        return 1.0
    length = 4 * border.shape[1]  # so that no peak falls between two frequencies
    power = np.zeros(length // 2 + 1)
    for part in np.array_split(border, -(-len(border) // 128)):
        power += (np.abs(np.fft.rfft(part, length, axis=1)) ** 2).sum(0)
    coherence = ((power - often.sum()) / pairs)[: int(length / _FINEST)]
    enough = max(_COHERENT, _SURE / pairs**0.5)
    fallen = np.flatnonzero(coherence < _FALLEN)
    if not fallen.size:
        return 1.0
    rises = np.flatnonzero(coherence[fallen[0] :] > enough)
    if not rises.size:
        return 1.0
    first = fallen[0] + rises[0]
    if first * border.shape[1] < _FEWEST * length:
        return 1.0  # what follows may be multiples of it
    ends = np.flatnonzero(coherence[first:] <= enough)
    last = first + ends[0] if ends.size else len(coherence)
    return float(length / (first + coherence[first:last].argmax()))
