"""Raster files as GDAL opens them: opened once a thread, refused in one sentence."""

from __future__ import annotations

import threading
from collections import OrderedDict
from pathlib import Path
from typing import Any

import rasterio
from odc.geo.geobox import GeoBox
from rasterio.errors import RasterioError

_OPEN_FILES = 32
_handles = threading.local()


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


def read_grid(path: Path) -> GeoBox:
    """Return the grid of a raster file.

    Raises
    ------
    ValueError
        If the file is missing, broken or can't be placed.
    """
    return placed(path, open_raster(path))
