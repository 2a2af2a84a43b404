"""A place, said as a box, a vector file or a tile, and the grid that it is mapped on."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio
import pyproj
import shapely
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox
from odc.geo.geom import Geometry
from rasterio.features import geometry_mask

from overcast.errors import reading
from overcast.geo.dataset import read_grid
from overcast.geo.location import Location

_TILE = re.compile(r"T?(\d{1,2})([C-HJ-NP-X])([A-HJ-NP-Z])([A-HJ-NP-V])")
_COLUMNS = ("ABCDEFGH", "JKLMNPQR", "STUVWXYZ")
_ROWS = "ABCDEFGHJKLMNPQRSTUV"
_BANDS = "CDEFGHJKLMNPQRSTUVWX"
_SIDE_M, _TILE_M, _SNAP_M, _CYCLE_M = 100_000, 109_800, 60, 2_000_000
_MOST_PIXELS = 60_000
"""Along a side; more is several maps."""


@dataclass(frozen=True, slots=True)
class Area:
    """The area for which data are wanted.

    Attributes
    ----------
    name
        How it was said, in words.
    outline
        Its outline in longitude and latitude.
    grid
        What is mapped.
    """

    name: str
    outline: Any = field(repr=False)
    grid: GeoBox = field(repr=False)

    @property
    def bbox(self) -> tuple[float, float, float, float]:
        """West, south, east, north of the *grid*, in degrees."""
        return _box_of(self.grid)

    def inside(self, grid: GeoBox) -> NDArray[np.bool_]:
        """Return which pixels of `grid` lie in the outline ``[H, W]``."""
        outline = on(self.outline, grid, 0.01)
        mask = geometry_mask([outline.json], grid.shape, grid.affine, invert=True)
        # An outline smaller than a pixel is that pixel.
        return np.asarray(mask if mask.any() else np.ones(grid.shape, np.bool_))

    def words(self) -> str:
        """The grid in a sentence."""
        h, w = self.grid.shape
        res = abs(self.grid.resolution.x)
        code = self.grid.crs.to_epsg() if self.grid.crs is not None else None
        name = f"EPSG:{code}" if code else "its own projection"
        return f"{self.name}: {w} x {h} pixels of {res:g} m in {name}"


def area_of(place: str, resolution: float = 10.0, grid: str | None = None) -> Area:
    """Return the area that a place means.

    Parameters
    ----------
    place
        ``WEST,SOUTH,EAST,NORTH`` in degrees, the name of a tile of Sentinel-2 (32UPU),
        or a vector file.
    resolution
        Metres of a pixel; the grid is in UTM of the centre, on the lattice of Sentinel-2.
    grid
        A raster whose grid is taken instead.

    Raises
    ------
    ValueError
        If it is none of them, or too large for one map.
    """
    if not 1 <= resolution <= 1000:
        raise ValueError(f"--resolution {resolution:g}: expected 1 to 1000 metres")
    if match := _TILE.fullmatch(place.strip().upper()):
        target = tile_grid(match, resolution)
        name, outline = f"tile {place.upper().removeprefix('T')}", None
    else:
        name, outline = outlined(place)
        target = _utm_grid(outline, resolution)
    if grid is not None:
        target = read_grid(Location.of(grid))
    if max(target.shape) > _MOST_PIXELS:
        h, w = target.shape
        raise ValueError(
            f"{name}: {w} x {h} pixels; at most {_MOST_PIXELS} along a side, so give a "
            "smaller place or a coarser --resolution"
        )
    if outline is None or grid is not None:
        outline = shapely.box(*_box_of(target)) if outline is None else outline
    return Area(name, outline, target)


def tile_grid(match: re.Match[str], resolution: float) -> GeoBox:
    """The grid of a tile of Sentinel-2: its square of 100 km, and 9.8 km beyond."""
    zone, band, column, row = int(match[1]), match[2], match[3], match[4]
    columns = _COLUMNS[(zone - 1) % 3]
    if not 1 <= zone <= 60 or column not in columns:
        raise ValueError(
            f"{match[0]}: no tile; zone {zone} has columns {columns[0]} to {columns[-1]}"
        )
    east = (columns.index(column) + 1) * _SIDE_M
    north = (_ROWS.index(row) - (5 if zone % 2 == 0 else 0)) % 20 * _SIDE_M
    south = band < "N"
    low = _southing(zone, band, south)
    # Rows of letters come again every 2000 km: the one that lies in the band is meant.
    while north + _SIDE_M <= low:
        north += _CYCLE_M
    left = math.floor(east / _SNAP_M) * _SNAP_M
    top = math.ceil((north + _SIDE_M) / _SNAP_M) * _SNAP_M
    side = math.ceil(_TILE_M / resolution)
    box = (left, top - side * resolution, left + side * resolution, top)
    crs = f"EPSG:{(32700 if south else 32600) + zone}"
    return GeoBox.from_bbox(box, crs, resolution=resolution, tight=True)


def _southing(zone: int, band: str, south: bool) -> float:
    """Least northing of a band of 8 degrees, in metres of its zone."""
    latitude = -80 + 8 * _BANDS.index(band)
    code = (32700 if south else 32600) + zone
    move = pyproj.Transformer.from_crs("EPSG:4326", f"EPSG:{code}", always_xy=True)
    _, northing = move.transform(6 * zone - 183, latitude)
    return float(northing)


def outlined(place: str) -> tuple[str, Any]:
    """Name and outline in degrees of a box, or of what a vector file holds."""
    parts = place.split(",")
    if len(parts) == 4:
        return f"box {place}", _box(place, parts)
    where = Location.of(place)
    if not where.exists():
        raise ValueError(
            f"{place}: no such file, no tile such as 32UPU, and no box as "
            "WEST,SOUTH,EAST,NORTH in degrees"
        )
    with reading(place, "give a vector file such as a GeoPackage", "vector file"):
        meta, _, geometries, _ = pyogrio.raw.read(where.gdal, columns=[])
    shapes = [g for g in shapely.from_wkb(geometries) if g is not None]
    if not shapes or meta["crs"] is None:
        lack = "no shapes in it" if not shapes else "no coordinate reference system"
        raise ValueError(f"{place}: {lack}; give the outline of the area to map")
    whole = Geometry(shapely.unary_union(shapes), meta["crs"])
    outline = whole.to_crs("EPSG:4326", resolution=1000).geom
    if outline.area == 0:
        raise ValueError(f"{place}: points or lines; give the outline of an area")
    return where.name, outline


def is_named(place: str) -> bool:
    """Return whether a place is a box or a tile of Sentinel-2, and no file."""
    if Path(place).exists():
        return False
    return place.count(",") == 3 or _TILE.fullmatch(place.strip().upper()) is not None


def outline_of(place: str) -> Any:
    """Outline in degrees of a box, of a vector file or of a tile of Sentinel-2."""
    match = _TILE.fullmatch(place.strip().upper())
    if match and is_named(place):
        return tile_grid(match, 10.0).footprint("EPSG:4326", npoints=8).geom
    return outlined(place)[1]


def _box(place: str, parts: list[str]) -> Any:
    try:
        west, south, east, north = map(float, parts)
    except ValueError:
        raise ValueError(
            f"--bbox {place}: expected WEST,SOUTH,EAST,NORTH in degrees"
        ) from None
    if not (-180 <= west < east <= 180 and -80 <= south < north <= 84):
        raise ValueError(
            f"--bbox {place}: expected west before east within 180 degrees, and south "
            "before north from -80 to 84"
        )
    return shapely.box(west, south, east, north)


def _utm_grid(outline: Any, resolution: float) -> GeoBox:
    """A grid of UTM around an outline, on whole multiples of the resolution."""
    west, south, east, north = outline.bounds
    middle, latitude = (west + east) / 2, (south + north) / 2
    zone = min(int((middle + 180) // 6) + 1, 60)
    crs = f"EPSG:{(32600 if latitude >= 0 else 32700) + zone}"
    # Sides that are straight in degrees bend in metres.
    dense = shapely.segmentize(outline, max(east - west, north - south) / 50)
    box = Geometry(dense, "EPSG:4326").to_crs(crs).boundingbox
    left, bottom = (
        math.floor(round(v / resolution, 6)) for v in (box.left, box.bottom)
    )
    right, top = (math.ceil(round(v / resolution, 6)) for v in (box.right, box.top))
    bounds = tuple(v * resolution for v in (left, bottom, right, top))
    return GeoBox.from_bbox(bounds, crs, resolution=resolution, tight=True)


def _box_of(grid: GeoBox) -> tuple[float, float, float, float]:
    box = grid.footprint("EPSG:4326", npoints=8).boundingbox
    return box.left, box.bottom, box.right, box.top


def on(outline: Any, grid: GeoBox, resolution: float) -> Geometry:
    """An outline in degrees in the projection of a grid, a point every `resolution`."""
    assert grid.crs is not None  # a grid without one is refused before
    return Geometry(outline, "EPSG:4326").to_crs(grid.crs, resolution=resolution)


def given_place(bbox: str | None, place: str | None) -> str:
    """The one place that options say.

    Raises
    ------
    ValueError
        If there is none, or two.
    """
    if (bbox is None) == (place is None):
        raise ValueError(
            "a place, once: --bbox WEST,SOUTH,EAST,NORTH, a vector file, or a tile "
            "such as 32UPU"
        )
    said = bbox if bbox is not None else place
    assert said is not None
    exact = Path(said).exists() or bbox is None
    return said if exact else ",".join(part.strip() for part in said.split(","))
