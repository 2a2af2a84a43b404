"""What makes a picture a map: meridians, parallels with their degrees, and north.

Drawn as SVG over a picture of a grid, in any projection.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyproj
from markupsafe import Markup
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox

_WIDE = 1000
"""Units of a drawing across; the height follows from the grid."""
_SECONDS = (
    *(1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200),
    *(18_000, 36_000, 54_000, 108_000),
)
"""Steps between lines in seconds of arc, so that labels are short."""
_LINES, _POINTS, _OVER = 3, 65, 0.05
"""Lines in each direction at most, points of a line, and how far one leaves a picture."""
_TEXT, _MARGIN = 28, 12
_HALO = 'paint-order="stroke" stroke="#fff" stroke-width="6" stroke-linejoin="round"'
_ARROW = "M0,-34 L13,14 L0,4 L-13,14 Z"


@dataclass(frozen=True, slots=True)
class Line:
    """A meridian or a parallel on a picture.

    Attributes
    ----------
    degrees
        Its longitude or latitude.
    points
        Where it runs ``[N, 2]``: shares of width and height of the picture, from the
        upper left corner. The ends may lie a little outside.
    """

    degrees: float
    points: NDArray[np.float64]


def lines_of(grid: GeoBox) -> tuple[list[Line], list[Line]]:
    """Meridians and parallels of a grid, at most three of each."""
    lon, lat = _degrees_of(grid)
    spans = (lon.min(), lon.max()), (lat.min(), lat.max())
    meridians = [
        Line(at, points)
        for at in _ticks(*spans[0])
        if len(points := _inside(grid, np.full(_POINTS, at), _along(*spans[1]))) > 1
    ]
    parallels = [
        Line(at, points)
        for at in _ticks(*spans[1])
        if len(points := _inside(grid, _along(*spans[0]), np.full(_POINTS, at))) > 1
    ]
    return meridians, parallels


def north_of(grid: GeoBox) -> float:
    """Angle of north at the middle of a picture, in degrees clockwise from its top."""
    lon, lat = _degrees_of(grid)
    middle = lon[lon.size // 2], lat[lat.size // 2]
    step = max(lat.max() - lat.min(), 1e-6) / 100
    places = _places(grid, np.full(2, middle[0]), middle[1] + np.array([0, step]))
    height, width = grid.shape
    across, down = (places[1] - places[0]) * (width, height)
    return float(math.degrees(math.atan2(across, -down)))


def map_furniture(grid: GeoBox) -> Markup:
    """Graticule with its degrees, and an arrow to the north, to lie over a picture.

    Nothing where the grid has no place on the ground.
    """
    if grid.crs is None:
        return Markup("")
    height, width = grid.shape
    tall = _WIDE * height / width
    scale = np.array([_WIDE, tall])
    meridians, parallels = lines_of(grid)
    parts = [
        *(_drawn(line.points * scale) for line in (*meridians, *parallels)),
        *_bottom_labels(meridians, tall),
        *_left_labels(parallels, tall),
        _arrow(north_of(grid)),
    ]
    return Markup(
        f'<svg class="furniture" viewBox="0 0 {_WIDE} {tall:.0f}" aria-hidden="true" '
        f'font-size="{_TEXT}">{"".join(parts)}</svg>'
    )


def _drawn(points: NDArray[np.float64]) -> str:
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return (
        f'<polyline points="{path}" fill="none" stroke="#fff" stroke-opacity="0.55" '
        f'stroke-width="3"/><polyline points="{path}" fill="none" stroke="#111" '
        'stroke-opacity="0.75" stroke-width="1"/>'
    )


def _bottom_labels(lines: list[Line], tall: float) -> Iterator[str]:
    for line in lines:
        x, y = line.points[line.points[:, 1].argmax()]
        if y > 0.9 and 0.12 < x < 0.88:
            text = _named(line.degrees, "EW")
            yield (
                f'<text x="{x * _WIDE:.1f}" y="{tall - _MARGIN:.1f}" '
                f'text-anchor="middle" fill="#111" {_HALO}>{text}</text>'
            )


def _left_labels(lines: list[Line], tall: float) -> Iterator[str]:
    for line in lines:
        x, y = line.points[line.points[:, 0].argmin()]
        if x < 0.1 and 0.06 < y < 0.9:
            text = _named(line.degrees, "NS")
            yield (
                f'<text x="{_MARGIN}" y="{y * tall - 6:.1f}" fill="#111" {_HALO}>'
                f"{text}</text>"
            )


def _arrow(angle: float) -> str:
    return (
        f'<g transform="translate({_WIDE - 48} 58) rotate({angle:.1f})" fill="#111" '
        f'{_HALO}><path d="{_ARROW}"/><text y="42" text-anchor="middle">N</text></g>'
    )


def _named(degrees: float, letters: str) -> str:
    """Return degrees, minutes and seconds as a map writes them, such as 8°36′ E."""
    wrapped = (degrees + 180) % 360 - 180 if letters == "EW" else degrees
    total = round(abs(wrapped) * 3600)
    minutes, seconds = divmod(total, 60)
    whole, minutes = divmod(minutes, 60)
    text = f"{whole}°"
    if minutes or seconds:
        text += f"{minutes:02d}′"
    if seconds:
        text += f"{seconds:02d}″"
    return text if total == 0 else f"{text} {letters[0 if wrapped > 0 else 1]}"


def _ticks(low: float, high: float) -> NDArray[np.float64]:
    """Round degrees between two, at most `_LINES` of them."""
    for seconds in _SECONDS:
        step = seconds / 3600
        first, last = math.ceil(low / step), math.floor(high / step)
        if last - first + 1 <= _LINES:
            return np.arange(first, last + 1, dtype=np.float64) * step
    return np.array([0.0])


def _along(low: float, high: float) -> NDArray[np.float64]:
    over = _OVER * (high - low)
    return np.linspace(low - over, high + over, _POINTS)


def _degrees_of(grid: GeoBox) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Longitude and latitude of points spread over a grid; longitudes do not jump."""
    height, width = grid.shape
    columns, rows = np.meshgrid(np.linspace(0, width, 9), np.linspace(0, height, 9))
    x, y = grid.affine * (columns.ravel(), rows.ravel())  # type: ignore[operator]
    to = pyproj.Transformer.from_crs(str(grid.crs), "EPSG:4326", always_xy=True)
    lon, lat = to.transform(x, y)
    known = np.isfinite(lon) & np.isfinite(lat)
    lon, lat = np.asarray(lon)[known], np.asarray(lat)[known]
    middle = lon[lon.size // 2]
    return (lon - middle + 180) % 360 - 180 + middle, lat


def _places(
    grid: GeoBox, lon: NDArray[np.float64], lat: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Places ``[N, 2]`` on a picture as shares of its width and height."""
    to = pyproj.Transformer.from_crs("EPSG:4326", str(grid.crs), always_xy=True)
    x, y = to.transform(lon, lat)
    columns, rows = (~grid.affine) * (np.asarray(x), np.asarray(y))
    height, width = grid.shape
    return np.column_stack([columns / width, rows / height])


def _inside(
    grid: GeoBox, lon: NDArray[np.float64], lat: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return places inside of a picture, or so little outside that it cuts them."""
    places: NDArray[np.float64] = _places(grid, lon, lat)
    known = np.isfinite(places).all(1)
    return places[known & (np.abs(places - 0.5) <= 0.5 + _OVER).all(1)]
