"""Random fields and named random streams, each a pure function of a seed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import fft
from scipy.ndimage import zoom

Floats = NDArray[np.float32]


def stream(seed: int, part: str) -> np.random.Generator:
    """Random numbers of one part of a world; parts don't disturb each other."""
    return np.random.default_rng(np.random.SeedSequence([seed, *part.encode()]))


def fractal(
    rng: np.random.Generator,
    shape: tuple[int, int],
    wavelength: float,
    slope: float = 3.0,
) -> Floats:
    """Gaussian field ``[H, W]`` of mean 0 and standard deviation 1.

    Its power falls with wave number k as ``(k² + 1/wavelength²)^(-slope/2)``:
    `wavelength` in pixels is the size of the largest features, and a smaller `slope`
    gives rougher ones. Spectral synthesis after Voss, in The Science of Fractal Images
    (1988).
    """
    white = fft.rfft2(rng.standard_normal(shape, dtype=np.float32))
    ky = fft.fftfreq(shape[0])[:, None]
    kx = fft.rfftfreq(shape[1])[None, :]
    amplitude = (ky**2 + kx**2 + wavelength**-2.0) ** (-slope / 4)
    amplitude[0, 0] = 0.0
    field = fft.irfft2(white * amplitude.astype(np.float32), s=shape)
    return np.asarray(field / field.std(), np.float32)


def refine(
    field: NDArray[np.generic], factor: int, order: int = 1
) -> NDArray[np.generic]:
    """Field ``[H, W]`` on pixels `factor` times smaller; bilinear, or copied."""
    if order == 0:
        return field.repeat(factor, 0).repeat(factor, 1)
    return np.asarray(
        zoom(field, factor, order=order, grid_mode=True, mode="nearest"), field.dtype
    )


def block_mean(field: Floats, factor: int) -> Floats:
    """Mean of `factor` by `factor` pixels."""
    rows = field.reshape(field.shape[0] // factor, factor, -1).mean(1)
    blocks = rows.reshape(len(rows), -1, factor).mean(2)
    return np.asarray(blocks, np.float32)
