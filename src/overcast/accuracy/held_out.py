"""Which pixels of a map a reference knows the class of, to calibrate with."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox

from overcast.accuracy.confusion import translation
from overcast.accuracy.reference import Reference, ReferencePoints, ReferenceRaster
from overcast.accuracy.sample_form import is_form, weights_of
from overcast.geo.legend import Legend
from overcast.geo.overlay import pixels_under
from overcast.geo.raster import UNKNOWN
from overcast.geo.stack import LabelSource
from overcast.geo.tiling import pieces

MOST = 20_000
"""Pixels of a raster that are drawn: one number is learned from them."""


@dataclass(frozen=True, slots=True)
class KnownPixels:
    """Pixels ``[N]`` of a grid, their class, and how many pixels each stands for."""

    rows: NDArray[np.int64]
    columns: NDArray[np.int64]
    classes: NDArray[np.uint8]
    weights: NDArray[np.float64]


def known_pixels(truth: Reference, legend: Legend, most: int = MOST) -> KnownPixels:
    """Pixels that `truth` knows, with class positions of `legend`.

    Points are taken all, with the weights of their sampling design if they have one; of
    a raster or polygons, `most` pixels are drawn at random, the same each time.

    Raises
    ------
    ValueError
        If a form of sampled points contradicts itself or lacks rows.
    """
    if isinstance(truth, ReferencePoints):
        points, classes = truth.points, truth.classes
        known = classes != UNKNOWN
        weights = (
            weights_of(points, classes) if is_form(points) else np.ones(len(known))
        )
        rows, columns = pixels_under(truth.grid, points)
        return KnownPixels(rows[known], columns[known], classes[known], weights[known])
    assert isinstance(truth, ReferenceRaster)
    return _drawn(truth.truth, truth.grid, legend, most)


def _drawn(truth: LabelSource, grid: GeoBox, legend: Legend, most: int) -> KnownPixels:
    """The `most` known pixels with the smallest of random numbers, band by band."""
    random, to_map = np.random.default_rng(0), translation(truth.legend, legend)
    drawn = np.empty((0, 3), np.int64)
    lots = np.empty(0)
    for spans in pieces(grid):
        values = to_map(truth.read(grid[spans]).values)
        rows, columns = np.nonzero(values != UNKNOWN)
        candidates = np.stack(
            [rows + spans[0].start, columns, values[rows, columns]], 1
        )
        drawn = np.concatenate([drawn, candidates])
        lots = np.concatenate([lots, random.random(len(candidates))])
        if len(lots) > most:
            first = np.argpartition(lots, most)[:most]
            drawn, lots = drawn[first], lots[first]
    rows, columns, classes = drawn[np.lexsort(drawn.T[1::-1])].T
    return KnownPixels(rows, columns, classes.astype(np.uint8), np.ones(len(rows)))
