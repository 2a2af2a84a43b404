"""Rivers from relief: where water that falls everywhere would run.

Relief on a coarse grid is drained by a priority flood (Barnes, Lehman and Mulla 2014)
from its lowest border cell: the cell that a cell is first reached from is the one its
water runs to. Cells that drain enough land are streams; their paths are smoothed, bent
into meanders, and given a width by the land they drain.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d
from scipy.spatial import cKDTree

from overcast.worlds.noise import Floats, Fractal, Places, interpolate

STEP = 16.0
"""Pixels of 10 m between the nodes of the coarse grid."""
_STREAM_KM2 = 3.0
_INFLOW_KM2 = 350.0
_SPACING = 1.0
"""Pixels between the points of a finished path."""
_FAR = 250.0
"""Distances beyond, in pixels, are all the same."""
_NEAR = 20.0
_CELL_KM2 = (STEP / 100) ** 2


@dataclass(frozen=True)
class Rivers:
    """Points float64 ``[P, 2]`` in pixels down and right along all streams.

    `half_width` ``[P]`` is in pixels; `far` float32 is the distance to the nearest
    point at the nodes of the coarse grid, which starts at `first`.
    """

    points: Places
    half_width: Places
    far: Floats
    first: float

    @cached_property
    def _tree(self) -> cKDTree:
        return cKDTree(self.points)

    def distance(self, y: Places, x: Places) -> Floats:
        """Smooth distance ``[H, W]`` in pixels, to `_FAR` at most; soft close by."""
        return interpolate(self.far, self.first, STEP, y, x)

    def bank(self, y: Places, x: Places) -> Floats:
        """Distance ``[H, W]`` in pixels to the bank, negative in the river.

        Exact within some pixels of the river, large elsewhere.
        """
        points = np.stack(np.broadcast_arrays(y[:, None], x[None, :]), -1)
        away, nearest = self._tree.query(
            points.reshape(-1, 2), distance_upper_bound=_NEAR
        )
        near = nearest < len(self.points)
        out = np.full(len(away), _NEAR, np.float32)
        out[near] = away[near] - self.half_width[nearest[near]]
        return out.reshape(len(y), len(x))


def run_rivers(key: int, relief: Floats, first: float) -> Rivers:
    """Streams of `relief` ``[H, W]`` at nodes `STEP` apart, from `first` on."""
    order, onto = _drain(relief)
    area = _accumulate(order, onto, _inlet(relief))
    paths, widths = [], []
    for path in _trace(order, onto, area, relief.shape):
        points = first + STEP * np.stack(np.divmod(path, relief.shape[1]), -1)
        line = _meander(key, points.astype(np.float64))
        half = _half_width(area[path])
        along = np.linspace(0, len(half) - 1, len(line))
        paths.append(line)
        widths.append(np.interp(along, np.arange(len(half)), half))
    points = np.concatenate(paths)
    nodes = [first + STEP * np.arange(n) for n in relief.shape]
    at = np.stack(np.meshgrid(*nodes, indexing="ij"), -1).reshape(-1, 2)
    far, _ = cKDTree(points).query(at, distance_upper_bound=_FAR)
    return Rivers(
        points=points,
        half_width=np.concatenate(widths),
        far=far.clip(0, _FAR).reshape(relief.shape).astype(np.float32),
        first=first,
    )


def _drain(relief: Floats) -> tuple[list[int], NDArray[np.int64]]:
    """Cells in the order in which the flood reaches them, and where each drains to."""
    height, width = relief.shape
    border = np.ones(relief.shape, np.bool_)
    border[1:-1, 1:-1] = False
    outlet = int(np.where(border, relief, np.inf).argmin())
    levels = np.pad(relief, 1, constant_values=np.inf).ravel().tolist()
    wide = width + 2
    steps = (-wide - 1, -wide, -wide + 1, -1, 1, wide - 1, wide, wide + 1)
    seen = bytearray(np.pad(np.zeros(relief.shape, np.uint8), 1, constant_values=1))
    onto = [0] * len(levels)
    start = (outlet // width + 1) * wide + outlet % width + 1
    seen[start], onto[start] = 1, start
    heap, order = [(levels[start], start)], []
    while heap:
        level, cell = heapq.heappop(heap)
        order.append(cell)
        for step in steps:
            near = cell + step
            if not seen[near]:
                seen[near], onto[near] = 1, cell
                heapq.heappush(heap, (max(level, levels[near]), near))

    def inner(cell: NDArray[np.int64]) -> NDArray[np.int64]:
        return np.asarray((cell // wide - 1) * width + cell % wide - 1, np.int64)

    cells = inner(np.array(order))
    to = np.empty(height * width, np.int64)
    to[cells] = inner(np.array([onto[c] for c in order]))
    return [int(c) for c in cells], to


def _inlet(relief: Floats) -> int:
    """Border cell on the side away from the outlet by which a river comes in."""
    width = relief.shape[1]
    border = np.ones(relief.shape, np.bool_)
    border[1:-1, 1:-1] = False
    outlet = divmod(int(np.where(border, relief, np.inf).argmin()), width)
    rows, columns = np.indices(relief.shape)
    away = np.hypot(rows - outlet[0], columns - outlet[1])
    return int(np.where(border & (away > 0.7 * away.max()), relief, np.inf).argmin())


def _accumulate(
    order: list[int], onto: NDArray[np.int64], inlet: int
) -> NDArray[np.float64]:
    """Land in km² that drains through every cell."""
    area = [_CELL_KM2] * len(order)
    area[inlet] += _INFLOW_KM2
    to = onto.tolist()
    for cell in reversed(order):
        if to[cell] != cell:
            area[to[cell]] += area[cell]
    return np.array(area)


def _trace(
    order: list[int],
    onto: NDArray[np.int64],
    area: NDArray[np.float64],
    shape: tuple[int, int],
) -> list[NDArray[np.int64]]:
    """Paths of cells, each from a spring down to a stream that is traced already."""
    wet = area > min(_STREAM_KM2, area.max() / 2)
    fed = np.zeros(len(area), np.bool_)
    # From the largest down: the longest river is one path, others join it.
    springs = [c for c in order if wet[c]]
    for cell in springs:
        if onto[cell] != cell:
            fed[onto[cell]] = True
    heads = sorted((c for c in springs if not fed[c]), key=lambda c: (-area[c], c))
    traced = np.zeros(len(area), np.bool_)
    paths = []
    for head in heads:
        path = [head]
        while onto[path[-1]] != path[-1] and not traced[path[-1]]:
            path.append(int(onto[path[-1]]))
        traced[path] = True
        if len(path) > 1:
            paths.append(np.array(path))
    return paths


def _meander(key: int, points: Places) -> Places:
    """Smooth line through a path of cells, with bends, points `_SPACING` apart."""
    per_cell = round(STEP / _SPACING)
    along = np.linspace(0, len(points) - 1, (len(points) - 1) * per_cell + 1)
    line = np.stack([np.interp(along, np.arange(len(points)), p) for p in points.T])
    line = gaussian_filter1d(line, 0.9 * per_cell, axis=1, mode="nearest")
    bent = line.copy()
    for axis in (0, 1):
        for i, (wavelength, reach) in enumerate(((160.0, 9.0), (50.0, 3.0))):
            field = Fractal(key + 7 * axis + i, wavelength, finest=wavelength / 4)
            bent[axis] += reach * field.at_points(line[0], line[1])
    return np.asarray(np.round(bent.T, 3), np.float64)


def _half_width(area_km2: NDArray[np.float64]) -> Places:
    """Pixels; a brook of 3 km² is 5 m wide, a river of 400 km² 58 m."""
    return np.asarray((0.145 * np.sqrt(area_km2)).clip(0.2, 6.0))
