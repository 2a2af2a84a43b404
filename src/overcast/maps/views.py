"""The mean of what a predictor says of several views of a window.

    p[k, y, x] = mean over views v of  (v⁻¹ f(v(image)))[k, y, x]

where v turns, mirrors and scales. A map has no preferred direction, so the eight
symmetries of a square cost a predictor nothing but time, and its errors, which differ
between them, average out; scales show it objects of another size. Turning is exact.
Scaling is linear interpolation, by triangles as wide as the coarser pixel (so that
finer detail does not alias), and puts every value back where it came from: whatever is
linear in place comes back unchanged.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import product
from math import ceil
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from affine import Affine
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox

from overcast.geo.raster import Image
from overcast.geo.stack import Chip
from overcast.maps.predictor import Wrapper

if TYPE_CHECKING:
    from scipy.sparse import csr_array

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]
Shape = tuple[int, int]
Scalar = TypeVar("Scalar", bound=np.generic)

_SMALLEST = 2
"""Pixels along a side that a scaled window keeps at least."""


@dataclass(frozen=True, slots=True)
class View:
    """One way to look at a window: mirrored, then transposed, then scaled.

    Attributes
    ----------
    down, across
        Mirror rows, columns.
    transpose
        Swap rows and columns.
    scale
        Pixels of the view per pixel of the window.
    """

    down: bool = False
    across: bool = False
    transpose: bool = False
    scale: float = 1.0

    def __post_init__(self) -> None:
        if not 0.1 <= self.scale <= 10:
            raise ValueError(f"scale of a view is {self.scale}, expected 0.1 to 10")

    def of(self, chip: Chip) -> Chip:
        """The window as it looks from here; without labels."""
        grid = self.grid(chip.grid)
        return replace(
            chip,
            images={name: self._image(i, grid) for name, i in chip.images.items()},
            labels=None,
            grid=grid,
        )

    def undo(self, values: Floats, seen: Mask, shape: Shape) -> tuple[Floats, Mask]:
        """Values ``[K, h, w]`` of the view, where they lie in the window.

        Parameters
        ----------
        values
            What was said of the view.
        seen
            ``[h, w]``, where that counts.
        shape
            H and W of the window.

        Returns
        -------
        tuple
            Values ``[K, H, W]``, zero where nothing counts, and where something does.
        """
        straight = shape[::-1] if self.transpose else shape
        values, seen = _scaled(values, seen, straight)
        return self._turn_back(values), self._turn_back(seen[None])[0]

    def grid(self, grid: GeoBox) -> GeoBox:
        """Return where the pixels of the view of a window on `grid` lie."""
        h, w = grid.shape
        place = grid.affine
        if self.down:
            place = place * Affine(1, 0, 0, 0, -1, h)
        if self.across:
            place = place * Affine(-1, 0, w, 0, 1, 0)
        if self.transpose:
            place, (h, w) = place * Affine(0, 1, 0, 1, 0, 0), (w, h)
        rows, columns = (
            n if self.scale == 1 else max(round(n * self.scale), min(n, _SMALLEST))
            for n in (h, w)
        )
        place = place * Affine.scale(w / columns, h / rows)
        return GeoBox((rows, columns), place, grid.crs)

    def _image(self, image: Image, grid: GeoBox) -> Image:
        valid = self._turn(image.valid[None])[0]
        height, width = grid.shape
        values, valid = _scaled(self._turn(image.values), valid, (height, width))
        values = np.where(valid, values, np.float32(np.nan))
        return Image(values=values, valid=valid, grid=grid, sensor=image.sensor)

    def _turn(self, array: NDArray[Scalar]) -> NDArray[Scalar]:
        turned = array[:, :: -1 if self.down else 1, :: -1 if self.across else 1]
        return turned.swapaxes(1, 2) if self.transpose else turned

    def _turn_back(self, array: NDArray[Scalar]) -> NDArray[Scalar]:
        turned = array.swapaxes(1, 2) if self.transpose else array
        return turned[:, :: -1 if self.down else 1, :: -1 if self.across else 1]


SYMMETRIES = tuple(View(*flips) for flips in product((False, True), repeat=3))
"""The eight symmetries of a square."""


def symmetries_at(*scales: float) -> tuple[View, ...]:
    """All eight symmetries at each of some scales."""
    return tuple(
        View(v.down, v.across, v.transpose, s) for s in scales for v in SYMMETRIES
    )


CHOICES: Mapping[int, tuple[View, ...]] = {
    1: (View(),),
    8: SYMMETRIES,
    24: symmetries_at(0.75, 1.0, 1.25),
}
"""Views by their number, as ``--views`` takes it.

The 24 of Liu 2025 are four flips at scales 0.5 to 1.75.
"""


def views_of(count: int) -> tuple[View, ...]:
    """Return a set of `count` views out of `CHOICES`.

    Raises
    ------
    ValueError
        If there is no set of that size.
    """
    if count not in CHOICES:
        known = ", ".join(map(str, CHOICES))
        raise ValueError(f"no set of {count} views; there are sets of {known}")
    return CHOICES[count]


@dataclass(frozen=True, slots=True)
class Viewed(Wrapper):
    """A predictor that looks at every window in several ways.

    Raises
    ------
    ValueError
        If there are no views.
    """

    views: tuple[View, ...] = SYMMETRIES

    def __post_init__(self) -> None:
        if not self.views:
            raise ValueError("a predictor needs a view to look at, got none")

    @property
    def halo(self) -> int:
        """Context of the widest view: a small scale sees far."""
        return max(self._reach(view.scale) for view in self.views)

    def _reach(self, scale: float) -> int:
        # Interpolation draws on a coarse pixel to each side, there and back.
        detour = 0.0 if scale == 1 else 2 * max(1.0, 1 / scale)
        return ceil(self.predictor.halo / scale + detour)

    def predict(self, chip: Chip) -> Floats:
        """Mean probabilities ``[K, h, w]`` of all views; 0 where nothing was seen."""
        height, width = chip.grid.shape
        total = np.zeros((len(self.legend), height, width), np.float32)
        count = np.zeros((height, width), np.float32)
        for view in self.views:
            looked = view.of(chip)
            seen = np.logical_or.reduce([i.valid for i in looked.images.values()])
            undone, covered = view.undo(
                self.predictor.predict(looked), seen, (height, width)
            )
            total += undone
            count += covered
        return np.asarray(total / np.maximum(count, 1), np.float32)


def _scaled(values: Floats, seen: Mask, shape: Shape) -> tuple[Floats, Mask]:
    """Means ``[C, *shape]`` of what was seen around, zero where nothing was."""
    known = np.where(seen, values, np.float32(0))
    if seen.shape == shape:
        return known, seen
    weight = _resample(seen[None].astype(np.float32), shape)
    total = _resample(known, shape)
    seen = weight[0] > 0
    return np.where(seen, total / np.where(seen, weight, 1), np.float32(0)), seen


def _resample(values: Floats, shape: Shape) -> Floats:
    """Interpolate ``[C, H, W]`` to ``[C, *shape]``, along one axis and the other."""
    count, height, width = values.shape
    down, across = _weights(height, shape[0]), _weights(width, shape[1])
    flat = (across @ values.reshape(-1, width).T).T.reshape(count, height, shape[1])
    tall = flat.transpose(1, 0, 2).reshape(height, -1)
    made = (down @ tall).reshape(shape[0], count, shape[1]).transpose(1, 0, 2)
    return np.ascontiguousarray(made, np.float32)


@lru_cache(64)
def _weights(size: int, wanted: int) -> csr_array:
    """Share ``[wanted, size]`` of every input in every output; rows sum to one."""
    from scipy.sparse import csr_array  # slow to import

    ratio = size / wanted
    centres = (np.arange(wanted) + 0.5) * ratio - 0.5
    reach = max(ratio, 1.0)
    first = np.floor(centres - reach).astype(int)
    taps = first[:, None] + np.arange(ceil(2 * reach) + 2)
    share = np.maximum(1 - np.abs(taps - centres[:, None]) / reach, 0)
    share[(taps < 0) | (taps >= size)] = 0
    share /= share.sum(1, keepdims=True)
    # A sampled triangle leans by up to a thirtieth of a pixel: its mean place is put
    # right, but for borders, where there is nothing on the other side to do it with.
    mean = (share * taps).sum(1, keepdims=True)
    spread = (share * (taps - mean) ** 2).sum(1, keepdims=True)
    whole = (centres - reach >= -1) & (centres + reach <= size) & (spread[:, 0] > 0)
    lean = np.where(whole[:, None], centres[:, None] - mean, 0)
    share *= 1 + lean * (taps - mean) / np.where(spread > 0, spread, 1)
    rows, columns = np.nonzero(share)
    entries = (share[rows, columns].astype(np.float32), (rows, taps[rows, columns]))
    return csr_array(entries, shape=(wanted, size))
