"""Field parcels: farm blocks, each cut into strips and the strips into parcels.

Farm blocks are Voronoi cells of random points, and their borders carry the roads. In a
block, coordinates along and across its own direction are cut at random places, once per
unit of the block's own parcel size; block size is log-normal, so parcel areas are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from overcast.worlds.measured import PARCEL_LN_HA
from overcast.worlds.noise import Floats, copy_finer

_BLOCK_M = 900.0
_TABLE = 1 << 16
_HALF = 32  # strips on either side of a block's centre that a code can hold


@dataclass(frozen=True, slots=True)
class Parcels:
    """Parcels on a fine grid ``[H, W]``.

    `parcel` is int32 from 0 without gaps, `border_m` the distance to the nearest
    border of a parcel, `road_m` that to the border of the farm block (wrong by some pixels
    where three blocks meet), `block` int32.
    """

    parcel: NDArray[np.int32]
    border_m: Floats
    road_m: Floats
    block: NDArray[np.int32]
    count: int
    blocks: int


@dataclass(frozen=True, slots=True)
class _Blocks:
    centre: NDArray[np.float32]
    angle: NDArray[np.float32]
    across_m: NDArray[np.float32]
    along_m: NDArray[np.float32]

    @classmethod
    def draw(cls, rng: np.random.Generator, extent_m: tuple[float, float]) -> _Blocks:
        count = max(4, round(extent_m[0] * extent_m[1] / _BLOCK_M**2))
        centre = rng.uniform((0, 0), extent_m, (count, 2))
        # Blocks of small parcels hold more of them, which lowers the mean log by the
        # variance between blocks; cuts at random places spread it further by .8,
        # and together with the borders of blocks lower it by .55.
        spread = 0.85
        mean = PARCEL_LN_HA + spread**2 + 0.55
        area_m2 = 1e4 * np.exp(mean + spread * rng.normal(size=count))
        aspect = np.exp(rng.normal(np.log(2.1), 0.4, count))
        across = np.sqrt(area_m2 / aspect).clip(45, 450)
        return cls(
            centre.astype(np.float32),
            rng.uniform(0, np.pi, count).astype(np.float32),
            across.astype(np.float32),
            (area_m2 / across).clip(40, 900).astype(np.float32),
        )


def draw_parcels(
    rng: np.random.Generator, shape: tuple[int, int], pixel_m: float, coarse: int = 4
) -> Parcels:
    """Parcels on a grid of `shape` and `pixel_m`; `coarse` divides the shape."""
    blocks = _Blocks.draw(rng, (shape[0] * pixel_m, shape[1] * pixel_m))
    y, x = _coordinates(shape, pixel_m)
    y, x = np.broadcast_to(y, shape), np.broadcast_to(x, shape)
    block, road_m = _nearest_block(blocks, y, x, coarse)
    dy, dx = y - blocks.centre[block, 0], x - blocks.centre[block, 1]
    cos, sin = np.cos(blocks.angle)[block], np.sin(blocks.angle)[block]
    cuts = rng.uniform(0.08, 0.92, _TABLE).astype(np.float32)
    strip, strip_m = _cut((cos * dx + sin * dy) / blocks.across_m[block], cuts, block)
    key = block * 97 + strip * 7919
    piece, piece_m = _cut((cos * dy - sin * dx) / blocks.along_m[block], cuts, key)
    border = np.minimum(
        strip_m * blocks.across_m[block], piece_m * blocks.along_m[block]
    )
    code = (block * 2 * _HALF + strip) * 2 * _HALF + piece
    used = np.bincount(code.ravel(), minlength=len(blocks.angle) * 4 * _HALF**2) > 0
    number = np.cumsum(used, dtype=np.int32) - 1
    return Parcels(
        number[code],
        np.minimum(border, road_m).astype(np.float32),
        road_m,
        block,
        int(used.sum()),
        len(blocks.angle),
    )


def _coordinates(shape: tuple[int, int], pixel_m: float) -> tuple[Floats, Floats]:
    y = (np.arange(shape[0], dtype=np.float32) + 0.5) * np.float32(pixel_m)
    x = (np.arange(shape[1], dtype=np.float32) + 0.5) * np.float32(pixel_m)
    return y[:, None], x[None, :]


def _nearest_block(
    blocks: _Blocks, y: Floats, x: Floats, coarse: int
) -> tuple[NDArray[np.int32], Floats]:
    """Nearest block of every pixel, and its distance in metres to the cell border.

    The two nearest are looked up on coarse pixels and told apart on fine ones.
    """
    step = slice(coarse // 2, None, coarse)
    points = np.stack([y[step, step].ravel(), x[step, step].ravel()], -1)
    _, two = cKDTree(blocks.centre).query(points, k=2)
    two = two.reshape(*y[step, step].shape, 2).astype(np.int32)
    a, b = (copy_finer(two[..., i], coarse) for i in (0, 1))
    cy, cx = blocks.centre.T
    to_a = (y - cy[a]) ** 2 + (x - cx[a]) ** 2
    to_b = (y - cy[b]) ** 2 + (x - cx[b]) ** 2
    apart = np.hypot(cy[a] - cy[b], cx[a] - cx[b])
    nearest = np.where(to_a <= to_b, a, b).astype(np.int32)
    return nearest, np.asarray(np.abs(to_b - to_a) / (2 * apart), np.float32)


def _cut(
    position: Floats, cuts: Floats, key: NDArray[np.int32]
) -> tuple[NDArray[np.int32], Floats]:
    """Which piece a position in units of one piece lies in, and how far from its ends.

    Unit cell k has one cut, at a place looked up from `key` and k.
    """
    cell = np.clip(np.floor(position), 2 - _HALF, _HALF - 3).astype(np.int32)
    inside = position - cell
    place = key * 131 + cell * 1009
    at = [cuts[(place + i * 1009) & (_TABLE - 1)] + np.float32(i) for i in (-1, 0, 1)]
    away = np.minimum.reduce([np.abs(inside - cut) for cut in at])
    return cell + (inside > at[1]) + _HALF, np.asarray(away, np.float32)
