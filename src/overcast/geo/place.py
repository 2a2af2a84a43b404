"""Whether pixels and features have a place on the Earth that can be worked out."""

from __future__ import annotations

import math

import numpy as np
import pyproj
from affine import Affine
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox
from pyproj.exceptions import ProjError

from overcast.geo.location import FilePath

_FINEST = 1e-12
"""Share of its coordinates that a pixel is wide at least: floats resolve 2e-16."""
_FLATTEST = 1e-9
"""Least area of a pixel, as a share of the product of its sides."""
_BEYOND_DEG = (720.0, 100.0)
"""Longitudes and latitudes in degrees that no file has, not even across 180."""
_MODIS_M, _MODIS_RADIUS_M = 1_111_950.519667, 6_371_007.181
"""Side of a tile of MODIS's grid, 1200, 2400 or 4800 pixels, and radius of its sphere."""


def refuse_place(
    path: FilePath, shape: tuple[int, int], transform: Affine, crs: str
) -> None:
    """Refuse a grid of `shape` whose pixels have no certain place on the Earth.

    Raises
    ------
    ValueError
        If the geotransform is degenerate, `crs` is not one of the Earth's surface, or
        the pixels lie where it does not hold.
    """
    refuse_transform(path, shape, transform)
    refuse_crs(path, crs)
    system = pyproj.CRS.from_user_input(crs)
    x, y = _corners(shape, transform)
    if system.is_geographic:
        inside = (np.abs(x) <= _BEYOND_DEG[0]) & (np.abs(y) <= _BEYOND_DEG[1])
    else:
        move = pyproj.Transformer.from_crs(system, "EPSG:4326", always_xy=True)
        inside = np.isfinite(np.stack(move.transform(x, y))).all(0)
    if not inside.any():
        raise ValueError(
            f"{path}: coordinates from {x.min():g}, {y.min():g} to {x.max():g}, "
            f"{y.max():g} are outside of its coordinate reference system, "
            f"{system.name}; assign the right one (gdal_edit.py -a_srs EPSG:...)"
        )


def refuse_transform(path: FilePath, shape: tuple[int, int], transform: Affine) -> None:
    """Refuse a geotransform that puts pixels nowhere, or all in one place.

    Raises
    ------
    ValueError
        If a number is not finite, or pixels are too small or too flat.
    """
    a, b, c, d, e, f = tuple(transform)[:6]
    numbers = ", ".join(f"{n:g}" for n in (c, a, b, f, d, e))
    advice = "set it again (gdal_edit.py -a_ullr), or export the file again"
    if not all(map(math.isfinite, (a, b, c, d, e, f))):
        raise ValueError(
            f"{path}: its geotransform ({numbers}) holds a number that is not finite; "
            f"{advice}"
        )
    width, height = math.hypot(a, d), math.hypot(b, e)
    x, y = _corners(shape, transform)
    reach = float(np.abs(np.concatenate([x, y])).max())
    fine = min(width, height) > _FINEST * reach if math.isfinite(reach) else False
    if not fine or abs(a * e - b * d) <= _FLATTEST * width * height:
        raise ValueError(
            f"{path}: its geotransform ({numbers}) makes pixels of {width:g} x "
            f"{height:g}, which have no area or no place there; {advice}"
        )


def refuse_crs(path: FilePath, crs: str) -> None:
    """Refuse a coordinate reference system that says nothing of the Earth's surface.

    Raises
    ------
    ValueError
        If it is local, vertical, geocentric, or unknown to PROJ.
    """
    advice = "assign the right one (gdal_edit.py -a_srs EPSG:..., for vectors ogr2ogr)"
    try:
        system = pyproj.CRS.from_user_input(crs)
        if not (system.is_projected or system.is_geographic):
            raise ValueError(
                f"{path}: its coordinate reference system, {system.name}, is a "
                f"{system.type_name}, without a place on the Earth; {advice}"
            )
        pyproj.Transformer.from_crs(system, "EPSG:4326", always_xy=True)
    except ProjError as error:
        raise ValueError(
            f"{path}: its coordinate reference system can't be used "
            f"({str(error).splitlines()[0]}); {advice}"
        ) from error


def doubts(name: str, grid: GeoBox) -> list[str]:
    """Say where a grid of MODIS is not on the sphere that MODIS is on."""
    if grid.crs is None:
        return []
    system = pyproj.CRS.from_user_input(str(grid.crs))
    how = system.coordinate_operation
    if how is None or how.method_name != "Sinusoidal" or system.ellipsoid is None:
        return []
    pixels = _MODIS_M / math.hypot(grid.affine.a, grid.affine.d)
    on_grid = any(math.isclose(pixels, n, rel_tol=1e-4) for n in (1200, 2400, 4800))
    radius = system.ellipsoid.semi_minor_metre
    if not on_grid or abs(radius - _MODIS_RADIUS_M) < 1:
        return []
    return [
        f"{name}: has the pixels of MODIS, but {system.ellipsoid.name} in the place of "
        "its sphere, which is up to 20 km off; assign the right one (gdal_edit.py -a_srs "
        f"'+proj=sinu +R={_MODIS_RADIUS_M:.3f} +units=m')"
    ]


def _corners(
    shape: tuple[int, int], transform: Affine
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Coordinates ``[5]`` of the corners of a grid and of its middle."""
    h, w = shape
    column = np.array([0, w, 0, w, w / 2])
    row = np.array([0, 0, h, h, h / 2])
    a, b, c, d, e, f = tuple(transform)[:6]
    with np.errstate(all="ignore"):
        return a * column + b * row + c, d * column + e * row + f
