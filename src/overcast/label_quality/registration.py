"""Whether images lie beside fine labels, or beside each other.

Two products of one place are often a pixel or two apart: an orbit, a terrain model, a
corner taken for a centre. What classes tell of the values of an image is most where both
lie on each other. With S the covariance of the bands over a window, and S_k that of the
pixels of class k, which n_k of n pixels have,

    I(s) = (log det S - log det sum_k n_k / n S_k) / 2

is that information for an image moved by s, in nats per pixel, if bands are normal in
every class (Wilks 1932). It is summed over windows, looked for at every second shift,
climbed from the best of these, and its top is that of a parabola through the neighbours.
Classes are labels as fine as the image; where these are coarse, they are thirds of the
two main components of the first optical image.

A shift counts if both halves of the windows have it by themselves. Limits: shifts of
`REACH` pixels or more, turns, and what differs from place to place are not seen.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from math import hypot, sqrt

import numpy as np
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox

from overcast.accuracy.independence import are_fine
from overcast.geo.extent import areas_ha
from overcast.geo.grain import grain
from overcast.geo.raster import UNKNOWN
from overcast.geo.stack import ImageSource, LabelSource, Stack
from overcast.geo.tiling import Window
from overcast.label_quality.kind import are_drawn

REACH = 6
"""Pixels by which a file is moved, at most, while the best shift is looked for."""
_ACROSS, _SIDE, _LEAST_SIDE = 3, 128, 32
"""Windows along a scene that are looked at, and pixels along the side of one."""
_LEAST = 1.0
"""Pixels from which a shift is said: bands of 20 m on a grid of 10 m are half a one off."""
_APART = 1.0
"""Pixels between the shifts of two halves that say the same."""
_COARSEST = 3
"""Side in pixels of the blocks of labels that still say where they lie."""
_LOOKED_AT = 1024
"""Pixels along the middle of a scene in which blocks are looked for."""
_FLOOR = 1e-3
"""Share of the mean variance that is added to every band's."""

_EDGE = slice(REACH, -REACH)

Floats = NDArray[np.float64]
Classes = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Shift:
    """How far an image must be moved to lie on classes: pixels down and to the right."""

    down: float
    right: float

    @property
    def length(self) -> float:
        """Length in pixels."""
        return hypot(self.down, self.right)

    def apart(self, other: Shift) -> float:
        """Pixels between two shifts."""
        return hypot(self.down - other.down, self.right - other.right)

    def words(self, grid: GeoBox) -> str:
        """Where the image lies beside where it belongs, on a grid."""
        zero = grid.affine @ (0.0, 0.0)
        moved = grid.affine @ (self.right, self.down)
        west, south = moved[0] - zero[0], moved[1] - zero[1]
        parts = [("south" if south > 0 else "north", south)]
        parts += [("west" if west > 0 else "east", west)]
        longest = max(abs(west), abs(south))
        way = "-".join(name for name, part in parts if abs(part) >= longest / 2)
        metres = self.length * sqrt(areas_ha(np.ones(1, np.int64), grid)[0] * 1e4)
        return f"about {metres:.0f} m to the {way}"


def misplaced(stack: Stack) -> dict[str, Shift]:
    """Return how far images must be moved to lie on the base (`base_of`), by name.

    Images that lie on it to less than a pixel, and those of which it can't be said, are
    left out. Looks at up to nine windows of every image.
    """
    base = base_of(stack)
    names = [n for n in stack.images if n != base and n not in stack.targets]
    pairs: dict[str, list[WindowPair | None]] = {name: [] for name in names}
    for window in _windows(stack) if names else ():
        grid = stack.grid[window.slices]
        under = stack.images[base].read(grid)
        classes = _colours(under.values, under.valid)
        for name in names:
            image = stack.images[name].read(grid)
            pairs[name].append(WindowPair.of(image.values, image.valid, classes))
    shifts = {name: _agreed(some) for name, some in pairs.items()}
    return {name: shift for name, shift in shifts.items() if shift is not None}


def base_of(stack: Stack) -> str:
    """Name of the image that others should lie on: the first optical one, or the first."""
    names = [name for name in stack.images if name not in stack.targets]
    optical = [n for n in names if stack.images[n].sensor.kind == "optical"]
    return (optical or names)[0]


def beside_labels(stack: Stack) -> Shift | None:
    """Return how far the base must be moved to lie on labels as fine as it is.

    None if that is less than a pixel, if it can't be said, and for labels that are
    coarse, or drawn here and there.
    """
    labels, grid = stack.labels, stack.grid
    if labels is None or not are_fine(labels.grid, grid) or are_drawn(labels, grid):
        return None
    middle = [_middle(length) for length in stack.shape]
    if grain(labels.read(grid[middle[0], middle[1]]).values) > _COARSEST:
        return None
    base = stack.images[base_of(stack)]
    return _agreed([_on_labels(labels, base, grid[w.slices]) for w in _windows(stack)])


def _middle(length: int) -> slice:
    start = max(length - _LOOKED_AT, 0) // 2
    return slice(start, min(start + _LOOKED_AT, length))


def _on_labels(
    labels: LabelSource, base: ImageSource, grid: GeoBox
) -> WindowPair | None:
    read, image = labels.read(grid).values, base.read(grid)
    classes = np.where(read == UNKNOWN, -1, read.astype(np.int64))
    return WindowPair.of(image.values, image.valid, classes)


def _windows(stack: Stack) -> Iterator[Window]:
    """Evenly spaced windows of a scene."""
    height, width = stack.shape
    side = max(_LEAST_SIDE, min(_SIDE, min(height, width) // 2))
    for row in _starts(height, side):
        for column in _starts(width, side):
            yield Window(row, column, min(side, height), min(side, width))


def _starts(length: int, side: int) -> list[int]:
    across = min(_ACROSS, max(1, length // side))
    last = max(length - side, 0)
    return [round(at) for at in np.linspace(0, last, across)]


def _agreed(pairs: Sequence[WindowPair | None]) -> Shift | None:
    """Return the shift of all pairs, if both halves of them have it, and it is one."""
    seen = [pair for pair in pairs if pair is not None]
    if len(seen) < 2:
        return None
    whole, *halves = (shift_of(part) for part in (seen, seen[::2], seen[1::2]))
    if whole is None or whole.length < _LEAST:
        return None
    same = [half is not None and half.apart(whole) <= _APART for half in halves]
    return whole if all(same) else None


def _colours(values: NDArray[np.float32], valid: NDArray[np.bool_]) -> Classes:
    """Nine classes ``[H, W]`` of an image ``[B, H, W]``: thirds of two components."""
    classes = np.full(valid.shape, -1)
    if not valid.any():
        return classes
    seen = values[:, valid].astype(np.float64)
    seen = seen - seen.mean(1, keepdims=True)
    seen /= np.maximum(seen.std(1, keepdims=True), np.finfo(float).tiny)
    axes = np.linalg.eigh(seen @ seen.T)[1][:, ::-1][:, :2]
    thirds = [
        np.searchsorted(np.quantile(component, (1 / 3, 2 / 3)), component)
        for component in axes.T @ seen
    ]
    classes[valid] = sum(
        place * third for place, third in zip((3, 1), thirds, strict=False)
    )
    return classes


@dataclass(frozen=True, slots=True, eq=False)
class WindowPair:
    """A window of an image, and of the classes that it should lie on.

    Attributes
    ----------
    values
        Bands ``[B, H, W]``.
    known
        Pixels ``[H - 2 R, W - 2 R]``, R = `REACH`, with a class, and a value however the
        image is moved.
    classes
        Classes of these, in one row.
    scored
        Information of the shifts that were tried.
    """

    values: NDArray[np.float32]
    known: NDArray[np.bool_]
    classes: Classes
    scored: dict[tuple[int, int], float] = field(default_factory=dict)

    @classmethod
    def of(
        cls, values: NDArray[np.float32], valid: NDArray[np.bool_], classes: Classes
    ) -> WindowPair | None:
        """Pair of a window, classes ``[H, W]`` below zero unknown; None without two."""
        inner = classes[_EDGE, _EDGE]
        known = (inner >= 0) & _always(valid)
        if len(np.unique(inner[known])) < 2:
            return None
        filled = np.where(valid, values, np.float32(0))
        return cls(filled, known, inner[known])

    def information(self, down: int, right: int) -> float:
        """I in nats, of all pixels of the image moved by so many pixels."""
        if (down, right) not in self.scored:
            height, width = self.known.shape
            y, x = REACH - down, REACH - right
            moved = self.values[:, y : y + height, x : x + width][:, self.known]
            information = len(self.classes) * _information(
                moved.astype(np.float64), self.classes
            )
            self.scored[down, right] = information
        return self.scored[down, right]


def shift_of(pairs: Sequence[WindowPair]) -> Shift | None:
    """Return the shift of most information; None if it is at the end of the reach."""

    def score(at: tuple[int, int]) -> float:
        return sum(pair.information(*at) for pair in pairs)

    steps = range(2 - REACH, REACH, 2)
    best = max(((down, right) for down in steps for right in steps), key=score)
    while max(map(abs, best)) < REACH:
        higher = max(_around(best), key=score)
        if score(higher) <= score(best):
            (down, right), top = best, score(best)
            return Shift(
                down + _top(score((down - 1, right)), top, score((down + 1, right))),
                right + _top(score((down, right - 1)), top, score((down, right + 1))),
            )
        best = higher
    return None


def _around(at: tuple[int, int]) -> list[tuple[int, int]]:
    near = (-1, 0, 1)
    return [(at[0] + down, at[1] + right) for down in near for right in near]


def _always(valid: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Pixels, without a margin of `REACH`, that are valid however the image is moved."""
    if valid.all():
        return valid[_EDGE, _EDGE]
    from scipy.ndimage import minimum_filter

    return np.asarray(minimum_filter(valid, 2 * REACH + 1)[_EDGE, _EDGE])


def _information(values: Floats, classes: Classes) -> float:
    """I in nats per pixel, of values ``[B, N]`` and classes ``[N]``."""
    values = values - values.mean(1, keepdims=True)
    total = values @ values.T / values.shape[1]
    between = np.zeros_like(total)
    for k in np.unique(classes):
        own = values[:, classes == k]
        mean = own.mean(1)
        between += np.outer(mean, mean) * own.shape[1] / values.shape[1]
    floor = _FLOOR * np.trace(total) / len(total) * np.eye(len(total))
    whole = np.linalg.slogdet(total + floor)[1]
    within = np.linalg.slogdet(total - between + floor)[1]
    return float(whole - within) / 2


def _top(before: float, middle: float, after: float) -> float:
    """Where a parabola through three values one apart is highest, from the middle."""
    bend = before - 2 * middle + after
    return 0.0 if bend == 0 else 0.5 * (before - after) / bend
