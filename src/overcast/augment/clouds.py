"""Clouds drawn over any optical batch, by the recipe of the simulated worlds.

    seen = (1 - o) * (1 - s (1 - k)) * clear + o * cloud

with the opacity o of the cloud over a pixel, the opacity s of the cloud between it and
the sun, both 0 to 1, the reflectance k of full shadow over that in the sun, and the
cloud's own reflectance. `overcast.worlds.clouds` says where the numbers were measured.

Draws come from torch's default generator on the CPU and are made for every sample on
its own, as in `overcast.augment.views`. Bands of 20 m get the opacity of each pixel, not
the mean of four.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from scipy.special import ndtri
from torch import Tensor

from overcast.geo.bands import NETWORK_RANGE, SENTINEL_2, Band, Sensor
from overcast.train.batch import Batch
from overcast.worlds.clouds import (
    BETWEEN_DATES,
    RISE,
    SHADOW_SPECTRUM,
    THICK_SPECTRUM,
    Clouds,
    classify,
)
from overcast.worlds.noise import Floats, Places, centres_of

_SPREAD = float(np.hypot(1, 0.55))
"""Standard deviation of the field that clouds are the high parts of."""
_CIRRUS, _ADDED = (0.15, 0.6), (0.03, 0.07)
"""Cirrus lets .85 to .4 of the light through, and adds this reflectance (measured)."""
PIXEL_M = 10.0
"""Side of a pixel of the simulated worlds."""
_HEIGHT_PX, _SUN_DEGREES = (80.0, 250.0), (25.0, 65.0)
"""Height of clouds in such pixels, and elevation of the sun."""


Drawn = tuple[Floats, Floats, Floats]
"""Opacity and shadow ``[H, W]``, and reflectance of the cloud ``[C, H, W]``."""


@dataclass(frozen=True, slots=True, eq=False)
class Sky:
    """Effects of clouds and shadows on the bands of a sensor; arrays ``[C]``.

    Attributes
    ----------
    thick
        Mean reflectance of opaque cloud.
    shadow
        Reflectance in full shadow over that in the sun.
    low, high
        Reflectance at 0 and 1 in network units.
    """

    thick: Floats
    shadow: Floats
    low: Floats
    high: Floats

    @classmethod
    def over(cls, sensor: Sensor) -> Sky:
        """Measured spectra, linear between the wavelengths of Sentinel-2's bands.

        Raises
        ------
        ValueError
            If a band has no wavelength or isn't reflectance.
        """
        at = [_wavelength(band, sensor.name) for band in sensor.bands]
        known = [_wavelength(band, "sentinel-2") for band in SENTINEL_2.bands]
        spectra = (
            np.interp(at, known, np.array(s)) for s in (THICK_SPECTRUM, SHADOW_SPECTRUM)
        )
        limits = ([getattr(b, n) for b in sensor.bands] for n in ("low", "high"))
        return cls(*(np.asarray(v, np.float32) for v in (*spectra, *limits)))

    @classmethod
    def grey(cls, bands: int) -> Sky:
        """Clouds as bright in every band, for a sensor of which nothing is known."""
        thick, shadow = np.mean(THICK_SPECTRUM), np.mean(SHADOW_SPECTRUM)
        return cls(*(np.full(bands, v, np.float32) for v in (thick, shadow, 0.0, 0.5)))

    @classmethod
    def of(cls, sensor: Sensor) -> Sky:
        """Measured spectra, or grey where a band is no reflectance of a wavelength."""
        known = all(_is_known(band) for band in sensor.bands)
        return cls.over(sensor) if known else cls.grey(len(sensor.bands))


def add_clouds(
    batch: Batch,
    sensor: str,
    sky: Sky,
    cover: tuple[float, float] = (0.1, 0.9),
    cirrus: float = 0.2,
    pixel_m: float = PIXEL_M,
) -> tuple[Batch, Tensor]:
    """Draw clouds and their shadows over an image, which should be clear.

    Parameters
    ----------
    batch
        What is seen without clouds.
    sensor
        Name of the optical image; the others see through clouds.
    sky
        What clouds do to its bands.
    cover
        Least and largest mean cover of a sample's sky. Fields of cloud are kilometres
        wide, so that most windows of 640 m are all clear or all cloud.
    cirrus
        Chance of a sample to have thin clouds alone, 0 to 1.
    pixel_m
        Side of a pixel in metres: clouds are as large as they are on any grid.

    Returns
    -------
    tuple[Batch, Tensor]
        The batch under clouds, and the exact mask, uint8 ``[B, H, W]``, in the codes
        of `overcast.worlds.clouds`: `CLEAR`, `THIN`, `THICK`, `SHADOW`. Validity stays
        what it was.

    Raises
    ------
    ValueError
        If the batch has no such sensor, the sky another number of bands, or a share is
        out of its range.
    """
    _check(batch, sensor, sky, (*cover, cirrus))
    if not pixel_m > 0:
        raise ValueError(f"pixel_m must be positive, got {pixel_m}")
    image = batch.images[sensor]
    # One draw for every sample, so that samples don't depend on their number.
    keys = torch.randint(2**32, (len(image),)).tolist()
    places = tuple(centres_of(range(n)) * (pixel_m / PIXEL_M) for n in batch.extent)
    drawn = [draw(key, places, sky, cover, cirrus) for key in keys]
    codes = np.stack([classify(opacity, shadow) for opacity, shadow, _ in drawn])
    mask = torch.from_numpy(codes).to(image.device)
    seen = mix(image, sky, drawn)
    return replace(batch, images={**batch.images, sensor: seen}), mask


def draw(
    key: int,
    places: tuple[Places, ...],
    sky: Sky,
    cover: tuple[float, float],
    cirrus: float,
) -> Drawn:
    """A sky over some places: rows and columns in pixels of the simulated worlds.

    `key` decides it; `cover` and `cirrus` are as in `add_clouds`.
    """
    rng = np.random.default_rng(key)
    # The field is normal over an endless plane, of which a sample is a random window.
    level = _SPREAD * float(ndtri(1 - rng.uniform(*cover))) - RISE
    elevation, bearing = (
        np.radians(rng.uniform(*_SUN_DEGREES)),
        rng.uniform(0, 2 * np.pi),
    )
    length = rng.uniform(*_HEIGHT_PX) / np.tan(elevation)
    cast = (length * np.cos(bearing), length * np.sin(bearing))
    tint = 0.97 * rng.standard_normal() + 0.25 * rng.standard_normal(len(sky.thick))
    bright = (sky.thick * (1 + BETWEEN_DATES / 0.65 * tint)).clip(0.25, 1.1)
    clouds = Clouds(key, level, cast, bright.astype(np.float32))
    y, x = places
    opacity, shadow = clouds.opacity(y, x), clouds.shadow(y, x)
    cloud = clouds.bright[:, None, None] + clouds.detail(y, x)
    if rng.uniform() < cirrus:
        thin = np.float32(rng.uniform(*_CIRRUS))
        dim = np.float32(rng.uniform(*_ADDED)) / (thin * clouds.bright.mean())
        return thin * opacity, thin * shadow, dim * cloud
    return opacity, shadow, cloud


def mix(clear: Tensor, sky: Sky, drawn: Sequence[Drawn]) -> Tensor:
    """Images ``[B, C, H, W]`` under clouds, in network units like the clear ones."""
    opacity, shadow, cloud = (
        torch.from_numpy(np.stack(field)).to(clear)
        for field in zip(*drawn, strict=True)
    )
    opacity, shadow = opacity[:, None], shadow[:, None]
    low, high, weight = (
        torch.from_numpy(v).to(clear)[:, None, None]
        for v in (sky.low, sky.high, sky.shadow)
    )
    ground = (low + (high - low) * clear) * (1 - shadow * (1 - weight))
    seen = (1 - opacity) * ground + opacity * cloud
    return ((seen - low) / (high - low)).clamp(*NETWORK_RANGE)


def _is_known(band: Band) -> bool:
    return band.unit == "reflectance" and band.wavelength_nm is not None


def _wavelength(band: Band, sensor: str) -> float:
    if not _is_known(band):
        raise ValueError(
            f"clouds over {sensor}: band {band.name} is {band.unit} at "
            f"{band.wavelength_nm} nm, expected reflectance and a wavelength_nm"
        )
    assert band.wavelength_nm is not None
    return band.wavelength_nm


def _check(batch: Batch, sensor: str, sky: Sky, shares: Sequence[float]) -> None:
    if sensor not in batch.images:
        raise ValueError(f"no sensor {sensor!r}; there are {', '.join(batch.images)}")
    bands = batch.images[sensor].shape[1]
    if bands != len(sky.thick):
        raise ValueError(f"{sensor} has {bands} bands, the sky {len(sky.thick)}")
    least, most, cirrus = shares
    if not (0 < least <= most < 1 and 0 <= cirrus <= 1):
        raise ValueError(
            "cover must be two shares above 0 and below 1, and cirrus a chance from 0 "
            f"to 1; got cover {least}..{most}, cirrus {cirrus}"
        )
