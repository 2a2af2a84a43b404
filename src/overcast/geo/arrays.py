"""Sources in memory: images, labels and xarray arrays as they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from affine import Affine
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox

from overcast.geo.bands import (
    SENTINEL_1,
    SENTINEL_2,
    SENTINEL_2_L1C,
    Encoding,
    Sensor,
)
from overcast.geo.check import Checked
from overcast.geo.gate import Admitted, admit_own
from overcast.geo.gate_optical import admit_sentinel_2
from overcast.geo.gate_radar import Units, admit_sentinel_1
from overcast.geo.legend import Legend
from overcast.geo.raster import UNKNOWN, Fractions, Image, Labels
from overcast.geo.stored import Spans, Tag
from overcast.geo.validity import decode
from overcast.geo.warp import (
    aligned,
    class_fractions,
    overlap,
    target_of,
    warp_classes,
    warp_values,
)

if TYPE_CHECKING:  # importing it takes long, and files need none of it
    import xarray

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
        """Return the sensor, whose bands the array has."""
        return self.image.sensor

    def read(self, grid: GeoBox) -> Image:
        """Values ``[C, H, W]`` on `grid`; NaN outside the image.

        A grid on the image's own lattice gets the very same numbers, any other is
        warped once.
        """
        out = np.full((len(self.sensor.bands), *grid.shape), np.nan, np.float32)
        if spans := overlap(self.grid, grid):
            valid = self.image.valid[spans]
            values = self.image.values[(slice(None), *spans)]
            values = np.where(valid, values, np.float32(np.nan))
            if offset := aligned(self.grid, grid):
                out[(slice(None), *target_of(spans, offset))] = values
            else:
                out = warp_values(values, self.grid[spans], grid)
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
        """Return the legend of the classes."""
        return self.labels.legend

    def read(self, grid: GeoBox) -> Labels:
        """Class positions ``[H, W]`` on `grid`; `UNKNOWN` outside the labels."""
        out = np.full(grid.shape, UNKNOWN, np.uint8)
        if spans := overlap(self.grid, grid):
            values = self.labels.values[spans]
            if offset := aligned(self.grid, grid):
                out[target_of(spans, offset)] = values
            else:
                out = warp_classes(values, self.grid[spans], grid)
        return Labels(values=out, grid=grid, legend=self.legend)

    def read_fractions(self, grid: GeoBox) -> Fractions:
        """Share of every pixel's area that each class takes ``[K, H, W]``."""
        out = np.zeros((len(self.legend), *grid.shape), np.float32)
        if spans := overlap(self.grid, grid):
            values, part = self.labels.values[spans], self.grid[spans]
            out = class_fractions(values, len(self.legend), part, grid)
        return Fractions(values=out, grid=grid, legend=self.legend)


@dataclass(frozen=True, slots=True)
class ArrayBands:
    """Bands of an `xarray.DataArray` as they are stored; see `from_dataarray`."""

    array: xarray.DataArray = field(repr=False)
    """With dimensions band, row, column; read by window, so it may be lazy."""
    what: str
    tags: tuple[Tag, ...]

    @property
    def how(self) -> str:
        """Say how to give arrays names of bands."""
        band = self.array.dims[0]
        return f"give the bands names: array.assign_coords({band}=['B02', ...])"

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        h, w = self.array.shape[1:]
        return h, w

    @property
    def thinned(self) -> bool:
        """Arrays have no overviews."""
        return False

    def read(
        self, places: Sequence[int], spans: Spans, shape: tuple[int, int] | None = None
    ) -> tuple[NDArray[Any], None]:
        """Values ``[C, h, w]`` of the bands at `places`; no mask hides any."""
        band, y, x = self.array.dims
        part = self.array.isel({y: spans[0], x: spans[1]})
        if shape is not None:
            rows, columns = (
                (np.arange(n) + 0.5) * whole // n
                for n, whole in zip(shape, part.shape[1:], strict=True)
            )
            part = part.isel({y: rows.astype(int), x: columns.astype(int)})
        return np.asarray(part.isel({band: list(places)}).values), None


@dataclass(frozen=True, slots=True)
class DataArraySource:
    """An `xarray.DataArray` as an `ImageSource`, read by window."""

    stored: ArrayBands
    admitted: Admitted
    grid: GeoBox = field(repr=False)

    @property
    def what(self) -> str:
        """The array, as messages name it."""
        return self.stored.what

    @property
    def blocks(self) -> tuple[int, int]:
        """(1, 1): any piece costs the same."""
        return 1, 1

    @property
    def sensor(self) -> Sensor:
        """Return the sensor, whose bands the array has."""
        return self.admitted.sensor

    def read(self, grid: GeoBox) -> Image:
        """Physical values ``[C, H, W]`` on `grid`; NaN where there are none."""
        out = np.full((len(self.sensor.bands), *grid.shape), np.nan, np.float32)
        if spans := overlap(self.grid, grid):
            stored, hidden = self.stored.read(self.admitted.places, spans)
            how = self.admitted
            values = decode(stored, how.encoding, how.validity, hidden)
            if offset := aligned(self.grid, grid):
                out[(slice(None), *target_of(spans, offset))] = values
            else:
                out = warp_values(values, self.grid[spans], grid)
        return Image.of(out, grid, self.sensor)


def from_dataarray(
    array: xarray.DataArray,
    sensor: Sensor,
    *,
    units: Units = "auto",
    offset: int | None = None,
    bands: tuple[str, ...] | None = None,
    encoding: Encoding | None = None,
    trust: bool = False,
) -> Checked[DataArraySource]:
    """Image of a georeferenced array with a band, a row and a column dimension.

    Dimensions may come in any order. Rows and columns are ``y, x``, ``latitude,
    longitude`` or ``lat, lon`` with evenly spaced coordinates, and the CRS is a
    ``spatial_ref`` (or other ``grid_mapping``) coordinate, as CF, odc-geo and rioxarray
    have it. The third dimension holds the bands: matched by name where it has names as
    coordinates (or in ``long_name``), else by their number. Values go through the same
    gate as those of files: units, offset, order and what was not seen are settled by
    values and attributes (``_FillValue``, ``nodata``, ``scale_factor`` ...), and said.
    Nothing is read but a sample, and later the windows that are asked for.

    Parameters
    ----------
    array
        Values as stored, or physical.
    sensor
        What it measures: `SENTINEL_1`, `SENTINEL_2`, `SENTINEL_2_L1C` or one of your
        own.
    units
        What Sentinel-1 is stored in.
    offset
        Offset of the Sentinel-2 product in digital numbers, 0 or -1000.
    bands
        Names of the bands of Sentinel-2 in order, where the array does not say.
    encoding
        How values of your own sensor are stored; by default they are physical.
    trust
        Take `units` or `offset` as said, whatever the values look like, and an array
        in which every pixel has the same values.

    Raises
    ------
    ValueError
        If the array has no CRS or no regular grid, not three dimensions, not the bands
        of the sensor, or values in units that are not clear.
    """
    what = called(array)
    spatial = spatial_dims(array)
    others = [dim for dim in array.dims if dim not in spatial]
    if not spatial or len(others) != 1:
        raise ValueError(
            f"{what} has dimensions {', '.join(map(str, array.dims))}; expected a band "
            "dimension and two spatial ones, such as band, y, x"
        )
    if array.dtype.kind not in "iuf":
        raise ValueError(f"{what} has values of type {array.dtype}, expected numbers")
    grid = grid_of(array, spatial, what)
    ordered = array.transpose(others[0], *spatial)
    stored = ArrayBands(ordered, what, _tags(ordered))
    if sensor.name == SENTINEL_1.name:
        admitted = admit_sentinel_1(stored, sensor, units, trust)
    elif sensor.name in (SENTINEL_2.name, SENTINEL_2_L1C.name):
        admitted = admit_sentinel_2(stored, offset, bands, trust, sensor)
    else:
        ordered_as = replace(sensor, layouts=sensor.layouts or (sensor.names,))
        admitted = admit_own(stored, ordered_as, encoding or Encoding(), trust)
        same = replace(admitted.sensor, layouts=sensor.layouts)
        admitted = replace(admitted, sensor=same)
    return Checked(DataArraySource(stored, admitted, grid), admitted.notes)


def _tags(array: xarray.DataArray) -> tuple[Tag, ...]:
    """Return what coordinates and attributes say of every band.

    A scale among the attributes is still to be applied; xarray keeps one that it
    applied in `encoding`.
    """
    count = array.shape[0]

    def each(*names: str, source: Mapping[Any, Any] = array.attrs) -> list[Any]:
        for name in names:
            if (value := source.get(name)) is None or isinstance(value, str):
                continue
            flat = np.ravel(np.asarray(value, dtype=object)).tolist()
            if len(flat) in (1, count):
                return flat * (count // len(flat))
        return [None] * count

    nodata = each("_FillValue", "missing_value", "nodata", "nodatavals")
    if nodata == [None] * count:
        nodata = each("_FillValue", "missing_value", "nodata", source=array.encoding)
    columns = zip(
        _names(array),
        each("scale_factor", "scales"),
        each("add_offset", "offsets"),
        nodata,
        strict=True,
    )
    return tuple(
        Tag(
            name,
            str(array.dtype),
            1.0 if scale is None else float(scale),
            0.0 if offset is None else float(offset),
            None if tag is None else float(tag),
        )
        for name, scale, offset, tag in columns
    )


def _names(array: xarray.DataArray) -> list[str]:
    """Names of bands: coordinates that are words, or a ``long_name`` for every band."""
    dim, count = array.dims[0], array.shape[0]
    labels = array.coords[dim].values if dim in array.coords else np.arange(count)
    if labels.dtype.kind in "UO":
        return [str(label) for label in labels]
    for attribute in ("long_name", "descriptions"):
        texts = array.attrs.get(attribute)
        if isinstance(texts, list | tuple) and len(texts) == count:
            return [str(text or "") for text in texts]
    return [""] * count


def called(array: xarray.DataArray) -> str:
    """Return how messages call an array."""
    return f"array {array.name or '(unnamed)'}"


def spatial_dims(array: xarray.DataArray) -> tuple[str, ...]:
    """Names of the rows and the columns of an array; empty if it has none."""
    return next((pair for pair in _SPATIAL if set(pair) <= set(array.dims)), ())


def grid_of(array: xarray.DataArray, spatial: tuple[str, ...], what: str) -> GeoBox:
    """Grid of an array by its coordinates and its CRS; `what` names it.

    Raises
    ------
    ValueError
        If it has no CRS, or coordinates that are not evenly spaced.
    """
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
    apart = np.abs(centres - even).max(initial=0)
    if not step or not apart <= _UNEVEN_PX * abs(step):  # NaN is not even
        raise ValueError(
            f"{what} has no regular grid; expected two or more evenly spaced "
            f"coordinates along {dim}"
        )
    return float(step), float(centres[0] - step / 2)
