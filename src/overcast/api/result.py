"""A map as an xarray.Dataset: classes, confidence, probabilities, and where they lie."""

from __future__ import annotations

import contextlib
import shutil
import weakref
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import DTypeLike, NDArray
from odc.geo.geobox import GeoBox
from xarray import Dataset, Variable, register_dataset_accessor

from overcast.extras import advice
from overcast.geo.label_array import codes_of_dataarray
from overcast.geo.legend import Legend
from overcast.geo.raster import UNKNOWN, Labels
from overcast.geo.warp import pixel_of
from overcast.geo.xarrays import (
    SPATIAL_REF,
    class_attributes,
    coordinates,
    dims_of,
    legend_of_array,
)
from overcast.maps.predict import PROBABILITY_STEPS, RawMap
from overcast.maps.stitch import Floats

if TYPE_CHECKING:
    import folium
    from matplotlib.figure import Figure

    from overcast.api.model import Model
    from overcast.api.scene import Scene

CLASSES, CONFIDENCE, PROBABILITIES = "land_cover", "confidence", "probabilities"
_ROWS = 512
LARGEST_IN_MEMORY = 256 * 2**20
"""Bytes up to which a map is read into memory; a larger one stays in a file."""


@dataclass(frozen=True)
class ResultOrigin:
    """The inputs and the model of a map, for the files beside it."""

    model: Model
    scene: Scene
    tags: dict[str, str]


def to_dataset(raw: RawMap, grid: GeoBox, legend: Legend, folder: Path) -> Dataset:
    """Dataset of a map that lies in raw files in `folder`, which it takes over.

    A small map is read. A large one stays in files, which are mapped into memory by
    window and go away with the arrays.
    """
    height, width = raw.shape
    codes = _empty((height, width), np.uint8, folder / "land_cover.bin")
    confidence = _empty((height, width), np.float32, folder / "confidence.bin")
    shares = _empty((raw.count, height, width), np.float32, folder / "shares.bin")
    for start in range(0, height, _ROWS):
        rows = slice(start, min(start + _ROWS, height))
        indices, confidence[rows] = raw.rows(rows.start, rows.stop)
        codes[rows] = legend.to_codes(indices)
        if raw.count:
            steps = raw.probability_rows(rows.start, rows.stop)
            values = steps.astype(np.float32) / PROBABILITY_STEPS
            shares[:, rows] = np.where(steps == UNKNOWN, np.float32(np.nan), values)
    for path in raw.sizes:
        path.unlink()
    if not any(folder.glob("*.bin")):
        shutil.rmtree(folder, ignore_errors=True)
    dims = dims_of(grid)
    of_classes = {**class_attributes(legend), "_FillValue": np.uint8(UNKNOWN)}
    arrays = {
        CLASSES: Variable(dims, codes, of_classes),
        CONFIDENCE: Variable(
            dims, confidence, {"long_name": "probability of the class", "units": "1"}
        ),
    }
    coords = coordinates(grid)
    if raw.count:
        about = {"long_name": "probability of every class", "units": "1"}
        arrays[PROBABILITIES] = Variable(("class", *dims), shares, about)
        coords["class"] = Variable("class", np.array(legend.names))
    for array in arrays.values():
        array.encoding["grid_mapping"] = SPATIAL_REF
    return Dataset(arrays, coords=coords, attrs={"Conventions": "CF-1.11"})


def _empty(shape: tuple[int, ...], dtype: DTypeLike, path: Path) -> NDArray[np.generic]:
    """Array to be filled: in memory, or in a file if it is large."""
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    if size <= LARGEST_IN_MEMORY:
        return np.empty(shape, dtype)
    array = np.memmap(path, dtype, "w+", shape=shape)
    weakref.finalize(array, _remove, path)
    return array


def _remove(path: Path) -> None:
    """Remove a file, and its folder after the last one."""
    with contextlib.suppress(OSError):
        path.unlink()
        path.parent.rmdir()


class Map:
    """A result as labels, and as rows, as `overcast.product.rasters` writes them.

    Raises a ValueError if `result` has no classes, confidence or legend.
    """

    def __init__(self, result: Dataset) -> None:
        for name in (CLASSES, CONFIDENCE):
            if name not in result:
                raise ValueError(
                    f"result has no {name}; give what Model.predict returned"
                )
        legend = legend_of_array(result[CLASSES])
        if legend is None:
            raise ValueError(f"{CLASSES} has no flag_values and flag_meanings")
        self.result, self.legend = result, legend
        self._codes = codes_of_dataarray(result[CLASSES], legend, (UNKNOWN,))
        self.grid = self._codes.grid

    @property
    def blocks(self) -> tuple[int, int]:
        """(1, 1): any piece costs the same."""
        return 1, 1

    def read(self, grid: GeoBox) -> Labels:
        """Class positions ``[H, W]`` on `grid`; unknown outside the map."""
        return self._codes.read(grid)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        height, width = self.result[CLASSES].shape
        return height, width

    @property
    def count(self) -> int:
        """Number of classes whose probabilities are there; 0 if they are not."""
        return len(self.legend) if PROBABILITIES in self.result else 0

    def rows(self, start: int, stop: int) -> tuple[NDArray[np.uint8], Floats]:
        """Class indices and confidence ``[stop - start, W]``."""
        codes = np.asarray(self.result[CLASSES][start:stop])
        indices, _ = self.legend.find(codes, (UNKNOWN,))
        confidence = np.asarray(self.result[CONFIDENCE][start:stop], np.float32)
        return indices, confidence

    def confidence_on(self, grid: GeoBox) -> Floats:
        """Confidence ``[H, W]`` of the nearest pixel of another grid; NaN outside."""
        row, column = pixel_of(self.grid, grid)
        inside = (row >= 0) & (row < self.shape[0])
        inside &= (column >= 0) & (column < self.shape[1])
        values = np.asarray(self.result[CONFIDENCE], np.float32)
        sampled = values[np.where(inside, row, 0), np.where(inside, column, 0)]
        return np.where(inside, sampled, np.float32(np.nan))

    def probability_rows(self, start: int, stop: int) -> NDArray[np.uint8]:
        """Probabilities ``[K, stop - start, W]`` in steps of 1/254; 255 is no data."""
        shares = np.asarray(self.result[PROBABILITIES][:, start:stop])
        steps = np.rint(np.nan_to_num(shares) * np.float32(PROBABILITY_STEPS))
        return np.where(np.isnan(shares), UNKNOWN, steps).astype(np.uint8)


def remember(result: Dataset, origin: ResultOrigin) -> Dataset:
    """Keep what a map was made by with the very Dataset, not with parts of it."""
    result.overcast.origin = origin
    return result


@register_dataset_accessor("overcast")  # type: ignore[no-untyped-call]
class Accessor:
    """``result.overcast``: pictures of a result, and what it was made by.

    Attributes
    ----------
    origin
        Model and scene of a whole result; None for a part of one, or one from a file.
    """

    def __init__(self, result: Dataset) -> None:
        self._result = result
        self.origin: ResultOrigin | None = None

    def plot(self) -> Figure:
        """Draw classes with their legend, and confidence (needs matplotlib)."""
        from overcast.api.pictures import draw

        with _extra():
            return draw(Map(self._result))

    def explore(self) -> folium.Map:
        """Lay classes and confidence over a web map (needs folium)."""
        from overcast.api.pictures import on_web_map

        with _extra():
            return on_web_map(Map(self._result))


@contextlib.contextmanager
def _extra() -> Iterator[None]:
    """Say which extra brings a package that is missing."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(advice(error), name=error.name) from error
