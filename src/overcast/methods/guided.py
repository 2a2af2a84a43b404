"""Averages that follow what an optical image shows, and stop at its borders."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from overcast.geo.raster import Image
from overcast.methods.boxes import Boxes

Floats = NDArray[np.float32]

_RIDGE = np.float32(1e-3)
"""Guides are in network units; variance below this is taken for noise."""


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
    boxes = Boxes(valid, radius)
    by = [boxes.known(band) for band in guide.sensor.to_network(guide.values)]
    means = [boxes.mean(g) for g in by]
    inverse = inverted(_covariances(by, means, boxes))
    filtered = np.empty((len(layers), *valid.shape), np.float32)
    for layer, out in zip(layers, filtered, strict=True):
        if layer.any():
            _filter(boxes.known(layer), (by, means, inverse), boxes, out)
        else:  # as are the probabilities of a class that is nowhere
            out[:] = 0
    return filtered


def _filter(
    layer: Floats,
    guide: tuple[Sequence[Floats], Sequence[Floats], Sequence[Sequence[Floats]]],
    boxes: Boxes,
    out: Floats,
) -> None:
    """Filter one layer by bands, with their means and inverse covariances in boxes."""
    by, means, inverse = guide
    product = np.empty_like(layer)
    mean = boxes.mean(layer)
    cross = []
    for g, m in zip(by, means, strict=True):
        moment = boxes.mean(np.multiply(g, layer, out=product))
        moment -= np.multiply(m, mean, out=product)
        cross.append(moment)
    out[:] = 0
    slope = np.empty_like(layer)
    # Written out: a library's product of a million 3 x 3 matrices is a slow loop.
    for row, g, m in zip(inverse, by, means, strict=True):
        np.multiply(row[0], cross[0], out=slope)
        for i, c in zip(row[1:], cross[1:], strict=True):
            slope += np.multiply(i, c, out=product)
        mean -= np.multiply(slope, m, out=product)
        out += np.multiply(boxes.mean(slope, product), g, out=product)
    out += boxes.mean(mean, product)


def _covariances(
    by: Sequence[Floats], means: Sequence[Floats], boxes: Boxes
) -> list[list[Floats]]:
    """Covariance of the guide in every box, with the ridge: of bands [i][j], j >= i."""
    rows = []
    for i, (a, mean) in enumerate(zip(by, means, strict=True)):
        row = []
        for b, other in zip(by[i:], means[i:], strict=True):
            row.append(boxes.mean(a * b))
            row[-1] -= mean * other
        row[0] += _RIDGE
        rows.append(row)
    return rows


def inverted(upper: Sequence[Sequence[Floats]]) -> list[list[Floats]]:
    """Inverse of symmetric matrices of 1 to 3 rows, one for every pixel.

    Written out by cofactors, since a library's inverse of a million small matrices is
    a slow loop.

    Parameters
    ----------
    upper
        Row i has the elements ``[h, w]`` from the diagonal on.

    Returns
    -------
    list
        All elements of every row.
    """
    if len(upper) == 1:
        return [[np.reciprocal(upper[0][0])]]
    if len(upper) == 2:
        ((a, b), (d,)) = upper
        over = np.reciprocal(a * d - b * b)
        off = -b * over
        return [[d * over, off], [off, a * over]]
    ((a, b, c), (d, e), (f,)) = upper
    first, second, third = d * f - e * e, c * e - b * f, b * e - c * d
    over = np.reciprocal(a * first + b * second + c * third)
    inner = (b * c - a * e) * over
    first, second, third = first * over, second * over, third * over
    return [
        [first, second, third],
        [second, (a * f - c * c) * over, inner],
        [third, inner, (a * d - b * b) * over],
    ]
