"""Sources in memory: images, labels and xarray arrays as they are."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import xarray
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox
from odc.geo.xr import ODCExtensionDa

from overcast.geo.bands import Sensor, canonical
from overcast.geo.legend import Legend
from overcast.geo.raster import UNKNOWN, Image, Labels
from overcast.geo.warp import aligned, warp_classes, warp_values

Scalar = TypeVar("Scalar", bound=np.generic)


@dataclass(frozen=True, slots=True)
class ImageArray:
    """An `Image` in memory as an `ImageSource`."""

    image: Image

    @property
    def grid(self) -> GeoBox:
        """The grid of the image."""
        return self.image.grid

    @property
    def blocks(self) -> tuple[int, int]:
        """(1, 1): any piece costs the same."""
        return 1, 1

    @property
    def sensor(self) -> Sensor:
        """Which bands the image has."""
        return self.image.sensor

    def read(self, grid: GeoBox) -> Image:
        """Values ``[C, H, W]`` on `grid`; NaN outside the image.

        A grid on the image's own lattice gets the very same numbers, any other is
        warped once.
        """
        nan = np.float32(np.nan)
        values = np.where(self.image.valid, self.image.values, nan)
        start = aligned(self.grid, grid)
        if start is None:
            values = warp_values(values, self.grid, grid)
        else:
            values = _cut(values, start, _shape(grid), nan)
        return Image.of(values, grid, self.sensor)


@dataclass(frozen=True, slots=True)
class LabelArray:
    """`Labels` in memory as a `LabelSource`."""

    labels: Labels

    @property
    def grid(self) -> GeoBox:
        """The grid of the labels."""
        return self.labels.grid

    @property
    def blocks(self) -> tuple[int, int]:
        """(1, 1): any piece costs the same."""
        return 1, 1

    @property
    def legend(self) -> Legend:
        """What the classes are."""
        return self.labels.legend

    def read(self, grid: GeoBox) -> Labels:
        """Class positions ``[H, W]`` on `grid`; `UNKNOWN` outside the labels."""
        start = aligned(self.grid, grid)
        if start is None:
            values = warp_classes(self.labels.values, self.grid, grid)
        else:
            values = _cut(self.labels.values, start, _shape(grid), np.uint8(UNKNOWN))
        return Labels(values=values, grid=grid, legend=self.legend)


def from_dataarray(array: xarray.DataArray, sensor: Sensor) -> ImageArray:
    """Image of a georeferenced array with a band, a row and a column dimension.

    Dimensions may come in any order. Rows and columns are found by odc-geo (``y, x``,
    ``latitude, longitude``, ...); the third dimension holds the bands, in the physical
    units of `sensor`: matched by name where it has names as coordinates, else in the
    sensor's order. NaN marks invalid pixels.

    Raises
    ------
    ValueError
        If the array has no CRS or no regular grid, not three dimensions, or not the
        bands of the sensor.
    """
    what = f"array {array.name or '(unnamed)'}"
    place = ODCExtensionDa(array)
    spatial = place.spatial_dims or ()
    bands = [dim for dim in array.dims if dim not in spatial]
    if not spatial or len(bands) != 1:
        raise ValueError(
            f"{what} has dimensions {', '.join(map(str, array.dims))}; expected a band "
            "dimension and two spatial ones, such as band, y, x"
        )
    grid = place.geobox
    if not isinstance(grid, GeoBox) or grid.crs is None:
        raise ValueError(
            f"{what} has no CRS or no regular grid; expected evenly spaced coordinates "
            "and a CRS: add one with array.odc.assign_crs('EPSG:...')"
        )
    picked = array.isel({bands[0]: _positions(array, bands[0], sensor, what)})
    ordered = picked.transpose(bands[0], *spatial)
    return ImageArray(Image.of(np.asarray(ordered.values, np.float32), grid, sensor))


def _positions(
    array: xarray.DataArray, dim: Hashable, sensor: Sensor, what: str
) -> list[int]:
    """Where the bands of `sensor` lie along `dim`: by name, else in order."""
    count = array.sizes[dim]
    labels = array.coords[dim].values if dim in array.coords else np.arange(count)
    if labels.dtype.kind not in "UO":
        if count != len(sensor.bands):
            raise ValueError(
                f"{what} has {count} bands without names, expected the "
                f"{len(sensor.bands)} of {sensor.name}: {', '.join(sensor.names)}"
            )
        return list(range(count))
    names = [canonical(str(label)) for label in labels]
    missing = [name for name in sensor.names if names.count(name) != 1]
    if missing:
        raise ValueError(
            f"{what} has the bands {', '.join(map(str, labels))}; expected "
            f"{', '.join(missing)} once each"
        )
    return [names.index(name) for name in sensor.names]


def _shape(grid: GeoBox) -> tuple[int, int]:
    h, w = grid.shape
    return int(h), int(w)


def _cut(
    values: NDArray[Scalar],
    start: tuple[int, int],
    shape: tuple[int, int],
    fill: Scalar,
) -> NDArray[Scalar]:
    """Pixels ``start`` to ``start + shape`` of ``[..., H, W]``, `fill` outside."""
    out = np.full((*values.shape[:-2], *shape), fill, values.dtype)
    pairs = [
        _overlap(begin, length, size)
        for begin, length, size in zip(start, shape, values.shape[-2:], strict=True)
    ]
    theirs = (..., *(there for there, _ in pairs))
    mine = (..., *(here for _, here in pairs))
    out[mine] = values[theirs]
    return out


def _overlap(begin: int, length: int, size: int) -> tuple[slice, slice]:
    """Slices of a source of `size` and of a target from `begin` that are the same."""
    first = min(max(begin, 0), size)
    last = min(max(begin + length, first), size)
    return slice(first, last), slice(first - begin, last - begin)
