"""GeoTIFFs, and whatever else GDAL reads, as sources of images.

Opening a file refuses what can't be placed or understood, in one sentence that names
the file, what was found and what to do. Reading warps at most once.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox

from overcast.geo.bands import Encoding, Sensor, canonical
from overcast.geo.dataset import dataset_of, open_raster, placed
from overcast.geo.location import FilePath
from overcast.geo.raster import Image
from overcast.geo.warp import aligned, overlap, target_of, warp_values


@dataclass(frozen=True, slots=True)
class ImageFile:
    """A raster file that holds bands of one sensor; make it with `open_image`."""

    path: FilePath
    sensor: Sensor
    encoding: Encoding
    indexes: tuple[int, ...]
    """Positions of the sensor's bands in the file, from 1."""
    grid: GeoBox = field(repr=False)
    blocks: tuple[int, int] = (1, 1)

    def read(self, grid: GeoBox) -> Image:
        """Physical values ``[C, H, W]`` on `grid`; NaN where there are none."""
        values = np.full((len(self.indexes), *grid.shape), np.nan, np.float32)
        if spans := overlap(self.grid, grid):
            window = rasterio.windows.Window.from_slices(*spans)
            found = self.physical(
                dataset_of(self.path).read(self.indexes, window=window)
            )
            if offset := aligned(self.grid, grid):
                values[(slice(None), *target_of(spans, offset))] = found
            else:
                values = warp_values(found, self.grid[spans], grid)
        return Image.of(values, grid, self.sensor)

    def physical(self, stored: NDArray[Any]) -> NDArray[np.float32]:
        """Values ``[C, h, w]`` as stored, decoded; NaN where a band was not seen."""
        values = self.encoding.decode(stored)
        tags = dataset_of(self.path).nodatavals
        for layer, index, raw in zip(values, self.indexes, stored, strict=True):
            if (tag := tags[index - 1]) is not None:
                layer[raw == tag] = np.nan
        if self.encoding.nodata is not None:
            # A single band of 0 is a dark surface; all bands 0 is no observation.
            values[:, (stored == self.encoding.nodata).all(0)] = np.nan
        values[:, ~np.isfinite(values).all(0)] = np.nan
        return values


def open_image(
    path: FilePath,
    sensor: Sensor,
    encoding: Encoding | None = None,
    bands: tuple[str, ...] | None = None,
) -> ImageFile:
    """Open a raster as bands of `sensor`.

    Parameters
    ----------
    path
        Any raster that GDAL reads.
    sensor
        What it measures. Bands are found by the names in the file, else by `bands`,
        else by the number of bands (`Sensor.layouts`).
    encoding
        How values are stored; by default they are physical.
    bands
        Names of the file's bands in order, where the file does not say.

    Raises
    ------
    ValueError
        If the file is missing, broken, can't be placed, or its bands are not the
        sensor's.
    """
    dataset = open_raster(path)
    found = _band_order(path, dataset, sensor, bands)
    wanted = sensor.select(tuple(b for b in sensor.names if b in found))
    indexes = tuple(found.index(name) + 1 for name in wanted.names)
    if any("complex" in dataset.dtypes[i - 1] for i in indexes):
        raise ValueError(
            f"{path}: complex values; give detected backscatter, not single-look "
            "complex data"
        )
    grid = placed(path, dataset)
    return ImageFile(
        path, wanted, encoding or Encoding(), indexes, grid, dataset.block_shapes[0]
    )


def _band_order(
    path: FilePath, dataset: Any, sensor: Sensor, bands: tuple[str, ...] | None
) -> tuple[str, ...]:
    """Names of the file's bands in order: said, written in the file, or by count."""
    if bands is not None and len(bands) != dataset.count:
        raise ValueError(
            f"{path}: {dataset.count} bands, but {len(bands)} band names were given"
        )
    written = tuple(canonical(text or "") for text in dataset.descriptions)
    order = tuple(map(canonical, bands)) if bands else written
    if set(order) & set(sensor.names):
        twice = [b for b in sensor.names if order.count(b) > 1]
        if twice:
            raise ValueError(f"{path}: more than one band is called {twice[0]}")
        return order
    for layout in sensor.layouts:
        if len(layout) == dataset.count:
            return layout
    counts = " or ".join(str(len(layout)) for layout in sensor.layouts)
    raise ValueError(
        f"{path}: {dataset.count} bands without names of {sensor.name}; expected "
        f"{counts} ({', '.join(sensor.names)}), or say what they are (--bands)"
    )
