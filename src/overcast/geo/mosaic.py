"""Several images of one day as one: neighbours side by side, overlaps filled.

Tiles of one acquisition overlap, lie in different UTM zones, or were processed twice.
They are read in order: what the first did not see is filled from the next. Every tile is
warped once, onto the grid that is asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from affine import Affine
from odc.geo.geobox import GeoBox
from pyproj import Transformer

from overcast.geo.bands import Sensor
from overcast.geo.raster import Image
from overcast.geo.stack import ImageSource, name_of
from overcast.geo.warp import aligned, overlap

_EDGE = 33
"""Points along each side of a grid whose places outline it in another projection."""


@dataclass(frozen=True, slots=True)
class Mosaic:
    """Images of one sensor as one `ImageSource`; make it with `mosaic`.

    Attributes
    ----------
    sources
        Images, the one that counts first ahead.
    grid
        That of the first, as far as all of them go.
    """

    sources: tuple[ImageSource, ...]
    grid: GeoBox = field(repr=False)

    @property
    def reads(self) -> tuple[ImageSource, ...]:
        """The images that it is made of."""
        return self.sources

    @property
    def blocks(self) -> tuple[int, int]:
        """Return the blocks of the first image."""
        return self.sources[0].blocks

    @property
    def sensor(self) -> Sensor:
        """Return the sensor of all images."""
        return self.sources[0].sensor

    def read(self, grid: GeoBox) -> Image:
        """The first image on `grid`, and where it saw nothing, the next ones."""
        near = [s for s in self.sources if overlap(s.grid, grid)]
        if not near:
            return Image.unseen(grid, self.sensor)
        image = near[0].read(grid)
        for source in near[1:]:
            if image.valid.all():
                break
            more = source.read(grid)
            values = np.where(image.valid, image.values, more.values)
            image = Image.of(values, grid, self.sensor)
        return image


def mosaic(sources: Sequence[ImageSource]) -> ImageSource:
    """One source of several of the same sensor; one alone is itself.

    Raises
    ------
    ValueError
        If their bands differ.
    """
    first = sources[0]
    for source in sources[1:]:
        if source.sensor != first.sensor:
            raise ValueError(
                f"{name_of(source)}: has {', '.join(source.sensor.names)}, and "
                f"{name_of(first)} of the same day {', '.join(first.sensor.names)}; "
                "give files with the same bands"
            )
    if len(sources) == 1:
        return first
    return Mosaic(tuple(sources), union_of([source.grid for source in sources]))


def union_of(grids: Sequence[GeoBox]) -> GeoBox:
    """The first grid, made as large as all of them, on its very pixels."""
    first = grids[0]
    height, width = first.shape
    top, left, bottom, right = 0, 0, height, width
    for grid in grids[1:]:
        rows, columns = _spans(first, grid)
        top, bottom = min(top, rows[0]), max(bottom, rows[1])
        left, right = min(left, columns[0]), max(right, columns[1])
    if (top, left, bottom, right) == (0, 0, height, width):
        return first
    place = first.affine * Affine.translation(left, top)
    return GeoBox((bottom - top, right - left), place, first.crs)


def _spans(first: GeoBox, grid: GeoBox) -> tuple[tuple[int, int], tuple[int, int]]:
    """First and last row, first and last column of `first` that `grid` lies in."""
    height, width = grid.shape
    if (offset := aligned(first, grid)) is not None:
        return (offset[0], offset[0] + height), (offset[1], offset[1] + width)
    along = np.linspace(0, 1, _EDGE)
    zero, one = np.zeros(_EDGE), np.ones(_EDGE)
    row = np.concatenate([zero, one, along, along]) * height
    column = np.concatenate([along, along, zero, one]) * width
    place: Any = grid.affine
    x, y = place @ (column, row)
    if grid.crs != first.crs:
        move = Transformer.from_crs(str(grid.crs), str(first.crs), always_xy=True)
        x, y = move.transform(x, y)
    column, row = ~first.affine @ (x, y)
    return (
        (int(np.floor(row.min())), int(np.ceil(row.max()))),
        (int(np.floor(column.min())), int(np.ceil(column.max()))),
    )
