"""Which patches to label first: those that together hold what the scene holds.

Pixels are clustered by what they look like, as `overcast.methods.weak` does. Patches are
chosen one after the other, each so that the clusters in those chosen so far are as like
the clusters in all as can be, by the Bhattacharyya coefficient

    B(S) = sum_k sqrt(p_k q_k(S)),

p_k being the share of cluster k in all patches and q_k(S) that in the chosen ones; means
over clusterings. Where all patches have as many pixels, this maximises a monotone
submodular function, and choosing one by one gets 1 - 1/e of the best or more (Nemhauser
et al. 1978, Math. Program. 14, 265-294).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from overcast.geo.stack import Stack
from overcast.geo.tiling import Window
from overcast.methods.features import halo_of, pixel_features
from overcast.methods.sampling import sample_seen, widen
from overcast.methods.weak.clusters import clusters_of, find_clusters, widths_of
from overcast.progress import Progress

Floats = NDArray[np.float64]

MOST = 2048
"""Of more patches, so many are drawn at random and chosen from."""
_CLUSTERS, _DIMENSIONS, _SAMPLES = (512, 512), 15, 60_000


@dataclass(frozen=True, slots=True)
class SuggestedPatch:
    """A patch to label; `likeness` is B of it and all before it, 0 to 1."""

    window: Window
    likeness: float


def patches_of(shape: tuple[int, int], side: int, seed: int) -> list[Window]:
    """Whole squares of `side` pixels side by side, `MOST` at most, in order of place.

    Raises
    ------
    ValueError
        If there is no whole one.
    """
    height, width = shape
    squares = [
        Window(y, x, side, side)
        for y in range(0, height - side + 1, side)
        for x in range(0, width - side + 1, side)
    ]
    if not squares:
        raise ValueError(
            f"no patch of {side} x {side} pixels in a grid of {height} x {width}; give "
            "a smaller side"
        )
    if len(squares) <= MOST:
        return squares
    chosen = np.random.default_rng(seed).choice(len(squares), MOST, replace=False)
    return [squares[i] for i in sorted(chosen)]


def telling_patches(
    stack: Stack, windows: Sequence[Window], count: int, seed: int, progress: Progress
) -> list[SuggestedPatch]:
    """Choose `count` of some windows, the most telling first; labels are not looked at.

    Raises
    ------
    ValueError
        If in fewer windows than `count` a sensor saw anything.
    """
    sensors, halo = stack.sensors, halo_of(stack.sensors)
    seen = sample_seen(
        [stack],
        lambda chip: pixel_features(chip, sensors),
        _SAMPLES,
        halo=halo,
        seed=seed,
        progress=progress,
    )
    arrays = find_clusters(seen, _CLUSTERS, _DIMENSIONS, seed, progress)
    widths = widths_of(arrays)
    tables = [np.zeros((len(windows), width)) for width in widths]
    for row, window in enumerate(windows):
        wide = widen(window, halo, stack.shape)
        features = pixel_features(stack.read(wide), sensors)
        y, x = window.y - wide.y, window.x - wide.x
        inside = features[:, y : y + window.h, x : x + window.w]
        pixels = inside.reshape(len(inside), -1).T
        for table, clusters in zip(tables, clusters_of(pixels, arrays), strict=True):
            table[row] = np.bincount(clusters[clusters >= 0], minlength=table.shape[1])
        progress("looking", row + 1, len(windows))
    if (visible := int((tables[0].sum(1) > 0).sum())) < count:
        raise ValueError(
            f"{count} patches asked for, and {visible} have anything to see; give a "
            "smaller count or side"
        )
    order, likeness = most_like_all(np.concatenate(tables, 1), count)
    pairs = zip(order, likeness, strict=True)
    return [SuggestedPatch(windows[row], float(alike)) for row, alike in pairs]


def most_like_all(table: Floats, count: int) -> tuple[NDArray[np.intp], Floats]:
    """Choose `count` rows whose sum is like that of all rows, one by one.

    Parameters
    ----------
    table
        Counts ``[P, K]``: pixels of K clusters in P patches.
    count
        Rows to choose, of those that have any.

    Returns
    -------
    tuple
        Rows ``[count]`` in the order in which they were chosen, and the Bhattacharyya
        coefficient of each with those before it.

    Examples
    --------
    >>> rows, alike = most_like_all(np.array([[9.0, 0], [8, 1], [0, 9]]), 2)
    >>> rows.tolist(), alike.round(2).tolist()
    ([1, 2], [0.95, 0.98])
    """
    share = table.sum(0) / table.sum()
    chosen: list[int] = []
    likeness = []
    together = np.zeros(table.shape[1])
    free = table.sum(1) > 0
    for _ in range(count):
        gain = np.sqrt(together + table) @ np.sqrt(share)
        best = int(np.where(free, gain, -1).argmax())
        chosen.append(best)
        free[best] = False
        together = together + table[best]
        likeness.append(float(np.sqrt(share * together / together.sum()).sum()))
    return np.array(chosen, np.intp), np.array(likeness)
