"""Close looks at single label cells: what was seen, what was mapped, what it is called."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox

from overcast.geo.stack import ImageSource, LabelSource
from overcast.label_quality.audit.findings import holdings
from overcast.label_quality.audit.scan import LabelledMap
from overcast.report.page import Panel
from overcast.report.quicklook import Picture, class_picture, overview, png, rgb

_MARGIN = 0.6
"""Ground shown on each side, in sides of the cell."""
_LEAST_PX, _LARGEST_PX = 12, 160
_LINE = (255, 0, 255, 255)
_GAP_PX = 4


def picture_of(
    cell: int, scene: LabelledMap, image: ImageSource, mapped: LabelSource
) -> Panel:
    """A cell outlined in an image and in the map, and what it holds in words."""
    window = _around(scene.cells.outline(cell), scene.grid)
    band = scene.read(window)
    inside = (band.cell == cell) & band.known
    names, label = mapped.legend.names, _commonest(band.labels[inside])
    held = band.probabilities[:, inside].mean(1)
    called = "Called" if scene.cells.are_labels else "Mostly called"
    return Panel(
        title=f"{called} {names[label]}",
        picture=png(_picture(cell, scene, scene.grid[window], image, mapped)),
        text=f"Estimated {holdings(held, mapped.legend)}. {_place(cell, scene)}",
    )


def _commonest(labels: NDArray[np.uint8]) -> int:
    return int(np.bincount(labels).argmax())


def _around(cell: GeoBox, grid: GeoBox) -> tuple[slice, slice]:
    """Window of a grid around a cell, with a margin where there is ground."""
    box = cell.extent.to_crs(str(grid.crs)).boundingbox
    corners = [(x, y) for x in (box.left, box.right) for y in (box.bottom, box.top)]
    pixels = np.array([~grid.affine @ corner for corner in corners])
    low, high = pixels.min(0), pixels.max(0)
    margin = np.maximum(_MARGIN * (high - low), _LEAST_PX)
    first, last = np.floor(low - margin).astype(int), np.ceil(high + margin).astype(int)
    rows, columns = (
        slice(max(int(first[axis]), 0), min(int(last[axis]), size))
        for axis, size in ((1, grid.shape[0]), (0, grid.shape[1]))
    )
    return rows, columns


def _picture(
    cell: int,
    scene: LabelledMap,
    window: GeoBox,
    image: ImageSource,
    mapped: LabelSource,
) -> Picture:
    """Draw the image beside the map, with the cell outlined in both."""
    grid = overview(window, _LARGEST_PX)
    inside = np.pad(scene.cells.numbers(grid)[0] == cell, 1)
    whole = inside.copy()
    for axis in (0, 1):
        for step in (-1, 1):
            whole &= np.roll(inside, step, axis)
    line = (inside & ~whole)[1:-1, 1:-1]
    pictures = [rgb(image.read(grid)), class_picture(mapped.read(grid))]
    for picture in pictures:
        picture[line] = _LINE
    gap = np.zeros((grid.shape[0], _GAP_PX, 4), np.uint8)
    return np.concatenate([pictures[0], gap, pictures[1]], 1)


def _place(cell: int, scene: LabelledMap) -> str:
    """Return where the middle of a cell is."""
    box = scene.cells.outline(cell).geographic_extent.boundingbox
    lon, lat = (box.left + box.right) / 2, (box.bottom + box.top) / 2
    north, east = "N" if lat >= 0 else "S", "E" if lon >= 0 else "W"
    return f"At {abs(lat):.4f}° {north}, {abs(lon):.4f}° {east}."
