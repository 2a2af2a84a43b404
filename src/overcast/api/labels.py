"""Labels to learn from: a raster, points or polygons in a file, or an array."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import xarray

from overcast.api.scene import path_text
from overcast.geo.legend import Legend, built_in_legends, load_legend
from overcast.geo.raster import Labels
from overcast.geo.xarrays import labels_to_dataarray, legend_of_array
from overcast.in_memory import InMemory, path_of
from overcast.plan import Data, LabelInput

GivenLabels = str | os.PathLike[str] | xarray.DataArray | Labels
NoData = int | Sequence[int] | None


@dataclass(frozen=True, eq=False)
class TrainingLabels:
    """Labels to learn from, not yet read; make it with `overcast.labels`."""

    entry: LabelInput
    memory: InMemory
    legend: Legend

    def _repr_html_(self) -> str:
        from overcast.api.html import classes

        return f"<div><b>Labels</b> {self.entry.path}: {classes(self.legend)}</div>"


def labels(
    value: GivenLabels,
    legend: str | os.PathLike[str] | Legend | None = None,
    *,
    nodata: NoData = None,
    column: str | None = None,
    accuracy: float | str | None = None,
    crosswalk: str | os.PathLike[str] | None = None,
) -> TrainingLabels:
    """Name labels to learn from, however coarse, few or wrong they are.

    Parameters
    ----------
    value
        A raster of class codes, points or polygons, as a path; or an array of codes.
    legend
        What the codes mean: a built-in name, a CSV, or a `Legend`. An array that has
        ``flag_values`` and ``flag_meanings`` needs none.
    nodata
        Codes for "not known" beside those that a file or an array names itself.
    column
        Column of points or polygons that holds the class; by default ``class``.
    accuracy
        How right they are: a share, a product, or a CSV by class.
    crosswalk
        A CSV that translates their classes to those of the first labels.

    Raises
    ------
    ValueError
        If the legend is not known.
    """
    array = _array(value)
    own = None if array is None else legend_of_array(array)
    known = own if legend is None else _legend(legend)
    if known is None:
        names = ", ".join(built_in_legends())
        raise ValueError(
            f"labels: what do the codes mean? give legend=, one of {names}"
        )
    memory = InMemory(legends={known.name: known})
    if isinstance(legend, str | os.PathLike):
        memory = InMemory()
    if array is not None:
        path = path_of(str(array.name or "labels"))
        memory |= InMemory(arrays={path: array})
    entry = LabelInput(
        path=path_text(value) if array is None else path,
        legend=_text(legend) if isinstance(legend, str | os.PathLike) else known.name,
        nodata=nodata if nodata is None or isinstance(nodata, int) else tuple(nodata),
        column=column,
        accuracy=None if accuracy is None else str(accuracy),
        crosswalk=None if crosswalk is None else path_text(crosswalk),
    )
    return TrainingLabels(entry, memory, known)


def with_labels(data: Data, given: Sequence[TrainingLabels]) -> tuple[Data, InMemory]:
    """Data of a plan with labels, the first ones first, and what lies in no file."""
    entries, memory = list[LabelInput](), InMemory()
    for one in given:
        entry, arrays = _apart(one, memory.arrays)
        entries.append(entry)
        memory |= replace(one.memory, arrays=arrays)
    first, *others = entries
    return replace(data, labels=first, other_labels=tuple(others)), memory


def _apart(
    one: TrainingLabels, taken: Mapping[str, xarray.DataArray]
) -> tuple[LabelInput, Mapping[str, xarray.DataArray]]:
    """Labels under a path that no other array has."""
    entry = one.entry
    if entry.path not in one.memory.arrays:
        return entry, {}
    path, number = entry.path, 1
    while path in taken:
        number += 1
        path = f"{entry.path}-{number}"
    return replace(entry, path=path), {path: one.memory.arrays[entry.path]}


def _array(value: GivenLabels) -> xarray.DataArray | None:
    if isinstance(value, Labels):
        return labels_to_dataarray(value, "labels")
    if isinstance(value, xarray.DataArray):
        return value.rename(value.name or "labels")
    return None


def _legend(legend: str | os.PathLike[str] | Legend) -> Legend:
    if isinstance(legend, Legend):
        return legend
    return load_legend(_text(legend))


def _text(legend: str | os.PathLike[str]) -> str:
    """A name as it is, a file by its whole path."""
    text = os.fspath(legend)
    return path_text(text) if Path(text).is_file() else text
