"""Files of public datasets as sources.

Unlike a user's files they come in one known layout, and some come without a place on
the ground. Those get a grid without coordinate reference system: good for training and
scoring, and plainly no map.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from affine import Affine
from odc.geo.geobox import GeoBox

from overcast.geo.arrays import LabelArray
from overcast.geo.bands import Encoding, Sensor
from overcast.geo.files import ImageFile, dataset_of, open_raster, placed
from overcast.geo.legend import Crosswalk
from overcast.geo.raster import Labels


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
    dataset = open_raster(path)
    orders = [names for names in sensor.layouts if len(names) == dataset.count]
    if not orders:
        counts = " or ".join(str(len(names)) for names in sensor.layouts)
        raise ValueError(
            f"{path}: {dataset.count} bands, expected {counts} of {sensor.name}; unpack "
            "the published archive again, unchanged"
        )
    indexes = tuple(orders[0].index(name) + 1 for name in sensor.names)
    grid = grid_of(path, dataset, pixel_m)
    return ImageFile(path, sensor, encoding, indexes, grid, dataset.block_shapes[0])


def open_classes(
    path: Path, crosswalk: Crosswalk, unknown: Sequence[int], pixel_m: float
) -> LabelArray:
    """Read band 1 as codes of `crosswalk.source`, and give classes of its target.

    Parameters
    ----------
    path, crosswalk
        The file, and how its codes translate.
    unknown
        Codes that say that the class is not known.
    pixel_m
        Side of a pixel in metres, where the file does not say.

    Raises
    ------
    ValueError
        If the file is missing or broken, not whole numbers, or holds other codes.
    """
    dataset = open_raster(path)
    codes = dataset_of(path).read(1)
    if codes.dtype.kind not in "ui":
        raise ValueError(
            f"{path}: {codes.dtype} values; expected class codes, which are whole "
            "numbers; unpack the published archive again, unchanged"
        )
    codes = np.where(np.isin(codes, unknown), unknown[0], codes)
    try:
        found = crosswalk.source.to_indices(codes, unknown[0])
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error
    grid, legend = grid_of(path, dataset, pixel_m), crosswalk.target
    values = crosswalk.indices(found)
    return LabelArray(Labels(values=values, grid=grid, legend=legend))


def grid_of(path: Path, dataset: Any, pixel_m: float) -> GeoBox:
    """Grid of a dataset; without coordinate reference system where it has no place."""
    if dataset.crs is not None and not dataset.transform.is_identity:
        return placed(path, dataset)
    side = Affine(pixel_m, 0, 0, 0, -pixel_m, 0)
    return GeoBox(dataset.shape, side, None)
