"""Streets, houses, gardens and parks inside the built-up area."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from overcast.worlds.spectra import ASPHALT, GARDEN, HALL, ROOF
from overcast.worlds.terrain import Town

PARK = 255
"""Surface of a lot that is left green and belongs to no town class."""
_QUARTER_M = (150.0, 90.0)  # streets around a quarter, along and across
_STREET_M = 5.0  # half width
_LOT_M = (30.0, 26.0)
_TABLE = 1 << 16


@dataclass(frozen=True, slots=True)
class Lots:
    """Per pixel: `lot` int32 below `count`, and `surface` uint8."""

    lot: NDArray[np.int32]
    surface: NDArray[np.uint8]
    count: int = _TABLE


def build_lots(
    rng: np.random.Generator,
    towns: tuple[Town, ...],
    y: NDArray[np.float32],
    x: NDArray[np.float32],
) -> Lots:
    """Lots and surfaces at points `y`, `x` ``[N]`` in metres."""
    far = np.stack([np.hypot(y - t.y, x - t.x) / t.size for t in towns])
    town = far.argmin(0)
    angle = np.array([t.angle for t in towns])[town]
    along = np.cos(angle) * x + np.sin(angle) * y
    across = np.cos(angle) * y - np.sin(angle) * x
    quarter = [
        np.floor(p / s) for p, s in zip((along, across), _QUARTER_M, strict=True)
    ]
    street = np.minimum.reduce(
        [_to_border(p, s) for p, s in zip((along, across), _QUARTER_M, strict=True)]
    )
    lot = [np.floor(p / s) for p, s in zip((along, across), _LOT_M, strict=True)]
    chance = rng.random(_TABLE)
    number = _number(town, *lot)
    of_quarter = chance[_number(town + 31, *quarter)]
    nearness = far.min(0)
    surface = np.full(len(y), GARDEN, np.uint8)
    house = 0.5 * np.clip(1.25 - nearness / 1500, 0.55, 1.0)
    inside = [
        _to_border(p, s) > (0.5 - house) * s * 0.9
        for p, s in zip((along, across), _LOT_M, strict=True)
    ]
    surface[inside[0] & inside[1] & (chance[number] > 0.12)] = ROOF
    surface[(of_quarter < 0.05) & (street < 30)] = ASPHALT
    surface[(of_quarter < 0.05) & (street >= 16)] = HALL
    surface[of_quarter > 0.93] = PARK
    surface[street < _STREET_M] = ASPHALT
    return Lots(number, surface)


def _to_border(position: NDArray[np.float64], step: float) -> NDArray[np.float64]:
    """Distance to the nearest multiple of `step`."""
    inside = position % step
    return np.minimum(inside, step - inside)


def _number(
    town: NDArray[np.intp], a: NDArray[np.float64], b: NDArray[np.float64]
) -> NDArray[np.int32]:
    mixed = (
        town * 7_368_787 + a.astype(np.int64) * 1_000_003 + b.astype(np.int64) * 8191
    )
    return np.asarray(mixed % _TABLE, np.int32)
