"""The land: a class and a patch for every 2.5 m, from terrain, parcels and towns.

Everything here is drawn on a grid that reaches `MARGIN` pixels beyond the scene, so
that neighbours of its border pixels and whole 500 m cells exist.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

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
from overcast.worlds.noise import (
    Floats,
    block_mean,
    copy_finer,
    fractal,
    refine,
    stream,
)
from overcast.worlds.parcels import Parcels, draw_parcels
from overcast.worlds.spectra import ASPHALT
from overcast.worlds.terrain import Terrain, shape_terrain
from overcast.worlds.towns import PARK, build_lots

FINE = 4
"""Fine pixels of 2.5 m along the side of a pixel of 10 m."""
MARGIN = 64
_STAND_M = 170.0
_WIDE_M = {WATER: 2200.0, BARREN: 500.0}
_CLASSES = 10


@dataclass(frozen=True, slots=True)
class Land:
    """Land on a grid `MARGIN` pixels larger than the scene on every side.

    Attributes
    ----------
    patch
        int32 ``[4H, 4W]``: which parcel, stand, lake or lot.
    truth
        uint8 ``[H, W]``: class position in the legend that holds most of a pixel.
    land_class, surface
        uint8 ``[P]`` of every patch.
    relief
        float32 ``[H, W]``, height without unit.
    """

    patch: NDArray[np.int32]
    truth: NDArray[np.uint8]
    land_class: NDArray[np.uint8]
    surface: NDArray[np.uint8]
    relief: Floats


def build_land(seed: int, size: int) -> Land:
    """Land for a scene of `size` by `size` pixels of 10 m."""
    side = size + size % 2 + 2 * MARGIN  # 20 m bands need an even number
    shape = (side, side)
    core = (slice(MARGIN, MARGIN + size),) * 2
    terrain = shape_terrain(seed, shape, core)
    parcels = draw_parcels(stream(seed, "parcels"), (side * FINE,) * 2, 10 / FINE)
    pasture = _pasture(seed, parcels, shape)
    land = _zones(terrain, (side * FINE,) * 2)
    farmed = land == CROP
    land[farmed & pasture[parcels.parcel]] = GRASS
    _inclusions(seed, land, farmed, shape)
    _lines(seed, land, farmed, terrain, parcels)
    base = parcels.count
    stand, stand_for = _stands(seed, shape)
    # Every stand may hold every class: patch number and class follow each other.
    patch = base + stand_for[land, copy_finer(stand, FINE)] * _CLASSES + land
    field = farmed & (land == np.where(pasture, GRASS, CROP)[parcels.parcel])
    patch[field] = parcels.parcel[field]
    stands = stand_for.size
    kinds = np.tile(np.arange(_CLASSES, dtype=np.uint8), stands // _CLASSES)
    lots, surface = _settle(seed, land, patch, terrain, base + stands)
    land_class = np.concatenate(
        [np.where(pasture, GRASS, CROP), kinds, np.full(lots, URBAN)]
    ).astype(np.uint8)
    return Land(
        patch=patch,
        truth=majority(land_class[patch], FINE),
        land_class=land_class,
        surface=np.concatenate([np.full(base + stands, ASPHALT, np.uint8), surface]),
        relief=terrain.relief,
    )


def majority(classes: NDArray[np.uint8], factor: int) -> NDArray[np.uint8]:
    """Class that most of `factor` by `factor` pixels have; the lower one of equals."""
    share = [
        block_mean((classes == c).astype(np.float32), factor) for c in range(_CLASSES)
    ]
    return np.asarray(np.argmax(share, axis=0), np.uint8)


def _zones(terrain: Terrain, shape: tuple[int, int]) -> NDArray[np.uint8]:
    land = np.full(shape, CROP, np.uint8)
    # Last to first: an earlier zone keeps what it took.
    for c, margin in reversed(terrain.margin.items()):
        land[refine(margin, FINE) > 0] = c
    return land


def _pasture(seed: int, parcels: Parcels, shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Which parcels are grass: they gather where the land is wet."""
    rng = stream(seed, "pasture")
    moisture = copy_finer(fractal(rng, shape, 140.0, 3.6), FINE)
    flat = parcels.parcel.ravel()
    total = np.bincount(flat, moisture.ravel(), parcels.count)
    mean = total / np.bincount(flat, minlength=parcels.count)
    return np.asarray(mean + 0.45 * rng.standard_normal(parcels.count) > 0.95, np.bool_)


def _stands(
    seed: int, shape: tuple[int, int]
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Stands int32 ``[H, W]``: cells of random points in warped space.

    Lakes and rocks are wider than a stand: the table int32 ``[10, stands]`` names the
    stand that stands in for each, per class.
    """
    rng = stream(seed, "stands")
    area = shape[0] * shape[1] * 100.0
    points = rng.uniform(0, 1, (max(8, round(area / _STAND_M**2)), 2)) * shape
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    y += 4 * fractal(rng, shape, 25.0)
    x += 4 * fractal(rng, shape, 25.0)
    _, nearest = cKDTree(points).query(np.stack([y.ravel(), x.ravel()], -1))
    stand_for = np.tile(np.arange(len(points), dtype=np.int32), (_CLASSES, 1))
    for c, wide_m in _WIDE_M.items():
        some = max(2, round(area / wide_m**2))
        _, stand_for[c] = cKDTree(points[:some]).query(points)
    return np.asarray(nearest.reshape(shape), np.int32), stand_for


def _inclusions(
    seed: int,
    land: NDArray[np.uint8],
    farmed: NDArray[np.bool_],
    shape: tuple[int, int],
) -> None:
    """Groves, clearings, thickets, pools: small patches of one zone inside another."""
    rng = stream(seed, "inclusions")
    first, second = (refine(fractal(rng, shape, 22.0, 3.4), FINE) for _ in range(2))
    was = land.copy()
    land[farmed & (first > 2.05)] = FOREST
    land[farmed & (second > 2.3)] = SHRUB
    land[(was == FOREST) & (first > 1.7)] = SHRUB
    land[(was == FOREST) & (second > 2.0)] = GRASS
    land[(was == SHRUB) & (first > 1.5)] = FOREST
    land[(was == SHRUB) & (second > 1.4)] = GRASS
    land[(was == GRASS) & ~farmed & (first > 1.6)] = SHRUB
    land[(was == BARREN) & (first > 1.5)] = SHRUB
    land[(was == BARREN) & (second > 1.7)] = GRASS
    land[(was == WETLAND) & (first > 1.8)] = WATER
    land[(was == WETLAND) & (second > 1.8)] = SHRUB


def _lines(
    seed: int,
    land: NDArray[np.uint8],
    farmed: NDArray[np.bool_],
    terrain: Terrain,
    parcels: Parcels,
) -> None:
    """Hedges, field margins, roads, rivers and the woods along them."""
    rng = stream(seed, "lines")
    kind = rng.random(parcels.blocks)[parcels.block]
    edge = farmed & (land != FOREST)
    land[edge & (parcels.border_m < 1.5)] = GRASS
    land[edge & (parcels.border_m < 4.5) & (kind < 0.12)] = SHRUB
    land[edge & (parcels.border_m < 6.0) & (kind > 0.92)] = FOREST
    dry = (land != WATER) & (land != WETLAND)
    width = np.where(rng.random(parcels.blocks) < 0.25, 9.0, 4.5)[parcels.block]
    land[dry & (parcels.road_m < width)] = URBAN
    # Half the width is piecewise constant, so it is copied and not interpolated.
    bank = refine(terrain.river_m, FINE) - copy_finer(terrain.width_m, FINE)
    wooded = copy_finer(fractal(rng, terrain.relief.shape, 40.0), FINE) > 0
    land[(bank < 18) & wooded & (land != URBAN) & (land != WATER)] = FOREST
    land[bank < 0] = WATER


def _settle(
    seed: int,
    land: NDArray[np.uint8],
    patch: NDArray[np.int32],
    terrain: Terrain,
    base: int,
) -> tuple[int, NDArray[np.uint8]]:
    """Give built-up pixels of `patch` their lots, in place; parks become grass.

    Returns the number of new patches and their surfaces.
    """
    field = refine(terrain.margin[URBAN], FINE)
    rows, columns = np.nonzero((land == URBAN) & (field > 0))
    pixel_m = np.float32(10 / FINE)
    lots = build_lots(
        stream(seed, "towns"),
        terrain.towns,
        (rows.astype(np.float32) + 0.5) * pixel_m,
        (columns.astype(np.float32) + 0.5) * pixel_m,
    )
    built = lots.surface != PARK
    patch[rows[built], columns[built]] = (
        base + lots.lot[built] * 4 + lots.surface[built]
    )
    green = (rows[~built], columns[~built])
    patch[green] += np.int32(GRASS) - np.int32(URBAN)
    return 4 * lots.count, np.tile(np.arange(4, dtype=np.uint8), lots.count)
