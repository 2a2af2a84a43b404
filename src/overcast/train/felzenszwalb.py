"""Superpixels of a scene as one more image: a number for every pixel.

Felzenszwalb and Huttenlocher 2004, by scikit-image, of three bands: those nearest to
red, green and blue light. The grid is cut into tiles, and no superpixel crosses their
borders, so that the number of a pixel depends on its place alone, and not on what else
is read. Each tile is computed once, by whichever thread asks for it first: it is kept
in memory for a while, and in a folder for good if there is one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox

from overcast.extras import advice
from overcast.geo.bands import Band, Sensor
from overcast.geo.raster import Image
from overcast.geo.stack import ImageSource, Stack
from overcast.geo.tiling import Window
from overcast.geo.warp import aligned
from overcast.train.blocks.cache import Memo

NUMBERS = 2.0**18
"""Numbers are below this; in network units they are divided by it, without loss."""
SENSOR = Sensor("superpixels", "optical", (Band("superpixel", "number", 0.0, NUMBERS),))

_TILE_PX = 512
_LOCAL = 2**14
"""Numbers of a tile: more than 512 x 512 pixels, in tens and more, can take."""
_LEAST_PX = _TILE_PX**2 // _LOCAL
_AROUND = 4
"""Tiles along an axis until numbers come again: farther apart than windows are wide."""
_UNSEEN = 2**16 - 1
_MEMORY = 1 << 25
_RGB_NM = (665.0, 560.0, 492.0)
_SPECKLE_SIGMA = 2.0


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Superpixels:
    """Superpixels of an image on a grid, as an `ImageSource` of their numbers.

    In a window of up to 1536 pixels, two pixels of one number are of one superpixel.

    Attributes
    ----------
    image
        What they are superpixels of: an optical image if there is one.
    grid
        The grid that is cut into tiles, and that may be read, part by part.
    folder
        Where computed tiles are kept, or None.
    scale
        Larger is larger superpixels: 200 in Chen and Bruzzone 2022.
    sigma
        Width in pixels of the Gaussian that smooths the bands first; SAR is smoothed
        by 2 at least, because of its speckle.
    least
        Pixels of the smallest superpixel, 16 or more.

    Raises
    ------
    ValueError
        If `least` is too small.
    """

    image: ImageSource
    grid: GeoBox
    folder: Path | None = None
    scale: float = 200.0
    sigma: float = 0.5
    least: int = 30
    _kept: Memo[NDArray[np.uint16]] = field(
        init=False, repr=False, default_factory=lambda: Memo(_MEMORY)
    )

    def __post_init__(self) -> None:
        if self.least < _LEAST_PX:
            raise ValueError(
                f"least is {self.least} pixels, expected {_LEAST_PX} or more"
            )

    @property
    def blocks(self) -> tuple[int, int]:
        """Rows and columns of a tile."""
        return _TILE_PX, _TILE_PX

    @property
    def sensor(self) -> Sensor:
        """`SENSOR`: the numbers as a band."""
        return SENSOR

    def read(self, grid: GeoBox) -> Image:
        """Numbers ``[1, H, W]``, NaN where the image saw nothing.

        Raises
        ------
        ValueError
            If `grid` does not lie on the pixels of the superpixels' own.
        """
        offset = aligned(self.grid, grid)
        if offset is None:
            raise ValueError(
                f"superpixels can be read on the grid they were made for, {self.grid!r}, "
                f"not on {grid!r}"
            )
        out = np.full((1, *grid.shape), np.nan, np.float32)
        inside = Window(*offset, *grid.shape)
        for place, tile in self._tiles(inside):
            target, here = _overlap(inside, tile)
            numbers = self._tile(place, tile)[here]
            known = numbers != _UNSEEN
            first = _LOCAL * (place[0] % _AROUND * _AROUND + place[1] % _AROUND)
            out[(0, *target)] = np.where(
                known, first + numbers.astype(np.float32), np.nan
            )
        return Image.of(out, grid, SENSOR)

    def _tiles(self, inside: Window) -> Iterator[tuple[tuple[int, int], Window]]:
        """Row, column and window of every tile that has pixels in a window."""
        height, width = (int(n) for n in self.grid.shape)
        top, left = max(inside.y, 0), max(inside.x, 0)
        bottom, right = (
            min(inside.y + inside.h, height),
            min(inside.x + inside.w, width),
        )
        rows = range(top // _TILE_PX, -(-bottom // _TILE_PX))
        columns = range(left // _TILE_PX, -(-right // _TILE_PX))
        for row, column in product(rows, columns):
            y, x = row * _TILE_PX, column * _TILE_PX
            sides = min(_TILE_PX, height - y), min(_TILE_PX, width - x)
            yield (row, column), Window(y, x, *sides)

    def _tile(self, place: tuple[int, int], tile: Window) -> NDArray[np.uint16]:
        """Numbers ``[h, w]`` of a tile, `_UNSEEN` where the image saw nothing."""
        columns = -(-int(self.grid.shape[1]) // _TILE_PX)

        def make() -> NDArray[np.uint16]:
            if self.folder is None:
                return self._segment(tile)
            path = self.folder / f"{place[0]}_{place[1]}.npz"
            if not path.exists():
                draft = path.with_suffix(".part")
                self.folder.mkdir(parents=True, exist_ok=True)
                with draft.open("wb") as file:
                    np.savez_compressed(file, numbers=self._segment(tile))
                draft.replace(path)
            with np.load(path) as file:
                return np.asarray(file["numbers"], np.uint16)

        return self._kept.get(place[0] * columns + place[1], make)

    def _segment(self, tile: Window) -> NDArray[np.uint16]:
        felzenszwalb = _algorithm()
        image = self.image.read(self.grid[tile.slices])
        sensor = image.sensor
        values = sensor.to_network(image.values)[list(_red_green_blue(sensor))]
        sigma = self.sigma
        if sensor.kind == "sar":
            sigma = max(sigma, _SPECKLE_SIGMA)
        segments = felzenszwalb(
            np.moveaxis(values.clip(0, 1), 0, -1),
            scale=self.scale,
            sigma=sigma,
            min_size=self.least,
        )
        return np.where(image.valid, segments, _UNSEEN).astype(np.uint16)


def with_superpixels(
    stack: Stack, folder: Path | None = None, name: str = "superpixels"
) -> Stack:
    """The stack with superpixels of its first optical image, or else of its first.

    They are a target: learned from, and not needed for mapping. `folder` keeps what was
    computed.
    """
    sources = [stack.images[name] for name in stack.sensors]
    optical = [source for source in sources if source.sensor.kind == "optical"]
    superpixels = Superpixels(
        image=(optical or sources)[0], grid=stack.grid, folder=folder
    )
    return replace(
        stack,
        images={**stack.images, name: superpixels},
        targets=stack.targets | {name},
    )


def _red_green_blue(sensor: Sensor) -> tuple[int, ...]:
    """Positions of the bands nearest to red, green and blue, or of the first three."""
    known = [b.wavelength_nm for b in sensor.bands if b.wavelength_nm is not None]
    if len(known) < len(sensor.bands):
        return tuple(range(min(3, len(sensor.bands))))
    return tuple(int(np.abs(np.array(known) - wanted).argmin()) for wanted in _RGB_NM)


def _algorithm() -> Any:
    try:
        from skimage.segmentation import felzenszwalb
    except ModuleNotFoundError as error:
        raise ValueError(f"superpixels: {advice(error)}") from error
    return felzenszwalb


Slices = tuple[slice, slice]


def _overlap(one: Window, two: Window) -> tuple[Slices, Slices]:
    """Return the overlap of two windows, as rows and columns of each."""
    top, left = max(one.y, two.y), max(one.x, two.x)
    bottom = min(one.y + one.h, two.y + two.h)
    right = min(one.x + one.w, two.x + two.w)

    def within(window: Window) -> Slices:
        return (
            slice(top - window.y, bottom - window.y),
            slice(left - window.x, right - window.x),
        )

    return within(one), within(two)
