"""Images, labels and class maps as xarray DataArrays that other tools understand.

Coordinates and attributes follow the CF conventions: a ``spatial_ref`` coordinate that
rioxarray, odc-geo and GDAL read, ``flag_values`` and ``flag_meanings`` for classes. The
whole legend goes along as text, since meanings of flags have no spaces and no colours.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
import xarray
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox

from overcast.geo.label_array import flag_meanings
from overcast.geo.legend import LandClass, Legend, legend_to_csv, parse_legend
from overcast.geo.raster import UNKNOWN, Image, Labels

SPATIAL_REF = "spatial_ref"
"""Name of the coordinate that holds the coordinate reference system."""
LEGEND, LEGEND_NAME = "legend_classes", "legend"
"""Attributes that hold the text and the name of a legend."""
_GREYS = "808080"


def dims_of(grid: GeoBox) -> tuple[str, str]:
    """Names of rows and columns: ``y, x``, or ``latitude, longitude`` in degrees."""
    degrees = grid.crs is not None and grid.crs.geographic
    return ("latitude", "longitude") if degrees else ("y", "x")


def coordinates(grid: GeoBox) -> dict[Hashable, xarray.Variable]:
    """Coordinates of pixel centres, and ``spatial_ref`` with CRS and geotransform.

    Rows and columns of a grid that is turned have no coordinates of their own: the
    geotransform says where they are.
    """
    coords: dict[Hashable, xarray.Variable] = {}
    affine, (height, width) = grid.affine, grid.shape
    if affine.b == affine.d == 0:
        y, x = dims_of(grid)
        rows = affine.f + affine.e * (np.arange(height) + 0.5)
        columns = affine.c + affine.a * (np.arange(width) + 0.5)
        coords[y] = xarray.Variable(y, rows, _axis(grid, y))
        coords[x] = xarray.Variable(x, columns, _axis(grid, x))
    transform = " ".join(f"{n!r}" for n in _gdal_order(affine))
    attributes: dict[str, Any] = {"GeoTransform": transform}
    if grid.crs is not None:
        attributes |= {**grid.crs.proj.to_cf(), "spatial_ref": grid.crs.to_wkt()}
    coords[SPATIAL_REF] = xarray.Variable((), np.int32(0), attributes)
    return coords


def class_attributes(legend: Legend) -> dict[str, Any]:
    """CF attributes of class codes, and the legend as text."""
    return {
        "long_name": "land cover",
        "flag_values": np.array(legend.codes, np.uint8),
        "flag_meanings": " ".join(map(meaning_of, legend.names)),
        LEGEND_NAME: legend.name,
        LEGEND: legend_to_csv(legend),
    }


def meaning_of(name: str) -> str:
    """Return a name of a class as CF has it: one word.

    Examples
    --------
    >>> meaning_of("Urban/Built-up")
    'Urban_Built-up'
    """
    return re.sub(r"[^\w.+@-]+", "_", name).strip("_")


def legend_of_array(array: xarray.DataArray) -> Legend | None:
    """Legend of class codes by their attributes; None if they say nothing of it.

    Raises
    ------
    ValueError
        If what they say is no legend.
    """
    name, text = str(array.attrs.get(LEGEND_NAME, "flags")), array.attrs.get(LEGEND)
    if isinstance(text, str):
        return parse_legend(text, name)
    if (named := flag_meanings(array.attrs)) is None:
        return None
    colours = str(array.attrs.get("flag_colors", "")).replace("#", "").split()
    if len(colours) != len(named.names):
        colours = [_GREYS] * len(named.names)
    pairs = zip(named.names.items(), colours, strict=True)
    return Legend(name, tuple(LandClass(code, n, c) for (code, n), c in pairs))


def image_to_dataarray(image: Image, name: str) -> xarray.DataArray:
    """Physical values ``[band, y, x]`` of an image, NaN where nothing was observed."""
    values = np.where(image.valid, image.values, np.float32(np.nan))
    bands = {"band": np.array(image.sensor.names)}
    return _array(name, ("band",), values, image.grid).assign_coords(bands)


def labels_to_dataarray(labels: Labels, name: str) -> xarray.DataArray:
    """Class codes ``[y, x]``, 255 where the class is not known."""
    codes = labels.legend.to_codes(labels.values)
    attributes = {**class_attributes(labels.legend), "_FillValue": np.uint8(UNKNOWN)}
    return _array(name, (), codes, labels.grid, attributes)


def float_dataarray(
    values: NDArray[np.float32], grid: GeoBox, name: str
) -> xarray.DataArray:
    """Numbers ``[y, x]`` on a grid; NaN where there are none."""
    return _array(name, (), values, grid)


def _array(
    name: str,
    before: tuple[str, ...],
    values: Any,
    grid: GeoBox,
    attributes: Mapping[str, Any] | None = None,
) -> xarray.DataArray:
    array = xarray.DataArray(
        values,
        coords=coordinates(grid),
        dims=(*before, *dims_of(grid)),
        name=name,
        attrs=dict(attributes or {}),
    )
    array.encoding["grid_mapping"] = SPATIAL_REF
    return array


def _gdal_order(affine: Any) -> tuple[float, ...]:
    a, b, c, d, e, f = tuple(affine)[:6]
    return c, a, b, f, d, e


def _axis(grid: GeoBox, dim: str) -> dict[str, str]:
    """CF attributes of a coordinate."""
    if dim in ("latitude", "longitude"):
        unit = "degrees_north" if dim == "latitude" else "degrees_east"
        return {"standard_name": dim, "units": unit}
    projected = {"standard_name": f"projection_{dim}_coordinate", "axis": dim.upper()}
    return {**projected, "units": "metre"} if grid.crs is not None else {}
