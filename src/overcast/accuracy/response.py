"""The form that goes out to interpreters as points, and comes back filled.

Every row says all that an estimate needs of its point: the stratum, how many pixels
that has and which share of all. So a form may be shortened to some columns, saved in
another format or edited in a spreadsheet; rows must not be deleted.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from overcast.accuracy.area import StratifiedSample
from overcast.accuracy.design import Counts, Drawn
from overcast.geo.legend import Legend
from overcast.geo.raster import UNKNOWN
from overcast.geo.stack import LabelSource
from overcast.geo.vectors import Features, write_points

REFERENCE = "reference"
"""Column that the interpreter fills with a code or a name of the legend."""
_STRATUM, _PIXELS, _SHARE = "stratum", "stratum_pixels", "stratum_share"
_FREE = ("certainty", "interpreter", "date", "comment")


def write_form(
    path: Path,
    source: LabelSource,
    drawn: Drawn,
    pixels: Counts,
    about: Mapping[str, str],
) -> None:
    """Write sampled pixels of a map as points at their centres, for filling.

    `pixels` is the size of every class of the map ``[K]``; `about` goes into the
    metadata of a GeoPackage.
    """
    legend, grid = source.legend, source.grid
    strata = drawn.strata
    pixels_at = np.stack([drawn.columns + 0.5, drawn.rows + 0.5, np.ones(len(strata))])
    centres = np.array(grid.affine).reshape(3, 3)[:2] @ pixels_at
    empty = np.full(len(strata), "")
    columns = {
        _STRATUM: np.array(legend.codes)[strata],
        "stratum_name": np.array(legend.names)[strata],
        _PIXELS: pixels[strata],
        _SHARE: (pixels / pixels.sum())[strata],
        REFERENCE: empty,
        **dict.fromkeys(_FREE, empty),
    }
    write_points(path, centres.T, str(grid.crs), columns, about)


def is_form(points: Features) -> bool:
    """Whether points say which stratum they were drawn from."""
    return {_STRATUM, _PIXELS, _SHARE} <= points.columns.keys()


def read_sample(
    points: Features,
    mapped: NDArray[np.uint8],
    reference: NDArray[np.uint8],
    legend: Legend,
) -> StratifiedSample:
    """Count a filled form; `mapped` and `reference` are class positions ``[N]``.

    The strata need not be the classes of the map: one sample serves any map.

    Raises
    ------
    ValueError
        If the form contradicts itself, lacks rows, or a stratum has fewer than two
        points with a class.
    """
    names, index, pixels = _strata(points)
    taken = np.bincount(index[reference != UNKNOWN], minlength=len(pixels))
    for name, here, there in zip(names, taken, pixels, strict=True):
        if here < min(2, there):
            raise ValueError(
                f"{points.path}: stratum {name} has {here} points with a class in the "
                "column of the reference, expected two or more; fill some"
            )
    return StratifiedSample.of(index, mapped, reference, pixels, len(legend))


def weights_of(points: Features, reference: NDArray[np.uint8]) -> NDArray[np.float64]:
    """How many pixels of the map every point ``[N]`` of a form stands for.

    Those of its stratum over its judged points; 0 where `reference` is unknown.

    Raises
    ------
    ValueError
        If the form contradicts itself or lacks rows.
    """
    _, index, pixels = _strata(points)
    judged = reference != UNKNOWN
    taken = np.bincount(index[judged], minlength=len(pixels))
    return np.where(judged, (pixels / np.maximum(taken, 1))[index], 0)


def _strata(
    points: Features,
) -> tuple[NDArray[np.str_], NDArray[np.intp], Counts]:
    """Names of the strata, position ``[N]`` of every point's, and their sizes."""
    names, first, index = np.unique(
        points.column(_STRATUM), return_index=True, return_inverse=True
    )
    sizes = _numbers(points, _PIXELS)
    pixels = sizes[first].astype(np.int64)
    if (sizes != pixels[index]).any():
        raise ValueError(f"{points.path}: {_PIXELS} differs within a stratum")
    whole = float(_numbers(points, _SHARE)[first].sum())
    if not np.isclose(whole, 1, atol=1e-6):
        raise ValueError(
            f"{points.path}: strata {', '.join(names)} hold {whole:.4f} of the map's "
            "pixels, expected 1; rows were deleted: leave those that can't be judged, "
            f"with an empty {REFERENCE}"
        )
    return names, index, pixels


def _numbers(points: Features, name: str) -> NDArray[np.float64]:
    try:
        return np.array(points.column(name), np.float64)
    except ValueError as error:
        raise ValueError(
            f"{points.path}: {name} has a text that is no number"
        ) from error
