"""Polygons as they are drawn: mended, and how they lie among the pixels of a grid."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import rasterio.features
import shapely
from affine import Affine
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox

from overcast.geo.vectors import Features, Geometries

_AREAL = ("Polygon", "MultiPolygon", "Point", "MultiPoint")
_FAT = 0.75
"""Pixels: a disc of this radius holds a pixel's centre, wherever it lies."""
_FEW = 100
"""So many centres in a bounding box are looked at one by one."""
_ROWS = 512
_BESIDE = 4096
"""Pixels beside the grid up to which centres are looked for: outlines may be endless."""


def areal(features: Features) -> tuple[Features, list[str]]:
    """Features with outlines that don't cross themselves, and what is said of it.

    Raises
    ------
    ValueError
        If a feature is neither a polygon nor a point, or has no area.
    """
    for row, shape in enumerate(features.shapes, 1):
        if shape.geom_type not in _AREAL:
            raise ValueError(
                f"{features.path}: row {row} is a {shape.geom_type}; labels are points or "
                "polygons, so give the area that a line stands for (a buffer)"
            )
    crossed = np.flatnonzero(~shapely.is_valid(features.shapes))
    shapes = features.shapes.copy()
    for k in crossed:
        shapes[k] = _mended(shapes[k])
        if shapes[k] is None:
            raise ValueError(
                f"{features.path}: row {k + 1} is a polygon without an area; delete it "
                "or draw it anew"
            )
    if not len(crossed):
        return features, []
    return replace(features, shapes=shapes), [
        f"{features.path.name}: {len(crossed)} polygons cross themselves (the first in "
        f"row {crossed[0] + 1}); they label what their outlines enclose"
    ]


def inner_points(shapes: Geometries, grid: GeoBox) -> NDArray[np.float64]:
    """Column and row ``[N, 2]`` of a point in every polygon without a pixel's centre.

    NaN for the others, and for what is no polygon or lies beside the grid.
    """
    points = np.full((len(shapes), 2), np.nan)
    box = shapely.box(*grid.boundingbox.bbox)
    near = np.flatnonzero(shapely.intersects(shapes, box))
    pixels: Geometries = shapely.transform(
        shapes[near], lambda x, y: _apply(~grid.affine, x, y), interleaved=False
    )
    for k, shape in zip(near, pixels, strict=True):
        if shape.geom_type.endswith("Polygon") and not _holds_a_centre(
            shape, (grid.height, grid.width)
        ):
            point = shapely.point_on_surface(shape)
            points[k] = point.x, point.y
    return points


def _apply(affine: Affine, x: Any, y: Any) -> Any:
    return affine * (x, y)


def _mended(shape: Any) -> Any:
    """The area of a polygon that crosses itself; None if there is none."""
    parts = shapely.get_parts(shapely.make_valid(shape))
    polygons = [
        p for part in parts for p in shapely.get_parts(part) if p.geom_type == "Polygon"
    ]
    return shapely.multipolygons(polygons) if polygons else None


def _holds_a_centre(shape: Any, size: tuple[int, int]) -> bool:
    """Return whether a polygon, in pixels of a grid of a size, holds the centre of one.

    Centres far beside the grid don't count.
    """
    left, top, right, bottom = shape.bounds
    rows, columns = _centres(top, bottom, size[0]), _centres(left, right, size[1])
    if not len(columns) or not len(rows):
        return False
    # The largest disc in a polygon has at least the radius of area over perimeter.
    if shape.area > _FAT * shape.length:
        return True
    if len(columns) * len(rows) <= _FEW:
        x, y = np.meshgrid(columns, rows)
        return bool(shapely.contains_xy(shape, x, y).any())
    for start in range(0, len(rows), _ROWS):
        part = min(_ROWS, len(rows) - start)
        corner = Affine.translation(columns[0] - 0.5, rows[start] - 0.5)
        size = (part, len(columns))
        if rasterio.features.rasterize([shape], size, transform=corner).any():
            return True
    return False


def _centres(low: float, high: float, size: int) -> NDArray[np.float64]:
    """Centres of pixels from `low` to `high`, on and near a grid of so many."""
    first = np.ceil(max(low, -_BESIDE) - 0.5)
    return np.arange(first, np.floor(min(high, size + _BESIDE) - 0.5) + 1) + 0.5
