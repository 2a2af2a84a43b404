"""Sources in memory: images, labels and xarray arrays as they are."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

import numpy as np
import xarray
from affine import Affine
from odc.geo.geobox import GeoBox

from overcast.geo.bands import Sensor, canonical
from overcast.geo.legend import Legend
from overcast.geo.raster import UNKNOWN, Fractions, Image, Labels
from overcast.geo.warp import (
    aligned,
    class_fractions,
    overlap,
    target_of,
    warp_classes,
    warp_values,
)

_SPATIAL = (("y", "x"), ("latitude", "longitude"), ("lat", "lon"))
_UNEVEN_PX = 0.01


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
        out = np.full((len(self.sensor.bands), *grid.shape), np.nan, np.float32)
        if spans := overlap(self.grid, grid):
            valid = self.image.valid[spans]
            found = self.image.values[(slice(None), *spans)]
            found = np.where(valid, found, np.float32(np.nan))
            if offset := aligned(self.grid, grid):
                out[(slice(None), *target_of(spans, offset))] = found
            else:
                out = warp_values(found, self.grid[spans], grid)
        return Image.of(out, grid, self.sensor)


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
        out = np.full(grid.shape, UNKNOWN, np.uint8)
        if spans := overlap(self.grid, grid):
            found = self.labels.values[spans]
            if offset := aligned(self.grid, grid):
                out[target_of(spans, offset)] = found
            else:
                out = warp_classes(found, self.grid[spans], grid)
        return Labels(values=out, grid=grid, legend=self.legend)

    def read_fractions(self, grid: GeoBox) -> Fractions:
        """Share of every pixel's area that each class takes ``[K, H, W]``."""
        out = np.zeros((len(self.legend), *grid.shape), np.float32)
        if spans := overlap(self.grid, grid):
            found, there = self.labels.values[spans], self.grid[spans]
            out = class_fractions(found, len(self.legend), there, grid)
        return Fractions(values=out, grid=grid, legend=self.legend)


def from_dataarray(array: xarray.DataArray, sensor: Sensor) -> ImageArray:
    """Image of a georeferenced array with a band, a row and a column dimension.

    Dimensions may come in any order. Rows and columns are ``y, x``, ``latitude,
    longitude`` or ``lat, lon`` with evenly spaced coordinates, and the CRS is a
    ``spatial_ref`` (or other ``grid_mapping``) coordinate, as CF, odc-geo and rioxarray
    have it. The third dimension holds the bands, in the physical units of `sensor`:
    matched by name where it has names as coordinates, else in the sensor's order.
    NaN marks invalid pixels.

    Raises
    ------
    ValueError
        If the array has no CRS or no regular grid, not three dimensions, or not the
        bands of the sensor.
    """
    what = f"array {array.name or '(unnamed)'}"
    spatial = next((pair for pair in _SPATIAL if set(pair) <= set(array.dims)), ())
    bands = [dim for dim in array.dims if dim not in spatial]
    if not spatial or len(bands) != 1:
        raise ValueError(
            f"{what} has dimensions {', '.join(map(str, array.dims))}; expected a band "
            "dimension and two spatial ones, such as band, y, x"
        )
    grid = _grid(array, spatial, what)
    picked = array.isel({bands[0]: _positions(array, bands[0], sensor, what)})
    ordered = picked.transpose(bands[0], *spatial)
    return ImageArray(Image.of(np.asarray(ordered.values, np.float32), grid, sensor))


def _grid(array: xarray.DataArray, spatial: tuple[str, ...], what: str) -> GeoBox:
    # odc-geo's own .odc accessor would do this, but importing it needs dask.
    attributes = array.attrs | array.encoding
    mapping = array.coords.get(attributes.get("grid_mapping", "spatial_ref"))
    tags = {} if mapping is None else mapping.attrs
    crs = tags.get("crs_wkt", tags.get("spatial_ref"))
    if crs is None:
        raise ValueError(
            f"{what} has no CRS; expected a spatial_ref coordinate: add one with "
            "array.odc.assign_crs('EPSG:...') or array.rio.write_crs('EPSG:...')"
        )
    (dy, top), (dx, left) = (_spacing(array, dim, what) for dim in spatial)
    h, w = (array.sizes[dim] for dim in spatial)
    return GeoBox((h, w), Affine(dx, 0, left, 0, dy, top), crs)


def _spacing(array: xarray.DataArray, dim: str, what: str) -> tuple[float, float]:
    """Pixel size along a dimension, and the outer edge of its first pixel."""
    centres = array.coords[dim].values if dim in array.coords else np.zeros(0)
    step = (centres[-1] - centres[0]) / (len(centres) - 1) if len(centres) > 1 else 0
    even = centres[:1] + step * np.arange(len(centres))
    if not step or np.abs(centres - even).max() > _UNEVEN_PX * abs(step):
        raise ValueError(
            f"{what} has no regular grid; expected two or more evenly spaced "
            f"coordinates along {dim}"
        )
    return float(step), float(centres[0] - step / 2)


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
