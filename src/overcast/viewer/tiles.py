"""Pixels of a raster as web map tiles and at places, whatever its grid.

A web map is a pyramid of 256 x 256 pixel tiles in the spherical Mercator projection
(EPSG:3857). rio-tiler warps each tile out of the raster, or out of its overviews where
the tile is coarser; a raster without any gets them in a scratch folder, since a tile
of the whole scene would otherwise read the whole scene.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import rasterio
import rasterio.shutil
from numpy.typing import NDArray
from rasterio.enums import Resampling
from rio_tiler.errors import PointOutsideBounds
from rio_tiler.io import Reader

from overcast.geo.dataset import dataset_of, open_raster
from overcast.geo.location import FilePath, Location
from overcast.progress import Progress, quiet

TILE_PX = 256
_SMALL_PX = 512
"""A raster up to this many pixels a side is read whole as fast as an overview."""
_CLOSER = 4
"""Zoom levels beyond that of the raster's pixels: there a pixel is 16 wide."""
_EXACT = {"tolerance": 1e-3}
"""Error of warping in source pixels. GDAL's own 0.125 is 60 m of a 500 m label."""

Look = Literal["nearest", "bilinear"]


@dataclass(frozen=True, slots=True)
class WebTile:
    """A place in the pyramid: zoom level, column from the west, row from the north."""

    zoom: int
    column: int
    row: int


@dataclass(frozen=True, slots=True)
class Extent:
    """Where a raster lies, in degrees, and the deepest zoom level it is worth."""

    bounds: tuple[float, float, float, float]
    """West, south, east, north."""
    deepest: int


def extent(path: FilePath) -> Extent:
    """Extent of a raster."""
    with _reader(path) as reader:
        west, south, east, north = reader.get_geographic_bounds("EPSG:4326")
        return Extent((west, south, east, north), reader.maxzoom + _CLOSER)


def read_tile(
    path: FilePath, indexes: tuple[int, ...], tile: WebTile, look: Look
) -> tuple[NDArray[Any], NDArray[np.bool_]] | None:
    """Stored values ``[C, 256, 256]`` and where there are any ``[256, 256]``.

    None where the tile and the raster don't meet.
    """
    with _reader(path) as reader:
        if not reader.tile_exists(tile.column, tile.row, tile.zoom):
            return None
        image = reader.tile(
            tile.column,
            tile.row,
            tile.zoom,
            tilesize=TILE_PX,
            indexes=indexes,
            reproject_method=look,
            vrt_options=_EXACT,
        ).array
    return image.data, np.asarray(~np.ma.getmaskarray(image).any(0), np.bool_)


def read_point(
    path: FilePath, indexes: tuple[int, ...], lon: float, lat: float
) -> NDArray[Any] | None:
    """Stored values ``[C]`` of the pixel at a place in degrees; None outside."""
    with _reader(path) as reader:
        try:
            values = reader.point(lon, lat, indexes=indexes).array
        except PointOutsideBounds:
            return None
    return np.asarray(values.data)


def with_overviews(
    path: FilePath,
    scratch: Path,
    resampling: Resampling = Resampling.average,
    progress: Progress = quiet,
) -> FilePath:
    """Return a raster like `path` that has overviews: itself, or a view in `scratch`.

    Nothing is written beside `path`.

    Raises
    ------
    ValueError
        If there is no such file, or it is not a readable raster.
    """
    dataset = open_raster(path)
    longest = max(dataset.shape)
    if longest <= _SMALL_PX or dataset.overviews(1):
        return path
    stage = f"overviews of {path.name}"
    progress(stage, 0, 1)
    place = hashlib.sha256(Location.of(path).text.encode()).hexdigest()[:8]
    view = scratch / f"{path.stem}-{place}.vrt"  # two files may have one name
    rasterio.shutil.copy(dataset, view, driver="VRT")
    with rasterio.open(view, "r+") as opened:
        opened.build_overviews(_factors(longest), resampling)
    progress(stage, 1, 1)
    return view


def _factors(longest: int) -> list[int]:
    """Powers of two from 2 until the smallest overview is small.

    Examples
    --------
    >>> _factors(10980)
    [2, 4, 8, 16, 32]
    """
    factors = [2]
    while longest / factors[-1] > _SMALL_PX:
        factors.append(2 * factors[-1])
    return factors


def _reader(path: FilePath) -> Reader:
    return Reader(None, dataset=dataset_of(path))
