"""A scene's rasters as GeoTIFFs, as satellite products are commonly delivered."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox

from overcast.geo.raster import UNKNOWN, Image, Labels

_TILE = 256


def write_backscatter(image: Image, path: Path) -> None:
    """Write dB as float32, nodata NaN."""
    with _create(path, image.values, image.grid, float("nan")) as out:
        _describe(out, image)
        out.write(image.values)
    _publish(path)


def write_reflectance(image: Image, path: Path) -> None:
    """Reflectance times 10,000 as uint16, nodata 0."""
    numbers = np.rint(np.nan_to_num(image.values) * 10_000).astype(np.uint16)
    with _create(path, numbers, image.grid, 0) as out:
        _describe(out, image)
        out.write(numbers)
    _publish(path)


def write_classes(labels: Labels, path: Path) -> None:
    """Class codes as uint8 with the colours of the legend, nodata 255."""
    codes = labels.legend.to_codes(labels.values)[None]
    with _create(path, codes, labels.grid, UNKNOWN) as out:
        out.write_colormap(1, {c.code: (*c.rgb, 255) for c in labels.legend.classes})
        out.set_band_description(1, "class")
        out.write(codes)
    _publish(path)


def _draft(path: Path) -> Path:
    return path.with_name(f".{path.name}.part")


def _publish(path: Path) -> None:
    """Give a finished file its name, so that nothing half-written ever has it."""
    _draft(path).replace(path)


def _create(
    path: Path, values: NDArray[Any], grid: GeoBox, nodata: float
) -> rasterio.io.DatasetWriter:
    return rasterio.open(
        _draft(path),
        "w",
        driver="GTiff",
        dtype=values.dtype.name,
        count=values.shape[0],
        height=values.shape[1],
        width=values.shape[2],
        crs=str(grid.crs),
        transform=grid.affine,
        nodata=nodata,
        tiled=True,
        blockxsize=_TILE,
        blockysize=_TILE,
        compress="deflate",
        predictor=3 if values.dtype.kind == "f" else 2,
        interleave="band",
    )


def _describe(out: rasterio.io.DatasetWriter, image: Image) -> None:
    for number, band in enumerate(image.sensor.bands, 1):
        out.set_band_description(number, band.name)
        out.set_band_unit(number, band.unit)
