"""Pictures for the page of a map of change: the whole, and the largest patches."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox
from scipy import ndimage

from overcast import map_folder
from overcast.accuracy.change import ChangeLegend
from overcast.documents import Document
from overcast.geo.extent import areas_ha
from overcast.geo.label_file import LabelFile, open_labels
from overcast.geo.legend import Legend
from overcast.geo.raster import UNKNOWN
from overcast.geo.stack import ImageSource
from overcast.jobs.change_raster import DatedMap
from overcast.maps.predict import PROBABILITY_STEPS
from overcast.report.change import ChangePage
from overcast.report.graticule import map_furniture
from overcast.report.page import CHANGE_TITLE, Panel
from overcast.report.quicklook import (
    Picture,
    class_picture,
    confidence_picture,
    look_at_classes,
    look_at_values,
    overview,
    png,
    rgb,
)

_LARGEST = 6
_LOOKED_AT = 4000
"""Pixels along the longer side of the raster in which patches are looked for."""
_MARGIN, _LEAST, _MOST = 0.4, 24, 200
"""Ground around a patch in its sides; pixels of a picture at least and at most."""
_LINE = (255, 0, 255, 255)


@dataclass(frozen=True, slots=True)
class _Patch:
    """Connected pixels of one class of change, on a grid that may be coarser."""

    change: int
    pixels: int
    window: tuple[slice, slice]


def page_of(
    result: Document,
    dates: tuple[DatedMap, DatedMap],
    classes: ChangeLegend,
    folder: Path,
) -> ChangePage:
    """The page of what lies in `folder`."""
    change = open_labels(folder / map_folder.CHANGE, classes.legend)
    grid = overview(change.grid)
    look = [look_at_classes(source, grid) for source in (dates[0].classes,)]
    look += [look_at_classes(dates[1].classes, grid), look_at_classes(change, grid)]
    stored = look_at_values(folder / map_folder.CHANGE_PROBABILITY, grid)
    share = np.where(stored == UNKNOWN, np.nan, stored / PROBABILITY_STEPS)
    titles = ("Before", "After", "Change")
    texts = ("As mapped.", "As mapped.", "Land that keeps its class is pale.")
    panels = [
        Panel(
            title=title,
            picture=png(class_picture(labels)),
            text=text,
            over=map_furniture(grid),
        )
        for title, labels, text in zip(titles, look, texts, strict=True)
    ]
    panels.append(
        Panel(
            title="Probability of change",
            picture=png(confidence_picture(share.astype(np.float32))),
            ramp=("0", "1"),
        )
    )
    return ChangePage(
        title=CHANGE_TITLE,
        result=result,
        land=classes.land,
        change=_occurring(result, classes),
        panels=panels,
        places=list(_places(dates, change, classes)),
    )


def _occurring(result: Document, classes: ChangeLegend) -> Legend:
    """The legend without classes that the map of change does not have."""
    at = {name: k for k, name in enumerate(classes.land.names)}
    moves = [*result["transitions"], *result["unchanged"]]
    have = {
        classes.positions[at[m["from"]], at[m["to"]]] for m in moves if m["mapped_ha"]
    }
    every = enumerate(classes.legend.classes)
    return Legend(classes.legend.name, tuple(c for k, c in every if k in have))


def _places(
    dates: tuple[DatedMap, DatedMap], change: LabelFile, classes: ChangeLegend
) -> Iterator[Panel]:
    grid = overview(change.grid, _LOOKED_AT)
    values = look_at_classes(change, grid).values
    seen = [dated.seen.shown for dated in dates if dated.seen is not None]
    # Both dates, or neither: one side of a picture must not lack its image.
    images = seen if len(seen) == len(dates) else [None] * len(dates)
    (pixel_ha,) = areas_ha(np.array([1]), grid)
    for patch in _patches(values, classes.is_change):
        window = _around(patch.window, values.shape)
        inside = values[window] == patch.change
        part = overview(grid[window], _MOST)
        pairs = zip(dates, images, strict=True)
        sides = [_side(dated, image, part, inside) for dated, image in pairs]
        yield Panel(
            title=classes.legend.names[patch.change],
            picture=png(np.concatenate(sides, 1)),
            text=f"{patch.pixels * pixel_ha:,.1f} ha. {_place(grid[window])}",
        )


def _patches(values: NDArray[np.uint8], is_change: NDArray[np.bool_]) -> list[_Patch]:
    """The largest patches of change, largest first."""
    patches = []
    for k in np.flatnonzero(is_change):
        numbers, count = ndimage.label(values == k)
        if not count:
            continue
        sizes = np.bincount(numbers.ravel())[1:]
        boxes = ndimage.find_objects(numbers)
        for n in np.argsort(-sizes)[:_LARGEST]:
            patches.append(_Patch(int(k), int(sizes[n]), boxes[n]))
    return sorted(patches, key=lambda patch: -patch.pixels)[:_LARGEST]


def _around(window: tuple[slice, slice], shape: tuple[int, ...]) -> tuple[slice, slice]:
    """A window with ground around it, as far as there is any."""
    spans = []
    for span, size in zip(window, shape, strict=True):
        length = span.stop - span.start
        margin = max(round(_MARGIN * length), (_LEAST - length) // 2 + 1, 2)
        spans.append(slice(max(span.start - margin, 0), min(span.stop + margin, size)))
    return spans[0], spans[1]


def _side(
    dated: DatedMap,
    image: ImageSource | None,
    grid: GeoBox,
    inside: NDArray[np.bool_],
) -> Picture:
    """One date: the image above the map, or the map alone; the patch outlined."""
    parts = [class_picture(look_at_classes(dated.classes, grid))]
    if image is not None:
        parts.insert(0, rgb(image.read(grid)))
    shape = int(grid.shape[0]), int(grid.shape[1])
    rows, columns = (
        (np.arange(n) + 0.5) * size // n
        for n, size in zip(shape, inside.shape, strict=True)
    )
    mask = inside[rows.astype(int)][:, columns.astype(int)]
    whole = ndimage.binary_fill_holes(mask)
    line = ndimage.binary_dilation(whole) & ~whole
    for part in parts:
        part[line] = _LINE
    blank = np.full((3, shape[1], 4), 255, np.uint8)
    stacked = [row for part in parts for row in (part, blank)][:-1]
    side = np.concatenate(stacked, 0)
    gap = np.full((side.shape[0], 3, 4), 255, np.uint8)
    return np.concatenate([side, gap], 1)


def _place(grid: GeoBox) -> str:
    """Return where the middle of a picture is."""
    box = grid.geographic_extent.boundingbox
    lon, lat = (box.left + box.right) / 2, (box.bottom + box.top) / 2
    north, east = "N" if lat >= 0 else "S", "E" if lon >= 0 else "W"
    return f"At {abs(lat):.4f}° {north}, {abs(lon):.4f}° {east}."
