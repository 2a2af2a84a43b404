"""GeoTIFFs, and whatever else GDAL reads, as sources.

Opening a file refuses what can't be placed or understood, in one sentence that names
the file, what was found and what to do. Reading warps at most once.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox
from rasterio.errors import RasterioError

from overcast.geo.bands import Encoding, Sensor, canonical
from overcast.geo.legend import Legend
from overcast.geo.raster import UNKNOWN, Fractions, Image, Labels
from overcast.geo.warp import (
    aligned,
    class_fractions,
    overlap,
    warp_classes,
    warp_values,
)

_OPEN_FILES = 32
_handles = threading.local()


@dataclass(frozen=True, slots=True)
class ImageFile:
    """A raster file that holds bands of one sensor; make it with `open_image`."""

    path: Path
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
                values[(slice(None), *_place(spans, offset))] = found
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


@dataclass(frozen=True, slots=True)
class LabelFile:
    """A raster file of class codes; make it with `open_labels`."""

    path: Path
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
                values[_place(spans, offset)] = found
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


def open_image(
    path: Path,
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


def open_labels(path: Path, legend: Legend, nodata: int | None = None) -> LabelFile:
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


def read_grid(path: Path) -> GeoBox:
    """Return the grid of a raster file.

    Raises
    ------
    ValueError
        If the file is missing, broken or can't be placed.
    """
    return placed(path, open_raster(path))


def pieces(grid: GeoBox, rows: int = 512) -> list[tuple[slice, slice]]:
    """Bands of rows that cover a grid, so that a whole file is never in memory."""
    h, w = grid.shape
    return [(slice(y, min(y + rows, h)), slice(0, w)) for y in range(0, h, rows)]


def _place(spans: tuple[slice, slice], offset: tuple[int, int]) -> tuple[slice, slice]:
    """Where a window of the source lies in a target on the same lattice."""
    y, x = (slice(s.start - o, s.stop - o) for s, o in zip(spans, offset, strict=True))
    return y, x


def open_raster(path: Path) -> Any:
    """Open a dataset for reading, or raise a ValueError that says what it is not."""
    if not path.exists():
        raise ValueError(f"{path}: no such file")
    if path.is_dir():
        raise ValueError(f"{path}: a folder; give a raster file such as a GeoTIFF")
    if path.stat().st_size == 0:
        raise ValueError(f"{path}: empty file (0 bytes); copy or download it again")
    try:
        dataset = dataset_of(path)
        # A truncated file opens well: its header is whole. Its last block is not.
        h, w = dataset.shape
        dataset.read(dataset.count, window=rasterio.windows.Window(w - 1, h - 1, 1, 1))
    except RasterioError as error:
        raise ValueError(
            f"{path}: not a readable raster, or cut short ({_first_line(error)}); "
            "copy or download it again"
        ) from error
    return dataset


def _first_line(error: Exception) -> str:
    cause: BaseException = error
    while cause.__cause__ is not None:
        cause = cause.__cause__
    return str(cause).splitlines()[0].rstrip(".") if str(cause) else "no details"


def dataset_of(path: Path) -> Any:
    """Dataset of a file, kept open; one per thread, since GDAL's are not shared."""
    handles: OrderedDict[tuple[Path, int, int], Any]
    handles = _handles.__dict__.setdefault("open", OrderedDict())
    stat = path.stat()
    key = (path, stat.st_mtime_ns, stat.st_size)
    if key not in handles:
        handles[key] = rasterio.open(path)
        if len(handles) > _OPEN_FILES:
            handles.popitem(last=False)[1].close()
    handles.move_to_end(key)
    return handles[key]


def placed(path: Path, dataset: Any) -> GeoBox:
    """Grid of a dataset; refused where its pixels have no certain place."""
    if dataset.crs is None and dataset.gcps[0]:
        raise ValueError(
            f"{path}: placed by {len(dataset.gcps[0])} ground-control points only; "
            "terrain-correct it, or warp it onto a grid (gdalwarp -t_srs EPSG:...)"
        )
    if dataset.crs is None:
        raise ValueError(
            f"{path}: no coordinate reference system; assign the right one "
            "(gdal_edit.py -a_srs EPSG:...)"
        )
    if dataset.transform.is_identity:
        raise ValueError(
            f"{path}: a coordinate reference system but no geotransform; its pixels "
            "have no place on the ground"
        )
    return GeoBox(dataset.shape, dataset.transform, dataset.crs.to_wkt())


def _band_order(
    path: Path, dataset: Any, sensor: Sensor, bands: tuple[str, ...] | None
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
