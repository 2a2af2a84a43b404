"""Small GeoTIFFs for tests, written as users' files are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from affine import Affine
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox

SINUSOIDAL = "+proj=sinu +lon_0=0 +x_0=0 +y_0=0 +R=6371007.181 +units=m +no_defs"
CELL_M = 463.312716528


def utm(
    shape: tuple[int, int] = (64, 64),
    *,
    east: float = 600_000,
    north: float = 5_300_000,
    size: float = 10,
    zone: int = 32,
) -> GeoBox:
    """Grid in a UTM zone of the northern hemisphere."""
    return GeoBox(shape, Affine(size, 0, east, 0, -size, north), f"EPSG:{32600 + zone}")


def write(
    path: Path, values: NDArray[Any], grid: GeoBox | None, **profile: Any
) -> Path:
    """Write ``[C, H, W]`` or ``[H, W]``; without a grid, without a place."""
    bands = values[None] if values.ndim == 2 else values
    names = profile.pop("names", ())
    place = {}
    if grid is not None:
        place = {"crs": str(grid.crs), "transform": grid.affine}
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        count=len(bands),
        height=bands.shape[1],
        width=bands.shape[2],
        dtype=bands.dtype,
        **place,
        **profile,
    ) as dataset:
        dataset.write(bands)
        for index, name in enumerate(names, 1):
            dataset.set_band_description(index, name)
    return path


def backscatter(shape: tuple[int, int], seed: int = 0) -> NDArray[np.float32]:
    """Plausible VV and VH in dB."""
    random = np.random.default_rng(seed)
    level = np.array([-10, -17], np.float32)[:, None, None]
    return (level + random.normal(0, 2, (2, *shape))).astype(np.float32)


def reflectance(shape: tuple[int, int], seed: int = 0) -> NDArray[np.uint16]:
    """Plausible ten surface bands, times 10,000."""
    random = np.random.default_rng(seed)
    return random.integers(150, 3500, (10, *shape)).astype(np.uint16)
