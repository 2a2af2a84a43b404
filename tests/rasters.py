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


BANDS = ("B02", "B03", "B04", "B05", "B06", "B07", "B08", "B8A", "B11", "B12")
SPECTRA = {
    "water": (300, 280, 200, 150, 120, 110, 90, 80, 40, 30),
    "forest": (200, 350, 220, 600, 1800, 2200, 2400, 2500, 1100, 500),
    "crops": (600, 900, 1000, 1500, 2300, 2600, 2800, 3000, 2400, 1600),
    "soil": (900, 1300, 1800, 2000, 2200, 2400, 2500, 2600, 3400, 2900),
    "town": (1300, 1500, 1700, 1800, 1900, 2000, 2100, 2200, 2400, 2200),
    "desert": (1500, 2200, 3200, 3500, 3700, 3900, 4000, 4100, 5200, 4700),
    "snow": (9000, 9000, 8900, 8800, 8600, 8400, 8300, 8000, 1000, 900),
    "cloud": (5500, 5400, 5600, 5700, 5800, 5900, 5900, 6000, 4200, 3200),
}
"""Reflectance x 10,000 of ten bands."""


def spectra(
    *covers: str, shape: tuple[int, int] = (64, 64), seed: int = 0
) -> NDArray[np.uint16]:
    """Ten bands x 10,000 of land covers in blocks of eight pixels."""
    random = np.random.default_rng(seed)
    blocks = random.integers(0, len(covers), (shape[0] // 8 + 1, shape[1] // 8 + 1))
    which = blocks.repeat(8, 0).repeat(8, 1)[: shape[0], : shape[1]]
    means = np.array([SPECTRA[cover] for cover in covers], float)
    values = means[which].transpose(2, 0, 1)
    return (values * random.normal(1, 0.06, values.shape)).clip(2).astype(np.uint16)
