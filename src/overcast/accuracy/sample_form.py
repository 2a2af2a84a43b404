"""The form that goes out to interpreters as points, and comes back filled.

Every row says all that an estimate needs of its point: the stratum, how many pixels
that has and which share of all. So a form may be shortened to some columns, saved in
another format or edited in a spreadsheet; rows must not be deleted or repeated.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox
from pyproj import Transformer

from overcast.accuracy.area import StratifiedSample
from overcast.accuracy.design import Counts, DrawnSample
from overcast.geo.legend import Legend
from overcast.geo.overlay import pixels_under, positions_under, within
from overcast.geo.point_table import number_of
from overcast.geo.raster import UNKNOWN
from overcast.geo.stack import LabelSource
from overcast.geo.vectors import Features, key_of, write_points

REFERENCE = "reference"
"""Column that the interpreter fills with a code or a name of the legend."""
_STRATUM, _PIXELS, _SHARE = "stratum", "stratum_pixels", "stratum_share"
_NAME = "stratum_name"
_POINTS = "stratum_points"
"""How many points were drawn in the stratum; forms of other makers may lack it."""
_ID = "id"
_LON, _LAT = "lon", "lat"
_WGS84 = "EPSG:4326"
_OFF = 0.5
"""Pixels by which a point may be off: in the pixel that was drawn, it is not."""
_SMALL = 1e-5
"""By so much shares may differ from what they are of, being rounded."""
_FREE = ("certainty", "interpreter", "date", "comment")


def write_form(
    path: Path,
    source: LabelSource,
    drawn: DrawnSample,
    pixels: Counts,
    about: Mapping[str, str],
) -> None:
    """Write sampled pixels of a map as points at their centres, for filling.

    `pixels` is the size of every class of the map ``[K]``; `about` goes into the
    metadata of a GeoPackage.
    """
    centres, columns = form_of(source, drawn, pixels)
    write_points(path, centres, str(source.grid.crs), columns, about)


def write_form_of(
    path: Path,
    sources: Sequence[LabelSource],
    drawn: tuple[DrawnSample, Counts],
    pixels: Counts,
    about: Mapping[str, str],
) -> None:
    """Write sampled pixels of a map of several rasters, in degrees, for filling.

    `drawn` are the pixels, and of which raster each is; `pixels` are those of every
    class in all rasters.
    """
    sampled, which = drawn
    centres = np.zeros((len(which), 2))
    for number, source in enumerate(sources):
        here = which == number
        own = centres_of(source.grid, sampled.rows[here], sampled.columns[here])
        move = Transformer.from_crs(str(source.grid.crs), _WGS84, always_xy=True)
        centres[here] = np.stack(move.transform(*own.T), 1)
    columns = columns_of(sources[0].legend, sampled.strata, pixels)
    write_points(path, centres, _WGS84, columns, about)


def form_of(
    source: LabelSource, drawn: DrawnSample, pixels: Counts
) -> tuple[NDArray[np.float64], dict[str, Sequence[Any]]]:
    """Centres ``[N, 2]`` of sampled pixels in the CRS of a map, and columns to fill."""
    centres = centres_of(source.grid, drawn.rows, drawn.columns)
    return centres, columns_of(source.legend, drawn.strata, pixels)


def centres_of(grid: GeoBox, rows: Counts, columns: Counts) -> NDArray[np.float64]:
    """Centres ``[N, 2]`` of pixels of a grid, in its projection."""
    pixels_at = np.stack([columns + 0.5, rows + 0.5, np.ones(len(rows))])
    centres = np.array(grid.affine).reshape(3, 3)[:2] @ pixels_at
    return np.asarray(centres.T, np.float64)


def columns_of(
    legend: Legend, strata: NDArray[np.uint8], pixels: Counts
) -> dict[str, Sequence[Any]]:
    """Columns of a form whose points are of these strata, ``[N]``, to be filled."""
    empty = np.full(len(strata), "")
    columns: dict[str, Any] = {
        _STRATUM: np.array(legend.codes)[strata],
        _NAME: np.array(legend.names)[strata],
        _PIXELS: pixels[strata],
        _SHARE: (pixels / pixels.sum())[strata],
        _POINTS: np.bincount(strata)[strata],
        REFERENCE: empty,
        **dict.fromkeys(_FREE, empty),
    }
    return columns


def is_form(points: Features) -> bool:
    """Return whether points say which stratum they were drawn from.

    Raises
    ------
    ValueError
        If columns of a form are there, and others that it needs are not.
    """
    needed = (_STRATUM, _PIXELS, _SHARE)
    missing = [name for name in needed if points.named(name) is None]
    if not missing:
        return True
    if any(points.named(name) for name in (_PIXELS, _SHARE, _NAME)):
        raise ValueError(
            f"{points.path}: a sample that overcast drew, without the column "
            f"{' and '.join(missing)}, which its intervals need; take it from the file "
            "that `overcast sample` wrote"
        )
    return False


def refuse_moved(points: Features, *grids: GeoBox) -> None:
    """Refuse a form with points that are not where they were drawn, or off the map.

    A map of several rasters has as many `grids`, and a point lies on one or more.

    A point that was moved speaks for another place, and its design for none. The
    columns ``lon`` and ``lat`` say where it was drawn.

    Raises
    ------
    ValueError
        If a point lies outside of all `grids`, or more than half a pixel off.
    """
    on = np.stack([within(*pixels_under(grid, points), grid) for grid in grids])
    outside: NDArray[np.bool_] = ~np.asarray(on.any(0))
    if outside.any():
        raise ValueError(
            f"{points.path}: {outside.sum()} of {len(outside)} points lie outside of the "
            f"map, the first in row {int(outside.argmax()) + 1}; were they moved, or is "
            "it the sample of another map? Give the places that `overcast sample` drew"
        )
    drawn = _drawn_places(points)
    if drawn is None:
        return
    each = [
        np.abs(
            np.subtract(positions_under(grid, points), positions_under(grid, drawn))
        ).max(0)
        for grid in grids
    ]
    off = np.stack(each)[on.argmax(0), np.arange(len(outside))]
    moved = ~(off <= _OFF)
    if moved.any():
        raise ValueError(
            f"{points.path}: {moved.sum()} of {len(moved)} points are not where their "
            f"{_LON} and {_LAT} say that they were drawn, the first in row "
            f"{int(moved.argmax()) + 1} by {off[moved.argmax()]:.3g} pixels; move them back"
        )


def _drawn_places(points: Features) -> Features | None:
    """Return where points were drawn, by their columns of degrees, if they have them."""
    if points.named(_LON) is None or points.named(_LAT) is None:
        return None
    try:
        lon, lat = _numbers(points, _LON), _numbers(points, _LAT)
    except ValueError:
        return None
    return replace(points, shapes=shapely.points(lon, lat), crs=_WGS84)


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
    names, index, pixels = strata_of(points)
    taken = np.bincount(index[reference != UNKNOWN], minlength=len(pixels))
    for name, here, in_map in zip(names, taken, pixels, strict=True):
        if here < min(2, in_map):
            raise ValueError(
                f"{points.path}: stratum {name} has {here} points with a class in the "
                "column of the reference, expected two or more; fill some"
            )
    return StratifiedSample.of(index, mapped, reference, pixels, len(legend))


def weights_of(points: Features, reference: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return how many pixels of the map every point ``[N]`` of a form stands for.

    Those of its stratum over its judged points; 0 where `reference` is unknown.

    Raises
    ------
    ValueError
        If the form contradicts itself or lacks rows.
    """
    _, index, pixels = strata_of(points)
    judged = reference != UNKNOWN
    taken = np.bincount(index[judged], minlength=len(pixels))
    return np.where(judged, (pixels / np.maximum(taken, 1))[index], 0)


def strata_of(
    points: Features,
) -> tuple[NDArray[np.str_], NDArray[np.intp], Counts]:
    """Names of the strata, position ``[N]`` of every point's, and their sizes."""
    _refuse_repeats(points)
    keys = [key_of(text) for text in points.column(_STRATUM)]
    if "" in keys:
        raise ValueError(f"{points.path}: row {keys.index('') + 1} has no {_STRATUM}")
    names, first, index = np.unique(keys, return_index=True, return_inverse=True)
    sizes, shares = _numbers(points, _PIXELS), _numbers(points, _SHARE)
    for row, size in enumerate(sizes, 1):
        if not (size >= 1 and np.isfinite(size) and size == np.trunc(size)):
            raise ValueError(
                f"{points.path}: row {row} has {_PIXELS} {size:g}, expected a whole "
                "number from 1 on; take it from the file that `overcast sample` wrote"
            )
    pixels = sizes[first].astype(np.int64)
    if (sizes != pixels[index]).any():
        raise ValueError(f"{points.path}: {_PIXELS} differs within a stratum")
    whole = float(shares[first].sum())
    if not np.isclose(whole, 1, atol=_SMALL):
        raise ValueError(
            f"{points.path}: strata {', '.join(names)} hold {whole:.4f} of the map's "
            "pixels, expected 1; rows were deleted: leave those that can't be judged, "
            f"with an empty {REFERENCE}"
        )
    off = np.abs(shares - (pixels / pixels.sum())[index]) > _SMALL
    if off.any():
        raise ValueError(
            f"{points.path}: row {int(off.argmax()) + 1} has {_SHARE} "
            f"{shares[off.argmax()]:.4f}, and its {_PIXELS} are another share of all; "
            "take both from the file that `overcast sample` wrote"
        )
    taken = np.bincount(index, minlength=len(pixels))
    if (taken > pixels).any():
        name = names[(taken > pixels).argmax()]
        raise ValueError(
            f"{points.path}: stratum {name} has more points than {_PIXELS}; take it from "
            "the file that `overcast sample` wrote"
        )
    _refuse_fewer(points, names, index)
    return names, index, pixels


def _refuse_fewer(
    points: Features, names: NDArray[np.str_], index: NDArray[np.intp]
) -> None:
    """Refuse a stratum with other than the points that were drawn, where rows say it."""
    if points.named(_POINTS) is None:
        return
    drawn, rows = _numbers(points, _POINTS), np.bincount(index)[index]
    if (wrong := drawn != rows).any():
        row = int(wrong.argmax())
        raise ValueError(
            f"{points.path}: stratum {names[index[row]]} has {rows[row]} of its "
            f"{drawn[row]:g} points; rows were deleted or added: leave those that can't "
            f"be judged, with an empty {REFERENCE}"
        )


def _refuse_repeats(points: Features) -> None:
    """Refuse rows that occur twice, and gaps in the numbers of the points."""
    for what, values in (
        ("the same place", shapely.get_coordinates(points.shapes)),
        (f"one {_ID}", _ids(points)),
    ):
        if values is None:
            continue
        _, first, index = np.unique(
            values, axis=0, return_index=True, return_inverse=True
        )
        repeated = np.flatnonzero(first[index.ravel()] != np.arange(len(values)))
        if repeated.size:
            row = int(repeated[0])
            raise ValueError(
                f"{points.path}: rows {first[index.ravel()[row]] + 1} and {row + 1} have "
                f"{what}; a point counts once, so delete the rows that were added"
            )
    numbers = _ids(points)
    if numbers is not None and len(numbers) < numbers.max():
        gone = sorted(set(range(1, int(numbers.max()) + 1)) - set(numbers.tolist()))
        raise ValueError(
            f"{points.path}: {len(gone)} points are missing, the first with the {_ID} "
            f"{gone[0]}; rows were deleted: leave those that can't be judged, with an "
            f"empty {REFERENCE}"
        )


def _ids(points: Features) -> NDArray[np.int64] | None:
    """Numbers of the points, from 1 on; none where the form has no such column."""
    if points.named(_ID) is None:
        return None
    keys = [key_of(text) for text in points.column(_ID)]
    if not all(key.isdecimal() and int(key) > 0 for key in keys):
        return None
    return np.array(keys, np.int64)


def _numbers(points: Features, name: str) -> NDArray[np.float64]:
    try:
        return np.array([number_of(text) for text in points.column(name)], np.float64)
    except ValueError as error:
        raise ValueError(
            f"{points.path}: {name} has a text that is no number"
        ) from error
