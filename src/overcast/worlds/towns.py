"""Streets, houses, gardens and parks inside the built-up area.

Districts are Voronoi cells with a street direction each; streets cut them into
quarters, quarters into lots, and a lot holds a house and its garden.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from overcast.worlds.noise import Floats, Hashes, hash_of, salt, uniform
from overcast.worlds.parcels import nearest_cells
from overcast.worlds.spectra import ASPHALT, GARDEN, HALL, ROOF

PARK = 255
"""Surface of a lot that is left green and belongs to no town class."""
_DISTRICT = 55.0
_QUARTER_M = (150.0, 90.0)  # streets around a quarter, along and across
_STREET_M = 5.0  # half width
_LOT_M = (30.0, 26.0)
_TABLE = 1024


@dataclass(frozen=True, slots=True)
class Lots:
    """Per point ``[N]`` the hash of its lot, and its `surface` uint8."""

    lot: Hashes
    surface: NDArray[np.uint8]


def build_lots(key: int, y: Floats, x: Floats, nearness: Floats) -> Lots:
    """Lots and surfaces at points ``[N]`` in pixels of 10 m.

    `nearness` is minus the distance to the town's centre in kilometres, over its size:
    houses stand closer in the middle.
    """
    district = nearest_cells(key, _DISTRICT, y, x)
    slot = (district.cell & np.uint32(_TABLE - 1)).astype(np.int32)
    cos, sin, wide = (column[slot] for column in _district_table())
    down, right = 10 * (y - district.y), 10 * (x - district.x)
    place = (cos * right + sin * down, cos * down - sin * right)
    steps = [wide * np.float32(s) for s in _QUARTER_M]
    street = np.minimum(*(_to_border(p, s) for p, s in zip(place, steps, strict=True)))
    quarter = uniform(_number(district.cell, place, steps))
    lots = [np.full_like(wide, s) for s in _LOT_M]
    lot = _number(salt(district.cell, "lots"), place, lots)
    chance = uniform(lot)
    surface = np.full(len(y), GARDEN, np.uint8)
    house = 0.5 * np.clip(1.25 + nearness / np.float32(1.5), 0.55, 1.0)
    inside = [
        _to_border(p, s) > (0.5 - house) * s * np.float32(0.9)
        for p, s in zip(place, lots, strict=True)
    ]
    surface[inside[0] & inside[1] & (chance > 0.12)] = ROOF
    surface[(quarter < 0.05) & (street < 30)] = ASPHALT
    surface[(quarter < 0.05) & (street >= 16)] = HALL
    surface[quarter > 0.93] = PARK
    surface[street < _STREET_M] = ASPHALT
    return Lots(lot, surface)


@cache
def _district_table() -> tuple[Floats, ...]:
    """Cosine and sine of the streets, and size of the quarters, of 1024 districts."""
    rng = np.random.default_rng(_TABLE)
    angle = rng.uniform(0, np.pi / 2, _TABLE)
    table = (np.cos(angle), np.sin(angle), rng.uniform(0.7, 1.35, _TABLE))
    return tuple(np.round(column, 5).astype(np.float32) for column in table)


def _to_border(position: Floats, step: Floats) -> Floats:
    """Distance to the nearest multiple of `step`."""
    inside = position - step * np.floor(position / step)
    return np.asarray(np.minimum(inside, step - inside), np.float32)


def _number(within: Hashes, place: tuple[Floats, Floats], step: list[Floats]) -> Hashes:
    along, across = (
        np.floor(p / s).astype(np.int64) for p, s in zip(place, step, strict=True)
    )
    return hash_of(0, along, across) ^ within
