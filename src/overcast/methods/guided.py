"""Averages that follow what an optical image shows, and stop at its borders."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter

from overcast.geo.raster import Image

Floats = NDArray[np.float32]

_RIDGE = 1e-3
"""Guides are in network units; variance below this is taken for noise."""


def box_mean(values: Floats, valid: NDArray[np.bool_], radius: int) -> Floats:
    """Mean of the valid values in a box of 2 r + 1 pixels; 0 where there are none."""
    return _Boxes(valid, radius).mean(values)


class _Boxes:
    """Boxes of 2 r + 1 pixels around every pixel, whose valid pixels count."""

    def __init__(self, valid: NDArray[np.bool_], radius: int) -> None:
        self.side = 2 * radius + 1
        self.valid = None if valid.all() else valid
        seen = uniform_filter(valid.astype(np.float32), self.side, mode="constant")
        # A sliding sum leaves rounding errors where nothing is seen.
        enough = seen > 0.5 / self.side**2
        self.weight = np.where(enough, 1 / np.where(enough, seen, 1), 0)

    def mean(self, values: Floats) -> Floats:
        """Mean of the valid values; 0 where there are none."""
        known = values if self.valid is None else np.where(self.valid, values, 0)
        total = uniform_filter(known.astype(np.float32), self.side, mode="constant")
        return np.asarray(total * self.weight, np.float32)


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
    boxes = _Boxes(valid, radius)
    means = [boxes.mean(g) for g in by]
    inverse = _inverse_covariances(by, means, boxes)
    found = np.empty((len(layers), *valid.shape), np.float32)
    for at, layer in enumerate(layers):
        mean = boxes.mean(layer)
        cross = [
            boxes.mean(g * layer) - m * mean for g, m in zip(by, means, strict=True)
        ]
        # Written out: a library's product of a million 3 x 3 matrices is a slow loop.
        slope = [sum(i * c for i, c in zip(row, cross, strict=True)) for row in inverse]
        constant = mean - sum(a * m for a, m in zip(slope, means, strict=True))
        found[at] = boxes.mean(constant)
        for a, g in zip(slope, by, strict=True):
            found[at] += boxes.mean(a) * g
    return found


def _inverse_covariances(by: Floats, means: Sequence[Floats], boxes: _Boxes) -> Floats:
    """Inverse of the guide's covariance in every box ``[G, G, h, w]``."""
    bands = len(by)
    sigma = np.empty((*by.shape[1:], bands, bands), np.float32)
    for i in range(bands):
        for j in range(i, bands):
            moment = boxes.mean(by[i] * by[j]) - means[i] * means[j]
            sigma[..., i, j] = sigma[..., j, i] = moment
    sigma += _RIDGE * np.eye(bands, dtype=np.float32)
    inverse = np.moveaxis(np.linalg.inv(sigma), (0, 1), (2, 3))
    return np.ascontiguousarray(inverse)
