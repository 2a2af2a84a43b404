"""What Sentinel-1 sees: VV and VH backscatter in dB with speckle.

Power is averaged over a pixel, spread by the point spread of the instrument, multiplied
by texture and by speckle: the mean of L intensities of complex Gaussian fields, each
smoothed with a Gaussian of standard deviation s, which gives an equivalent number of
looks L and the autocorrelation ``exp(-d² / (2 s²))`` at distance d.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from overcast.worlds.drift import drift_of
from overcast.worlds.land import FINE
from overcast.worlds.measured import (
    BARREN,
    CROP,
    FOREST,
    GRASS,
    POLARISATION_CORRELATION,
    RADAR_TEXTURE,
    SHRUB,
    SPECKLE_LOOKS,
    SPECKLE_SIGMA_PX,
    URBAN,
    WATER,
    WETLAND,
)
from overcast.worlds.noise import (
    Floats,
    Fractal,
    block_mean,
    hash_of,
    normal,
    salt,
    uniform,
    white,
)
from overcast.worlds.region import FAR_INCIDENCE, NEAR_INCIDENCE, SWATH_M
from overcast.worlds.world import MARGIN, WorldView

_REACH = 8
"""Pixels around a window on which power is needed."""
_NOISE_FLOOR = 10 ** (-40.0 / 10)  # the measured means hold that of the sensor
_PER_DEGREE_DB = {
    FOREST: (-0.08, -0.08),
    SHRUB: (-0.11, -0.10),
    GRASS: (-0.12, -0.10),
    WETLAND: (-0.15, -0.12),
    CROP: (-0.13, -0.10),
    URBAN: (-0.15, -0.15),
    BARREN: (-0.14, -0.12),
    WATER: (-0.35, -0.10),
}
"""Fall of VV and VH with incidence; typical of C-band, not measured here."""
_CORNERS = 0.004
_CORNER_POWER = np.float32(25.0)
"""Share of pixels in towns where walls and ground make a corner, and what it adds."""


def speckle(
    key: int, rows: NDArray[np.int64], columns: NDArray[np.int64]
) -> tuple[Floats, Floats]:
    """Factors float32 ``[H, W]`` of mean 1 for VV and VH; approximate at the border."""
    shape = (len(rows), len(columns))
    total = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    # Intensities correlate as the square of their fields.
    along = np.float32(round(np.sqrt(POLARISATION_CORRELATION), 6))
    across = np.float32(round(np.sqrt(1 - POLARISATION_CORRELATION), 6))
    for part in range(2 * SPECKLE_LOOKS):  # real and imaginary parts
        pair = white((key + 7919 * part) & 0xFFFFFFFF, rows, columns)
        vv, vh = (gaussian_filter(field, SPECKLE_SIGMA_PX) for field in pair)
        mixed = along * vv + across * vh
        np.add(total[0], vv * vv, out=total[0])
        np.add(total[1], mixed * mixed, out=total[1])
    # A white field smoothed by a Gaussian keeps 1 / (4 pi s²) of its variance.
    variance = 1 / (4 * np.pi * SPECKLE_SIGMA_PX**2)
    scale = np.float32(1 / (2 * SPECKLE_LOOKS * variance))
    return total[0] * scale, total[1] * scale


def see_radar(view: WorldView) -> Floats:
    """VV and VH in dB, float32 ``[2, H, W]``, in steps of .01 dB."""
    _, _, h, w = view.window
    size = (h + 2 * _REACH, w + 2 * _REACH)
    down, right = (round(FINE * s) for s in view.world.region.shift)
    top, left = (FINE * (MARGIN - _REACH) - s for s in (down, right))
    code = view.land.look[top : top + FINE * size[0], left : left + FINE * size[1]]
    near = [round(MARGIN - _REACH - s / FINE) for s in (down, right)]
    cover = view.land.cover[near[0] : near[0] + size[0], near[1] : near[1] + size[1]]
    y, x, _, _ = view.window
    rows, columns = np.arange(size[0]) + y - _REACH, np.arange(size[1]) + x - _REACH
    texture = _texture(view, rows, columns, cover)
    looks = speckle(view.day_key("speckle"), rows, columns)
    db = np.empty((2, h, w), np.float32)
    inner = (slice(_REACH, _REACH + h), slice(_REACH, _REACH + w))
    for band in (0, 1):
        power = np.power(10.0, view.world.spectra[:, 10 + band].astype(np.float64) / 10)
        seen = block_mean(power.astype(np.float32)[code], FINE) * texture
        seen *= _incidence(view, columns, band)[cover, np.arange(size[1])]
        if view.world.nature.drift:
            seen *= _drift(view, rows, columns, cover, band)
        if band == 0:
            seen *= _waves(view, rows, columns, cover)
        # The intensity response that belongs to the correlation of the speckle.
        seen = gaussian_filter(seen, SPECKLE_SIGMA_PX / np.sqrt(2)) * looks[band]
        exact = 10 * np.log10(seen[inner].astype(np.float64) + _NOISE_FLOOR)
        db[band] = np.rint(100 * exact) / 100
    return db


def _incidence(view: WorldView, columns: NDArray[np.int64], band: int) -> Floats:
    """Factor on power by class and column, ``[10, W]``, 1 in the middle of the swath."""
    swath_m = view.world.region.swath_m
    from_near = np.abs(swath_m + np.sign(swath_m) * 10.0 * columns)
    degrees = (from_near / SWATH_M - 0.5) * (FAR_INCIDENCE - NEAR_INCIDENCE)
    slope = np.zeros(10)
    slope[list(_PER_DEGREE_DB)] = [v[band] for v in _PER_DEGREE_DB.values()]
    factor = np.power(10.0, slope[:, None] * degrees / 10)
    return np.asarray(factor, np.float32)


def _drift(
    view: WorldView,
    rows: NDArray[np.int64],
    columns: NDArray[np.int64],
    cover: NDArray[np.uint8],
    band: int,
) -> Floats:
    """Factor on power of land whose backscatter drifts across the scene."""
    world = view.world
    y, x = (n.astype(np.float64) + 0.5 for n in (rows, columns))
    which = slice(10 + band, 11 + band)
    db = drift_of(world.seed, world.sky.season, cover, y, x, which)[0]
    return np.asarray(np.power(10.0, db.astype(np.float64) / 10), np.float32)


def _waves(
    view: WorldView,
    rows: NDArray[np.int64],
    columns: NDArray[np.int64],
    truth: NDArray[np.uint8],
) -> Floats:
    """Factor on the VV power of water that wind makes rough, 1 on land."""
    y, x = (n.astype(np.float64) + 0.5 for n in (rows, columns))
    gusts = Fractal(view.day_key("wind"), 320.0, finest=20.0).at(y, x)
    db = view.world.sky.wind * 2.0 * gusts.clip(-2, 2).astype(np.float64)
    factor = np.power(10.0, db / 10).astype(np.float32)
    return np.where(truth == WATER, factor, np.float32(1))


def _texture(
    view: WorldView,
    rows: NDArray[np.int64],
    columns: NDArray[np.int64],
    truth: NDArray[np.uint8],
) -> Floats:
    """Log-normal factor of mean 1; corners in towns shine."""
    variation = np.zeros(256)
    variation[list(RADAR_TEXTURE)] = list(RADAR_TEXTURE.values())
    # Spread by the point spread afterwards, which leaves about a third of it.
    log_variance = np.log1p(3 * variation)[truth]
    h = hash_of(view.key("radar-texture"), rows[:, None], columns[None, :])
    score = np.sqrt(log_variance) * normal(h) - log_variance / 2
    factor = np.exp(score).astype(np.float32)
    corner = (truth == URBAN) & (uniform(salt(h, "corner")) < _CORNERS)
    factor[corner] += _CORNER_POWER
    return factor
