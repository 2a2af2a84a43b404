"""Overpasses read onto the grid, window by window, into files that survive a kill.

A file grows as raw numbers beside a list of the windows that are done; what is listed is
not read again. Memory holds one window, however large the area is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox

from overcast.acquire.asset import Asset, Reader, grid_of, read_codes, read_values
from overcast.acquire.look import THREADS
from overcast.acquire.scenes import ScenePiece
from overcast.geo.bands import SENTINEL_2, to_db
from overcast.geo.tiling import Window
from overcast.product.rasters import Bands, write_bands

SIDE = 1024
"""Pixels along the side of a window."""
STORED_OFFSET = 1000
"""Added to digital numbers of reflectance without an offset, so that all files are alike
and none is cut off at zero."""
_ROWS, _FAINT = 512, 1
Floats = NDArray[np.float32]
Arrays = Mapping[str, NDArray[Any]]


@dataclass(frozen=True, slots=True)
class OutputLayer:
    """A file that is made: its name without suffix, and what its bands are."""

    name: str
    bands: Bands


@dataclass(frozen=True, slots=True)
class Job:
    """Files that are read together, and how a window of them is.

    Attributes
    ----------
    layers
        The files; the first says what was seen.
    window
        Arrays ``[C, h, w]`` by name of layer for a grid.
    tags
        Of the files.
    grid
        What is read.
    inside
        Which pixels of a part of the grid lie in the area.
    """

    layers: tuple[OutputLayer, ...]
    window: Callable[[GeoBox], Arrays]
    tags: Mapping[str, str]
    grid: GeoBox
    inside: Callable[[GeoBox], NDArray[np.bool_]]

    def windows(self) -> list[Window]:
        """All windows, from the top left."""
        h, w = self.grid.shape
        return [
            Window(y, x, min(SIDE, h - y), min(SIDE, w - x))
            for y in range(0, h, SIDE)
            for x in range(0, w, SIDE)
        ]


@dataclass(frozen=True, slots=True)
class Written:
    """Counts of a written job: pixels of the area, and pixels without data."""

    files: tuple[str, ...]
    pixels: int
    holes: int


def carry_out(job: Job, work: Path, tell: Callable[[int], None]) -> Written:
    """Read what is not read yet, and write the files into `work`.

    `tell` is called with the number of windows that are done.
    """
    raws = {layer.name: _Raw(work, layer, job.grid.shape.yx) for layer in job.layers}
    first = raws[job.layers[0].name]
    done = _Done(work / f"{job.layers[0].name}.done")
    for number, window in enumerate(job.windows()):
        if number in done.counts:
            continue
        grid = job.grid[window.slices]
        arrays = job.window(grid)
        for name, array in arrays.items():
            raws[name].put(window, array)
        inside = job.inside(grid)
        seen = first.seen(arrays[job.layers[0].name])
        done.add(number, int(inside.sum()), int((inside & ~seen).sum()))
        tell(len(done.counts))
    files = []
    for layer in job.layers:
        path = work / f"{layer.name}.tif"
        write_bands(raws[layer.name].rows(), job.grid, layer.bands, path, job.tags)
        files.append(path.name)
    pixels, holes = (sum(c[i] for c in done.counts.values()) for i in (0, 1))
    return Written(tuple(files), pixels, holes)


def clean(job: Job, work: Path) -> None:
    """Remove what files were made from, once the manifest knows them."""
    for layer in job.layers:
        (work / f"{layer.name}.raw").unlink(missing_ok=True)
    (work / f"{job.layers[0].name}.done").unlink(missing_ok=True)


class _Raw:
    """Numbers of a file as they are read, on disk.

    It is mapped into memory for a moment only: pages that were touched count as memory.
    """

    def __init__(self, work: Path, layer: OutputLayer, shape: tuple[int, int]) -> None:
        self.layer = layer
        self._path = work / f"{layer.name}.raw"
        self._shape = (len(layer.bands.names), *shape)
        size = int(np.prod(self._shape)) * np.dtype(layer.bands.dtype).itemsize
        if not self._path.exists() or self._path.stat().st_size != size:
            with self._path.open("wb") as file:
                file.truncate(size)

    def put(self, window: Window, values: NDArray[Any]) -> None:
        """Keep the values ``[C, h, w]`` of a window."""
        array = self._array("r+")
        array[(slice(None), *window.slices)] = values
        array.flush()

    def rows(self) -> Iterator[tuple[int, NDArray[Any]]]:
        """All of it, top down."""
        for y in range(0, self._shape[1], _ROWS):
            yield y, np.array(self._array("r")[:, y : y + _ROWS])

    def _array(self, mode: Any) -> np.memmap[Any, Any]:
        dtype = self.layer.bands.dtype
        return np.memmap(self._path, dtype, mode, shape=self._shape)

    def seen(self, values: NDArray[Any]) -> NDArray[np.bool_]:
        """Return which pixels ``[h, w]`` have data."""
        nodata = self.layer.bands.nodata
        empty = np.isnan(values) if np.isnan(nodata) else values == nodata
        return np.asarray(~empty.all(0))


class _Done:
    """Windows that are done: number, pixels of the area, and holes among them."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.counts: dict[int, tuple[int, int]] = {}
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        # A line that a kill cut off has no end, and counts for nothing.
        whole = text[: text.rfind("\n") + 1]
        for line in whole.splitlines():
            number, pixels, holes = map(int, line.split())
            self.counts[number] = (pixels, holes)
        if text != whole:
            path.write_text(whole, encoding="utf-8")

    def add(self, number: int, pixels: int, holes: int) -> None:
        with self._path.open("a", encoding="utf-8") as file:
            file.write(f"{number} {pixels} {holes}\n")
        self.counts[number] = (pixels, holes)


def optical_window(
    reader: Reader,
    pieces: Sequence[ScenePiece],
    offsets: Mapping[str, int],
    grid: GeoBox,
) -> tuple[NDArray[np.uint16], NDArray[np.uint8]]:
    """Digital numbers uint16 ``[10, h, w]`` with nodata 0, and scene classes ``[h, w]``.

    Reflectance is ``(stored - 1000) * 1e-4``, whatever the items' own offsets are. A
    pixel is of the first piece that saw it, with all its bands and its class.
    """
    stored = np.zeros((len(SENTINEL_2.names), *grid.shape), np.uint16)
    classes = np.zeros(grid.shape, np.uint8)
    with ThreadPoolExecutor(THREADS) as pool:
        for piece in pieces:
            open_ = (stored == 0).all(0)
            if not open_.any():
                break
            values, codes = _optical_piece(
                reader, piece, offsets[piece.ident], grid, pool
            )
            fresh = open_ & (values != 0).all(0)
            stored[:, fresh] = values[:, fresh]
            classes[fresh] = codes[fresh]
    return stored, classes


def _optical_piece(
    reader: Reader,
    piece: ScenePiece,
    offset: int,
    grid: GeoBox,
    pool: ThreadPoolExecutor,
) -> tuple[NDArray[np.uint16], NDArray[np.uint8]]:
    # 0 is no data, whatever the tag says; 1 is what edges of scenes have, or, where there
    # is no offset, a dark pixel.
    least = _FAINT if offset else 0

    def known(stored: NDArray[Any]) -> Floats:
        return np.where(stored <= least, np.nan, stored).astype(np.float32)

    classes = pool.submit(_codes, reader, piece.assets["SCL"], grid, 0)
    assets = (piece.assets[name] for name in SENTINEL_2.names)
    bands = np.stack(list(pool.map(lambda a: _values(reader, a, grid, known), assets)))
    empty = np.isnan(bands)
    # With an offset nothing is 0; without, a single band of 0 is dark and was seen.
    hidden = empty.any(0) if offset else (empty | (bands <= _FAINT)).all(0)
    numbers = np.where(empty, 0, bands) + (0 if offset else STORED_OFFSET)
    whole = np.rint(numbers).clip(1, 65535).astype(np.uint16)
    return np.where(hidden, 0, whole).astype(np.uint16), classes.result()


def radar_window(
    reader: Reader,
    pieces: Sequence[ScenePiece],
    nodata: float | None,
    db: bool,
    grid: GeoBox,
) -> Floats:
    """VV and VH in dB ``[2, h, w]``, NaN where one of them was not seen.

    Linear power is interpolated as such, and then turned into dB.
    """

    def known(stored: NDArray[Any]) -> Floats:
        values = stored.astype(np.float32)
        empty = ~np.isfinite(values) | (values == nodata)
        return np.where(empty if db else empty | (values <= 0), np.nan, values)

    out = np.full((2, *grid.shape), np.nan, np.float32)
    for piece in pieces:
        bands = [_values(reader, piece.assets[n], grid, known) for n in ("VV", "VH")]
        values = np.stack(bands)
        values = values if db else to_db(values)
        fresh = np.isnan(out).any(0) & np.isfinite(values).all(0)
        out[:, fresh] = values[:, fresh]
        if np.isfinite(out).all():
            break
    return out


def plain_window(
    reader: Reader,
    pieces: Sequence[ScenePiece],
    name: str,
    nodata: float | None,
    grid: GeoBox,
) -> Floats:
    """One band of numbers ``[1, h, w]``, such as elevation; the first piece counts."""

    def known(stored: NDArray[Any]) -> Floats:
        values = stored.astype(np.float32)
        return np.where(values == nodata, np.nan, values).astype(np.float32)

    out = np.full((1, *grid.shape), np.nan, np.float32)
    for piece in pieces:
        values = _values(reader, piece.assets[name], grid, known)[None]
        out = np.where(np.isnan(out), values, out)
    return out


def code_window(
    reader: Reader, pieces: Sequence[ScenePiece], nodata: int, grid: GeoBox
) -> NDArray[np.uint8]:
    """Class codes ``[1, h, w]`` by the nearest pixel; the first piece counts."""
    out = np.full(grid.shape, nodata, np.uint8)
    for piece in pieces:
        codes = _codes(reader, piece.assets["labels"], grid, nodata)
        out = np.where(out == nodata, codes, out)
    return out[None]


def _values(
    reader: Reader, asset: Asset, grid: GeoBox, known: Callable[[NDArray[Any]], Floats]
) -> Floats:
    with reader.open(asset) as dataset:
        return read_values(dataset, grid_of(dataset, asset), grid, known)


def _codes(reader: Reader, asset: Asset, grid: GeoBox, fill: int) -> NDArray[np.uint8]:
    with reader.open(asset) as dataset:
        codes = read_codes(dataset, grid_of(dataset, asset), grid, fill)
    return codes.astype(np.uint8)
