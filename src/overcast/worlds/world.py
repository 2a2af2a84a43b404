"""A world: everything that is drawn once, from which any window can be made."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from affine import Affine
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox

from overcast.geo.tiling import Window
from overcast.worlds.days import Day, key_on, region_on, spectra_on
from overcast.worlds.land import Land, build_land
from overcast.worlds.nature import PLAIN, Nature
from overcast.worlds.noise import Floats, Places, centres_of, key_of, stream
from overcast.worlds.region import WorldRegion, draw_region
from overcast.worlds.spectra import draw_spectra
from overcast.worlds.terrain import Terrain, shape_terrain

MARGIN = 12
"""Pixels around a window on which its land is built: as far as anything reaches."""
_SMALLEST = 64
_LARGEST = 100_000
_CRS = "EPSG:32632"
_PIXEL_M = 10


@dataclass(frozen=True)
class World:
    """A scene of `size` by `size` pixels of 10 m, made window by window.

    All that follows from it is a pure function of `seed`, `size` and `nature`.
    """

    seed: int
    size: int
    region: WorldRegion
    terrain: Terrain
    nature: Nature = PLAIN
    days: tuple[Day, ...] = ()
    day: Day | None = None

    @cached_property
    def spectra(self) -> Floats:
        """Mean vectors of patches, one row per code of the land."""
        if self.day is None:
            return draw_spectra(self.seed, self.region)
        return spectra_on(self.day, self.days, self.seed, self.region)

    @cached_property
    def sky(self) -> WorldRegion:
        """The region with the light, air and wind of the day, if there is one."""
        if self.day is None:
            return self.region
        return region_on(self.day, self.seed, self.region)

    def on(self, day: Day, days: tuple[Day, ...]) -> World:
        """Return the same land as it is on one of `days`."""
        return replace(self, day=day, days=days)

    @property
    def grid(self) -> GeoBox:
        """UTM, somewhere in zone 32, with its corner on whole pixels."""
        rng = stream(self.seed, "place")
        east = int(rng.integers(32_000, 66_000)) * _PIXEL_M
        north = int(rng.integers(490_000, 560_000)) * _PIXEL_M
        transform = Affine(_PIXEL_M, 0, east, 0, -_PIXEL_M, north)
        return GeoBox((self.size, self.size), transform, _CRS)


def make_world(seed: int, size: int, nature: Nature = PLAIN) -> World:
    """Draw a world; its windows are made by `see`.

    Raises
    ------
    ValueError
        If `size` is below 64 or above 100,000, or `seed` is negative.
    """
    if size < _SMALLEST:
        raise ValueError(f"size is {size}, expected at least {_SMALLEST} pixels")
    if size > _LARGEST:
        raise ValueError(f"size is {size}, expected at most {_LARGEST} pixels")
    if seed < 0:
        raise ValueError(f"seed is {seed}, expected 0 or more")
    region = nature.shape(seed, draw_region(seed))
    return World(seed, size, region, shape_terrain(seed, size, region), nature)


@dataclass(frozen=True)
class WorldView:
    """A window of a world, and the land of it and `MARGIN` pixels around.

    `rows` and `columns` are those of the land; their number is even, and 20 m bands
    start on even pixels.
    """

    world: World
    window: Window
    rows: range
    columns: range

    @classmethod
    def of(cls, world: World, window: Window) -> WorldView:
        """View of a window that starts on an even pixel; it may leave the scene."""
        y, x, h, w = window
        bottom, right = y + h + h % 2, x + w + w % 2
        rows = range(y - MARGIN, bottom + MARGIN)
        return cls(world, window, rows, range(x - MARGIN, right + MARGIN))

    @cached_property
    def land(self) -> Land:
        """Land as it is."""
        return self.land_of(0)

    def land_of(self, years_ago: float) -> Land:
        """Land as it was."""
        world = self.world
        place = world.terrain, self.rows, self.columns
        return build_land(world.seed, *place, years_ago, world.nature)

    @property
    def inner(self) -> tuple[slice, slice]:
        """The window's own pixels, in arrays over `rows` and `columns`."""
        _, _, h, w = self.window
        return slice(MARGIN, MARGIN + h), slice(MARGIN, MARGIN + w)

    def in_world(self, world: World) -> WorldView:
        """Return the same window of the same land on another day."""
        view = replace(self, world=world)
        view.__dict__["land"] = self.land  # built once for all days
        return view

    def key(self, part: str) -> int:
        """Key of one part of the world."""
        return key_of(self.world.seed, part)

    def day_key(self, part: str) -> int:
        """Key of a part that differs from day to day."""
        return key_on(self.world.day, self.world.seed, part)

    @property
    def whole(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Whole numbers of rows and columns, int64."""
        return np.array(self.rows), np.array(self.columns)

    @property
    def centres(self) -> tuple[Places, Places]:
        """Centres of rows and columns, float64."""
        return centres_of(self.rows), centres_of(self.columns)
