"""A grid without ends, and the tiles and cells that it is cut into.

Pixels have whole numbers from a fixed place of the projection, not from the corner of
some file. So a tile, or a window of it, is the same pixels whatever else is mapped.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from affine import Affine
from odc.geo.geobox import GeoBox

from overcast.geo.stack import Chip, Stack
from overcast.geo.tiling import Window

_TOP_M = 10_000_000
"""Northing above which no row of UTM is."""


@dataclass(frozen=True, slots=True)
class Lattice:
    """Pixels of one projection.

    Attributes
    ----------
    crs
        The projection, in metres.
    resolution
        Side of a pixel in metres.
    left, top
        Where the corner of pixel (0, 0) lies.
    """

    crs: str
    resolution: float
    left: float = 0.0
    top: float = float(_TOP_M)

    @classmethod
    def along(cls, grid: GeoBox) -> Lattice:
        """The lattice on which the pixels of a grid lie.

        Raises
        ------
        ValueError
            If its pixels are no squares with north up, or it has no projection in metres.
        """
        a, b, c, d, e, f = tuple(grid.affine)[:6]
        if grid.crs is None or not grid.crs.projected or b or d or a != -e or a <= 0:
            raise ValueError(
                "a region needs square pixels with north up in a projection in metres; "
                "warp the images (gdalwarp -t_srs EPSG:326NN -tr 10 10)"
            )
        code = grid.crs.to_epsg()
        named = code is not None and grid.crs == f"EPSG:{code}"
        crs = f"EPSG:{code}" if named else str(grid.crs)
        return cls(crs, a, c % a, _TOP_M + (f - _TOP_M) % a)

    def grid(self, window: Window) -> GeoBox:
        """The grid of a window; rows and columns may be negative."""
        side = self.resolution
        left, top = self.left + window.x * side, self.top - window.y * side
        return GeoBox(
            (window.h, window.w), Affine(side, 0, left, 0, -side, top), self.crs
        )

    def around(self, box: tuple[float, float, float, float]) -> Window:
        """The smallest window that holds left, bottom, right and top, in metres."""
        left, bottom, right, top = box
        side = self.resolution
        first = math.floor(round((left - self.left) / side, 6))
        last = math.ceil(round((right - self.left) / side, 6))
        above = math.floor(round((self.top - top) / side, 6))
        below = math.ceil(round((self.top - bottom) / side, 6))
        return Window(above, first, below - above, last - first)


def cells_of(window: Window, side: int) -> list[Window]:
    """Squares of `side` pixels that a window is cut into, counted from pixel (0, 0).

    A window whose edges are no multiples of `side` has parts of squares at its edges.

    Examples
    --------
    >>> [(c.y, c.x, c.h, c.w) for c in cells_of(Window(4, 2, 4, 4), 4)]
    [(4, 2, 4, 2), (4, 4, 4, 2)]
    """
    return [
        Window(y, x, h, w)
        for y, h in _parts(window.y, window.h, side)
        for x, w in _parts(window.x, window.w, side)
    ]


def _parts(start: int, length: int, side: int) -> Iterator[tuple[int, int]]:
    """First pixels and lengths of the parts of a span between multiples of `side`."""
    at, stop = start, start + length
    while at < stop:
        until = min((at // side + 1) * side, stop)
        yield at, until - at
        at = until


def widened(window: Window, by: int) -> Window:
    """A window with so many more pixels on every side."""
    return Window(window.y - by, window.x - by, window.h + 2 * by, window.w + 2 * by)


def within(window: Window, limit: Window | None) -> Window | None:
    """The part of a window that lies in another one; all of it without a limit."""
    if limit is None:
        return window
    y, x = max(window.y, limit.y), max(window.x, limit.x)
    bottom = min(window.y + window.h, limit.y + limit.h)
    right = min(window.x + window.w, limit.x + limit.w)
    return Window(y, x, bottom - y, right - x) if bottom > y and right > x else None


def read_on(stack: Stack, grid: GeoBox) -> Chip:
    """Everything of a stack on any grid; unseen and unknown where there is nothing."""
    return Chip(
        images={name: source.read(grid) for name, source in stack.images.items()},
        labels=None if stack.labels is None else stack.labels.read(grid),
        grid=grid,
        moments=stack.moments,
    )
