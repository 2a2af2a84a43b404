"""Anchors: a handful of points whose class the user knows."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox

from overcast.accuracy.sample_form import is_form, weights_of
from overcast.geo.layers import is_vector
from overcast.geo.legend import Legend
from overcast.geo.overlay import pixels_under
from overcast.geo.raster import UNKNOWN
from overcast.geo.vectors import read_features

FEWEST = 10
"""Anchors below which they say nothing of a scene."""
_COLUMNS = ("class", "reference")
"""Columns that may hold the class: of drawn points, and of `overcast sample`."""


@dataclass(frozen=True, slots=True)
class Anchors:
    """Rows and columns of a grid, class positions, and how much each counts ``[N]``."""

    rows: NDArray[np.int64]
    columns: NDArray[np.int64]
    classes: NDArray[np.uint8]
    weights: NDArray[np.float64]


def read_anchors(
    path: Path, legend: Legend, grid: GeoBox, column: str | None = None
) -> Anchors:
    """Read the points of a vector file or CSV that have a class and lie on a grid.

    Without `column`, the class is in the column ``class``, else in ``reference``. Points
    of a stratified sample count for the pixels that they stand for, others alike.

    Raises
    ------
    ValueError
        If the file is refused or holds other shapes than points, a class is none of
        the legend, or fewer than 10 points with a class lie on the grid.
    """
    if not is_vector(path):
        raise ValueError(f"{path}: anchors are points; give a GeoPackage or a CSV")
    points = read_features(path, column)
    if not points.are_points:
        raise ValueError(f"{path}: anchors are points; the file has other shapes")
    named = [name for name in _COLUMNS if name in points.columns]
    classes = points.classes(column or (named or _COLUMNS)[0], legend)
    rows, columns = pixels_under(grid, points)
    height, width = grid.shape
    inside = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
    inside &= classes != UNKNOWN
    if inside.sum() < FEWEST:
        raise ValueError(
            f"{path}: {inside.sum()} points with a class on the images; expected "
            f"{FEWEST} or more, better 20 to 200, drawn at random over the scene"
        )
    weights = np.ones(len(classes))
    if is_form(points):
        weights = weights_of(points, classes)
    weights = weights[inside] / weights[inside].mean()
    return Anchors(rows[inside], columns[inside], classes[inside], weights)
