"""What all of a world has in common: its landscape's habits, its season, its light.

One draw of everything per world, so that worlds differ from each other as regions do.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from overcast.worlds.measured import (
    BARREN,
    FOREST,
    GRASS,
    PARCEL_LN_HA,
    SHIFT_MEAN_PX,
    SHIFT_STD_PX,
    SHRUB,
    URBAN,
    WATER,
    WETLAND,
)
from overcast.worlds.noise import stream

LARGEST_SHIFT_PX = 4.0
SWATH_M = 250_000.0
"""Width of Sentinel-1's interferometric wide swath."""
NEAR_INCIDENCE, FAR_INCIDENCE = 30.0, 46.0
"""Degrees at its two edges."""

_SHARES = {
    WATER: 0.075,
    WETLAND: 0.11,
    URBAN: 0.10,
    BARREN: 0.095,
    FOREST: 0.17,
    SHRUB: 0.10,
    GRASS: 0.06,
}
"""Mean shares of zones, in the order in which they take land; the rest is farmed."""
_CONCENTRATION = 60.0
_SEASONS = {"summer": 0.55, "spring": 0.2, "autumn": 0.15, "winter": 0.1}
SUN_ELEVATION = {"summer": 58.0, "spring": 48.0, "autumn": 36.0, "winter": 20.0}


_HABITS = ("mosaic", "roads", "rough")
"""Fields of a region that only natures other than plain change."""


@dataclass(frozen=True, slots=True)
class WorldRegion:
    """Parameters of a world.

    Attributes
    ----------
    season
        ``summer``, ``spring``, ``autumn`` or ``winter``, all free of snow.
    shares
        Share of every zone, by class position; the rest is farmed.
    parcel_ln_ha
        Median of the log of the parcel area in hectares.
    fragmentation
        How much one zone reaches into another, around 1.
    pasture
        Score that a parcel has to pass to be grass; lower means more pasture.
    hedges
        Share of farm blocks with hedges.
    coast
        Whether the land slopes into a sea, towards `sea_bearing` (radians).
    ruggedness
        Height of the relief relative to others, around 1.
    haze
        Reflectance that the air adds to the blue band.
    light
        Factor on all reflectance.
    soil
        Score of soil brightness, which bare land, crops and shrubs share.
    moisture_db
        Added to the backscatter of land that isn't built-up.
    wind
        Strength of wind on water, 0 to 1.
    sun_bearing, sun_elevation
        Radians clockwise from north, degrees.
    swath_m
        Distance of the scene's left border from the near edge of the radar swath; the
        swath runs leftwards if negative.
    shift
        Pixels down and right by which radar lies beside the optical image.
    mosaic
        How much a parcel goes its own way in being grass or crops; the less, the more
        such parcels gather.
    roads
        Share of farm blocks with a wide road around them.
    rough
        How ragged the borders of zones are, relative to others.
    """

    season: str
    shares: Mapping[int, float]
    parcel_ln_ha: float
    fragmentation: float
    pasture: float
    hedges: float
    coast: bool
    sea_bearing: float
    ruggedness: float
    haze: float
    light: float
    soil: float
    moisture_db: float
    wind: float
    sun_bearing: float
    sun_elevation: float
    swath_m: float
    shift: tuple[float, float]
    mosaic: float = 3.0
    roads: float = 0.25
    rough: float = 1.0

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for a file beside the world."""
        return {k: _plain(v) for k, v in asdict(self).items() if k not in _HABITS}


def draw_region(seed: int) -> WorldRegion:
    """Region of a world; a pure function of its seed."""
    rng = stream(seed, "region")
    season = str(rng.choice(list(_SEASONS), p=list(_SEASONS.values())))
    sight = stream(seed, "instruments")
    moved = sight.normal(SHIFT_MEAN_PX, SHIFT_STD_PX)
    moved = moved.clip(-LARGEST_SHIFT_PX, LARGEST_SHIFT_PX)
    side = float(sight.choice([-1.0, 1.0]))
    shares, coast = _draw_shares(rng), bool(rng.random() < 0.3)
    if coast:
        shares[WATER] = max(shares[WATER], float(rng.uniform(0.1, 0.22)))
    return WorldRegion(
        season=season,
        shares=shares,
        parcel_ln_ha=float(np.clip(rng.normal(PARCEL_LN_HA, 0.4), -0.4, 1.5)),
        fragmentation=float(np.exp(rng.normal(0, 0.15))),
        pasture=float(rng.uniform(0.55, 1.25)),
        hedges=float(rng.uniform(0.04, 0.25)),
        coast=coast,
        sea_bearing=float(rng.uniform(0, 2 * np.pi)),
        ruggedness=float(np.exp(rng.normal(0, 0.4))),
        haze=abs(float(rng.normal(0, 0.004))),
        light=float(rng.normal(1, 0.03)),
        soil=float(np.clip(rng.normal(), -1.5, 1.5)),
        moisture_db=float(np.clip(rng.normal(0, 0.5), -1, 1)),
        wind=float(rng.uniform()),
        sun_bearing=float(np.radians(rng.normal(155, 10))),
        sun_elevation=SUN_ELEVATION[season] + float(rng.uniform(-5, 5)),
        swath_m=side * float(sight.uniform(0, SWATH_M - 120_000)),
        shift=(round(float(moved[0]), 2), round(float(moved[1]), 2)),
    )


def _draw_shares(rng: np.random.Generator) -> dict[int, float]:
    mean = np.array([*_SHARES.values(), 1 - sum(_SHARES.values())])
    drawn = rng.dirichlet(mean * _CONCENTRATION)
    # A class that got next to nothing could not be learned from 500 m cells.
    return {
        c: max(float(d), 0.6 * _SHARES[c]) for c, d in zip(_SHARES, drawn, strict=False)
    }


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 4)
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, tuple):
        return [_plain(v) for v in value]
    return value
