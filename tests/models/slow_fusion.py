"""The fusion block of CloudSeg, pixel by pixel in NumPy, as its formulas are written."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from torch import nn

Floats = NDArray[np.float64]


def fused(
    block: nn.Module, o: Floats, s: Floats, x: Floats, finer: Floats | None
) -> tuple[Floats, Floats]:
    """Cross and corrected optical features ``[C, h, w]``, with the weights of `block`."""
    weights = {n: p.detach().double().numpy() for n, p in block.named_parameters()}
    if finer is not None:
        x = x + _convolved(weights, "step", _halved(finer))
    own, other, cross = (
        _context(weights, name, m)
        for name, m in (("optical", o), ("others", s), ("all", x))
    )
    dimmed = own
    if "gate.weight" in weights:
        apart = np.abs(own - other)
        seen = np.stack([apart.max(0), apart.mean(0)])
        dimmed = own * _sigmoid(_convolved(weights, "gate", seen))
    parts = [dimmed, other, cross]
    squeezed = np.maximum(_convolved(weights, "excite.0", np.concatenate(parts)), 0)
    excited = _sigmoid(_convolved(weights, "excite.2", squeezed))
    width = len(o)
    c = sum(w * m for w, m in zip(np.split(excited, 3), parts, strict=True))
    assert len(c) == width
    missing = c - own
    return c, o + missing * _sigmoid(_convolved(weights, "correct", missing))


def _context(weights: dict[str, Floats], name: str, m: Floats) -> Floats:
    height, width = m.shape[1:]
    layers = [m]
    for side in (2, 4):
        wide = np.empty_like(m)
        for r in range(height):
            for k in range(width):
                top, left = r - r % side, k - k % side
                window = m[:, top : top + side, left : left + side]
                wide[:, r, k] = window.max((1, 2))
        layers.append(wide)
    return np.maximum(_convolved(weights, f"{name}.mixer", np.concatenate(layers)), 0)


def _convolved(weights: dict[str, Floats], name: str, m: Floats) -> Floats:
    """A convolution with zeros around the image."""
    kernel, bias = weights[f"{name}.weight"], weights[f"{name}.bias"]
    side = kernel.shape[2]
    padded = np.pad(m, ((0, 0), (side // 2,) * 2, (side // 2,) * 2))
    out = np.empty((len(kernel), *m.shape[1:]))
    for r in range(m.shape[1]):
        for k in range(m.shape[2]):
            window = padded[:, r : r + side, k : k + side]
            out[:, r, k] = (kernel * window).sum((1, 2, 3)) + bias
    return out


def _halved(m: Floats) -> Floats:
    channels, height, width = m.shape
    return m.reshape(channels, height // 2, 2, width // 2, 2).mean((2, 4))


def _sigmoid(m: Floats) -> Floats:
    return np.vectorize(lambda v: 1 / (1 + math.exp(-v)))(m)
