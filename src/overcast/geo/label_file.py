"""Rasters of class codes as sources of labels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox
from rasterio.enums import ColorInterp, MaskFlags

from overcast.geo.coded_labels import CodedLabels, Spans
from overcast.geo.codes import whole
from overcast.geo.dataset import dataset_of, open_raster, placed
from overcast.geo.grain import on_blocks
from overcast.geo.label_check import check_codes
from overcast.geo.legend import Legend
from overcast.geo.location import FilePath
from overcast.geo.warp import overlap

_LOOK_PX = 1024
_GREY = 3
"""Equal bands that a GeoPackage makes of one."""


@dataclass(frozen=True, slots=True)
class LabelFile(CodedLabels):
    """A raster file of class codes; make it with `open_labels`.

    A pixel says nothing where it has one of the codes `nodata`, and where the file's
    mask or alpha band hides it, unless it is not `masked`. `notes` say what was noticed
    of the codes.
    """

    path: FilePath
    legend: Legend
    nodata: tuple[int, ...]
    grid: GeoBox = field(repr=False)
    blocks: tuple[int, int] = (1, 1)
    notes: tuple[str, ...] = ()
    masked: bool = True

    @property
    def what(self) -> str:
        """The file."""
        return str(self.path)

    @property
    def short(self) -> str:
        """Name of the file."""
        return self.path.name

    def middle(self, spans: Spans) -> NDArray[np.int64]:
        """Codes in the middle of a window, -1 where it says nothing."""
        starts = [max((s.start + s.stop - _LOOK_PX) // 2, s.start) for s in spans]
        rows, columns = (
            slice(start, min(start + _LOOK_PX, part.stop))
            for start, part in zip(starts, spans, strict=True)
        )
        codes, hidden = self.codes((rows, columns))
        unknown = np.isin(codes, self.nodata) | (False if hidden is None else hidden)
        return np.where(unknown, -1, codes.astype(np.int64))

    def codes(self, spans: Spans) -> tuple[NDArray[Any], NDArray[np.bool_] | None]:
        """Whole codes of a window, and where it says nothing whatever the code.

        Raises
        ------
        ValueError
            If a value is not a whole number.
        """
        dataset = dataset_of(self.path)
        window = rasterio.windows.Window.from_slices(*spans)
        try:
            codes, hidden = whole(self._band(dataset, window), set(self.nodata))
        except ValueError as error:
            raise ValueError(f"{self.path}: {error}") from error
        mask = None
        if not self.masked:
            return codes, hidden
        if (alpha := _alpha_of(dataset)) is not None:
            mask = dataset.read(alpha, window=window) == 0
        elif MaskFlags.per_dataset in dataset.mask_flag_enums[0]:
            mask = dataset.read_masks(1, window=window) == 0
        if mask is None or not mask.any():
            return codes, hidden
        return codes, mask if hidden is None else mask | hidden

    def _band(self, dataset: Any, window: Any) -> NDArray[Any]:
        if not _is_grey(dataset):
            return np.asarray(dataset.read(1, window=window))
        bands = dataset.read(list(range(1, _GREY + 1)), window=window)
        if (bands != bands[0]).any():
            raise ValueError(
                "a coloured picture; class codes are whole numbers in one band, so give "
                "the class map"
            )
        return np.asarray(bands[0])


def open_labels(
    path: FilePath,
    legend: Legend,
    nodata: int | Sequence[int] | None = None,
    grid: GeoBox | None = None,
    trust: bool = False,
) -> LabelFile:
    """Open a raster of class codes, and look once at what lies on `grid`, or at all.

    Parameters
    ----------
    path
        A raster of one band of whole numbers, of any type; an alpha band may join it.
    legend
        What the codes mean.
    nodata
        Codes that mean "not known", beside that of the file's tag.
    grid
        Where the labels are wanted; codes elsewhere are not looked at.
    trust
        Pass over names in the file that contradict the legend.

    Raises
    ------
    ValueError
        If the file is missing, broken, can't be placed, is not one band of whole
        numbers, has names that contradict the legend, or on `grid` codes outside of the
        legend, or no known class at all.
    """
    given = several(nodata)
    labels = open_codes(path, legend, given)
    place = labels.grid if grid is None else grid
    if (spans := overlap(labels.grid, place)) is None:
        return labels
    counts = labels.count(place)
    known = labels.known(counts, everywhere=grid is None)
    notes = [
        *_on_nodata(labels, given, counts),
        *check_codes(path, legend, known, trust),
    ]
    if grid is not None:
        blocks = on_blocks(labels.middle(spans), -1)
        notes += [f"{path.name}: {note}" for note in blocks]
    return replace(labels, notes=tuple(notes))


def open_codes(
    path: FilePath, legend: Legend, nodata: Iterable[int] = (), tagged: bool = True
) -> LabelFile:
    """Open a raster of class codes without a look at them.

    Without `tagged`, a nodata tag and a mask of the file are passed over.

    Raises
    ------
    ValueError
        If the file is missing, broken, can't be placed or is not one band of numbers,
        or its type can't hold a code of `nodata`.
    """
    dataset = open_raster(path)
    if dataset.count != 1 and _alpha_of(dataset) != 2 and not _is_grey(dataset):
        raise ValueError(f"{path}: {dataset.count} bands; a label raster has one")
    dtype = np.dtype(dataset.dtypes[0])
    if dtype.kind not in "uif":
        raise ValueError(
            f"{path}: {dtype} values; class codes are whole numbers, so give the class "
            "map"
        )
    for code in nodata:
        if dtype.kind != "f" and not _holds(dtype, code):
            raise ValueError(
                f"{path}: {code} can't be a code for no data in it, since its values "
                f"are {dtype}; give the code that the file has (--labels-nodata)"
            )
    tag = dataset.nodata if tagged else None
    codes = {*nodata, *(() if tag is None or not _is_whole(tag) else (int(tag),))}
    grid, blocks = placed(path, dataset), dataset.block_shapes[0]
    return LabelFile(path, legend, tuple(sorted(codes)), grid, blocks, masked=tagged)


def several(nodata: int | Sequence[int] | None) -> tuple[int, ...]:
    """Codes for no data, given as none, one or several."""
    if nodata is None:
        return ()
    return (nodata,) if isinstance(nodata, int) else tuple(nodata)


def _on_nodata(
    labels: LabelFile, given: Sequence[int], counts: Counter[int]
) -> Iterable[str]:
    """Say where the file's nodata tag takes a class of the legend away."""
    for code, name in labels.taken(given, counts):
        yield (
            f"{labels.path.name}: {code} is its nodata tag and the class "
            f"{name} of the legend {labels.legend.name}; its {counts[code]} "
            f"pixels here count as not known. If they are {name}, take the "
            f"tag away (gdal_edit.py -unsetnodata); if not, --labels-nodata {code}"
        )


def _alpha_of(dataset: Any) -> int | None:
    """Number of the alpha band, if there is one."""
    interpretations = list(dataset.colorinterp)
    if ColorInterp.alpha not in interpretations:
        return None
    return interpretations.index(ColorInterp.alpha) + 1


def _is_grey(dataset: Any) -> bool:
    """Return whether one band may have become three, as in a GeoPackage."""
    return dataset.driver == "GPKG" and dataset.count in (_GREY, _GREY + 1)


def _is_whole(number: float) -> bool:
    return bool(np.isfinite(number)) and float(number).is_integer()


def _holds(dtype: np.dtype[Any], code: int) -> bool:
    limits = np.iinfo(dtype)
    return bool(limits.min <= code <= limits.max)
