"""Files of public datasets as sources.

Unlike a user's files they come in one known layout, and some come without a place on
the ground. Those get a grid without coordinate reference system: good for training and
scoring, and plainly no map.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from affine import Affine
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox
from rasterio.errors import NotGeoreferencedWarning
from scipy.ndimage import label

from overcast.geo.arrays import ImageArray
from overcast.geo.bands import Band, Encoding, Sensor
from overcast.geo.dataset import dataset_of, open_raster, placed
from overcast.geo.image_file import ImageFile
from overcast.geo.label_file import LabelFile
from overcast.geo.legend import Crosswalk, Legend
from overcast.geo.raster import Image
from overcast.geo.stack import LabelSource
from overcast.geo.stored import masks_of
from overcast.geo.translated import Translated
from overcast.geo.validity import Validity
from overcast.geo.warp import overlap

AMPLITUDE = Band("amplitude", "dB", 0.0, 48.0)
"""Of eight-bit SAR: decibels above a digital number of 1, so 255 is 48."""
_DARKEST = 0.5
"""Stands for a digital number of 0, which has no logarithm."""
_EDGE_PX = 256
"""Zeros along the border that are fewer than this are dark land, not the outside."""


def open_bands(
    path: Path, sensor: Sensor, encoding: Encoding, pixel_m: float
) -> ImageFile:
    """Open a raster whose bands are in one of the orders of `sensor.layouts`.

    Parameters
    ----------
    path, sensor, encoding
        The file, what it measures, and how values are stored.
    pixel_m
        Side of a pixel in metres, where the file does not say.

    Raises
    ------
    ValueError
        If the file is missing or broken, or has another number of bands.
    """
    dataset = open_unplaced(path)
    orders = [names for names in sensor.layouts if len(names) == dataset.count]
    if not orders:
        counts = " or ".join(str(len(names)) for names in sensor.layouts)
        raise ValueError(
            f"{path}: {dataset.count} bands, expected {counts} of {sensor.name}; unpack "
            "the published archive again, unchanged"
        )
    indexes = tuple(orders[0].index(name) + 1 for name in sensor.names)
    tags = tuple(dataset.nodatavals[index - 1] for index in indexes)
    return ImageFile(
        path,
        sensor,
        encoding,
        indexes,
        grid_of(path, dataset, pixel_m),
        dataset.block_shapes[0],
        Validity(tags),
        masks_of(dataset, indexes),
    )


def open_classes(path: Path, legend: Legend, nodata: int, pixel_m: float) -> LabelFile:
    """Open band 1 as codes of `legend`; `nodata` is the code of what is not known.

    Raises
    ------
    ValueError
        If the file is missing, broken, or not whole numbers; other codes are refused
        when they are read.
    """
    dataset = open_unplaced(path)
    if np.dtype(dataset.dtypes[0]).kind not in "ui":
        raise ValueError(
            f"{path}: {dataset.dtypes[0]} values; expected class codes, which are whole "
            "numbers; unpack the published archive again, unchanged"
        )
    grid = grid_of(path, dataset, pixel_m)
    return LabelFile(path, legend, (nodata,), grid, dataset.block_shapes[0])


def crossed(source: LabelSource, walk: Crosswalk) -> Translated:
    """Labels in the classes of another legend; unknown where none has more than half."""
    return Translated(source, walk.indices(np.arange(256, dtype=np.uint8)), walk.target)


@dataclass(frozen=True, slots=True)
class AmplitudeFile:
    """SAR amplitude in eight bits as decibels, without the black edges around it.

        dB = 20 log10(max(DN, 1/2))

    How publishers stretched amplitudes to eight bits they don't say, so this is no
    calibrated backscatter. DN 0 is dark land inside the image; a large area of zeros
    that touches its border lies outside the swath and is not valid.
    """

    path: Path
    sensor: Sensor
    grid: GeoBox = field(repr=False)
    blocks: tuple[int, int] = (1, 1)

    def read(self, grid: GeoBox) -> Image:
        """Decibels ``[1, H, W]`` on `grid`; NaN outside the swath."""
        spans = overlap(self.grid, grid)
        if spans is None:
            return Image.unseen(grid, self.sensor)
        window = rasterio.windows.Window.from_slices(*spans)
        stored = dataset_of(self.path).read(1, window=window).astype(np.float32)
        values = 20 * np.log10(np.maximum(stored, np.float32(_DARKEST)))
        outside = _outside(self.path, self.path.stat().st_mtime_ns)
        rows, columns = spans
        values[_unpacked(outside[rows], self.grid.shape[1])[:, columns]] = np.nan
        image = Image.of(values[None], self.grid[spans], self.sensor)
        return ImageArray(image).read(grid)


def open_amplitude(path: Path, sensor: Sensor, pixel_m: float) -> AmplitudeFile:
    """Open one band of eight-bit SAR amplitude.

    Raises
    ------
    ValueError
        If the file is missing or broken, or is not one band of eight bits.
    """
    dataset = open_unplaced(path)
    if dataset.count != 1 or dataset.dtypes[0] != "uint8":
        raise ValueError(
            f"{path}: {dataset.count} bands of {dataset.dtypes[0]}, expected one of "
            f"uint8 for {sensor.name}; unpack the published archive again, unchanged"
        )
    grid = grid_of(path, dataset, pixel_m)
    return AmplitudeFile(path, sensor, grid, dataset.block_shapes[0])


@lru_cache(maxsize=256)
def _outside(path: Path, changed_ns: int) -> NDArray[np.uint8]:
    """Bits ``[H, W / 8]``: in an area of zeros that comes in from the border.

    All of a scene must be seen for it, so it is found once, and kept as bits: some
    megabytes a scene, of which there are a hundred.
    """
    areas, count = label(dataset_of(path).read(1) == 0)
    sizes = np.bincount(areas.ravel(), minlength=count + 1)
    edges = (areas[0], areas[-1], areas[:, 0], areas[:, -1])
    touching = np.unique(np.concatenate(edges))
    outer = np.zeros(count + 1, np.bool_)
    outer[touching] = sizes[touching] >= _EDGE_PX
    outer[0] = False  # everything that is not zero
    return np.packbits(outer[areas], axis=1)


def _unpacked(bits: NDArray[np.uint8], width: int) -> NDArray[np.bool_]:
    return np.unpackbits(bits, axis=1, count=width).view(np.bool_)


def open_unplaced(path: Path) -> Any:
    """Open a raster as `open_raster` does; a missing place is nothing to warn of here."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        return open_raster(path)


def grid_of(path: Path, dataset: Any, pixel_m: float) -> GeoBox:
    """Grid of a dataset; without coordinate reference system where it has no place."""
    if dataset.crs is not None and not dataset.transform.is_identity:
        return placed(path, dataset)
    side = Affine(pixel_m, 0, 0, 0, -pixel_m, 0)
    return GeoBox(dataset.shape, side, None)
