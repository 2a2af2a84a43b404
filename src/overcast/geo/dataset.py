"""Raster files as GDAL opens them: opened once a thread, refused in one sentence."""

from __future__ import annotations

import threading
from collections import OrderedDict
from pathlib import Path
from typing import Any

import rasterio
from odc.geo.geobox import GeoBox
from rasterio.io import DatasetReader

from overcast.errors import AGAIN, cause, reading
from overcast.geo.place import refuse_place

_OPEN_FILES = 32
_MOST_PIXELS = 10**11
"""A raster of more pixels is no image of the Earth that a disk could hold."""
_handles = threading.local()


class _NamedReader(DatasetReader):  # type: ignore[misc]  # rasterio has no types
    """A dataset whose reads say which file is broken.

    GDAL's message of a damaged block names no file, and several are open at a time.
    """

    def read(self, *arguments: Any, **options: Any) -> Any:
        with reading(self.name):
            return super().read(*arguments, **options)

    def read_masks(self, *arguments: Any, **options: Any) -> Any:
        with reading(self.name):
            return super().read_masks(*arguments, **options)

    def dataset_mask(self, *arguments: Any, **options: Any) -> Any:
        with reading(self.name):
            return super().dataset_mask(*arguments, **options)


def open_raster(path: Path) -> Any:
    """Open a dataset for reading, or raise a ValueError that says what it is not."""
    if not path.exists():
        raise ValueError(f"{path}: no such file")
    if path.is_dir():
        raise ValueError(f"{path}: a folder; give a raster file such as a GeoTIFF")
    if path.stat().st_size == 0:
        raise ValueError(f"{path}: empty file (0 bytes); copy or download it again")
    with reading(path, AGAIN, "readable raster"):
        dataset = dataset_of(path)
        h, w = dataset.shape
    if h * w > _MOST_PIXELS:
        raise ValueError(
            f"{path}: {w} x {h} pixels; at most {_MOST_PIXELS:.0e} can be read, so cut "
            "out the area of interest (gdal_translate -projwin)"
        )
    try:
        # A truncated file opens well: its header is whole. Its last block is not.
        dataset.read(dataset.count, window=rasterio.windows.Window(w - 1, h - 1, 1, 1))
    except ValueError as error:
        reason = cause(error.__cause__ or error)
        raise ValueError(
            f"{path}: not a readable raster, or cut short ({reason}); {AGAIN}"
        ) from error
    return dataset


def dataset_of(path: Path) -> Any:
    """Dataset of a file, kept open; one per thread, since GDAL's are not shared."""
    handles: OrderedDict[tuple[Path, int, int], Any]
    handles = _handles.__dict__.setdefault("open", OrderedDict())
    stat = path.stat()
    key = (path, stat.st_mtime_ns, stat.st_size)
    if key not in handles:
        handles[key] = rasterio.open(path)
        handles[key].__class__ = _NamedReader
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
    with reading(path):
        wkt = dataset.crs.to_wkt()
    refuse_place(path, dataset.shape, dataset.transform, wkt)
    return GeoBox(dataset.shape, dataset.transform, wkt)


def read_grid(path: Path) -> GeoBox:
    """Return the grid of a raster file.

    Raises
    ------
    ValueError
        If the file is missing, broken or can't be placed.
    """
    return placed(path, open_raster(path))
