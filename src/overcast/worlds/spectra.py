"""The mean vector of every patch: ten reflectances, VV and VH in dB.

Patches are drawn from the measured distribution between sites, its variance split into
a part common to a class in this world, a part common to a subtype (a crop, a kind of
wood), and the patch's own. Inside one scene crop parcels vary as much as sites do
(B08 .10 against .08, n 90 region-dates), so most of the variance belongs to patches.
Every class has a table of `SLOTS` vectors, and a patch takes the one that its hash
names.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from overcast.worlds.measured import (
    BARREN,
    CLASSES,
    CROP,
    FOREST,
    GRASS,
    SHRUB,
    URBAN,
    WATER,
    WETLAND,
    statistics,
)
from overcast.worlds.noise import Floats, stream
from overcast.worlds.region import WorldRegion

SLOTS = 1 << 13
"""Vectors per class, a power of two."""
WORLD_SHARE, SUBTYPE_SHARE = 0.18, 0.34
OWN_SHARE = {BARREN: 0.12, WATER: 0.12, FOREST: 0.35}
"""Variance left to the single patch where neighbours share rock, water or wood."""
SUBTYPES = {CROP: 7, GRASS: 4}
_SOIL = {BARREN: 0.6, CROP: 0.6, SHRUB: 0.3}
"""How much of a class's part common to the world is soil, which these share."""
_LIMIT = 2.3  # scores beyond are redrawn as this: reflectance has bounds
LOWEST_REFLECTANCE = 0.002
_DRY = (CROP, GRASS, SHRUB, FOREST, BARREN)
_ALL = 10

ASPHALT, ROOF, GARDEN, HALL = range(4)
SURFACES = 4
"""Surfaces in towns. Measured urban pixels mix them, so each is placed around the mean
of Urban by hand: visible, red edge to near infrared, short wave, VV, VH."""
_SURFACES = {
    ASPHALT: (-0.030, -0.085, -0.060, -2.0, -2.5),
    ROOF: (0.012, 0.010, 0.012, 2.0, 1.0),
    GARDEN: (-0.055, 0.060, -0.030, -1.5, -0.5),
    HALL: (0.080, 0.090, 0.060, 3.5, 2.0),
}
_SPREAD_OF_LOT, _SPREAD_OF_SURFACE = 0.95, 0.35
_RICHNESS = (3, 5, 2)  # bands in each of the three groups


def draw_spectra(seed: int, region: WorldRegion) -> Floats:
    """Table float32 ``[10 * SLOTS, 12]``, `SLOTS` rows per class of the legend."""
    table = np.zeros((_ALL, SLOTS, 12))
    for c in CLASSES:
        rng = stream(seed, f"spectra-{c}")
        if c == WETLAND:
            table[c] = _wetland(rng, region)
        elif c == URBAN:
            table[c] = _town(rng, region)
        else:
            table[c] = _draw(rng, c, region)
    table[list(_DRY), :, 10:] += region.moisture_db
    table[..., :10] = table[..., :10].clip(LOWEST_REFLECTANCE, 0.95)
    # Rounded, since factors of matrices differ between machines in their last bits.
    return np.round(table, 5).reshape(-1, 12).astype(np.float32)


def _draw(rng: np.random.Generator, c: int, region: WorldRegion) -> NDArray[np.float64]:
    of = statistics(c, region.season)
    world, kinds, own, kind = _parts(rng, c)
    soil = _SOIL.get(c, 0.0)
    world = np.sqrt(1 - soil**2) * world + soil * region.soil
    scores = _combine(c, world, kinds[kind], own)
    scores = (scores @ of.factor.T).clip(-_LIMIT, _LIMIT)
    return np.asarray(of.mean + of.std * scores)


def _parts(
    rng: np.random.Generator, c: int
) -> tuple[
    NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]
]:
    """Scores of the world, of its subtypes, and of every patch; subtypes of patches."""
    subtypes = SUBTYPES.get(c, 3)
    world = rng.standard_normal(12).clip(-1, 1)
    kinds = rng.standard_normal((subtypes, 12))
    kinds -= kinds.mean(0)  # a world has bright and dark crops, not bright ones only
    kinds *= np.sqrt(subtypes / (subtypes - 1))
    own = rng.standard_normal((SLOTS, 12))
    kind = rng.choice(subtypes, SLOTS, p=rng.dirichlet(np.full(subtypes, 4.0)))
    return world, kinds, own, kind


def _combine(
    c: int,
    world: NDArray[np.float64],
    of_kind: NDArray[np.float64],
    own: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Scores ``[SLOTS, 12]`` of variance 1 from their three parts."""
    alone = OWN_SHARE.get(c, 1 - WORLD_SHARE - SUBTYPE_SHARE)
    return np.asarray(
        np.sqrt(WORLD_SHARE) * world
        + np.sqrt(1 - WORLD_SHARE - alone) * of_kind
        + np.sqrt(alone) * own
    )


def kinds_of(seed: int, c: int, region: WorldRegion) -> NDArray[np.int64]:
    """Subtype of every patch of a class ``[SLOTS]``, as `draw_spectra` draws it."""
    if c in (WETLAND, URBAN):
        return np.zeros(SLOTS, np.int64)
    return _parts(stream(seed, f"spectra-{c}"), c)[3]


def scores_of(
    rng: np.random.Generator, c: int, kind: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Other scores ``[SLOTS, 12]`` of a class with its correlations and subtypes."""
    world, kinds, own, _ = _parts(rng, c)
    scores = _combine(c, world, kinds[kind], own)
    return np.asarray((scores @ statistics(c).factor.T).clip(-_LIMIT, _LIMIT))


def _wetland(rng: np.random.Generator, region: WorldRegion) -> NDArray[np.float64]:
    """Water, grass and shrub over wet soil: no credible sample exists (n 6)."""
    share = rng.dirichlet((4.0, 4.0, 3.0), SLOTS)[:, :, None]
    parts = np.stack([_draw(rng, c, region) for c in (WATER, GRASS, SHRUB)], 1)
    mixed = (share * parts).sum(1)
    power = (share * 10 ** (parts[..., 10:] / 10)).sum(1)
    mixed[:, :10] *= 0.8  # wet soil is dark
    mixed[:, 10:] = 10 * np.log10(power) + 2.0  # water and stems reflect twice
    return np.asarray(mixed)


def _town(rng: np.random.Generator, region: WorldRegion) -> NDArray[np.float64]:
    of = statistics(URBAN, region.season)
    table = np.array([_SURFACES[s] for s in range(SURFACES)])
    offset = np.hstack([np.repeat(table[:, :3], _RICHNESS, axis=1), table[:, 3:]])
    surface = np.arange(SLOTS) % SURFACES
    # House, yard and street of a lot go together: old quarters dark, new ones bright.
    lots = rng.standard_normal((SLOTS // SURFACES, 12)).repeat(SURFACES, 0)
    lots = np.sqrt(1 - WORLD_SHARE) * lots + np.sqrt(WORLD_SHARE) * rng.normal(size=12)
    own = rng.standard_normal((SLOTS, 12))
    scores = (_SPREAD_OF_LOT * lots + _SPREAD_OF_SURFACE * own) @ of.factor.T
    spread = of.std * scores.clip(-_LIMIT, _LIMIT)
    return np.asarray(of.mean + offset[surface] + spread)
