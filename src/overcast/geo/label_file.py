"""Rasters of class codes as sources of labels."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import rasterio
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox

from overcast.geo.dataset import dataset_of, open_raster, placed
from overcast.geo.legend import Legend
from overcast.geo.location import FilePath
from overcast.geo.raster import UNKNOWN, Fractions, Labels
from overcast.geo.tiling import pieces
from overcast.geo.warp import (
    aligned,
    class_fractions,
    overlap,
    target_of,
    warp_classes,
)


@dataclass(frozen=True, slots=True)
class LabelFile:
    """A raster file of class codes; make it with `open_labels`."""

    path: FilePath
    legend: Legend
    nodata: int | None
    grid: GeoBox = field(repr=False)
    blocks: tuple[int, int] = (1, 1)

    def read(self, grid: GeoBox) -> Labels:
        """Class positions ``[H, W]`` on `grid`; unknown where there are none."""
        values = np.full(grid.shape, UNKNOWN, np.uint8)
        if spans := overlap(self.grid, grid):
            found = self._indices(spans)
            if offset := aligned(self.grid, grid):
                values[target_of(spans, offset)] = found
            else:
                values = warp_classes(found, self.grid[spans], grid)
        return Labels(values=values, grid=grid, legend=self.legend)

    def read_fractions(self, grid: GeoBox) -> Fractions:
        """Share of every pixel's area that each class takes ``[K, H, W]``."""
        values = np.zeros((len(self.legend), *grid.shape), np.float32)
        if spans := overlap(self.grid, grid):
            found, there = self._indices(spans), self.grid[spans]
            values = class_fractions(found, len(self.legend), there, grid)
        return Fractions(values=values, grid=grid, legend=self.legend)

    def _indices(self, spans: tuple[slice, slice]) -> NDArray[np.uint8]:
        window = rasterio.windows.Window.from_slices(*spans)
        codes = dataset_of(self.path).read(1, window=window)
        try:
            return self.legend.to_indices(codes, self.nodata)
        except ValueError as error:
            raise ValueError(f"{self.path}: {error}") from error


def open_labels(path: FilePath, legend: Legend, nodata: int | None = None) -> LabelFile:
    """Open a raster of class codes, and look at all of it once.

    `nodata` is the code that means "not known" where the file has no tag for it.

    Raises
    ------
    ValueError
        If the file is missing, broken, can't be placed, is not one band of whole
        numbers, holds codes outside the legend, or no known class at all.
    """
    dataset = open_raster(path)
    if dataset.count != 1:
        raise ValueError(f"{path}: {dataset.count} bands; a label raster has one")
    if np.dtype(dataset.dtypes[0]).kind not in "ui":
        raise ValueError(
            f"{path}: {dataset.dtypes[0]} values; class codes are whole numbers, so "
            "give the class map, not probabilities or an image"
        )
    tag = dataset.nodata if nodata is None else nodata
    grid, blocks = placed(path, dataset), dataset.block_shapes[0]
    labels = LabelFile(path, legend, None if tag is None else int(tag), grid, blocks)
    known = [(labels._indices(spans) != UNKNOWN).any() for spans in pieces(grid)]
    if not any(known):
        raise ValueError(
            f"{path}: every pixel is nodata ({labels.nodata}); give a map with labels"
        )
    return labels
