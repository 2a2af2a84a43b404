"""The land: a class and a patch for every 2.5 m, from terrain, parcels and towns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

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
from overcast.worlds.nature import PLAIN, Nature
from overcast.worlds.noise import (
    Floats,
    Fractal,
    Hashes,
    Places,
    block_sum,
    centres_of,
    copy_finer,
    key_of,
    refine,
    salt,
    scramble,
    uniform,
)
from overcast.worlds.parcels import ParcelCells, Parcels, cut_parcels, nearest_cells
from overcast.worlds.spectra import SLOTS, SURFACES
from overcast.worlds.terrain import Terrain
from overcast.worlds.towns import PARK, build_lots
from overcast.worlds.use import look_of

FINE = 4
"""Fine pixels of 2.5 m along the side of a pixel of 10 m."""
_STAND = 17.0
_WIDE = {WATER: 220.0, BARREN: 50.0}
"""Pixels along the square that holds one stand; lakes and rocks are wider ones."""
_CLASSES = 10
_BITS = SLOTS.bit_length() - 1
_CHANGE = 0.006
"""Share of parcels and stands that change class in a year (chosen by hand)."""


@dataclass(frozen=True, slots=True)
class Land:
    """Land of a window of pixels.

    Attributes
    ----------
    code
        int32 ``[4H, 4W]``: class and patch, `SLOTS` patches to a class.
    look
        int32 ``[4H, 4W]``: row of the table of spectra; `code`, but for land use that a
        spectrum does not tell.
    truth
        uint8 ``[H, W]``: class position in the legend that holds most of a pixel.
    cover
        uint8 ``[H, W]``: class whose spectra most of a pixel has.
    relief
        float32 ``[H, W]``, height without unit.
    """

    code: NDArray[np.int32]
    look: NDArray[np.int32]
    truth: NDArray[np.uint8]
    cover: NDArray[np.uint8]
    relief: Floats


@dataclass(frozen=True, slots=True)
class _Place:
    """Where land is built: rows and columns of 10 m pixels, and keys."""

    seed: int
    y: Places
    x: Places

    def key(self, part: str) -> int:
        return key_of(self.seed, part)

    def noise(self, part: str, wavelength: float, slope: float) -> Floats:
        field = Fractal(self.key(part), wavelength, slope)
        return field.at(self.y, self.x)


def build_land(
    seed: int,
    terrain: Terrain,
    rows: range,
    columns: range,
    years_ago: float = 0,
    nature: Nature = PLAIN,
) -> Land:
    """Land of the pixels in `rows` and `columns`, which may lie outside the scene.

    The outermost pixel on every side is approximate. `years_ago` gives the land as it
    was: towns smaller, some parcels and stands of another class. `nature` says whether
    some land looks like another class.
    """
    y, x = centres_of(rows), centres_of(columns)
    at = _Place(seed, y, x)
    margin = terrain.margins(y, x)
    if years_ago:
        margin[URBAN] = margin[URBAN] - np.float32(0.02 * years_ago)
    parcels = cut_parcels(at.key("parcels"), terrain.region.parcel_ln_ha, y, x, FINE)
    land = np.full(parcels.parcel.shape, CROP, np.uint8)
    # Last to first: an earlier zone keeps what it took.
    for c, field in reversed(margin.items()):
        land[refine(field, FINE) > 0] = c
    farmed = land == CROP
    pasture = _pasture(at, terrain, parcels)
    land[farmed & pasture] = GRASS
    _inclusions(at, terrain.region.fragmentation, land, farmed)
    _lines(at, terrain, parcels, land, farmed)
    field_class = np.where(pasture, GRASS, CROP).astype(np.uint8)
    name = _names(at, land, farmed & (land == field_class), parcels)
    if years_ago:
        land = _as_it_was(land, name, years_ago)
    code = _codes(land, name)
    _settle(at, terrain, land, code, margin[URBAN])
    look = _disguised(at, land, code, name) if nature.use else code
    truth = majority((code >> _BITS).astype(np.uint8), FINE)
    cover = majority((look >> _BITS).astype(np.uint8), FINE) if nature.use else truth
    return Land(code, look, truth, cover, terrain.relief(y, x))


def _disguised(
    at: _Place, land: NDArray[np.uint8], code: NDArray[np.int32], name: Hashes
) -> NDArray[np.int32]:
    """Rows of the table of spectra; parks become part of their towns in `code`."""
    classes = (code >> _BITS).astype(np.uint8)
    look = look_of(at.seed, at.y, at.x, classes, name, FINE).astype(np.int32)
    slot = code & np.int32(SLOTS - 1)
    rows = np.where(look == classes, code, (look << _BITS) | slot)
    parks = (land == URBAN) & (classes == GRASS)
    code[parks] = (np.int32(URBAN) << _BITS) | (slot[parks] & np.int32(-SURFACES))
    return np.asarray(rows, np.int32)


def _codes(land: NDArray[np.uint8], name: Hashes) -> NDArray[np.int32]:
    slot = (name >> np.uint32(32 - _BITS)).astype(np.int32)
    # Built-up land is road until it gets its lots: the first surface is asphalt.
    slot[land == URBAN] &= np.int32(-SURFACES)
    return (land.astype(np.int32) << _BITS) | slot


def majority(classes: NDArray[np.uint8], factor: int) -> NDArray[np.uint8]:
    """Class that most of `factor` by `factor` pixels have; the lower one of equals.

    At most 7 by 7 pixels and ten classes: counts stand in six bits each of one number.
    """
    one = np.uint64(1) << (np.arange(_CLASSES, dtype=np.uint64) * np.uint64(6))
    counts = block_sum(one[classes], factor)
    best = np.zeros(counts.shape, np.uint64)
    out = np.zeros(counts.shape, np.uint8)
    for c in range(_CLASSES):
        count = (counts >> np.uint64(6 * c)) & np.uint64(63)
        more = count > best
        out[more], best[more] = c, count[more]
    return out


def _pasture(at: _Place, terrain: Terrain, parcels: Parcels) -> NDArray[np.bool_]:
    """Return which parcels are grass: they gather where the land is wet.

    Moisture is taken in steps of farm blocks' size, so that parcels stay whole.
    """
    slow = Fractal(at.key("pasture"), 200.0, 3.6, finest=30.0).at(at.y, at.x)
    wet = copy_finer(np.round(slow * 2) / 2, FINE)
    own = uniform(salt(parcels.parcel, "pasture"))
    # A logistic score has a share that needs no table: here 2 to 3 tenths at 0.
    mosaic = np.float32(terrain.region.mosaic)
    score = wet + mosaic * own - mosaic / 2
    return np.asarray(score > terrain.region.pasture, np.bool_)


def _stands(at: _Place) -> dict[int | None, Hashes]:
    """Hashes ``[H, W]`` of stands, cells in warped space; wider ones by class."""
    y = at.y.astype(np.float32)[:, None] + 4 * at.noise("warp-y", 25.0, 3.0)
    x = at.x.astype(np.float32)[None, :] + 4 * at.noise("warp-x", 25.0, 3.0)
    stands = nearest_cells(at.key("stands"), _STAND, y, x)
    species: dict[int | None, Hashes] = {None: stands.cell}
    for c, side in _WIDE.items():
        species[c] = _wide(at, c, side, stands)
    return species


def _wide(at: _Place, c: int, side: float, stands: ParcelCells) -> Hashes:
    return nearest_cells(at.key(f"stands-{c}"), side, stands.y, stands.x).cell


def _names(
    at: _Place, land: NDArray[np.uint8], field: NDArray[np.bool_], parcels: Parcels
) -> Hashes:
    """Hash of the parcel or stand of every fine pixel."""
    stands = _stands(at)
    name = copy_finer(stands[None], FINE)
    for c in _WIDE:
        of_class = land == c
        name[of_class] = copy_finer(stands[c], FINE)[of_class]
    name = scramble(name)
    name[field] = parcels.parcel[field]
    return name


def _inclusions(
    at: _Place,
    fragmentation: float,
    land: NDArray[np.uint8],
    farmed: NDArray[np.bool_],
) -> None:
    """Groves, clearings, thickets, pools: small patches of one zone inside another."""
    amount = np.float32(fragmentation)
    first = refine(at.noise("groves", 22.0, 3.2) * amount, FINE)
    second = refine(at.noise("clearings", 22.0, 3.2) * amount, FINE)
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
    at: _Place,
    terrain: Terrain,
    parcels: Parcels,
    land: NDArray[np.uint8],
    farmed: NDArray[np.bool_],
) -> None:
    """Hedges, field margins, roads, rivers and the woods along them."""
    kind = uniform(salt(parcels.block, "hedges"))
    edge = farmed & (land != FOREST)
    hedges = terrain.region.hedges
    land[edge & (parcels.border_m < 1.5)] = GRASS
    land[edge & (parcels.border_m < 4.5) & (kind < hedges)] = SHRUB
    land[edge & (parcels.border_m < 6.0) & (kind > 1 - 0.7 * hedges)] = FOREST
    dry = (land != WATER) & (land != WETLAND)
    wide = uniform(salt(parcels.block, "roads")) < terrain.region.roads
    land[dry & (parcels.road_m < np.where(wide, np.float32(9.0), np.float32(4.5)))] = (
        URBAN
    )
    bank = refine(terrain.rivers.bank(at.y, at.x), FINE)
    wooded = copy_finer(at.noise("riverside", 40.0, 3.0) > 0, FINE)
    land[(bank < 1.8) & wooded & (land != URBAN) & (land != WATER)] = FOREST
    land[bank < 0] = WATER


def _as_it_was(
    land: NDArray[np.uint8], name: Hashes, years: float
) -> NDArray[np.uint8]:
    """Give a share of the patches the class that they changed from."""
    changed = uniform(salt(name, "change")) < _CHANGE * years
    before = np.arange(_CLASSES, dtype=np.uint8)
    before[[CROP, GRASS, FOREST, SHRUB]] = GRASS, CROP, SHRUB, FOREST
    return np.where(changed, before[land], land)


def _settle(
    at: _Place,
    terrain: Terrain,
    land: NDArray[np.uint8],
    code: NDArray[np.int32],
    margin: Floats,
) -> None:
    """Give built-up pixels of `code` their lots, in place; parks become grass."""
    rows, columns = np.nonzero((land == URBAN) & (refine(margin, FINE) > 0))
    if not len(rows):
        return
    near = terrain.nearness(at.y, at.x)[rows // FINE, columns // FINE]
    part = np.float32(1 / FINE)
    lots = build_lots(
        at.key("towns"),
        (rows.astype(np.float32) + np.float32(0.5)) * part + np.float32(at.y[0] - 0.5),
        (columns.astype(np.float32) + np.float32(0.5)) * part
        + np.float32(at.x[0] - 0.5),
        near,
    )
    slots = np.uint32(SLOTS // SURFACES - 1)
    lot = (lots.lot & slots).astype(np.int32) * SURFACES
    built = lots.surface != PARK
    urban, green = (np.int32(c << _BITS) for c in (URBAN, GRASS))
    code[rows, columns] = np.where(
        built, urban + lot + lots.surface, green + (code[rows, columns] & (SLOTS - 1))
    )
