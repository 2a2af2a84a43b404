"""Random fields and named random streams, each a pure function of a seed."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy import fft

Floats = NDArray[np.float32]
_Any = TypeVar("_Any", bound=np.generic)


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


def copy_finer(field: NDArray[_Any], factor: int) -> NDArray[_Any]:
    """Field ``[H, W]`` on pixels `factor` times smaller, every value copied."""
    return field.repeat(factor, 0).repeat(factor, 1)


def refine(field: Floats, factor: int) -> Floats:
    """Field ``[H, W]`` on pixels `factor` times smaller, bilinear between centres."""
    return _refine_rows(_refine_rows(field, factor).T, factor).T


def _refine_rows(field: Floats, factor: int) -> Floats:
    padded = np.concatenate([field[:1], field, field[-1:]])
    out = np.empty((len(field), factor, field.shape[1]), np.float32)
    for i in range(factor):
        place = (i + 0.5) / factor + 0.5  # rows of `padded` past the previous one
        start, weight = int(place), np.float32(place % 1)
        before = padded[start : start + len(field)]
        after = padded[start + 1 : start + 1 + len(field)]
        out[:, i] = before + weight * (after - before)
    return out.reshape(-1, field.shape[1])


def block_mean(field: Floats, factor: int) -> Floats:
    """Mean of `factor` by `factor` pixels."""
    rows = field.reshape(field.shape[0] // factor, factor, -1).mean(1)
    blocks = rows.reshape(len(rows), -1, factor).mean(2)
    return np.asarray(blocks, np.float32)
