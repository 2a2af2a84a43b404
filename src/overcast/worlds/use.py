"""Land use that a spectrum does not tell: patches that look like another class.

A patch takes the look of another class where two things agree: a slow field over the
scene, so that such land gathers in parts of it as coffee does on the slopes of one
valley, and the patch's own number. The class stays what it was.
"""

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
    WETLAND,
)
from overcast.worlds.noise import (
    Fractal,
    Hashes,
    Places,
    copy_finer,
    key_of,
    salt,
    uniform,
)

_WAVELENGTH, _SLOPE, _FINEST = 260.0, 3.6, 30.0


@dataclass(frozen=True, slots=True)
class _Guise:
    """Land of `use` that looks like `look` where the score passes `level`."""

    name: str
    use: int
    look: int
    level: float


_GUISES = (
    _Guise("coffee", CROP, FOREST, 1.9),
    _Guise("fallow", CROP, BARREN, 1.9),
    _Guise("meadow", GRASS, CROP, 1.2),
    _Guise("felled", FOREST, SHRUB, 1.9),
    _Guise("plantation", SHRUB, FOREST, 1.2),
    _Guise("marsh", WETLAND, GRASS, 1.4),
    _Guise("steppe", BARREN, GRASS, 2.0),
)
"""Levels are set by hand so that .1 to .25 of each class looks like another."""


def look_of(
    seed: int, y: Places, x: Places, land: NDArray[np.uint8], name: Hashes, fine: int
) -> NDArray[np.uint8]:
    """Class uint8 ``[4H, 4W]`` whose spectra every fine pixel has.

    Parameters
    ----------
    seed
        Of the world.
    y, x
        Centres of rows and columns of pixels.
    land, name
        Class, and hash of the parcel or stand, of every fine pixel.
    fine
        Fine pixels along the side of a pixel.
    """
    look = land.copy()
    for guise in _GUISES:
        mine = land == guise.use
        if not mine.any():
            continue
        key = key_of(seed, f"use-{guise.name}")
        slow = Fractal(key, _WAVELENGTH, _SLOPE, finest=_FINEST).at(y, x)
        # Taken in steps, so that patches stay whole.
        part = copy_finer(np.round(slow * 2) / 2, fine)
        score = part + 1.5 * uniform(salt(name, guise.name))
        look[mine & (score > guise.level)] = guise.look
    return look
