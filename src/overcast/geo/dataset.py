"""Raster files as GDAL opens them: opened once a thread, refused in one sentence."""

from __future__ import annotations

import os
import re
import threading
import urllib.request
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import rasterio
from odc.geo.geobox import GeoBox
from rasterio.errors import RasterioError
from rasterio.io import DatasetReader

from overcast.errors import AGAIN, MachineError, cause, reading
from overcast.geo.layers import file_of
from overcast.geo.location import ARRAY, FilePath, Location, hide
from overcast.geo.place import refuse_place
from overcast.geo.products import find_product, virtual

_OPEN_FILES = 32
MOST_PIXELS = "OVERCAST_MOST_PIXELS"
"""Environment variable that says how many pixels a raster may have."""
_MOST_PIXELS = 10**11
"""A raster of more pixels is no image of the Earth that a disk could hold."""
_handles = threading.local()
_PATIENCE_S = 10
_REMOTE = {
    "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR",
    "GDAL_HTTP_CONNECTTIMEOUT": str(_PATIENCE_S),
    "GDAL_HTTP_LOW_SPEED_TIME": "30",
    "GDAL_HTTP_LOW_SPEED_LIMIT": "1000",
    "GDAL_HTTP_MAX_RETRY": "2",
    "GDAL_HTTP_RETRY_DELAY": "1",
}
"""How GDAL reads from servers, but for what the environment says: it lists no folders,
and gives up on a server that is silent for half a minute."""
_ABSENT = re.compile(r"response code: (404|410)|does not exist|NoSuchKey|NoSuchBucket")
_FORBIDDEN = re.compile(
    r"response code: 40[0-3]\b|AWS_|GS_|AZURE_|OSS_|AccessDenied|InvalidAccessKeyId"
)
_UNREACHED = re.compile(
    r"CURL error|response code: (?:0|408|429|5\d\d)\b|timed out|got \d+ bytes, expected",
    re.I,
)


class _NamedReader(DatasetReader):  # type: ignore[misc]  # rasterio has no types
    """A dataset whose reads say which file is broken.

    GDAL's message of a damaged block names no file, and several are open at a time.
    """

    where: FilePath

    def read(self, *arguments: Any, **options: Any) -> Any:
        with _reading(self.where):
            return super().read(*arguments, **options)

    def read_masks(self, *arguments: Any, **options: Any) -> Any:
        with _reading(self.where):
            return super().read_masks(*arguments, **options)

    def dataset_mask(self, *arguments: Any, **options: Any) -> Any:
        with _reading(self.where):
            return super().dataset_mask(*arguments, **options)


def open_raster(path: FilePath) -> Any:
    """Open a dataset for reading, or raise a ValueError that says what it is not.

    Raises
    ------
    ValueError
        If there is no such file, or GDAL can't read it.
    MachineError
        If a server does not answer.
    """
    where = Location.of(path)
    if where.text.startswith(ARRAY):
        raise ValueError(f"{path}: an array that was given in Python; give a file")
    if (local := where.local) is not None:
        if not local.exists():
            raise ValueError(f"{path}: no such file")
        if local.is_file() and local.stat().st_size == 0:
            raise ValueError(f"{path}: empty file (0 bytes); {AGAIN}")
    with reading(path, AGAIN, "readable raster"), _answering(where):
        dataset = dataset_of(path)
        h, w = dataset.shape
    if dataset.count == 0:
        raise ValueError(f"{path}: {_holds(dataset)}")
    if h * w > (most := _most_pixels()):
        raise ValueError(
            f"{path}: {w} x {h} pixels; at most {most:.0e} are read, so cut out the "
            f"area of interest (gdal_translate -projwin), or set {MOST_PIXELS} to more"
        )
    try:
        # A truncated file opens well: its header is whole. Its last block is not.
        dataset.read(dataset.count, window=rasterio.windows.Window(w - 1, h - 1, 1, 1))
    except ValueError as error:
        reason = where.hide(cause(error.__cause__ or error))
        raise ValueError(
            f"{path}: not a readable raster, or cut short ({reason}); {AGAIN}"
        ) from error
    return dataset


@contextmanager
def _reading(path: FilePath) -> Iterator[None]:
    with reading(path), _answering(Location.of(path)):
        yield


@contextmanager
def _answering(where: Location) -> Iterator[None]:
    """Say what became of a file that is no plain file of this machine."""
    try:
        yield
    except RasterioError as error:
        if where.local is not None:
            raise
        raise _refusal(where, error) from error


def _refusal(where: Location, error: RasterioError) -> ValueError | MachineError:
    """Return the error to raise if GDAL did not open or read such a file."""
    reason = where.hide(cause(error))
    if (unreached := _unreached(error)) and where.remote:
        reason = where.hide(unreached)
        return MachineError(
            f"{where}: the server does not answer, or not in full ({reason}); try again "
            "later, or download the file"
        )
    if where.remote and _FORBIDDEN.search(reason):
        return ValueError(
            f"{where}: the server refuses it ({reason}); check the address and, "
            "where it needs them, the credentials in the environment"
        )
    if _ABSENT.search(reason):
        held = where.container
        if not where.remote and held is not None:
            return ValueError(f"{where}: {held.name} has no such file in it")
        return ValueError(f"{where}: no such file")
    return ValueError(
        f"{where}: not a readable raster, or cut short ({reason}); {AGAIN}"
    )


def _unreached(error: BaseException | None) -> str:
    """Return what GDAL says of a server that did not answer; else nothing."""
    while error is not None:
        if _UNREACHED.search(str(error)):
            return str(error).strip().splitlines()[0].rstrip(".")
        error = error.__cause__
    return ""


def _holds(dataset: Any) -> str:
    """Describe what a file without bands of its own offers."""
    names = [hide(name) for name in dataset.subdatasets]
    if not names:
        return "no bands in it; give a raster file such as a GeoTIFF"
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return f"{len(names)} datasets in it; give one: {', '.join(names[:5])}{more}"


def dataset_of(path: FilePath) -> Any:
    """Dataset of a file, kept open; one per thread, since GDAL's are not shared."""
    handles: OrderedDict[tuple[str, Any], Any]
    handles = _handles.__dict__.setdefault("open", OrderedDict())
    where = Location.of(path)
    key = (where.text, _changed(where))
    if key not in handles:
        dataset = _open(where)
        dataset.__class__ = _NamedReader
        # Messages name the file as it was given.
        dataset.where = path
        handles[key] = dataset
        if len(handles) > _OPEN_FILES:
            handles.popitem(last=False)[1].close()
    handles.move_to_end(key)
    return handles[key]


def _open(where: Location) -> Any:
    product = find_product(where)
    files = [where.gdal] if product is None else list(product.bands.values())
    if not any(Location(file).remote for file in files):
        return rasterio.open(where.gdal if product is None else virtual(product))
    chosen = {**os.environ, **(rasterio.env.getenv() if rasterio.env.hasenv() else {})}
    with rasterio.Env(**{k: v for k, v in _REMOTE.items() if k not in chosen}):
        return rasterio.open(where.gdal if product is None else virtual(product))


def _changed(where: Location) -> tuple[int, int] | None:
    """Size and time of last change of the file on this machine, if it is one."""
    if where.remote or (file := where.local or where.container) is None:
        return None
    stat = file.stat()
    return stat.st_size, stat.st_mtime_ns


def _most_pixels() -> float:
    """Pixels that a raster may have.

    Raises
    ------
    ValueError
        If the environment says no number.
    """
    text = os.environ.get(MOST_PIXELS, "")
    try:
        return float(text) if text else _MOST_PIXELS
    except ValueError as error:
        raise ValueError(f"{MOST_PIXELS}={text}: expected a number") from error


def stamp(path: FilePath) -> dict[str, Any]:
    """Return a mark of a file without reading it; it changes when the file does.

    Size and time of last change of a file of this machine and of all that belongs to
    it: side files, sources of a VRT, the archive it lies in. Of a file on a server, what
    the server says of it, if it says anything.
    """
    where = Location.of(file_of(path))
    if where.remote:
        return {where.shown: _served(where)}
    product = find_product(where)
    files = _parts(where) or [where.text]
    files += [] if product is None else product.files
    return {name: _changed(Location.of(name)) for name in sorted({*files})}


def _parts(where: Location) -> list[str]:
    """Files that GDAL reads for a dataset; those of one name, if it is no raster."""
    try:
        return list(dataset_of(where).files)
    except (RasterioError, OSError):
        local = where.container
    if local is None or local.suffix.lower() != ".shp":
        return []
    return [str(p) for p in local.parent.glob(f"{local.stem}.*")]


def _served(where: Location) -> list[str | None]:
    """Size, version and time of last change as a server of files says them."""
    if (address := where.address) is None:
        return []
    request = urllib.request.Request(address, method="HEAD")
    try:
        with urllib.request.urlopen(request, timeout=_PATIENCE_S) as answer:
            names = ("Content-Length", "ETag", "Last-Modified")
            return [answer.headers.get(name) for name in names]
    except (OSError, ValueError):
        return []


def placed(path: FilePath, dataset: Any) -> GeoBox:
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


def read_grid(path: FilePath) -> GeoBox:
    """Return the grid of a raster file.

    Raises
    ------
    ValueError
        If the file is missing, broken or can't be placed.
    """
    return placed(path, open_raster(path))
