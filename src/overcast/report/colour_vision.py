"""How far apart colours are, to people who see all of them and to the colour-blind.

Three kinds of colour blindness are simulated after Machado, Oliveira and Fernandes (2009,
IEEE Trans. Vis. Comput. Graph. 15, 1291-1298), each as severe as it gets. Distances are
those of CIELAB (CIE 1976, D65): below 10 two areas of a map are hard to tell apart.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from overcast.geo.legend import Legend

Floats = NDArray[np.float64]

_SEEN = {
    "full colour vision": np.eye(3),
    "protanopia": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "deuteranopia": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
    "tritanopia": np.array(
        [
            [1.255528, -0.076749, -0.178779],
            [-0.078411, 0.930809, 0.147602],
            [0.004733, 0.691367, 0.303900],
        ]
    ),
}
"""What becomes of linear red, green and blue."""
_TO_XYZ = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
)
_WHITE = _TO_XYZ.sum(1)
_GRID = np.linspace(0, 255, 11).round().astype(np.uint8)
_LIGHTEST, _DARKEST = 95.0, 15.0
"""Lightness between which an area is seen on a page, beside white and black."""


def lab(rgb: NDArray[np.uint8], vision: str = "full colour vision") -> Floats:
    """CIELAB ``[N, 3]`` of colours ``[N, 3]`` (sRGB, 0 to 255) as they are seen."""
    share = rgb.astype(np.float64) / 255
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    seen = np.clip(linear @ _SEEN[vision].T, 0, 1)
    x, y, z = (seen @ _TO_XYZ.T / _WHITE).T
    f = [
        np.where(v > 216 / 24389, np.cbrt(v), (24389 / 27 * v + 16) / 116)
        for v in (x, y, z)
    ]
    return np.stack([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])], 1)


def closest(legend: Legend) -> dict[str, tuple[float, str, str]]:
    """Smallest distance of two classes, and which they are, by kind of vision."""
    colours = np.array([c.rgb for c in legend.classes], np.uint8)
    pairs = {}
    for vision in _SEEN:
        seen = lab(colours, vision)
        gaps = np.linalg.norm(seen[:, None] - seen[None], axis=-1)
        np.fill_diagonal(gaps, np.inf)
        a, b = divmod(int(gaps.argmin()), len(gaps))
        pairs[vision] = (float(gaps[a, b]), legend.names[a], legend.names[b])
    return pairs


def told_apart(legend: Legend) -> Legend:
    """The same classes in colours near their own that everybody tells apart.

    The distance that any two keep, in all kinds of vision, is as large as a search over
    1,331 colours finds it, class by class in the order of the legend.
    """
    grid = np.stack(np.meshgrid(_GRID, _GRID, _GRID, indexing="ij"), -1).reshape(-1, 3)
    lightness = lab(grid)[:, 0]
    grid = grid[(lightness <= _LIGHTEST) & (lightness >= _DARKEST)]
    own = lab(np.array([c.rgb for c in legend.classes], np.uint8))
    candidates = np.stack([lab(grid, vision) for vision in _SEEN])
    best: list[int] = []
    low, high = 0.0, 100.0
    for _ in range(12):
        least = (low + high) / 2
        picked = _pick(candidates, own, least)
        if picked is None:
            high = least
        else:
            low, best = least, picked
    colours = ["".join(f"{int(v):02x}" for v in grid[k]) for k in best]
    classes = tuple(
        replace(c, colour=colour)
        for c, colour in zip(legend.classes, colours, strict=True)
    )
    return Legend(legend.name, classes)


def _pick(candidates: Floats, own: Floats, least: float) -> list[int] | None:
    """For every class the candidate nearest to its own colour, all `least` apart."""
    free = np.ones(candidates.shape[1], np.bool_)
    picked = []
    for colour in own:
        if not free.any():
            return None
        far = np.linalg.norm(candidates[0] - colour, axis=1)
        k = int(np.where(free, far, np.inf).argmin())
        picked.append(k)
        gaps = np.linalg.norm(candidates - candidates[:, k : k + 1], axis=-1)
        free &= gaps.min(0) >= least
    return picked
