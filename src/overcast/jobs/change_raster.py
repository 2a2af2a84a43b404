"""Two maps with their probabilities, and the map of change that is made of them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox
from rasterio import features

from overcast import map_folder
from overcast.geo.extent import areas_ha
from overcast.geo.image_file import ImageFile
from overcast.geo.label_file import LabelFile, open_labels
from overcast.geo.legend import Legend
from overcast.geo.probabilities import open_probabilities
from overcast.geo.raster import UNKNOWN
from overcast.geo.tiling import pieces
from overcast.jobs.change_images import DatedImages, open_images_of
from overcast.maps.change_model import ChangeModel, PixelPairs, estimate_change_model
from overcast.maps.joint import Probabilities, spread_out
from overcast.maps.memory import memory_map
from overcast.maps.pairs import groups_of
from overcast.product.rasters import written_legend
from overcast.progress import Progress, quiet

Classes = NDArray[np.uint8]

_SAMPLE = 60_000
"""Pixels from which transitions are estimated."""
_ROWS = 256
_AT_ONCE = 500_000
"""Pixels of both dates that are in memory at once, with all bands and classes."""


@dataclass(frozen=True, slots=True)
class DatedMap:
    """A map of one date, with the probability of every class or of its own class.

    `image` has a band for every class, or one that is the confidence. `seen` are the
    images that the map was made from, if their files are where they were.
    """

    path: Path
    classes: LabelFile
    image: ImageFile
    seen: DatedImages | None = None

    @property
    def legend(self) -> Legend:
        """Its classes."""
        return self.classes.legend

    @property
    def has_probabilities(self) -> bool:
        """Return whether all classes have a probability, and not the mapped one alone."""
        return len(self.image.sensor.bands) > 1

    def read(self, grid: GeoBox) -> tuple[Probabilities, Classes]:
        """Probabilities ``[N, K]`` and classes ``[N]`` of all pixels of a grid.

        Classes are unknown where there are no probabilities.
        """
        mapped = self.classes.read(grid).values.ravel()
        image = self.image.read(grid)
        valid = image.valid.ravel() & (mapped != UNKNOWN)
        values = image.values.reshape(len(image.values), -1).T
        values = np.where(valid[:, None], values, 0)
        known = np.where(valid, mapped, UNKNOWN).astype(np.uint8)
        if self.has_probabilities:
            return values, known
        count = len(self.legend)
        return spread_out(np.where(valid, mapped, 0), values[:, 0], count), known


def open_dated(path: Path) -> DatedMap:
    """Open the folder of a map that overcast made, or the map in it.

    Raises
    ------
    ValueError
        If there is no map, or neither probabilities nor confidence beside it.
    """
    mapped = path / map_folder.MAP if path.is_dir() else path
    if not mapped.is_file():
        raise ValueError(
            f"{path}: has no map.tif; give a folder that overcast map made"
        )
    classes = open_labels(mapped, written_legend(mapped))
    for name in (map_folder.PROBABILITIES, map_folder.CONFIDENCE):
        beside = mapped.with_name(name)
        if beside.is_file():
            image = open_probabilities(beside).image
            bands = len(image.sensor.bands)
            if bands not in (1, len(classes.legend)):
                raise ValueError(
                    f"{beside}: has {bands} classes, and {mapped.name} "
                    f"{len(classes.legend)}; they are not of one map"
                )
            return DatedMap(mapped, classes, image, open_images_of(mapped))
    raise ValueError(
        f"{mapped}: has neither probabilities.tif nor confidence.tif beside it, so "
        "the probability of change is not known; give the folder as overcast made it"
    )


@dataclass(frozen=True, slots=True)
class Changes:
    """Pixels by class before and after, in files.

    Attributes
    ----------
    before, after
        Class positions uint8 ``[H, W]``; unknown where either date is.
    probability
        That the class has changed, float32 ``[H, W]``; NaN where unknown.
    counts
        Pixels ``[K, K]`` by class before and after.
    apart
        The same of the two maps as they are.
    expected
        Sums of probabilities ``[K, K]`` over all known pixels.
    by_images
        Whether the images speak of change, and not the classes alone.
    """

    before: Classes = field(repr=False)
    after: Classes = field(repr=False)
    probability: NDArray[np.float32] = field(repr=False)
    counts: NDArray[np.int64]
    apart: NDArray[np.int64]
    expected: NDArray[np.float64]
    by_images: bool


Dates = tuple[DatedMap, DatedMap]


def learn_change(dates: Dates, grid: GeoBox) -> ChangeModel:
    """Learn what speaks of change from pixels spread over the grid.

    Raises
    ------
    ValueError
        If no pixel is known at both dates.
    """
    step = max(1, round(math.sqrt(math.prod(grid.shape) / _SAMPLE)))
    parts = []
    for band in _bands(grid):
        pixels, maps = _read(dates, grid, band)
        known = (maps[0] != UNKNOWN) & (maps[1] != UNKNOWN)
        rows = np.arange(band[0].start, band[0].stop) % step == 0
        columns = np.arange(int(grid.shape[1])) % step == 0
        parts.append(pixels.part(known & (rows[:, None] & columns[None]).ravel()))
    whole = PixelPairs.joined(parts)
    if not len(whole.first):
        raise ValueError(
            f"{dates[0].path} and {dates[1].path}: no pixel is mapped in both; do they "
            "overlap?"
        )
    return estimate_change_model(whole)


def _bands(grid: GeoBox) -> list[tuple[slice, slice]]:
    return pieces(grid, min(_ROWS, max(_AT_ONCE // int(grid.shape[1]), 16)))


def _read(
    dates: Dates, grid: GeoBox, band: tuple[slice, slice]
) -> tuple[PixelPairs, tuple[Classes, Classes]]:
    """All pixels ``[N]`` of a band of rows, and their classes in both maps."""
    part = grid[band]
    (first, here), (second, then) = (dated.read(part) for dated in dates)
    images = None
    if dates[0].seen is not None and dates[1].seen is not None:
        images = dates[0].seen.read(part), dates[1].seen.read(part)
    rows, columns = np.mgrid[band]
    groups = groups_of(rows.ravel(), columns.ravel())
    return PixelPairs(first, second, images, groups), (here, then)


def find_changes(
    dates: Dates,
    least: float,
    mmu_ha: float,
    folder: Path,
    progress: Progress = quiet,
) -> Changes:
    """Find what has probably changed, on the grid of the first map.

    A pixel has changed where the probability of any change is `least` or more, and where
    it lies in a patch of change of `mmu_ha` hectares or more.
    """
    grid = dates[0].classes.grid
    model = learn_change(dates, grid)
    shape = int(grid.shape[0]), int(grid.shape[1])
    before, after, stays = (
        memory_map(folder / f"{name}.raw", np.uint8, shape)
        for name in ("before", "after", "stays")
    )
    probability = memory_map(folder / "probability.raw", np.float32, shape)
    targets = before, after, stays, probability
    size = len(dates[0].legend)
    apart = np.zeros((size, size), np.int64)
    expected = np.zeros((size, size))
    bands = _bands(grid)
    for done, band in enumerate(bands, 1):
        pixels, maps = _read(dates, grid, band)
        changes, together, sums = _compared(pixels, maps, model, least)
        apart += together
        expected += sums
        for target, values in zip(targets, changes, strict=True):
            target[band[0]] = values.reshape(-1, shape[1])
        progress("comparing", done, len(bands))
    _sieve((before, after, stays), mmu_ha, grid, folder)
    counts = _counts(before, after, size)
    by_images = model.odds is not None
    return Changes(before, after, probability, counts, apart, expected, by_images)


def _compared(
    pixels: PixelPairs, maps: tuple[Classes, Classes], model: ChangeModel, least: float
) -> tuple[tuple[NDArray[np.generic], ...], NDArray[np.int64], NDArray[np.float64]]:
    """Before, after, class if it stays and probability of change of pixels ``[N]``.

    And the pixels ``[K, K]`` by class in the two maps as they are, and the sums of
    probabilities.
    """
    known = (maps[0] != UNKNOWN) & (maps[1] != UNKNOWN)
    inside, joint = pixels.part(known), model.joint
    a, b = inside.first, inside.second
    same = np.full(len(known), UNKNOWN, np.uint8)
    share = np.full(len(known), np.nan, np.float32)
    same[known], share[known] = joint.persistent(a, b), model.changed(inside)
    old, new = same.copy(), same.copy()
    changed = known & (np.nan_to_num(share) >= least)
    part = changed[known]
    old[changed], new[changed] = joint.transition(a[part], b[part])
    size = len(joint.shares)
    pair = maps[0][known].astype(np.int64) * size + maps[1][known]
    together = np.bincount(pair, minlength=size * size).reshape(size, size)
    return (old, new, same, share), together, joint.expected(a, b, share[known])


def _sieve(
    maps: tuple[Classes, Classes, Classes], mmu_ha: float, grid: GeoBox, folder: Path
) -> None:
    """Take back change in patches below the minimum mapping unit."""
    before, after, stays = maps
    (pixel_ha,) = areas_ha(np.array([1]), grid)
    size = math.ceil(round(mmu_ha / pixel_ha, 6))
    if size < 2:
        return
    changed = memory_map(folder / "changed.raw", np.uint8, before.shape)
    large = memory_map(folder / "large.raw", np.uint8, before.shape)
    changed[:] = before != after
    features.sieve(changed, size, out=large)
    for rows, _ in pieces(grid):
        small = (changed[rows] == 1) & (large[rows] == 0)
        for target in (before, after):
            target[rows] = np.where(small, stays[rows], target[rows])


def _counts(before: Classes, after: Classes, size: int) -> NDArray[np.int64]:
    total = np.zeros(size * size, np.int64)
    for start in range(0, len(before), _ROWS):
        part = slice(start, start + _ROWS)
        known = before[part] != UNKNOWN
        pair = before[part][known].astype(np.int64) * size + after[part][known]
        total += np.bincount(pair, minlength=size * size)
    return total.reshape(size, size)


def class_rows(
    changes: Changes, positions: Classes, codes: Classes
) -> Iterator[tuple[int, Classes]]:
    """Codes of change, as first row and rows; `positions` ``[K, K]`` says of which."""
    for start in range(0, len(changes.before), _ROWS):
        part = slice(start, start + _ROWS)
        old, new = changes.before[part], changes.after[part]
        known = old != UNKNOWN
        out = np.full(old.shape, UNKNOWN, np.uint8)
        out[known] = codes[positions[old[known], new[known]]]
        yield start, out
