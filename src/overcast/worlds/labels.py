"""Imperfect labels on the grid of the scene: a 10 m product, samples, an old map."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from overcast.geo.raster import UNKNOWN
from overcast.worlds.land import FINE
from overcast.worlds.measured import (
    BARREN,
    CROP,
    FOREST,
    GRASS,
    SHRUB,
    URBAN,
    WATER,
    WETLAND,
)
from overcast.worlds.noise import Floats, Fractal, hash_of, salt, scramble, uniform
from overcast.worlds.spectra import SLOTS
from overcast.worlds.world import MARGIN, WorldView

YEARS_OUT_OF_DATE = 8.0
_CLASSES = 10
_POINT_SQUARE, _POLYGON_SQUARE = 32, 64
"""Pixels along the square that holds one sampled point, or polygon."""
_POLYGON_RADIUS = 7
_WAVE_PX = 1.3
_PART_OF_MISTAKES = 0.7
"""Mistakes that a product as right as WorldCover's own validation makes of those below:
its overall accuracy is .75 to .77."""
_CONFUSED = {
    FOREST: {SHRUB: 0.04, GRASS: 0.14, CROP: 0.02},
    SHRUB: {FOREST: 0.3, GRASS: 0.33, CROP: 0.06},
    GRASS: {FOREST: 0.06, CROP: 0.22, WETLAND: 0.03},
    WETLAND: {GRASS: 0.3, WATER: 0.1},
    CROP: {GRASS: 0.15, FOREST: 0.03},
    URBAN: {GRASS: 0.25, FOREST: 0.08, CROP: 0.04},
    BARREN: {GRASS: 0.15, CROP: 0.1},
    WATER: {WETLAND: 0.04},
}
"""Share of patches called another class by WorldCover against field reference (n 930
points of the world and 3,621 of Canada, between the two); Wetlands and Barren by hand."""


def worldcover_like(view: WorldView) -> NDArray[np.uint8]:
    """Classes of a 10 m product ``[H, W]``, wrong in blobs and along borders.

    Whole patches get the classes that WorldCover confuses them with; borders are
    shifted to and fro by about a pixel and smoothed, so what is thin disappears. In
    NLCD 77 to 85 % of all errors lie within two cells of a border.
    """
    patch = view.land.code[FINE // 2 :: FINE, FINE // 2 :: FINE]
    draw = uniform(scramble(patch.astype(np.uint32) + np.uint32(view.key("product"))))
    if view.world.nature.products:
        draw = (draw / np.float32(_PART_OF_MISTAKES)).clip(0, np.float32(0.999))
    given = _confusion_table()[view.land.truth, (draw * 1000).astype(np.int32)]
    moved = []
    for axis in ("down", "right"):
        waves = Fractal(view.key(f"product-{axis}"), 20.0).at(*view.centres)
        moved.append(np.rint(_WAVE_PX * waves).clip(-4, 4).astype(np.int64))
    inside = np.arange(3, len(view.rows) - 3), np.arange(3, len(view.columns) - 3)
    rows = (inside[0][:, None] + moved[0][3:-3, 3:-3]).clip(0, len(view.rows) - 1)
    columns = (inside[1] + moved[1][3:-3, 3:-3]).clip(0, len(view.columns) - 1)
    smooth = _mode_of_nine(given[rows, columns])
    cut = MARGIN - 4  # three were cut above, one by the mode
    _, _, h, w = view.window
    return smooth[cut : cut + h, cut : cut + w]


@cache
def _confusion_table() -> NDArray[np.uint8]:
    """Class given for a true class and a draw in thousandths ``[10, 1000]``."""
    table = np.repeat(np.arange(_CLASSES, dtype=np.uint8)[:, None], 1000, 1)
    for c, mistakes in _CONFUSED.items():
        start = 0
        for other, share in mistakes.items():
            table[c, start : start + round(1000 * share)] = other
            start += round(1000 * share)
    return table


def _mode_of_nine(classes: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Most frequent class of 3 by 3 pixels, one pixel smaller on every side."""
    one = np.uint64(1) << (np.arange(_CLASSES, dtype=np.uint64) * np.uint64(4))
    single = one[classes]
    rows = single[:-2] + single[1:-1] + single[2:]
    counts = rows[:, :-2] + rows[:, 1:-1] + rows[:, 2:]
    best = np.zeros(counts.shape, np.uint64)
    out = np.zeros(counts.shape, np.uint8)
    for c in range(_CLASSES):
        count = (counts >> np.uint64(4 * c)) & np.uint64(15)
        more = count > best
        out[more], best[more] = c, count[more]
    return out


def sparse_points(view: WorldView) -> NDArray[np.uint8]:
    """True classes of scattered single pixels ``[H, W]``, others unknown."""
    rows, columns = view.whole
    at_row, at_column, _ = _sampled(view, "points", _POINT_SQUARE)
    chosen = (at_row == rows[:, None]) & (at_column == columns)
    return np.where(chosen, view.land.truth, np.uint8(UNKNOWN))[view.inner]


def sparse_polygons(view: WorldView) -> NDArray[np.uint8]:
    """True classes of parts of some patches ``[H, W]``, others unknown.

    What someone would draw by hand: pixels of one patch within 70 m of a point.
    """
    rows, columns = view.whole
    at_row, at_column, drawn = _sampled(view, "polygons", _POLYGON_SQUARE)
    near = (rows[:, None] - at_row) ** 2 + (columns - at_column) ** 2
    near = near <= _POLYGON_RADIUS**2
    patch = view.land.code[FINE // 2 :: FINE, FINE // 2 :: FINE]
    top = (at_row - view.rows[0]).clip(0, len(rows) - 1)
    left = (at_column - view.columns[0]).clip(0, len(columns) - 1)
    same = (patch == patch[top, left]) & (view.land.truth == patch // SLOTS)
    chosen = near & same & (drawn < 0.5)
    return np.where(chosen, view.land.truth, np.uint8(UNKNOWN))[view.inner]


def _sampled(
    view: WorldView, part: str, side: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], Floats]:
    """Pixel that was drawn in the square around every pixel, and another draw."""
    rows, columns = view.whole
    square = hash_of(view.key(part), (rows // side)[:, None], (columns // side)[None])
    inner = side - 2 * _POLYGON_RADIUS - 2
    places = []
    for number, name in ((rows[:, None], "down"), (columns[None], "right")):
        within = (uniform(salt(square, name)) * inner).astype(np.int64)
        places.append(number // side * side + _POLYGON_RADIUS + 1 + within)
    return places[0], places[1], uniform(salt(square, "kept"))


def out_of_date(view: WorldView) -> NDArray[np.uint8]:
    """True classes of `YEARS_OUT_OF_DATE` years ago ``[H, W]``."""
    return view.land_of(YEARS_OUT_OF_DATE).truth[view.inner]
