"""Averages that follow what an optical image shows, and stop at its borders."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter

from overcast.geo.raster import Image

Floats = NDArray[np.float32]

_RIDGE = 1e-3
"""Guides are in network units; variance below this is taken for noise."""


def box_mean(values: Floats, valid: NDArray[np.bool_], radius: int) -> Floats:
    """Mean of the valid values in a box of 2 r + 1 pixels; 0 where there are none."""
    size = 2 * radius + 1
    seen = uniform_filter(valid.astype(np.float32), size, mode="constant")
    known = np.where(valid, values, 0).astype(np.float32)
    total = uniform_filter(known, size, mode="constant")
    # A sliding sum leaves rounding errors where nothing is seen.
    enough = seen > 0.5 / size**2
    return np.where(enough, total / np.where(enough, seen, 1), 0).astype(np.float32)


def guided(
    guide: Image, layers: Floats, valid: NDArray[np.bool_], radius: int
) -> Floats:
    """Guided filter of every layer by the bands of `guide` (He, Sun and Tang 2013).

    In every box (equations 14 to 16): a = (Sigma + ridge)^-1 cov(guide, layer),
    b = mean(layer) - a mean(guide); output = mean over boxes of a, times guide, plus
    mean over boxes of b.

    Parameters
    ----------
    guide
        A few bands, in physical units.
    layers
        ``[M, h, w]``.
    valid
        ``[h, w]``: where guide and layers count.
    radius
        Of a box in pixels, r. A value depends on 2 r pixels around it.

    Returns
    -------
    Floats
        ``[M, h, w]``, of use where `valid`.
    """
    by = guide.sensor.to_network(guide.values)
    bands, shape = len(by), by.shape[1:]
    means = np.stack([box_mean(g, valid, radius) for g in by])
    sigma = np.empty((*shape, bands, bands), np.float32)
    for i in range(bands):
        for j in range(i, bands):
            moment = box_mean(by[i] * by[j], valid, radius) - means[i] * means[j]
            sigma[..., i, j] = sigma[..., j, i] = moment
    sigma += _RIDGE * np.eye(bands, dtype=np.float32)
    inverse = np.linalg.inv(sigma)
    found = np.empty((len(layers), *shape), np.float32)
    for out, layer in zip(found, layers, strict=True):
        mean = box_mean(layer, valid, radius)
        cross = np.stack(
            [
                box_mean(g * layer, valid, radius) - m * mean
                for g, m in zip(by, means, strict=True)
            ],
            -1,
        )
        slope = np.moveaxis((inverse @ cross[..., None])[..., 0], -1, 0)
        constant = mean - (slope * means).sum(0)
        smooth = np.stack([box_mean(s, valid, radius) for s in slope])
        out[:] = (smooth * by).sum(0) + box_mean(constant, valid, radius)
    return found
