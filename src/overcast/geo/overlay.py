"""Points and polygons laid over rasters of classes."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import rasterio.features
import shapely
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox

from overcast.geo.legend import Legend
from overcast.geo.location import FilePath
from overcast.geo.raster import UNKNOWN, Labels
from overcast.geo.stack import LabelSource
from overcast.geo.vectors import Features, Geometries, read_features

CLASS = "class"
"""Column of drawn labels that says of which class they are, unless told otherwise."""
_BLOCK = 512
"""Pixels along the piece of a raster that is read for the points in it."""


@dataclass(frozen=True, slots=True)
class PolygonLabels:
    """Polygons as labels on a grid: a pixel whose centre lies in one has its class.

    Where polygons overlap, the later one counts, among those whose class is known.
    """

    path: FilePath
    shapes: Geometries
    classes: NDArray[np.uint8]
    legend: Legend
    grid: GeoBox = field(repr=False)
    blocks: tuple[int, int] = (1, 1)

    def read(self, grid: GeoBox) -> Labels:
        """Class positions ``[H, W]`` on `grid`, of the same projection as the own."""
        values = np.full(grid.shape, UNKNOWN, np.uint8)
        box = shapely.box(*grid.boundingbox.bbox)
        near = shapely.intersects(self.shapes, box) & (self.classes != UNKNOWN)
        if near.any():
            found = np.flatnonzero(near)
            burnt = ((self.shapes[k], int(self.classes[k])) for k in found)
            rasterio.features.rasterize(burnt, out=values, transform=grid.affine)
        return Labels(values=values, grid=grid, legend=self.legend)


@dataclass(frozen=True, slots=True)
class PointLabels:
    """Points as labels on a grid: the pixel that one lies in has its class.

    Where a pixel has several, the later one counts, among those whose class is known.
    """

    points: Features
    classes: NDArray[np.uint8]
    legend: Legend
    grid: GeoBox = field(repr=False)
    blocks: tuple[int, int] = (1, 1)

    @property
    def path(self) -> FilePath:
        """The file that they are of."""
        return self.points.path

    def read(self, grid: GeoBox) -> Labels:
        """Class positions ``[H, W]`` on `grid`."""
        values = np.full(grid.shape, UNKNOWN, np.uint8)
        rows, columns = pixels_under(grid, self.points)
        height, width = grid.shape
        inside = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
        inside &= self.classes != UNKNOWN
        values[rows[inside], columns[inside]] = self.classes[inside]
        return Labels(values=values, grid=grid, legend=self.legend)


def lay(
    features: Features, classes: NDArray[np.uint8], legend: Legend, grid: GeoBox
) -> PolygonLabels | PointLabels:
    """Points or polygons with class positions ``[N]`` as labels on `grid`."""
    if features.are_points:
        return PointLabels(features, classes, legend, grid)
    shapes = features.to_crs(str(grid.crs))
    return PolygonLabels(features.path, shapes, classes, legend, grid)


def open_drawn(
    path: FilePath, legend: Legend, grid: GeoBox, column: str = CLASS
) -> PolygonLabels | PointLabels:
    """Open a vector file of points or polygons with a class as labels on `grid`.

    Raises
    ------
    ValueError
        If the file is refused, or a class is none of the legend.
    """
    features = read_features(path)
    return lay(features, features.classes(column, legend), legend, grid)


def classes_under(source: LabelSource, points: Features) -> NDArray[np.uint8]:
    """Class positions ``[N]`` of the pixels that points lie in; unknown outside.

    Reads only those pieces of the source that have points.
    """
    rows, columns = pixels_under(source.grid, points)
    height, width = source.grid.shape
    inside = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
    found = np.full(len(rows), UNKNOWN, np.uint8)
    places = np.stack([rows, columns], 1) // _BLOCK
    for y, x in np.unique(places[inside], axis=0):
        here = inside & (places == (y, x)).all(1)
        top, left = y * _BLOCK, x * _BLOCK
        spans = tuple(
            slice(int(start), int(min(start + _BLOCK, end)))
            for start, end in ((top, height), (left, width))
        )
        values = source.read(source.grid[spans]).values
        found[here] = values[rows[here] - top, columns[here] - left]
    return found


def pixels_under(
    grid: GeoBox, points: Features
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows and columns ``[N]`` of the pixels that points lie in, inside or not."""
    there = points.to_crs(str(grid.crs))
    columns, rows = ~grid.affine * (shapely.get_x(there), shapely.get_y(there))
    return np.floor(rows).astype(np.int64), np.floor(columns).astype(np.int64)
