"""Strata of the windows that are learned from: zones, polygons such as ecoregions, or none.

Each stratum shows enough cells of every class that its labels name.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import shapely
from numpy.typing import NDArray

from overcast.geo.location import Location
from overcast.geo.outlines import areal
from overcast.geo.stack import Stack
from overcast.geo.tiling import Window
from overcast.geo.vectors import read_features

ZONES, NONE = "zones", "none"
Numbers = NDArray[np.int64]


def strata_of(
    strata: str,
    column: str | None,
    stacks: Sequence[Stack],
    windows: Sequence[tuple[int, Window]],
) -> Numbers:
    """Stratum of every window ``[W]``.

    Parameters
    ----------
    strata
        ``zones``: a stack each; ``none``: one of all; or a file of polygons, of which
        each is one, and all that lies in none is another.
    column
        Polygons with the same value there are one stratum.

    Raises
    ------
    ValueError
        If the file is refused, or no polygon holds a window.
    """
    index = np.array([number for number, _ in windows], np.int64)
    if strata == ZONES:
        return index
    if strata == NONE:
        return np.zeros(len(windows), np.int64)
    features, _ = areal(read_features(Location.of(strata), column))
    names = list(map(str, range(len(features.shapes))))
    if column is not None:
        names = list(features.column(column))
    _, own = np.unique(names, return_inverse=True)
    stratum = np.full(len(windows), -1, np.int64)
    for number, stack in enumerate(stacks):
        here = np.flatnonzero(index == number)
        tree = shapely.STRtree(features.to_crs(str(stack.grid.crs)))
        centres = shapely.points([_centre(stack, windows[int(k)][1]) for k in here])
        window, polygon = tree.query(centres, predicate="intersects")
        stratum[here[window]] = own.ravel()[polygon]
    if (stratum < 0).all():
        raise ValueError(
            f"{strata}: no polygon holds a part of the region; give those of this place"
        )
    return stratum


def _centre(stack: Stack, window: Window) -> tuple[float, float]:
    box = stack.grid[window.slices].boundingbox
    return (box.left + box.right) / 2, (box.bottom + box.top) / 2
