"""One resampling from a grid to another: each value is moved once, to where it lies.

Continuous values are interpolated bilinearly onto a finer grid and averaged onto a
coarser one; classes go by the nearest pixel centre, or by majority where many fine
pixels fall into one. GDAL's transformer is by default allowed to be wrong by an eighth
of a *source* pixel, which is 62 m for a 500 m label; here every pixel is transformed
exactly.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox
from odc.geo.overlap import ReprojectInfo, compute_reproject_roi
from pyproj import Transformer
from rasterio.warp import Resampling, reproject

from overcast.geo.raster import UNKNOWN

_COARSER = 1.5
"""Above this many source pixels per target pixel, values are averaged."""
_MANY = 2.5
"""Above this many source pixels per target pixel, classes go by majority."""
_LATTICE_PX = 1e-3
_PADDING_PX = 3


def aligned(source: GeoBox, target: GeoBox) -> tuple[int, int] | None:
    """Row and column in `source` of the first pixel of `target`, if on one lattice.

    None where CRS, pixel size or orientation differ, or pixels don't coincide.
    """
    if source.crs != target.crs:
        return None
    between = ~source.affine @ target.affine
    offsets = (between.f, between.c)
    shear = max(abs(between.a - 1), abs(between.e - 1), abs(between.b), abs(between.d))
    # A relative error of the pixel size adds up over the width of the target.
    drift = shear * max(target.shape)
    if drift > _LATTICE_PX or any(abs(o - round(o)) > _LATTICE_PX for o in offsets):
        return None
    return round(offsets[0]), round(offsets[1])


def overlap(source: GeoBox, target: GeoBox) -> tuple[slice, slice] | None:
    """Rows and columns of `source` that `target` draws on; None if there are none."""
    if (offset := aligned(source, target)) is not None:
        spans = [
            slice(max(o, 0), min(o + n, m))
            for o, n, m in zip(offset, target.shape, source.shape, strict=True)
        ]
    else:
        info = _reprojection(source, target)
        if any(s.stop <= s.start for s in info.roi_src):
            return None
        pad = int(np.ceil(_PADDING_PX * max(info.scale, 1.0)))
        spans = [
            slice(max(s.start - pad, 0), min(s.stop + pad, m))
            for s, m in zip(info.roi_src, source.shape, strict=True)
        ]
        if _may_turn(source) and crosses_date_line(target):
            spans[1] = slice(0, source.shape[1])
    if any(s.stop <= s.start for s in spans):
        return None
    return spans[0], spans[1]


def warp_values(
    values: NDArray[np.float32], source: GeoBox, target: GeoBox
) -> NDArray[np.float32]:
    """Continuous ``[C, H, W]`` on `source` as ``[C, h, w]`` on `target`.

    NaN is "not observed": it takes no part in interpolation, and stands where
    nothing was observed.
    """
    scale = _reprojection(source, target).scale
    out = np.full((len(values), *target.shape), np.nan, np.float32)
    method = Resampling.average if scale > _COARSER else Resampling.bilinear
    _reproject(values, out, (source, target), method, np.nan)
    return out


def warp_classes(
    indices: NDArray[np.uint8], source: GeoBox, target: GeoBox
) -> NDArray[np.uint8]:
    """Class indices ``[H, W]`` on `source` as ``[h, w]`` on `target`; 255: unknown."""
    scale = _reprojection(source, target).scale
    out = np.full(target.shape, UNKNOWN, np.uint8)
    method = Resampling.mode if scale > _MANY else Resampling.nearest
    _reproject(indices, out, (source, target), method, UNKNOWN)
    return out


def class_fractions(
    indices: NDArray[np.uint8],
    classes: int,
    source: GeoBox,
    target: GeoBox,
    oversampling: int = 4,
) -> NDArray[np.float32]:
    """Share of the area of every target pixel that each class takes ``[K, h, w]``.

    Every target pixel is cut into `oversampling` squared pieces (more where the
    source is finer than they are), each piece takes the class it lies in, and pieces
    are counted; so a share is right to one piece along every border.
    """
    scale = _reprojection(source, target).scale
    pieces = max(oversampling, int(np.ceil(scale)))
    fine = target.zoom_out(1 / pieces)
    codes = np.full(fine.shape, UNKNOWN, np.uint8)
    _reproject(indices, codes, (source, fine), Resampling.nearest, UNKNOWN)
    h, w = target.shape
    cells = codes.reshape(h, pieces, w, pieces)
    counts = [(cells == k).mean((1, 3), dtype=np.float32) for k in range(classes)]
    return np.stack(counts).astype(np.float32)


def pixel_of(
    source: GeoBox, target: GeoBox
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Row and column in `source` that the centre of every pixel of `target` lies in.

    Both int64 ``[h, w]``; they may lie outside of `source`.
    """
    h, w = target.shape
    x, y = target.affine @ tuple(np.meshgrid(np.arange(w) + 0.5, np.arange(h) + 0.5))
    if source.crs != target.crs:
        transformer = Transformer.from_crs(
            str(target.crs), str(source.crs), always_xy=True
        )
        x, y = transformer.transform(x, y)
    if source.crs is not None and source.crs.geographic:
        x = around(x, source)
    column, row = ~source.affine @ (x, y)
    # What falls outside of the projection comes back as infinite.
    row, column = (np.nan_to_num(v, posinf=-1, neginf=-1) for v in (row, column))
    return np.floor(row).astype(np.int64), np.floor(column).astype(np.int64)


def around(longitude: NDArray[np.float64], grid: GeoBox) -> NDArray[np.float64]:
    """Longitudes that lie in a grid in degrees only after whole turns, so turned.

    Grids count from -180, from 0, or across 180 degrees.
    """
    box = grid.extent.boundingbox
    turned = box.left + (longitude - box.left) % 360
    outside = (longitude < box.left) | (longitude >= box.right)
    return np.where(outside & (turned < box.right), turned, longitude)


def crosses_date_line(target: GeoBox) -> bool:
    """Return whether a projected grid lies on both sides of 180 degrees."""
    if target.crs is None or target.crs.geographic:
        return False
    h, w = (min(int(n), 9) for n in target.shape)
    small = target.zoom_to((h, w))
    x, y = small.affine @ tuple(np.meshgrid(np.arange(w) + 0.5, np.arange(h) + 0.5))
    to_degrees = Transformer.from_crs(str(target.crs), "EPSG:4326", always_xy=True)
    longitude = to_degrees.transform(x, y)[0]
    return bool((longitude > 90).any() and (longitude < -90).any())


def _may_turn(source: GeoBox) -> bool:
    """Return whether a grid in degrees goes on beyond 180."""
    geographic = source.crs is not None and source.crs.geographic
    return geographic and bool(source.extent.boundingbox.right > 180)


def reaches(odd: NDArray[np.bool_], source: GeoBox, target: GeoBox) -> bool:
    """Return whether a pixel of `source` that is `odd` lies on `target`, if only in part.

    Where the grids are aligned, every pixel of `source` is taken to.
    """
    if not odd.any():
        return False
    if aligned(source, target) is not None:
        return True
    rows, columns = np.nonzero(odd)
    x, y = source.affine @ tuple(np.stack([columns, rows]) + 0.5)
    if source.crs != target.crs:
        to_target = Transformer.from_crs(
            str(source.crs), str(target.crs), always_xy=True
        )
        x, y = to_target.transform(x, y)
    column, row = ~target.affine @ (x, y)
    height, width = target.shape
    inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
    nearest = np.zeros(target.shape, np.uint8)
    if not inside.any():
        values = odd.astype(np.uint8)
        _reproject(values, nearest, (source, target), Resampling.nearest, UNKNOWN)
    return bool(inside.any() or (nearest == 1).any())


def _reprojection(source: GeoBox, target: GeoBox) -> ReprojectInfo:
    return compute_reproject_roi(source, target)


def _reproject(
    values: NDArray[np.float32] | NDArray[np.uint8],
    out: NDArray[np.float32] | NDArray[np.uint8],
    grids: tuple[GeoBox, GeoBox],
    method: Resampling,
    nodata: float,
) -> None:
    source, target = grids
    # GDAL widens the bilinear kernel by the ratio of the rasters' outlines, which is
    # not 1 for rotated grids of equal pixel size; it then no longer returns a ramp.
    kernel = {"XSCALE": 1, "YSCALE": 1} if method is Resampling.bilinear else {}
    reproject(
        values,
        out,
        src_transform=source.affine,
        src_crs=str(source.crs),
        src_nodata=nodata,
        dst_transform=target.affine,
        dst_crs=str(target.crs),
        dst_nodata=nodata,
        resampling=method,
        tolerance=0,
        **kernel,
    )


def target_of(
    spans: tuple[slice, slice], offset: tuple[int, int]
) -> tuple[slice, slice]:
    """Return where a window of a source lies in a target on the same lattice."""
    y, x = (slice(s.start - o, s.stop - o) for s, o in zip(spans, offset, strict=True))
    return y, x
