"""Squares of the web's grid (Web Mercator), by their quadkeys."""

from __future__ import annotations

import math
from collections.abc import Sequence

_HIGHEST = 85.05112878
"""Latitude at which the web's grid ends."""


def quadkeys(box: Sequence[float], zoom: int) -> list[str]:
    """Quadkeys of the squares at `zoom` that a box in degrees touches, by row.

    `box` is west, south, east and north.

    Examples
    --------
    >>> quadkeys((11.0, 48.0, 11.1, 48.1), 8)
    ['12022111']
    """
    west, south, east, north = box
    first, above = _square(west, north, zoom)
    last, below = _square(east, south, zoom)
    return [
        _key(x, y, zoom)
        for y in range(above, below + 1)
        for x in range(first, last + 1)
    ]


def _square(longitude: float, latitude: float, zoom: int) -> tuple[int, int]:
    count = 1 << zoom
    angle = math.radians(min(max(latitude, -_HIGHEST), _HIGHEST))
    x = (longitude + 180) / 360
    y = (1 - math.asinh(math.tan(angle)) / math.pi) / 2
    return tuple(min(max(int(v * count), 0), count - 1) for v in (x, y))  # type: ignore[return-value]


def _key(x: int, y: int, zoom: int) -> str:
    """Bing's quadkey: a digit for every level, from the whole world down."""
    digits = [((x >> n) & 1) + 2 * ((y >> n) & 1) for n in range(zoom - 1, -1, -1)]
    return "".join(map(str, digits))
