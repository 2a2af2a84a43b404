"""The zones of UTM that an outline lies in."""

from __future__ import annotations

import math
from typing import Any

import shapely

_STRIP = 6
_SOUTHERNMOST, _NORTHERNMOST = -80.0, 84.0

Strip = tuple[float, float, float, float]


def zones_of(outline: Any) -> list[tuple[str, Strip]]:
    """Zones of UTM that an outline in degrees lies in: projection, and part of the Earth.

    A pixel on the border of two zones is the eastern one's, one on the equator the
    northern one's.
    """
    west, _, east, _ = outline.bounds
    zones = []
    for zone in range(_zone(west), _zone(east) + 1):
        left = float(zone * _STRIP - 186)
        for south in (False, True):
            low, high = (_SOUTHERNMOST, 0.0) if south else (0.0, _NORTHERNMOST)
            strip = (left, low, left + _STRIP, high)
            if outline.intersection(shapely.box(*strip)).area > 0:
                zones.append((f"EPSG:{(32700 if south else 32600) + zone}", strip))
    return zones


def _zone(longitude: float) -> int:
    return min(max(math.floor((longitude + 180) / _STRIP) + 1, 1), 60)
