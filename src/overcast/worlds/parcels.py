"""Field parcels: farm blocks, each cut into strips and the strips into parcels.

Farm blocks are Voronoi cells of one random point per square of a grid, and their
borders carry the roads. In a block, coordinates along and across its own direction are
cut at random places, once per unit of the block's own parcel size; block size is
log-normal, so parcel areas are. After the block splitting of procedural city models
(Parish and Müller 2001).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from overcast.worlds.measured import PARCEL_LN_STD
from overcast.worlds.noise import (
    Floats,
    Hashes,
    Places,
    copy_finer,
    hash_of,
    salt,
    scramble,
    uniform,
)

_BLOCK = 90.0
"""Pixels of 10 m along the square that holds the point of one farm block."""
_TABLE = 4096
_WITHIN_LN_STD = 0.55
"""Spread of the log area that cuts at random places and block borders bring."""


@dataclass(frozen=True, slots=True)
class ParcelCells:
    """The Voronoi cells in which places ``[H, W]`` lie.

    `cell` is the hash of the nearest cell and `next_cell` that of the second; `y` and
    `x` of both are their points in pixels.
    """

    cell: Hashes
    y: Floats
    x: Floats
    next_y: Floats
    next_x: Floats


@dataclass(frozen=True, slots=True)
class Parcels:
    """Parcels on fine pixels ``[H, W]``.

    `parcel` and `block` are hashes, `border_m` the distance to the nearest border of a
    parcel, `road_m` that to the border of the farm block (wrong by some pixels where
    three blocks meet).
    """

    parcel: Hashes
    block: Hashes
    border_m: Floats
    road_m: Floats


def nearest_cells(key: int, side: float, y: Floats, x: Floats) -> ParcelCells:
    """Voronoi cells of one random point per square of `side` pixels.

    Of the nine squares around a place; a second cell further off is never needed.
    """
    row, column = np.floor(y / side), np.floor(x / side)
    shape = np.broadcast_shapes(y.shape, x.shape)
    best = [np.full(shape, np.inf, np.float32) for _ in range(2)]
    cells = ParcelCells(np.zeros(shape, np.uint32), *(best[0].copy() for _ in range(4)))
    for down in (-1, 0, 1):
        for right in (-1, 0, 1):
            r, c = row + down, column + right
            h = hash_of(key, r.astype(np.int64), c.astype(np.int64))
            cy = ((r + 0.08 + 0.84 * uniform(h)) * side).astype(np.float32)
            cx = ((c + 0.08 + 0.84 * uniform(salt(h, "x"))) * side).astype(np.float32)
            _keep_nearest(cells, best, h, cy, cx, (y - cy) ** 2 + (x - cx) ** 2)
    return cells


def _keep_nearest(
    cells: ParcelCells,
    best: list[Floats],
    h: Hashes,
    cy: Floats,
    cx: Floats,
    away: Floats,
) -> None:
    first = away < best[0]
    second = ~first & (away < best[1])
    for values, new in ((cells.next_y, cy), (cells.next_x, cx)):
        np.copyto(values, new, where=second)
    np.copyto(best[1], away, where=second)
    for values, of in ((cells.next_y, cells.y), (cells.next_x, cells.x)):
        np.copyto(values, of, where=first)
    np.copyto(best[1], best[0], where=first)
    np.copyto(best[0], away, where=first)
    for values, new in ((cells.y, cy), (cells.x, cx)):
        np.copyto(values, new, where=first)
    np.copyto(cells.cell, h, where=first)


def cut_parcels(key: int, ln_ha: float, y: Places, x: Places, fine: int) -> Parcels:
    """Parcels at rows `y` and columns `x` of 10 m pixels, `fine` times finer.

    `ln_ha` is the median of the log of the area in hectares.
    """
    coarse = nearest_cells(
        key, _BLOCK, y.astype(np.float32)[:, None], x.astype(np.float32)[None, :]
    )
    # The two nearest are looked up on coarse pixels and told apart on fine ones.
    other = _other_hash(key, coarse)
    part = ((np.arange(fine) + 0.5) / fine - 0.5).astype(np.float32)
    fy = (y.astype(np.float32)[:, None] + part).reshape(-1, 1)
    fx = (x.astype(np.float32)[:, None] + part).reshape(1, -1)
    to = [_offset(fy, fx, c, fine) for c in ((coarse.y, coarse.x), _next(coarse))]
    square = [dy * dy + dx * dx for dy, dx in to]
    swap = square[1] < square[0]
    block = np.where(swap, copy_finer(other, fine), copy_finer(coarse.cell, fine))
    dy, dx = (np.where(swap, b, a) for a, b in zip(*to, strict=True))
    apart = np.sqrt((coarse.y - coarse.next_y) ** 2 + (coarse.x - coarse.next_x) ** 2)
    scale = copy_finer(5 / apart, fine)  # half, and 10 m to a pixel
    road_m = np.asarray(np.abs(square[1] - square[0]) * scale, np.float32)
    return _cut_blocks(block, ln_ha, dy, dx, road_m)


def _next(cells: ParcelCells) -> tuple[Floats, Floats]:
    return cells.next_y, cells.next_x


def _other_hash(key: int, cells: ParcelCells) -> Hashes:
    """Hash of the second cell: that of the square its point lies in."""
    row, column = np.floor(cells.next_y / _BLOCK), np.floor(cells.next_x / _BLOCK)
    return hash_of(key, row.astype(np.int64), column.astype(np.int64))


def _offset(
    fy: Floats, fx: Floats, centre: tuple[Floats, Floats], fine: int
) -> tuple[Floats, Floats]:
    return fy - copy_finer(centre[0], fine), fx - copy_finer(centre[1], fine)


def _cut_blocks(
    block: Hashes, ln_ha: float, dy: Floats, dx: Floats, road_m: Floats
) -> Parcels:
    slot = (block & np.uint32(_TABLE - 1)).astype(np.int32)
    cos, sin, across, along = (column[slot] for column in _block_table(ln_ha))
    turned = np.asarray((cos * dx + sin * dy) / across, np.float32)
    strip, strip_m = _cut(turned, block)
    strip_m *= across * np.float32(10)
    turned = np.asarray((cos * dy - sin * dx) / along, np.float32)
    piece, piece_m = _cut(turned, strip)
    piece_m *= along * np.float32(10)
    border = np.minimum(np.minimum(strip_m, piece_m), road_m)
    return Parcels(piece, block, np.asarray(border, np.float32), road_m)


@cache
def _block_table(ln_ha: float) -> tuple[Floats, ...]:
    """Cosine, sine, and parcel size across and along in pixels, of 4096 blocks."""
    rng = np.random.default_rng(_TABLE)
    angle = rng.uniform(0, np.pi, _TABLE)
    # Blocks of small parcels hold more of them, which lowers the median log by the
    # variance between blocks; cuts at random places lower it by about as much as
    # they spread it.
    spread = np.sqrt(max(PARCEL_LN_STD**2 - _WITHIN_LN_STD**2, 0)) * 0.75
    area = 100 * np.exp(ln_ha + spread**2 + 0.55 + spread * rng.normal(size=_TABLE))
    aspect = np.exp(rng.normal(np.log(2.1), 0.4, _TABLE))
    across = np.sqrt(area / aspect).clip(4.5, 45)
    table = (np.cos(angle), np.sin(angle), across, (area / across).clip(4, 90))
    return tuple(np.round(column, 5).astype(np.float32) for column in table)


def _cut(position: Floats, within: Hashes) -> tuple[Hashes, Floats]:
    """Hash of the piece that a position in units of one piece lies in.

    Unit cell k has one cut, at a place that `within` and k name. Also returns the
    distance to the nearer end of the piece.
    """
    cell = np.floor(position)
    inside = position - cell
    step = np.uint32(0x9E3779B1)
    place = cell.astype(np.int32).astype(np.uint32) * step + within
    cuts = [_place_of(name) for name in (place - step, place, place + step)]
    after = inside > cuts[1]
    away = np.abs(inside - cuts[1])
    other = np.where(after, cuts[2] + 1 - inside, inside - (cuts[0] - 1))
    number = np.where(after, place + step, place)
    return scramble(number), np.minimum(away, np.asarray(other, np.float32))


def _place_of(name: Hashes) -> Floats:
    return np.float32(0.08) + np.float32(0.84) * uniform(scramble(name))
