"""Rasters of catalogues: opened wherever they lie, placed, and read onto a grid."""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import rasterio
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox
from rasterio.abc import FileContainer
from rasterio.errors import RasterioError

from overcast.acquire.catalogue import Catalogue
from overcast.acquire.http import RemoteFile, Traffic, Web
from overcast.acquire.sign import Signer
from overcast.errors import MachineError, cause
from overcast.geo.location import Location, hide
from overcast.geo.warp import aligned, overlap, target_of, warp_classes, warp_values

_GDAL = {
    "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR",
    "GDAL_HTTP_MAX_RETRY": "5",
    "GDAL_HTTP_RETRY_DELAY": "1",
    "GDAL_HTTP_CONNECTTIMEOUT": "10",
}
_COARSER = 1.5
"""Pixels of a file per pixel of the grid, above which overviews are read."""
Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Asset:
    """A raster of a catalogue.

    Attributes
    ----------
    href
        Its address or file, without a signature.
    collection
        That of its item, by which it is signed.
    item
        Identifier of its item, for messages.
    crs
        What the item says of its projection, for files that say nothing; or "".
    """

    href: str
    collection: str = ""
    item: str = ""
    crs: str = ""

    def __str__(self) -> str:
        return f"{self.item}: {hide(self.href)}" if self.item else hide(self.href)


@dataclass(slots=True)
class Reader:
    """Reads the rasters of one source, from several threads."""

    catalogue: Catalogue
    traffic: Traffic = field(default_factory=Traffic)
    web: Web = field(init=False)
    signer: Signer = field(init=False)
    _files: dict[str, RemoteFile] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.web = Web(self.catalogue.patience, self.traffic)
        self.signer = Signer(self.catalogue.sign, self.web.json)

    def forget(self) -> None:
        """Give back the memory of the pieces that were read."""
        self._files.clear()

    @contextmanager
    def open(self, asset: Asset) -> Iterator[Any]:
        """A dataset of rasterio, for the thread that opens it.

        Raises
        ------
        MachineError
            If its server does not answer, refuses, or has it not; or it is damaged.
        """
        if asset.href.startswith(("http://", "https://")):
            container = _Container(self._remote(asset), _name(asset.href))
            with _said(asset, container), _opened(container) as dataset:
                yield dataset
            return
        env = {**_GDAL, **self.catalogue.gdal}
        with (
            _said(asset, None),
            rasterio.Env(**env),
            rasterio.open(Location.of(asset.href).gdal) as dataset,
        ):
            yield dataset

    def _remote(self, asset: Asset) -> RemoteFile:
        if asset.href not in self._files:

            def signed(anew: bool) -> tuple[str, dict[str, str]]:
                return self.signer(asset.href, asset.collection, anew)

            self._files[asset.href] = RemoteFile(self.web, signed, str(asset))
        return self._files[asset.href]


class _Handle(io.RawIOBase):
    """A file on a server as GDAL reads it; raises nothing, and remembers what failed.

    GDAL calls it from C, where an exception of Python ends the process.
    """

    def __init__(self, container: _Container) -> None:
        self._container, self._at = container, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at}
        end = self._container.length() if whence == io.SEEK_END else 0
        self._at = base.get(whence, end) + offset
        return self._at

    def read(self, size: int = -1, /) -> bytes:
        length = self._container.length() - self._at if size < 0 else size
        body = self._container.bytes(self._at, length)
        self._at += len(body)
        return body


class _Container:
    """One remote file for `rasterio.open(..., opener=...)`, and the error it ended in."""

    def __init__(self, remote: RemoteFile, name: str) -> None:
        self._remote, self.name = remote, name
        self.error: BaseException | None = None

    def bytes(self, start: int, length: int) -> bytes:
        if self.error is not None:
            return b""
        try:
            return self._remote.read(start, length)
        except BaseException as error:
            self.error = error
            return b""

    def length(self) -> int:
        self.bytes(0, 1)
        return 0 if self.error is not None else self._remote.size

    def open(self, path: str, mode: str = "rb", **_: Any) -> _Handle:
        if not path.endswith(self.name):  # side files, such as NAME.aux
            raise FileNotFoundError(path)
        return _Handle(self)

    def isfile(self, path: str) -> bool:
        return False

    def isdir(self, path: str) -> bool:
        return False

    def ls(self, path: str) -> list[str]:
        return []

    def mtime(self, path: str) -> int:
        return 0

    def size(self, path: str) -> int:
        return 0 if path == "test" else self.length()

    def rm(self, path: str) -> None:
        raise PermissionError(path)


FileContainer.register(_Container)


def _name(href: str) -> str:
    """A name for GDAL without what may be secret."""
    suffix = PurePosixPath(urlsplit(href).path).suffix or ".tif"
    return f"{zlib.crc32(href.encode()):08x}{suffix}"


@contextmanager
def _opened(container: _Container) -> Iterator[Any]:
    with (
        rasterio.Env(GDAL_DISABLE_READDIR_ON_OPEN="EMPTY_DIR"),
        rasterio.open(f"overcast/{container.name}", opener=container) as dataset,
    ):
        yield dataset


@contextmanager
def _said(asset: Asset, container: _Container | None) -> Iterator[None]:
    """Say what became of a raster that could not be read."""
    try:
        yield
    except RasterioError as error:
        if container is not None and container.error is not None:
            raise container.error from None
        raise MachineError(
            f"{asset}: not a readable raster, or cut short ({hide(cause(error))}); leave "
            f"it out with --skip {asset.item or 'ITEM'}"
        ) from None
    if container is not None and container.error is not None:
        raise container.error


def grid_of(dataset: Any, asset: Asset) -> GeoBox:
    """Grid of a raster, by the file itself; its item's projection if it has none.

    Raises
    ------
    MachineError
        If neither says where it lies.
    """
    crs = dataset.crs.to_wkt() if dataset.crs is not None else asset.crs
    if not crs or dataset.transform.is_identity:
        raise MachineError(
            f"{asset}: has no place on the ground; leave it out with --skip {asset.item}"
        )
    return GeoBox(dataset.shape, dataset.transform, crs)


def read_values(
    dataset: Any,
    source: GeoBox,
    grid: GeoBox,
    known: Callable[[NDArray[Any]], Floats],
) -> Floats:
    """One band on `grid`, float32 ``[H, W]`` with NaN where nothing is known.

    `known` turns stored numbers into floats with NaN; that comes before any
    interpolation, so that no fill value bleeds into its neighbours.
    """
    out = np.full(grid.shape, np.nan, np.float32)
    if (spans := overlap(source, grid)) is None:
        return out
    values = known(dataset.read(1, window=_window(spans)))
    if offset := aligned(source, grid):
        out[target_of(spans, offset)] = values
        return out
    return np.asarray(warp_values(values[None], source[spans], grid)[0])


def read_codes(dataset: Any, source: GeoBox, grid: GeoBox, fill: int) -> NDArray[Any]:
    """One band of codes uint8 on `grid` ``[H, W]``, by the nearest; 255: `fill`.

    Where `grid` is much coarser, the file's overviews are read.
    """
    out = np.full(grid.shape, 255, np.uint8)
    if (spans := overlap(source, grid)) is None:
        return np.where(out == 255, fill, out).astype(np.uint8)
    part = source[spans]
    shape = _thinned(part, grid)
    codes = dataset.read(1, window=_window(spans), out_shape=shape).astype(np.uint8)
    part = part.zoom_to(shape) if shape != part.shape.yx else part
    if offset := aligned(part, grid):
        inner = overlap(part, grid)
        assert inner is not None
        out[target_of(inner, offset)] = codes[inner]
    else:
        out = warp_classes(codes, part, grid)
    return np.where(out == 255, fill, out).astype(np.uint8)


def read_thinned(dataset: Any, source: GeoBox, grid: GeoBox) -> NDArray[Any]:
    """Stored numbers ``[h, w]`` of what `grid` covers, about as coarse as `grid`."""
    if (spans := overlap(source, grid)) is None:
        return np.zeros((0, 0), dataset.dtypes[0])
    shape = _thinned(source[spans], grid)
    return np.asarray(dataset.read(1, window=_window(spans), out_shape=shape))


def _thinned(part: GeoBox, grid: GeoBox) -> tuple[int, int]:
    """Rows and columns of a part of a file, read no finer than `grid`."""
    step = _pixel(grid, part) / _pixel(part, grid)
    if step < _COARSER:
        return (part.shape[0], part.shape[1])
    rows, columns = (max(round(n / step), 1) for n in part.shape.yx)
    return rows, columns


def _pixel(grid: GeoBox, other: GeoBox) -> float:
    """Width of a pixel: in metres where both grids are in metres, else in degrees."""
    metres = all(
        g.crs is not None and g.crs.units == ("metre", "metre") for g in (grid, other)
    )
    if metres:
        return float(abs(grid.resolution.x))
    return float(grid.footprint("EPSG:4326").boundingbox.span_x / grid.shape[1])


def _window(spans: tuple[slice, slice]) -> Any:
    rows, columns = spans
    return rasterio.windows.Window.from_slices(rows, columns)
