"""What every `fake` draws with: a patchwork of classes, and files as publishers write them.

Nothing here looks like land; it is enough that every class occurs, that neighbours are
alike, and that files have the layout, data types and codes of the real ones.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from affine import Affine
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox
from rasterio.errors import NotGeoreferencedWarning
from scipy.ndimage import gaussian_filter

_BLOB_PX = 9


def patchwork(
    rng: np.random.Generator,
    shape: tuple[int, int],
    codes: Sequence[int],
    blob_px: float = _BLOB_PX,
) -> NDArray[np.uint8]:
    """Codes uint8 ``[H, W]`` in patches: the one whose smooth random field is highest."""
    noise = rng.normal(size=(len(codes), *shape))
    fields = gaussian_filter(noise, (0, blob_px, blob_px), mode="wrap")
    fields += rng.normal(size=(len(codes), 1, 1)) * fields.std() / 3
    return np.asarray(np.array(codes, np.uint8)[fields.argmax(0)])


def utm_grid(shape: tuple[int, int], pixel_m: float, zone: int = 32) -> GeoBox:
    """Grid in a UTM zone whose upper left corner is always the same."""
    corner = Affine(pixel_m, 0, 600_000, 0, -pixel_m, 5_300_000)
    return GeoBox(shape, corner, f"EPSG:{32600 + zone}")


def write_raster(path: Path, values: NDArray[Any], **place: Any) -> None:
    """Write ``[C, H, W]``; `place` is rasterio's ``crs`` and ``transform``, or nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    count, height, width = values.shape
    size = {"count": count, "height": height, "width": width}
    with warnings.catch_warnings():
        # Some publishers' files have no place on the ground either.
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        with rasterio.open(
            path, "w", driver="GTiff", dtype=values.dtype, **size, **place
        ) as out:
            out.write(values)
