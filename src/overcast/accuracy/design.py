"""Which pixels of a map to look at, so that its accuracy can be estimated.

A stratified random sample, the strata being the classes of the map (Olofsson et al.
2014, Remote Sens. Environ. 148, 42-57, section 5.1). Its size follows from the standard
error that overall accuracy shall have (Cochran 1977, equation 5.25)::

    n = (sum_h W_h S_h)² / (S(O)² + sum_h W_h S_h² / N),   S_h = √(U_h (1 - U_h))

with W_h the share of stratum h, N the pixels of all, and U_h the user's accuracy that
is expected there.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox

from overcast.geo.legend import Legend
from overcast.geo.raster import UNKNOWN
from overcast.geo.stack import LabelSource
from overcast.geo.tiling import pieces
from overcast.progress import Progress, quiet

Counts = NDArray[np.int64]
Floats = NDArray[np.float64]

ALLOCATIONS = ("proportional", "neyman", "equal")
_USUAL = 0.8
"""User's accuracy expected of a class of which nothing is said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Design:
    """How many points, and where.

    Attributes
    ----------
    size
        Points in all; none for as many as `standard_error` asks for.
    standard_error
        Of overall accuracy.
    expected
        User's accuracy that is expected, by class name; "" for every other class.
    allocation
        One of `ALLOCATIONS`.
    minimum
        Points in every class that the map has.
    seed
        Which pixels these are.
    """

    size: int | None = None
    standard_error: float = 0.015
    expected: Mapping[str, float] = field(default_factory=dict)
    allocation: str = "proportional"
    minimum: int = 50
    seed: int = 0

    def sizes(self, pixels: Counts, legend: Legend) -> Counts:
        """Points of every class ``[K]``, from its pixels in the map.

        Raises
        ------
        ValueError
            If a name is none of the legend, or the numbers contradict each other.
        """
        if not pixels.any():
            raise ValueError("the map has no pixel with a class; nothing to sample")
        expected = self._expected(legend)
        least = int(np.minimum(self.minimum, pixels).sum())
        size = self.size
        if size is None:
            size = max(sample_size(pixels, expected, self.standard_error), least)
        return allocate(pixels, size, self.allocation, self.minimum, expected)

    def _expected(self, legend: Legend) -> Floats:
        stray = self.expected.keys() - {"", *legend.names}
        if stray:
            raise ValueError(
                f"expected accuracy of {', '.join(sorted(stray))}; the legend "
                f"{legend.name} has {', '.join(legend.names)}"
            )
        usual = self.expected.get("", _USUAL)
        return np.array([self.expected.get(name, usual) for name in legend.names])


@dataclass(frozen=True, slots=True)
class DrawnSample:
    """Sampled pixels ``[N]``, in an order that tells nothing of their class."""

    rows: Counts
    columns: Counts
    strata: NDArray[np.uint8]


def sample_size(pixels: Counts, expected: Floats, standard_error: float) -> int:
    """Points that give overall accuracy this standard error, allocated as Neyman does.

    `pixels` and `expected` user's accuracies are by stratum ``[H]``. Proportional
    allocation needs little more where the accuracies don't differ much.

    Raises
    ------
    ValueError
        If an expected accuracy is not between 0 and 1, or the error not above 0.
    """
    if not standard_error > 0:
        raise ValueError(f"standard error is {standard_error:g}, expected above 0")
    weights, variance = pixels / pixels.sum(), _variance(expected)
    spread = (weights @ np.sqrt(variance)) ** 2
    wanted = spread / (standard_error**2 + weights @ variance / pixels.sum())
    return math.ceil(float(wanted) - 1e-9)


def allocate(
    pixels: Counts,
    size: int,
    how: str = "proportional",
    minimum: int = 50,
    expected: Floats | None = None,
) -> Counts:
    """Points for every stratum ``[H]``; together `size`, as far as there are pixels.

    Proportional to the strata's `pixels`, to these times √(U (1 - U)) of the `expected`
    user's accuracies (Neyman), or equal. A stratum that would get fewer than `minimum`
    points gets that many, or all of its pixels, and the others share what is left.

    Raises
    ------
    ValueError
        If `size` is less than the minimum of all strata together.
    """
    least = np.minimum(minimum, pixels)
    if size < least.sum():
        raise ValueError(
            f"{size} points are too few: {minimum} in each of {(pixels > 0).sum()} "
            f"classes are {least.sum()}; give a larger --size or a smaller --minimum"
        )
    wanted = _wanted(pixels, how, expected)
    low, high = 0.0, float(pixels.max() / wanted[pixels > 0].min())
    for _ in range(200):  # the factor that spends all points, by bisection
        middle = (low + high) / 2
        enough = np.clip(middle * wanted, least, pixels).sum() >= size
        low, high = (low, middle) if enough else (middle, high)
    return _whole(np.clip(high * wanted, least, pixels), min(size, int(pixels.sum())))


def _wanted(pixels: Counts, how: str, expected: Floats | None) -> Floats:
    if how == "proportional":
        return pixels.astype(np.float64)
    if how == "equal":
        return (pixels > 0).astype(np.float64)
    if how == "neyman":
        if expected is None:
            raise ValueError("Neyman allocation needs expected accuracies")
        return np.asarray(pixels * np.sqrt(_variance(expected)))
    raise ValueError(f"allocation {how!r} is none of {', '.join(ALLOCATIONS)}")


def _variance(expected: Floats) -> Floats:
    if not ((expected > 0) & (expected < 1)).all():
        raise ValueError(
            f"expected accuracies are {', '.join(f'{e:g}' for e in expected)}; they "
            "must lie between 0 and 1, both excluded"
        )
    return expected * (1 - expected)


def _whole(shares: Floats, total: int) -> Counts:
    """Whole numbers with this total, by largest remainder."""
    whole = np.floor(shares + 1e-9).astype(np.int64)
    largest = np.argsort(whole - shares, kind="stable")
    whole[largest[: total - whole.sum()]] += 1
    return whole


def count_classes(
    source: LabelSource, progress: Progress = quiet, grid: GeoBox | None = None
) -> Counts:
    """Pixels of every class of a map ``[K]``, of its own or of `grid`.

    Memory is constant.
    """
    total = np.zeros(len(source.legend), np.int64)
    grid = source.grid if grid is None else grid
    bands = pieces(grid)
    for done, band in enumerate(bands, 1):
        values = source.read(grid[band]).values
        total += np.bincount(values.ravel(), minlength=UNKNOWN + 1)[: len(total)]
        progress("counting", done, len(bands))
    return total


def draw(
    source: LabelSource,
    pixels: Counts,
    sizes: Counts,
    seed: int,
    progress: Progress = quiet,
) -> DrawnSample:
    """Draw `sizes` pixels of every class of a map, without replacement.

    A pixel of a class has a rank, its place among the class's `pixels` in reading
    order; ranks are drawn, and one more walk over the map finds where they are. So
    memory depends on the sample alone, and the sample on map and seed alone.
    """
    return draw_of((source,), pixels, sizes, seed, progress)[0]


def draw_of(
    sources: Sequence[LabelSource],
    pixels: Counts,
    sizes: Counts,
    seed: int,
    progress: Progress = quiet,
) -> tuple[DrawnSample, Counts]:
    """Draw pixels of a map of several rasters; of which each is ``[N]``, too.

    A class is one stratum in all of them, of `pixels` in all. See `draw`.
    """
    random = np.random.default_rng(seed)
    ranks = [
        np.sort(random.choice(n, k, replace=False))
        for n, k in zip(pixels, sizes, strict=True)
    ]
    before = np.zeros(len(pixels), np.int64)
    drawn: list[Counts] = []
    bands = [(n, band) for n, s in enumerate(sources) for band in pieces(s.grid)]
    for done, (number, band) in enumerate(bands, 1):
        source = sources[number]
        values = source.read(source.grid[band]).values
        for k in np.flatnonzero(sizes):
            at = np.flatnonzero(values == k)
            first, last = np.searchsorted(ranks[k], (before[k], before[k] + at.size))
            place = at[ranks[k][first:last] - before[k]]
            row, column = np.divmod(place, values.shape[1])
            facts = (np.full_like(row, k), np.full_like(row, number))
            drawn.append(np.stack([row + band[0].start, column, *facts]))
            before[k] += at.size
        progress("drawing", done, len(bands))
    mixed = random.permutation(np.concatenate(drawn, 1), axis=1)
    rows, columns, strata, which = mixed
    return DrawnSample(rows, columns, strata.astype(np.uint8)), which
