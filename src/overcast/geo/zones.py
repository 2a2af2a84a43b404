"""Zones laid over a map: municipalities, catchments, parcels, and the pixels in each.

A pixel belongs to the zone that its centre lies in; so a pixel has one zone, and areas of
zones add up to that of the map.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import rasterio.features
import shapely
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox

from overcast.geo.location import FilePath
from overcast.geo.outlines import areal
from overcast.geo.raster import UNKNOWN
from overcast.geo.stack import LabelSource
from overcast.geo.tiling import pieces
from overcast.geo.vectors import Features, Geometries, read_features
from overcast.progress import Progress, quiet

_MOST = 100_000
_OVERLAP = 0.001
"""Share of the zones' pixels that lie in two of them, above which it is said."""


@dataclass(frozen=True, slots=True)
class Zones:
    """Polygons with a name; those of one name are one zone.

    Attributes
    ----------
    names
        Of the zones ``[Z]``, in the order of the file.
    shapes, zone
        Polygons ``[N]`` on the projection of the grid, and the zone of each.
    grid
        Whose pixels they hold.
    notes
        What was noticed of the file.
    """

    path: FilePath
    names: tuple[str, ...]
    shapes: Geometries = field(repr=False)
    zone: NDArray[np.int32] = field(repr=False)
    grid: GeoBox = field(repr=False)
    notes: tuple[str, ...] = ()

    def read(self, grid: GeoBox) -> NDArray[np.int32]:
        """Zone of every pixel ``[H, W]`` of a part of the grid; Z outside of all.

        Where zones overlap, the later one of the file counts.
        """
        values = np.full(grid.shape, len(self.names), np.int32)
        box = shapely.box(*grid.boundingbox.bbox)
        near = np.flatnonzero(shapely.intersects(self.shapes, box))
        if near.size:
            burnt = ((self.shapes[k], int(self.zone[k])) for k in near)
            rasterio.features.rasterize(burnt, out=values, transform=grid.affine)
        return values

    def pixels(self) -> NDArray[np.float64]:
        """Area of every zone's polygons ``[Z]`` in pixels, on the map or not."""
        a, b, _, d, e, _ = list(self.grid.affine)[:6]
        areas = shapely.area(self.shapes) / abs(a * e - b * d)
        return np.bincount(self.zone, areas, len(self.names)).astype(np.float64)


@dataclass(frozen=True, slots=True)
class ZoneCounts:
    """Pixels of a map by zone, and the zones of points.

    Attributes
    ----------
    pixels
        int64 ``[Z + 1, K + 1]``: by zone (the last one: in none) and class in the map
        (the last one: without a class).
    zone
        Zone ``[N]`` of the pixels that points lie in; Z where that is none.
    """

    pixels: NDArray[np.int64]
    zone: NDArray[np.int64]


def open_zones(path: FilePath, name: str, grid: GeoBox) -> Zones:
    """Open a vector file of polygons whose column `name` says how zones are called.

    Raises
    ------
    ValueError
        If the file is refused, has no such column, or holds anything but polygons with
        a name.
    """
    features = read_features(path, name)
    texts = [text.strip() for text in features.column(name)]
    for row, (text, shape) in enumerate(zip(texts, features.shapes, strict=True), 1):
        if not shape.geom_type.endswith("Polygon"):
            raise ValueError(
                f"{features.path}: row {row} is a {shape.geom_type}; zones are polygons"
            )
        if not text:
            raise ValueError(
                f"{features.path}: row {row} has no {name}; give every zone a name"
            )
    mended, _ = areal(features)
    names = tuple(dict.fromkeys(texts))
    if len(names) > _MOST:
        raise ValueError(
            f"{features.path}: {len(names)} zones in the column {name}, expected at most "
            f"{_MOST}; name a column that has a name for each zone"
        )
    place = {text: k for k, text in enumerate(names)}
    shapes = mended.to_crs(str(grid.crs))
    lost = ~np.isfinite(shapely.bounds(shapes)).all(1)
    shapes[lost] = shapely.Polygon()
    if not shapely.intersects(shapes, shapely.box(*grid.boundingbox.bbox)).any():
        raise ValueError(f"{features.path}: no zone lies on the map; do they overlap?")
    zone = np.array([place[text] for text in texts], np.int32)
    notes = (*features.notes, *_notes(features, texts, names, mended))
    return Zones(features.path, names, shapes, zone, grid, notes)


def count_zones(
    source: LabelSource,
    zones: Zones | None,
    rows: NDArray[np.int64],
    columns: NDArray[np.int64],
    progress: Progress = quiet,
) -> ZoneCounts:
    """Count a map's pixels by zone and class, and find the zones of sampled pixels.

    Without zones, the whole map is in none. The map is read by bands of rows.
    """
    count = 0 if zones is None else len(zones.names)
    size = len(source.legend) + 1
    total = np.zeros((count + 1) * size, np.int64)
    zone = np.full(len(rows), count, np.int64)
    bands = pieces(source.grid)
    for done, band in enumerate(bands, 1):
        part = source.grid[band]
        values = source.read(part).values
        where = np.full(values.shape, count, np.int32)
        if zones is not None:
            where = zones.read(part)
        column = np.where(values == UNKNOWN, size - 1, values)
        index = where.astype(np.int64) * size + column
        total += np.bincount(index.ravel(), minlength=len(total))
        here = (rows >= band[0].start) & (rows < band[0].stop)
        here &= (columns >= 0) & (columns < values.shape[1])
        zone[here] = where[rows[here] - band[0].start, columns[here]]
        progress("counting", done, len(bands))
    return ZoneCounts(total.reshape(count + 1, size), zone)


def _notes(
    features: Features, texts: list[str], names: tuple[str, ...], mended: Features
) -> list[str]:
    """Return notes on names that repeat and on zones that overlap."""
    notes = []
    if len(names) < len(texts):
        notes.append(
            f"{features.path.name}: {len(texts)} polygons have {len(names)} names; "
            "polygons of one name are one zone"
        )
    total = float(shapely.area(mended.shapes).sum())
    union = float(shapely.area(shapely.union_all(mended.shapes)))
    if total - union > _OVERLAP * union:
        notes.append(
            f"{features.path.name}: zones overlap in {100 * (total / union - 1):.1f} % of "
            "their area; a pixel counts for the zone that is later in the file"
        )
    return notes
