"""How large a grid is on the ellipsoid, whatever its projection."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pyproj
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox


def areas_ha(counts: NDArray[np.int64], grid: GeoBox) -> list[float]:
    """Area of every class in hectares, from its number of pixels.

    A pixel's area is that of the grid's outline on the ellipsoid, over its number of
    pixels: right in any projection, in feet and in degrees, as far as a pixel's area
    is the same all over the map.
    """
    pixel_ha = _pixel_ha(grid)
    return [float(n) * pixel_ha for n in counts]


@lru_cache(64)
def _pixel_ha(grid: GeoBox) -> float:
    """Hectares of a pixel; one map asks for it a dozen times."""
    outline = grid.geographic_extent.geom
    total_m2, _ = pyproj.Geod(ellps="WGS84").geometry_area_perimeter(outline)
    rows, columns = grid.shape
    return float(abs(total_m2)) / (int(rows) * int(columns)) / 1e4


def width_m(grid: GeoBox) -> float:
    """Length of the middle row on the ellipsoid, in metres."""
    left, bottom, right, top = grid.boundingbox.bbox
    middle = (bottom + top) / 2
    move = pyproj.Transformer.from_crs(str(grid.crs), "EPSG:4326", always_xy=True)
    east, north = move.transform([left, right], [middle, middle])
    *_, length = pyproj.Geod(ellps="WGS84").inv(east[0], north[0], east[1], north[1])
    return float(length)


def pixel_m(grid: GeoBox) -> float:
    """Side of a pixel in metres; a grid without a place is taken to be in metres."""
    if grid.crs is None or grid.crs.units == ("metre", "metre"):
        return float(abs(grid.resolution.x))
    return width_m(grid) / int(grid.shape[1])
