"""Labels made from the reference of a tile: coarse, confused, or few and right.

- ``majority-S``: nearest-mode reprojection of the reference onto the MODIS sinusoidal
  grid, with cells of S metres.
- ``confused-S``: the same with 20 % of the cells of each class called another class that
  the tile has, at random.
- ``sieved-S``: the majority without patches of fewer than 25 cells, as CORINE has a least
  size; they have the class of the largest neighbour.
- ``product-A``: a fine product that is right on A % of the pixels: whole blobs are called
  another class, which lies beside them more often than others do, and borders wave to and
  fro by a pixel or two.
- ``shifted-S``: the majority, one cell too far to the west and to the north.
- ``lacking-S``: the majority of an older reference, in which a class was not there yet: the
  rarest one with 2 % of the pixels or more is called what lies nearest to it.
- ``merged-S``: the majority with the name of the second largest class for the third largest
  one as well.
- ``holes-S``: the majority, and no label on a third of the ground, in blobs.
- ``patches-N``: the reference in N squares of 16 x 16 pixels; ``polygons-40``: in 40
  patches of one class around random pixels, at most 15 pixels wide; ``points-200``: in 200
  random pixels.

``A+B`` is two sources of one scene, the drawn one last.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from affine import Affine
from bench.real.tiles import Tile
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox
from rasterio.features import sieve
from rasterio.warp import Resampling, reproject, transform_bounds
from scipy.ndimage import (
    distance_transform_edt,
    gaussian_filter,
    label,
    map_coordinates,
)

from overcast.geo.raster import UNKNOWN, Labels

SINUSOIDAL = "+proj=sinu +lon_0=0 +x_0=0 +y_0=0 +R=6371007.181 +units=m +no_defs"
_SWAPPED, _LEAST_CELLS = 0.2, 25
_PATCH_PX, _POLYGON_PX = 16, 7
_BLOB_PX, _WAVE_PX, _WAVES_PX = 6.0, 1.3, 10.0
"""Of products: radius of what is called another class, how far borders move, and over
how many pixels that changes."""
_HOLE_PX, _HOLES = 12.0, 1 / 3
_FEWEST = 0.02
"""Share of the pixels of a class that an older reference does not know, at least."""
PRODUCTS = ("product-77", "product-60", "product-85")
DRAWN = ("patches-5", "patches-10", "polygons-40", "points-200")


def names_of(tile: Tile) -> list[str]:
    """Every label source of a tile."""
    coarse = [f"{kind}-{s}" for kind in ("majority", "confused") for s in tile.sizes]
    return [*coarse, *PRODUCTS, *odd_of(tile), *pairs_of(tile), *DRAWN]


def odd_of(tile: Tile) -> list[str]:
    """Labels of a tile with a fault that labels of real places have.

    Cells of three image pixels, and cells of which few cover the tile, are among them.
    """
    pixel = round(abs(tile.grid.resolution.x))
    sizes = 3 * pixel, round(tile.grid.shape[1] * pixel / 2)
    kinds = "shifted", "lacking", "merged", "holes"
    faults = [f"{kind}-{size}" for kind in kinds for size in tile.sizes[:2]]
    return [*faults, *(f"majority-{size}" for size in sizes)]


def pairs_of(tile: Tile) -> list[str]:
    """Two sources of a tile at once: a map and drawn labels.

    Maps are one like CORINE, one that is mostly right, and one that is often wrong.
    """
    if len(tile.sizes) < 2:
        return []
    small, middle, *_ = tile.sizes
    maps = f"sieved-{small}", f"majority-{small}", f"confused-{middle}"
    return [f"{one}+polygons-40" for one in maps]


def labels_of(tile: Tile, name: str, seed: int) -> Labels:
    """A label source by its name; `seed` draws what is drawn.

    Raises
    ------
    ValueError
        If there is no such source.
    """
    kind, _, number = name.partition("-")
    random = np.random.default_rng((seed, 5))
    if kind == "majority":
        return majority(tile.truth, int(number))
    if kind == "sieved":
        return sieved(majority(tile.truth, int(number)))
    if kind in _ODD:
        return _ODD[kind](tile.truth, int(number), random)
    if kind == "confused":
        return confused(majority(tile.truth, int(number)), random)
    if kind == "product":
        return product(tile.truth, int(number) / 100, random)
    draw = {"patches": _patches, "polygons": _polygons, "points": _points}.get(kind)
    if draw is None:
        raise ValueError(f"{name}: no such labels; known: {', '.join(names_of(tile))}")
    where = draw(tile.truth, int(number), random)
    values = np.where(where, tile.truth.values, UNKNOWN).astype(np.uint8)
    return replace(tile.truth, values=values)


def majority(truth: Labels, size: int) -> Labels:
    """Majority of the reference in cells of `size` metres of the MODIS grid."""
    grid = truth.grid
    bounds = transform_bounds(str(grid.crs), SINUSOIDAL, *grid.boundingbox.bbox)
    left, bottom, right, top = bounds
    x, y = np.floor(left / size) * size, np.ceil(top / size) * size
    shape = int(np.ceil((y - bottom) / size)), int(np.ceil((right - x) / size))
    coarse = GeoBox(shape, Affine(size, 0, x, 0, -size, y), SINUSOIDAL)
    cells = np.full(shape, UNKNOWN, np.uint8)
    reproject(
        truth.values,
        cells,
        src_transform=grid.affine,
        src_crs=str(grid.crs),
        src_nodata=UNKNOWN,
        dst_transform=coarse.affine,
        dst_crs=SINUSOIDAL,
        dst_nodata=UNKNOWN,
        resampling=Resampling.mode,
    )
    return Labels(values=cells, grid=coarse, legend=truth.legend)


def sieved(labels: Labels) -> Labels:
    """The same without patches that are smaller than `_LEAST_CELLS`."""
    values = sieve(labels.values, _LEAST_CELLS, connectivity=4)
    values[labels.values == UNKNOWN] = UNKNOWN
    return replace(labels, values=values)


def confused(labels: Labels, random: np.random.Generator) -> Labels:
    """The same with a fifth of the cells called another class that there is."""
    values = labels.values.copy()
    classes = np.unique(values[values != UNKNOWN])
    swapped = (values != UNKNOWN) & (random.random(values.shape) < _SWAPPED)
    if len(classes) > 1:
        for k in classes:
            mine = swapped & (labels.values == k)
            values[mine] = random.choice(classes[classes != k], mine.sum())
    return replace(labels, values=values)


def shifted(truth: Labels, size: int, _: np.random.Generator) -> Labels:
    """Majority that lies one cell too far to the west and to the north."""
    found = majority(truth, size)
    return replace(found, grid=found.grid.translate_pix(-1, -1))


def lacking(truth: Labels, size: int, _: np.random.Generator) -> Labels:
    """Majority without a class, which is called what lies nearest to it."""
    values = truth.values
    often = np.bincount(values[values != UNKNOWN]) / (values != UNKNOWN).sum()
    rare = int(np.where(often >= _FEWEST, often, np.inf).argmin())
    away = (values == rare) | (values == UNKNOWN)
    row, column = distance_transform_edt(
        away, return_distances=False, return_indices=True
    )
    older = np.where(values == rare, values[row, column], values)
    return majority(replace(truth, values=older), size)


def merged(truth: Labels, size: int, _: np.random.Generator) -> Labels:
    """Majority in which the second and the third largest class are one."""
    values = truth.values
    often = np.bincount(values[values != UNKNOWN])
    _first, second, third, *_rest = np.argsort(-often)
    both = np.where(values == third, second, values).astype(np.uint8)
    return majority(replace(truth, values=both), size)


def with_holes(truth: Labels, size: int, random: np.random.Generator) -> Labels:
    """Majority with blobs of ground without a label."""
    found = majority(truth, size)
    reach = _HOLE_PX * abs(truth.grid.resolution.x) / size
    field = _field(found.values.shape, reach, random)
    hole = field < np.quantile(field, _HOLES)
    return replace(found, values=np.where(hole, UNKNOWN, found.values).astype(np.uint8))


_ODD = {
    "shifted": shifted,
    "lacking": lacking,
    "merged": merged,
    "holes": with_holes,
}


def product(truth: Labels, right: float, random: np.random.Generator) -> Labels:
    """Labels as fine as the reference, right on a share of the pixels.

    The mistakes that moved borders leave to be made are blobs. In one, a class has the
    name of another class, drawn by how often its pixels lie beside it.
    """
    waved = _waved(truth.values, random)
    classes = np.where(waved == UNKNOWN, truth.values, waved)
    shape = truth.values.shape
    known = truth.values != UNKNOWN
    called = _called(classes, truth.values, random)
    order = _field(shape, _BLOB_PX, random)
    hit = known & (called == truth.values), known & (classes == truth.values)
    # Blobs grow until so many pixels are wrong.
    for share in np.linspace(0, 1, 201):
        blob = order < np.quantile(order, share)
        if np.where(blob, *hit).sum() <= right * known.sum():
            break
    return replace(truth, values=np.where(blob, called, classes).astype(np.uint8))


def _field(
    shape: tuple[int, ...], reach: float, random: np.random.Generator
) -> NDArray[np.float64]:
    """Smooth noise of variance 1."""
    field = gaussian_filter(random.normal(size=shape), reach, mode="reflect")
    return np.asarray(field / field.std())


def _waved(values: NDArray[np.uint8], random: np.random.Generator) -> NDArray[np.uint8]:
    """Classes with borders that wave to and fro."""
    places = [
        at + np.rint(_WAVE_PX * _field(values.shape, _WAVES_PX, random))
        for at in np.indices(values.shape)
    ]
    return np.asarray(map_coordinates(values, places, order=0, mode="nearest"))


def _called(
    classes: NDArray[np.uint8], truth: NDArray[np.uint8], random: np.random.Generator
) -> NDArray[np.uint8]:
    """What each pixel is called where it is wrong: one name for a class in a region."""
    count = int(classes[classes != UNKNOWN].max()) + 1
    beside = np.full((count, count), 1e-9)
    for axis in (0, 1):
        a, b = np.moveaxis(truth, axis, 0)[1:], np.moveaxis(truth, axis, 0)[:-1]
        both = (a != UNKNOWN) & (b != UNKNOWN)
        np.add.at(beside, (a[both], b[both]), 1.0)
    beside = np.sqrt(beside + beside.T)
    np.fill_diagonal(beside, 0)
    chance = _uniform(_field(classes.shape, 3 * _BLOB_PX, random))
    out = classes.copy()
    for k in np.unique(classes[classes != UNKNOWN]):
        limits = np.cumsum(beside[k] / beside[k].sum())
        mine = classes == k
        out[mine] = np.minimum(np.searchsorted(limits, chance[mine]), count - 1)
    return out


def _uniform(field: NDArray[np.float64]) -> NDArray[np.float64]:
    """Values by rank, from 0 to 1."""
    return np.asarray(
        field.ravel().argsort().argsort().reshape(field.shape) / field.size
    )


def _centres(
    truth: Labels, count: int, random: np.random.Generator
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    rows, columns = np.nonzero(truth.values != UNKNOWN)
    drawn = random.choice(len(rows), count, replace=False)
    return rows[drawn], columns[drawn]


def _around(truth: Labels, row: int, column: int, reach: int) -> tuple[slice, slice]:
    height, width = truth.values.shape
    return (
        slice(max(row - reach, 0), min(row + reach, height)),
        slice(max(column - reach, 0), min(column + reach, width)),
    )


def _patches(
    truth: Labels, count: int, random: np.random.Generator
) -> NDArray[np.bool_]:
    where = np.zeros(truth.values.shape, np.bool_)
    for row, column in zip(*_centres(truth, count, random), strict=True):
        where[_around(truth, row, column, _PATCH_PX // 2)] = True
    return where


def _polygons(
    truth: Labels, count: int, random: np.random.Generator
) -> NDArray[np.bool_]:
    where = np.zeros(truth.values.shape, np.bool_)
    for row, column in zip(*_centres(truth, count, random), strict=True):
        spans = _around(truth, row, column, _POLYGON_PX)
        part = truth.values[spans]
        numbers, _ = label(part == truth.values[row, column])
        own = numbers[row - spans[0].start, column - spans[1].start]
        where[spans] |= numbers == own
    return where


def _points(
    truth: Labels, count: int, random: np.random.Generator
) -> NDArray[np.bool_]:
    where = np.zeros(truth.values.shape, np.bool_)
    where[_centres(truth, count, random)] = True
    return where
