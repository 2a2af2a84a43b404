"""xarray DataArrays of class codes as sources of labels, read by window."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox

from overcast.geo.arrays import called, grid_of, spatial_dims
from overcast.geo.categories import Categories
from overcast.geo.coded_labels import CodedLabels, Spans
from overcast.geo.codes import whole
from overcast.geo.label_check import NamedRaster, check_named
from overcast.geo.legend import Legend
from overcast.geo.warp import overlap

if TYPE_CHECKING:  # importing it takes long, and files need none of it
    import xarray

_TAGS = ("_FillValue", "missing_value", "nodata")


@dataclass(frozen=True, slots=True)
class LabelDataArray(CodedLabels):
    """An `xarray.DataArray` of class codes; make it with `labels_from_dataarray`.

    A pixel says nothing where it is NaN or has one of the codes `nodata`.
    """

    array: xarray.DataArray = field(repr=False)
    """With dimensions row, column; it may be lazy."""
    legend: Legend
    nodata: tuple[int, ...]
    grid: GeoBox = field(repr=False)
    blocks: tuple[int, int] = (1, 1)
    notes: tuple[str, ...] = ()

    @property
    def what(self) -> str:
        """The array, as messages name it."""
        return called(self.array)

    def codes(self, spans: Spans) -> tuple[NDArray[Any], NDArray[np.bool_] | None]:
        """Whole codes of a window, and where they are NaN or no data.

        Raises
        ------
        ValueError
            If a value is not a whole number.
        """
        y, x = self.array.dims
        part = self.array.isel({y: spans[0], x: spans[1]})
        try:
            return whole(np.asarray(part.values), set(self.nodata))
        except ValueError as error:
            raise ValueError(f"{self.what}: {error}") from error


def codes_of_dataarray(
    array: xarray.DataArray,
    legend: Legend,
    nodata: Iterable[int] = (),
    tagged: bool = True,
) -> LabelDataArray:
    """Labels of a georeferenced array of class codes, without a look at them.

    Rows, columns and CRS are as in `overcast.geo.arrays.from_dataarray`; a further
    dimension of length one is dropped. Codes for no data among the attributes join
    `nodata`, if the labels are `tagged`.

    Raises
    ------
    ValueError
        If the array has no CRS, no regular grid, further dimensions, or no numbers.
    """
    what = called(array)
    spatial = spatial_dims(array)
    more = [dim for dim in array.dims if dim not in spatial]
    if not spatial or any(array.sizes[dim] != 1 for dim in more):
        raise ValueError(
            f"{what} has dimensions {', '.join(map(str, array.dims))}; expected two "
            "spatial ones, such as y, x, for labels"
        )
    if array.dtype.kind not in "uif":
        raise ValueError(
            f"{what} has values of type {array.dtype}; class codes are whole numbers"
        )
    flat = array.isel(dict.fromkeys(more, 0)).transpose(*spatial)
    codes = {*nodata, *(_tags(array) if tagged else ())}
    grid = grid_of(flat, spatial, what)
    return LabelDataArray(flat, legend, tuple(sorted(codes)), grid)


def labels_from_dataarray(
    array: xarray.DataArray,
    legend: Legend,
    nodata: Sequence[int] = (),
    grid: GeoBox | None = None,
    trust: bool = False,
) -> LabelDataArray:
    """Labels of a georeferenced array of class codes, looked at once.

    Parameters
    ----------
    array
        Class codes, whole numbers of any type; NaN says nothing.
    legend
        What the codes mean; names in CF attributes ``flag_values`` and
        ``flag_meanings`` are compared with it.
    nodata
        Codes that mean "not known", beside those among the attributes.
    grid
        Where the labels are wanted; codes elsewhere are not looked at.
    trust
        Pass over names among the attributes that contradict the legend.

    Raises
    ------
    ValueError
        As `codes_of_dataarray`, or if names contradict the legend, or on `grid` there
        are codes outside of the legend, or no known class at all.
    """
    labels = codes_of_dataarray(array, legend, nodata)
    place = labels.grid if grid is None else grid
    if overlap(labels.grid, place) is None:
        return labels
    counts = labels.count(place)
    known = labels.known(counts, everywhere=grid is None)
    categories = None if trust else flag_meanings(array.attrs)
    notes = [
        f"{labels.what}: {code} is its nodata attribute and the class {name} of the "
        f"legend {legend.name}; its {counts[code]} pixels here count as not known"
        for code, name in labels.taken(nodata, counts)
    ]
    notes += check_named(
        NamedRaster(labels.what, labels.what, categories), legend, known
    )
    return replace(labels, notes=tuple(notes))


def flag_meanings(attributes: Mapping[Any, Any]) -> Categories | None:
    """Names of codes by CF attributes; None if there are none, or not as many."""
    values, text = attributes.get("flag_values"), attributes.get("flag_meanings")
    if values is None or not isinstance(text, str):
        return None
    codes = [int(code) for code in np.ravel(np.asarray(values))]
    names = [name.replace("_", " ") for name in text.split()]
    if len(codes) != len(names):
        return None
    return Categories(dict(zip(codes, names, strict=True)), "flag_meanings")


def _tags(array: xarray.DataArray) -> set[int]:
    """Whole numbers that attributes name as no data."""
    sources = (array.attrs, array.encoding)
    tags = (source.get(name) for source in sources for name in _TAGS)
    numbers = (float(tag) for tag in tags if isinstance(tag, int | float | np.number))
    return {int(n) for n in numbers if np.isfinite(n) and n.is_integer()}
