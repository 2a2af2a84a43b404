"""Which part of a grid other grids cover, and how much of it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox
from odc.geo.overlap import compute_reproject_roi

from overcast.geo.warp import aligned, around, pixel_of

_LATTICE = 256
"""Pixels along each side at which it is looked whether a grid is covered."""
_ROUNDING_PX = 2

Spans = tuple[slice, slice]


def common_grid(reference: GeoBox, others: Mapping[str, GeoBox]) -> GeoBox:
    """Part of `reference` that every one of `others` covers, on its very pixels.

    `others` are named, so that the error can say which one lies elsewhere. Outlines
    that are not parallel to the grid are covered by their bounding box.

    Raises
    ------
    ValueError
        If an input does not overlap the part that is left.
    """
    rows, columns = (slice(0, n) for n in reference.shape)
    for name, grid in others.items():
        rows, columns = (
            slice(max(a.start, b.start), min(a.stop, b.stop))
            for a, b in zip(
                (rows, columns), _covered(reference, grid, name), strict=True
            )
        )
        if rows.stop <= rows.start or columns.stop <= columns.start:
            raise ValueError(
                f"{name}: no overlap with the other inputs; it covers {_extent(grid)}, "
                f"the grid {_extent(reference)}"
            )
    return reference[rows, columns]


def share_of(reference: GeoBox, grid: GeoBox) -> float:
    """Share of the pixels of `reference` whose centres lie in `grid`, 0 to 1."""
    if (offset := aligned(reference, grid)) is not None:
        sides = [
            max(0, min(o + n, m) - max(o, 0)) / m
            for o, n, m in zip(offset, grid.shape, reference.shape, strict=True)
        ]
        return sides[0] * sides[1]
    return float(_inside(_lattice(reference), grid).mean())


def _covered(reference: GeoBox, grid: GeoBox, name: str) -> Spans:
    """Rows and columns of `reference` that `grid` covers."""
    small = _lattice(reference)
    inside = _inside(small, grid)
    _refuse_turned(small, grid, name)
    if (offset := aligned(reference, grid)) is not None:
        y, x = (
            slice(max(o, 0), min(o + n, m))
            for o, n, m in zip(offset, grid.shape, reference.shape, strict=True)
        )
        return y, x
    try:
        outline = compute_reproject_roi(grid, reference).roi_dst
    except np.linalg.LinAlgError:
        raise ValueError(
            f"{name}: its CRS {_name(grid)} can't be related to the grid's "
            f"{_name(reference)} where the grid lies, as at a pole; give the file in "
            "the CRS of the image (gdalwarp -t_srs)"
        ) from None
    y, x = (slice(span.start, span.stop) for span in outline)
    height, width = reference.shape
    return (
        _widened(y, np.asarray(inside.any(1)), height),
        _widened(x, np.asarray(inside.any(0)), width),
    )


def _lattice(grid: GeoBox) -> GeoBox:
    """The same place in few pixels."""
    height, width = (min(int(n), _LATTICE) for n in grid.shape)
    return grid.zoom_to((height, width))


def _inside(small: GeoBox, grid: GeoBox) -> NDArray[np.bool_]:
    """Return which pixels of a small grid have their centre in `grid`."""
    row, column = pixel_of(grid, small)
    height, width = grid.shape
    return (row >= 0) & (row < height) & (column >= 0) & (column < width)


def _widened(span: slice, inside: NDArray[np.bool_], size: int) -> slice:
    """Return what an outline says of one side, and what single pixels do.

    An outline across 180 degrees or a pole, projected, is none of the place.
    """
    if not inside.any():
        return slice(span.start, span.stop)
    first, last = np.flatnonzero(inside)[[0, -1]]
    step = size / len(inside)
    start, stop = round(first * step), round((last + 1) * step)
    return slice(
        start if start < span.start - _ROUNDING_PX else span.start,
        stop if stop > span.stop + _ROUNDING_PX else span.stop,
    )


def _refuse_turned(small: GeoBox, grid: GeoBox, name: str) -> None:
    """Refuse degrees that are counted in another way than those of the grid."""
    if not all(g.crs is not None and g.crs.geographic for g in (small, grid)):
        return
    longitude = small.affine.c + small.affine.a * (np.arange(small.shape[1]) + 0.5)
    if (around(longitude, grid) != longitude).any():
        raise ValueError(
            f"{name}: its longitudes are {_longitudes(grid)}, those of the grid "
            f"{_longitudes(small)}, which is the same place counted from another "
            "meridian; give both in one way (gdalwarp -t_srs to a UTM zone, or "
            "gdal_translate -a_ullr)"
        )


def _longitudes(grid: GeoBox) -> str:
    box = grid.extent.boundingbox
    return f"{box.left:g}..{box.right:g}"


def _name(grid: GeoBox) -> str:
    assert grid.crs is not None
    code = grid.crs.to_epsg()
    return f"EPSG:{code}" if code else str(grid.crs)[:40]


def _extent(grid: GeoBox) -> str:
    box = grid.geographic_extent.boundingbox
    return f"{box.left:.3f}..{box.right:.3f} E, {box.bottom:.3f}..{box.top:.3f} N"
