"""Points and polygons laid over rasters of classes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import rasterio.features
import shapely
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox

from overcast.geo.legend import Legend
from overcast.geo.location import FilePath
from overcast.geo.outlines import areal, inner_points
from overcast.geo.raster import UNKNOWN, Labels
from overcast.geo.stack import LabelSource
from overcast.geo.vectors import Features, Geometries, read_features
from overcast.geo.warp import aligned

CLASS = "class"
"""Column of drawn labels that says of which class they are, unless told otherwise."""
_FAR = 2**53
"""Pixels: a place farther away is none."""
_BLOCK = 512
"""Pixels along the piece of a raster that is read for the points in it."""


@dataclass(frozen=True, slots=True)
class PolygonLabels:
    """Polygons as labels on a grid: a pixel whose centre lies in one has its class.

    Where polygons overlap, the later one counts, among those whose class is known. A
    polygon that holds no pixel's centre labels the pixel that a point inside of it lies
    in, if no polygon holds that pixel's centre.

    Attributes
    ----------
    path
        The file that they are of.
    shapes, classes
        Polygons ``[N]`` on the projection of the grid, and their class positions.
    legend
        What the classes are.
    grid
        Whose pixels they label.
    inner
        Column and row ``[N, 2]`` of a point in every polygon that holds no pixel's
        centre; NaN for the others.
    """

    path: FilePath
    shapes: Geometries
    classes: NDArray[np.uint8]
    legend: Legend
    grid: GeoBox = field(repr=False)
    inner: NDArray[np.float64] = field(repr=False)
    blocks: tuple[int, int] = (1, 1)
    notes: tuple[str, ...] = ()

    def read(self, grid: GeoBox) -> Labels:
        """Class positions ``[H, W]`` on `grid`, of the same projection as the own."""
        values = np.full(grid.shape, UNKNOWN, np.uint8)
        box = shapely.box(*grid.boundingbox.bbox)
        near = shapely.intersects(self.shapes, box) & (self.classes != UNKNOWN)
        small = ~np.isnan(self.inner[:, 0])
        if (near & ~small).any():
            large = np.flatnonzero(near & ~small)
            burnt = ((self.shapes[k], int(self.classes[k])) for k in large)
            rasterio.features.rasterize(burnt, out=values, transform=grid.affine)
        label_inner(values, self, np.flatnonzero(near & small), grid)
        return Labels(values=values, grid=grid, legend=self.legend)


def label_inner(
    values: NDArray[np.uint8],
    labels: PolygonLabels,
    small: NDArray[np.intp],
    grid: GeoBox,
) -> None:
    """Give pixels ``[H, W]`` on `grid` that have no class those of `small` polygons."""
    columns, rows = (np.floor(v).astype(np.int64) for v in labels.inner[small].T)
    offset = aligned(labels.grid, grid)
    if offset is None:
        centres = ~grid.affine * (labels.grid.affine * tuple(labels.inner[small].T))
        columns, rows = (np.floor(v).astype(np.int64) for v in centres)
        offset = 0, 0
    rows, columns = rows - offset[0], columns - offset[1]
    inside = within(rows, columns, grid)
    rows, columns, small = rows[inside], columns[inside], small[inside]
    free = values[rows, columns] == UNKNOWN
    values[rows[free], columns[free]] = labels.classes[small[free]]


def within(
    rows: NDArray[np.int64], columns: NDArray[np.int64], grid: GeoBox
) -> NDArray[np.bool_]:
    """Return whether pixels ``[N]`` are of a grid."""
    height, width = grid.shape
    inside: NDArray[np.bool_] = (rows >= 0) & (rows < height)
    return inside & (columns >= 0) & (columns < width)


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
    notes: tuple[str, ...] = ()

    @property
    def path(self) -> FilePath:
        """The file that they are of."""
        return self.points.path

    def read(self, grid: GeoBox) -> Labels:
        """Class positions ``[H, W]`` on `grid`."""
        values = np.full(grid.shape, UNKNOWN, np.uint8)
        rows, columns = pixels_under(grid, self.points)
        inside = within(rows, columns, grid) & (self.classes != UNKNOWN)
        values[rows[inside], columns[inside]] = self.classes[inside]
        return Labels(values=values, grid=grid, legend=self.legend)


def lay(
    features: Features, classes: NDArray[np.uint8], legend: Legend, grid: GeoBox
) -> PolygonLabels | PointLabels:
    """Points or polygons with class positions ``[N]`` as labels on `grid`.

    Raises
    ------
    ValueError
        If a feature is neither a point nor a polygon.
    """
    if features.are_points:
        return PointLabels(features, classes, legend, grid, notes=features.notes)
    mended, notes = areal(features)
    shapes = mended.to_crs(str(grid.crs))
    # What can't be projected to the map is not on it.
    lost = ~np.isfinite(shapely.bounds(shapes)).all(1)
    shapes[lost] = shapely.Polygon()
    inner = inner_points(shapes, grid)
    return PolygonLabels(
        features.path,
        shapes,
        classes,
        legend,
        grid,
        inner,
        notes=(*features.notes, *notes),
    )


def open_drawn(
    path: FilePath, legend: Legend, grid: GeoBox, column: str = CLASS
) -> PolygonLabels | PointLabels:
    """Open a vector file of points or polygons with a class as labels on `grid`.

    Raises
    ------
    ValueError
        If the file is refused, or a class is none of the legend.
    """
    features = read_features(path, column)
    labels = lay(features, features.classes(column, legend), legend, grid)
    texts = {text.strip() for text in features.column(column)}
    if texts & {str(code) for code in legend.other_codes}:
        note = (
            f"{features.path.name}: three-digit codes in the column {column} are read as "
            f"those of the legend {legend.name}"
        )
        return replace(labels, notes=(*labels.notes, note))
    return labels


def classes_under(source: LabelSource, points: Features) -> NDArray[np.uint8]:
    """Class positions ``[N]`` of the pixels that points lie in; unknown outside.

    Reads only those pieces of the source that have points.
    """
    rows, columns = pixels_under(source.grid, points)
    height, width = source.grid.shape
    inside = within(rows, columns, source.grid)
    classes = np.full(len(rows), UNKNOWN, np.uint8)
    places = np.stack([rows, columns], 1) // _BLOCK
    for y, x in np.unique(places[inside], axis=0):
        here = inside & (places == (y, x)).all(1)
        top, left = y * _BLOCK, x * _BLOCK
        spans = tuple(
            slice(int(start), int(min(start + _BLOCK, end)))
            for start, end in ((top, height), (left, width))
        )
        values = source.read(source.grid[spans]).values
        classes[here] = values[rows[here] - top, columns[here] - left]
    return classes


@dataclass(frozen=True, slots=True)
class PixelsUnder:
    """The pixels that points lie in, of a map of one raster or several.

    Attributes
    ----------
    classes
        Class positions ``[N]``; unknown outside.
    source
        Number of the raster ``[N]``: that which has a class there, else the first that
        reaches there, else the first.
    rows, columns
        Pixels ``[N]`` of that raster; they may lie outside of it.
    """

    classes: NDArray[np.uint8]
    source: NDArray[np.int64]
    rows: NDArray[np.int64]
    columns: NDArray[np.int64]


def under(sources: Sequence[LabelSource], points: Features) -> PixelsUnder:
    """Find the pixels that points lie in, of rasters of which one has a class there."""
    classes = np.stack([classes_under(source, points) for source in sources])
    places = np.stack([pixels_under(source.grid, points) for source in sources])
    inside = np.stack(
        [
            within(rows, columns, source.grid)
            for source, (rows, columns) in zip(sources, places, strict=True)
        ]
    )
    known = classes != UNKNOWN
    which = np.where(known.any(0), known.argmax(0), inside.argmax(0))
    every = np.arange(classes.shape[1])
    return PixelsUnder(
        classes[which, every], which, places[which, 0, every], places[which, 1, every]
    )


def pixels_under(
    grid: GeoBox, points: Features
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows and columns ``[N]`` of the pixels that points lie in, inside or not."""
    rows, columns = positions_under(grid, points)
    # What can't be projected to the grid, or lies far away, is not on it.
    far = ~(np.isfinite(rows) & np.isfinite(columns))
    far |= np.maximum(np.abs(rows), np.abs(columns)) > _FAR
    rows, columns = (np.where(far, -1, np.floor(v)) for v in (rows, columns))
    return rows.astype(np.int64), columns.astype(np.int64)


def positions_under(
    grid: GeoBox, points: Features
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Rows and columns ``[N]``, with fractions, of places that points lie at.

    Those of what can't be projected to the grid are infinite or NaN.
    """
    projected = points.to_crs(str(grid.crs))
    columns, rows = ~grid.affine * (shapely.get_x(projected), shapely.get_y(projected))
    return np.asarray(rows, np.float64), np.asarray(columns, np.float64)
