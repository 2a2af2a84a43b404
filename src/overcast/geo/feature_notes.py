"""How many features label a pixel of a grid, and why others label none."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import rasterio.features
import shapely
from numpy.typing import NDArray

from overcast.geo.overlay import PointLabels, PolygonLabels, pixels_under, within
from overcast.geo.raster import UNKNOWN
from overcast.geo.tiling import pieces

_NONE = -1
"""Feature of a pixel that none labels."""


def looked_at(labels: PolygonLabels | PointLabels) -> PolygonLabels | PointLabels:
    """Points or polygons with notes on those that label no pixel, or share one.

    Raises
    ------
    ValueError
        If none labels a pixel of its grid.
    """
    if isinstance(labels, PolygonLabels):
        used, notes = _of_polygons(labels)
    else:
        used, notes = _of_points(labels)
    if not used:
        raise ValueError(
            f"{labels.path}: no feature with a class has a pixel of the images in it; "
            "check that they are of the same place"
        )
    name = labels.path.name
    return replace(labels, notes=(*labels.notes, *(f"{name}: {n}" for n in notes)))


def _of_polygons(labels: PolygonLabels) -> tuple[int, list[str]]:
    known = labels.classes != UNKNOWN
    box = shapely.box(*labels.grid.boundingbox.bbox)
    near = shapely.intersects(labels.shapes, box) & known
    small = near & ~np.isnan(labels.inner[:, 0])
    first, last = (_burnt(labels, near & ~small, step) for step in (-1, 1))
    used: set[int] = set()
    contested = 0
    for below, above in zip(first, last, strict=True):
        used |= set(np.unique(above).tolist())
        both = below != above
        contested += int(
            (labels.classes[below[both]] != labels.classes[above[both]]).sum()
        )
    used.discard(_NONE)
    used |= _inner_used(labels, small)
    notes = list(_lost(int(known.sum()), int((known & ~near).sum()), len(used)))
    if small.any():
        notes.append(
            f"{int(small.sum())} polygons are so small that they hold no pixel's centre; "
            "each labels the pixel that it lies in, if no other polygon does"
        )
    if contested:
        notes.append(
            f"{contested} pixels lie in polygons of different classes; the later one in "
            "the file counts"
        )
    return len(used), notes


def _burnt(
    labels: PolygonLabels, large: NDArray[np.bool_], step: int
) -> Iterator[NDArray[np.int32]]:
    """Number of the last of the `large` polygons over every pixel, band by band.

    With a `step` of -1, of the first.
    """
    for spans in pieces(labels.grid):
        grid = labels.grid[spans]
        values = np.full(grid.shape, _NONE, np.int32)
        box = shapely.box(*grid.boundingbox.bbox)
        here = np.flatnonzero(shapely.intersects(labels.shapes, box) & large)[::step]
        if here.size:
            shapes = ((labels.shapes[k], int(k)) for k in here)
            rasterio.features.rasterize(shapes, out=values, transform=grid.affine)
        yield values


def _inner_used(labels: PolygonLabels, small: NDArray[np.bool_]) -> set[int]:
    """Small polygons whose pixel has their class."""
    which = np.flatnonzero(small)
    columns, rows = (np.floor(v).astype(np.int64) for v in labels.inner[which].T)
    inside = within(rows, columns, labels.grid)
    used = set()
    for spans in pieces(labels.grid) if inside.any() else ():
        here = inside & (rows >= spans[0].start) & (rows < spans[0].stop)
        values = labels.read(labels.grid[spans]).values if here.any() else None
        if values is not None:
            codes = values[rows[here] - spans[0].start, columns[here]]
            used |= set(which[here][codes == labels.classes[which[here]]].tolist())
    return used


def _of_points(labels: PointLabels) -> tuple[int, list[str]]:
    known = labels.classes != UNKNOWN
    rows, columns = pixels_under(labels.grid, labels.points)
    inside = within(rows, columns, labels.grid) & known
    place = rows[inside] * labels.grid.shape[1] + columns[inside]
    pairs = np.unique(
        np.stack([place, labels.classes[inside].astype(np.int64)]), axis=1
    )
    _, often = np.unique(pairs[0], return_counts=True)
    notes = list(
        _lost(int(known.sum()), int((known & ~inside).sum()), int(inside.sum()))
    )
    if contested := int((often > 1).sum()):
        notes.append(
            f"{contested} pixels have points of different classes; the later one in the "
            "file counts"
        )
    return int(inside.sum()), notes


def _lost(known: int, outside: int, used: int) -> Iterator[str]:
    """Say how many features with a class label no pixel."""
    if used == known:
        return
    hidden = known - outside - used
    reasons = [f"{outside} lie outside of the images"] if outside else []
    reasons += [f"{hidden} lie under others"] if hidden else []
    yield f"{known - used} of {known} features label no pixel: {', '.join(reasons)}"
