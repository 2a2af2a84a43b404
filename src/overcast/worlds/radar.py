"""What Sentinel-1 sees: VV and VH backscatter in dB with speckle.

Power is averaged over a pixel, spread by the point spread of the instrument, multiplied
by texture and by speckle: the mean of L intensities of complex Gaussian fields, each
smoothed with a Gaussian of standard deviation s, which gives an equivalent number of
looks L and the autocorrelation ``exp(-d² / (2 s²))`` at distance d.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, shift

from overcast.worlds.measured import (
    POLARISATION_CORRELATION,
    RADAR_TEXTURE,
    SHIFT_MEAN_PX,
    SHIFT_STD_PX,
    SPECKLE_LOOKS,
    SPECKLE_SIGMA_PX,
)
from overcast.worlds.noise import Floats, block_mean, stream

_MARGIN_SHIFT_PX = 4.0
_NOISE_FLOOR = 10 ** (-40.0 / 10)  # the measured means hold that of the sensor


def speckle(rng: np.random.Generator, shape: tuple[int, int]) -> Floats:
    """Factors float32 ``[2, H, W]`` of mean 1 for VV and VH."""
    total = np.zeros((2, *shape), np.float32)
    # Intensities correlate as the square of their fields.
    along = np.float32(np.sqrt(POLARISATION_CORRELATION))
    across = np.float32(np.sqrt(1 - POLARISATION_CORRELATION))
    for _ in range(2 * SPECKLE_LOOKS):  # real and imaginary parts
        vv, vh = (
            gaussian_filter(
                rng.standard_normal(shape, dtype=np.float32), SPECKLE_SIGMA_PX
            )
            for _ in range(2)
        )
        total[0] += vv**2
        total[1] += (along * vv + across * vh) ** 2
    # A white field smoothed by a Gaussian keeps 1 / (4 pi s²) of its variance.
    variance = 1 / (4 * np.pi * SPECKLE_SIGMA_PX**2)
    return total / np.float32(2 * SPECKLE_LOOKS * variance)


def draw_shift(seed: int) -> tuple[float, float]:
    """Pixels down and right by which radar lies beside the optical image."""
    rng = stream(seed, "shift")
    drawn = rng.normal(SHIFT_MEAN_PX, SHIFT_STD_PX).clip(
        -_MARGIN_SHIFT_PX, _MARGIN_SHIFT_PX
    )
    return float(drawn[0]), float(drawn[1])


def render_radar(
    seed: int,
    patch: NDArray[np.int32],
    truth: NDArray[np.uint8],
    spectra: Floats,
) -> Floats:
    """VV and VH in dB, float32 ``[2, H, W]``, from patches ``[4H, 4W]``."""
    texture = _texture(stream(seed, "radar-texture"), truth)
    looks = speckle(stream(seed, "speckle"), truth.shape)
    moved = draw_shift(seed)
    db = np.empty_like(looks)
    for band in (0, 1):
        power = (10 ** (spectra[:, 10 + band] / 10)).astype(np.float32)
        seen = block_mean(power[patch], 4) * texture
        # The intensity response that belongs to the correlation of the speckle.
        seen = gaussian_filter(seen, SPECKLE_SIGMA_PX / np.sqrt(2))
        seen = shift(seen, moved, order=1, mode="nearest")
        db[band] = 10 * np.log10(seen * looks[band] + _NOISE_FLOOR)
    return db


def _texture(rng: np.random.Generator, truth: NDArray[np.uint8]) -> Floats:
    """Log-normal factor of mean 1; heavy-tailed in towns, where corners reflect."""
    variation = np.zeros(256, np.float32)
    variation[list(RADAR_TEXTURE)] = list(RADAR_TEXTURE.values())
    # Spread by the point spread afterwards, which leaves about a third of it.
    log_variance = np.log1p(3 * variation)[truth]
    score = rng.standard_normal(truth.shape, dtype=np.float32)
    return np.asarray(np.exp(np.sqrt(log_variance) * score - log_variance / 2))
