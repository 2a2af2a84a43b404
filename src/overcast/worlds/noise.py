"""Random fields as pure functions of a key and a position, on an endless plane.

A value depends on nothing but its key and its place: a window computed alone holds the
bytes that the whole scene would, in any order and on any machine. Hence the rules of
this room. Per-pixel arithmetic is ``+ - * /``, square root, comparison and table look
up, which IEEE 754 rounds alike everywhere; exponentials and logarithms, which it
doesn't, stand in tables that are rounded once, or are rounded after they are taken.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

Floats = NDArray[np.float32]
Places = NDArray[np.float64]
Hashes = NDArray[np.uint32]
_Any = TypeVar("_Any", bound=np.generic)

_DOWN, _RIGHT = np.uint32(0x9E3779B1), np.uint32(0x85EBCA6B)
_NORMALS = 1 << 16
_SPLINE_VARIANCE = 151 / 315
"""Integral of the squared cubic B-spline: what interpolation leaves of a variance."""


def centres_of(pixels: range) -> Places:
    """Centres of consecutive pixels."""
    return np.arange(len(pixels), dtype=np.float64) + (pixels.start + 0.5)


def stream(seed: int, part: str) -> np.random.Generator:
    """Random numbers of one part of a world; parts don't disturb each other."""
    return np.random.default_rng(np.random.SeedSequence([seed, *part.encode()]))


def key_of(seed: int, part: str) -> int:
    """Key of one part of a world, below 2³²."""
    words = np.random.SeedSequence([seed, *part.encode()]).generate_state(1)
    return int(words[0])


def scramble(numbers: Hashes) -> Hashes:
    """Hash every number; the finaliser of MurmurHash3 (Appleby 2011)."""
    h = numbers ^ (numbers >> np.uint32(16))
    h *= np.uint32(0x85EBCA6B)
    h ^= h >> np.uint32(13)
    h *= np.uint32(0xC2B2AE35)
    h ^= h >> np.uint32(16)
    return h


def hash_of(key: int, down: NDArray[np.int64], right: NDArray[np.int64]) -> Hashes:
    """Hash of whole places, broadcast against each other."""
    y = down.astype(np.uint32) * _DOWN + np.uint32(key)
    return scramble(y + right.astype(np.uint32) * _RIGHT)


def salt(hashes: Hashes, part: str) -> Hashes:
    """Other numbers for the same things: one hash gives many independent draws."""
    return scramble(hashes + np.uint32(zlib.crc32(part.encode())))


def uniform(hashes: Hashes) -> Floats:
    """Between 0 and 1, in steps of 2⁻²⁴."""
    top = (hashes >> np.uint32(8)).astype(np.float32)
    return np.asarray(top * np.float32(2**-24), np.float32)


@cache
def _normals() -> Floats:
    """Quantiles of the normal distribution; rounded, so that all machines agree."""
    quantiles = ndtri((np.arange(_NORMALS) + 0.5) / _NORMALS)
    return np.asarray(np.round(quantiles / quantiles.std(), 5), np.float32)


def normal(hashes: Hashes) -> Floats:
    """Return normal noise of mean 0 and variance 1, from the lower half of every hash."""
    return np.asarray(_normals()[hashes & np.uint32(_NORMALS - 1)], np.float32)


def white(key: int, rows: NDArray[np.int64], columns: NDArray[np.int64]) -> Floats:
    """Two independent white fields ``[2, H, W]`` of variance 1 at whole places."""
    h = hash_of(key, rows[:, None], columns[None, :])
    return np.stack([normal(h), normal(h >> np.uint32(16))])


@dataclass(frozen=True, slots=True)
class Fractal:
    """Gaussian field of mean 0 and variance 1.

    Octaves of cubic B-spline noise on lattices that halve from a quarter of
    `wavelength` down to `finest`. Power falls with wave number k as ``k^-slope``:
    `wavelength`, in pixels of 10 m like everything here, is the size of the largest
    features, and a smaller `slope` gives rougher ones. After Perlin, An Image
    Synthesizer (1985), with the splines of Lewis (1989).
    """

    key: int
    wavelength: float
    slope: float = 3.0
    finest: float = 2.0

    def at(self, y: Places, x: Places) -> Floats:
        """Values ``[H, W]`` at rows `y` ``[H]`` and columns `x` ``[W]``."""
        total = np.zeros((len(y), len(x)), np.float32)
        for key, spacing, amplitude in self._octaves():
            top, down = _spline(y, spacing)
            left, right = _spline(x, spacing)
            rows = np.arange(top.min(), top.max() + 4)
            columns = np.arange(left.min(), left.max() + 4)
            nodes = normal(hash_of(key, rows[:, None], columns[None, :]))
            nodes *= amplitude
            total += _blend(nodes, top - rows[0], down, left - columns[0], right)
        return total

    def at_points(self, y: Places, x: Places) -> Floats:
        """Values ``[N]`` at points."""
        total = np.zeros(len(y), np.float32)
        for key, spacing, amplitude in self._octaves():
            top, down = _spline(y, spacing)
            left, right = _spline(x, spacing)
            for i in range(4):
                for j in range(4):
                    node = normal(hash_of(key, top + i, left + j))
                    total += amplitude * down[i] * right[j] * node
        return total

    def _octaves(self) -> list[tuple[int, float, np.float32]]:
        spacings: list[float] = []
        spacing = self.wavelength / 4
        while not spacings or spacing >= self.finest:
            spacings.append(spacing)
            spacing /= 2
        # Power of an octave: k^-slope over an area of k².
        power = np.array([2.0 ** (i * (2 - self.slope)) for i in range(len(spacings))])
        amplitude = np.sqrt(power / power.sum()) / _SPLINE_VARIANCE
        keys = [(self.key + 0x9E37 * i) & 0xFFFFFFFF for i in range(len(spacings))]
        rounded = np.round(amplitude, 6).astype(np.float32)
        return list(zip(keys, spacings, rounded, strict=True))


def interpolate(
    nodes: Floats, first: float, spacing: float, y: Places, x: Places
) -> Floats:
    """Smooth field through values on a grid, outside of it those of its border.

    Node ``[i, j]`` lies at ``first + spacing * (i, j)``. A cubic B-spline, so peaks are
    softened.
    """
    top, down = _spline(y - first, spacing)
    left, right = _spline(x - first, spacing)
    rows = np.arange(top.min(), top.max() + 4)
    columns = np.arange(left.min(), left.max() + 4)
    corners = nodes[rows.clip(0, len(nodes) - 1)]
    corners = corners[:, columns.clip(0, nodes.shape[1] - 1)]
    return _blend(corners, top - rows[0], down, left - columns[0], right)


def _spline(position: Places, spacing: float) -> tuple[NDArray[np.int64], Floats]:
    """First of the four nodes around every position, and weights float32 ``[4, N]``."""
    place = position / spacing
    node = np.floor(place)
    t = place - node
    back = 1 - t
    weights = np.stack(
        [
            back * back * back / 6,
            (3 * t * t * t - 6 * t * t + 4) / 6,
            (3 * back * back * back - 6 * back * back + 4) / 6,
            t * t * t / 6,
        ]
    )
    return node.astype(np.int64) - 1, weights.astype(np.float32)


def _blend(
    nodes: Floats,
    top: NDArray[np.int64],
    down: Floats,
    left: NDArray[np.int64],
    right: Floats,
) -> Floats:
    rows = down[0][:, None] * nodes[top]
    for i in range(1, 4):
        rows += down[i][:, None] * nodes[top + i]
    out = right[0] * rows.take(left, 1)
    for j in range(1, 4):
        out += right[j] * rows.take(left + j, 1)
    return np.asarray(out, np.float32)


def copy_finer(field: NDArray[_Any], factor: int) -> NDArray[_Any]:
    """Field ``[H, W]`` on pixels `factor` times smaller, every value copied."""
    return field.repeat(factor, 0).repeat(factor, 1)


def refine(field: Floats, factor: int) -> Floats:
    """Field ``[H, W]`` on pixels `factor` times smaller, bilinear between centres.

    The outer half of a border pixel copies it.
    """
    height, width = field.shape
    rows = np.empty((height, factor, width), np.float32)
    for i, (start, weight) in enumerate(_between(factor)):
        padded = np.concatenate([field[:1], field, field[-1:]])
        before, after = padded[start : start + height], padded[start + 1 :][:height]
        rows[:, i] = before + weight * (after - before)
    tall = rows.reshape(-1, width)
    out = np.empty((*tall.shape, factor), np.float32)
    padded = np.concatenate([tall[:, :1], tall, tall[:, -1:]], 1)
    for i, (start, weight) in enumerate(_between(factor)):
        before, after = padded[:, start:][:, :width], padded[:, start + 1 :][:, :width]
        out[:, :, i] = before + weight * (after - before)
    return out.reshape(len(tall), -1)


def _between(factor: int) -> list[tuple[int, np.float32]]:
    """Return the padded row before every part of a pixel, and the next row's weight."""
    places = [(i + 0.5) / factor + 0.5 for i in range(factor)]
    return [(int(place), np.float32(place % 1)) for place in places]


def block_mean(field: Floats, factor: int) -> Floats:
    """Mean of `factor` by `factor` pixels."""
    return block_sum(field, factor) * np.float32(1 / factor**2)


def block_sum(field: NDArray[_Any], factor: int) -> NDArray[_Any]:
    """Sum over `factor` by `factor` pixels, in the type of `field`."""
    parts = field.reshape(len(field) // factor, factor, -1)
    rows: NDArray[Any] = parts[:, 0]
    for i in range(1, factor):
        rows = rows + parts[:, i]
    total = rows[:, ::factor]
    for i in range(1, factor):
        total = total + rows[:, i::factor]
    return total
