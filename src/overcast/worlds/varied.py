"""Scenes to learn a first encoder from: worlds of all seasons, airs and instruments.

A world is made when it is read, and nothing is stored. What differs from world to world,
all drawn from its number:

- season, evenly, and the region that `draw_region` draws;
- land, plain or with the traits of real land (`Nature.of("real")`), by turns;
- air: reflectance added, most in the blue, and light that it takes away;
- sharpness: a Gaussian of 0 to 1.8 pixels over the optical image;
- clouds over a part of every third world, which the image shows and no mask hides.

Numbers are 200 to 8999: those below are for measuring, those above are kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox
from scipy.ndimage import gaussian_filter

from overcast.geo.arrays import ImageArray, LabelArray
from overcast.geo.bands import SENTINEL_1, SENTINEL_2, Sensor
from overcast.geo.legend import Legend, load_legend
from overcast.geo.raster import Image, Labels
from overcast.geo.stack import Stack
from overcast.worlds.nature import Nature
from overcast.worlds.noise import stream
from overcast.worlds.region import SUN_ELEVATION
from overcast.worlds.scene import SceneSpec, WorldScene, simulate_world
from overcast.worlds.world import World, make_world

NUMBERS = range(200, 9000)
MOST = 400
"""Worlds that may be learned from together; they take some 2 GiB."""
SIDE = 256
_LEGEND = "simplified-igbp"
_SEASONS = tuple(SUN_ELEVATION)
_HAZE, _LIGHT, _BLUR_PX, _CLOUD = (0.0, 0.06), (0.75, 1.0), (0.0, 1.8), (0.1, 0.6)
_HELD = 4


def varied_stacks(count: int, seed: int, labels: bool = True) -> list[Stack]:
    """Stacks of ``s1`` and ``s2`` of so many worlds, with their true classes.

    Parameters
    ----------
    count
        Number of worlds, 1 to 400.
    seed
        Draws which ones.
    labels
        Whether stacks have labels.

    Raises
    ------
    ValueError
        If `count` is out of range.
    """
    if not 1 <= count <= MOST:
        raise ValueError(f"worlds is {count}; expected 1 to {MOST}")
    random = np.random.default_rng((seed, 17))
    return [
        _stack(int(number), labels)
        for number in random.choice(NUMBERS, count, replace=False)
    ]


def varied_world(number: int, size: int = SIDE) -> World:
    """World of a number, of the season that has its turn."""
    nature = Nature.of("real" if number // len(_SEASONS) % 2 else "plain")
    world = make_world(number, size, nature)
    season = _SEASONS[number % len(_SEASONS)]
    elevation = world.region.sun_elevation - SUN_ELEVATION[world.region.season]
    region = replace(
        world.region,
        season=season,
        sun_elevation=SUN_ELEVATION[season] + elevation,
    )
    return replace(world, region=region)


def varied_scene(number: int, size: int = SIDE) -> WorldScene:
    """Scene of such a world, with its weather over ``s2``."""
    random = stream(number, "weather")
    cover = float(random.uniform(*_CLOUD)) if number % 3 == 0 else None
    scene = simulate_world(varied_world(number, size), SceneSpec((), cloud=cover))
    image = scene.images["s2" if cover is None else "s2_cloudy"]
    return replace(
        scene, images={"s1": scene.images["s1"], "s2": weathered(image, random)}
    )


def weathered(image: Image, random: np.random.Generator) -> Image:
    """An optical image through air and an instrument that are drawn at random."""
    wavelengths = np.array([b.wavelength_nm for b in image.sensor.bands], float)
    haze, light = random.uniform(*_HAZE), random.uniform(*_LIGHT)
    air = haze * (wavelengths / wavelengths[0]) ** -random.uniform(0.5, 2.0)
    side = random.uniform(*_BLUR_PX)
    soft: NDArray[np.float32] = gaussian_filter(image.values, (0, side, side))
    values = (light * soft + air[:, None, None]).astype(np.float32)
    return Image.of(values, image.grid, image.sensor)


@lru_cache(maxsize=_HELD)
def _scene(number: int) -> WorldScene:
    return varied_scene(number)


@dataclass(frozen=True, slots=True)
class _WorldImage:
    """An image of a world as a source."""

    number: int
    name: str
    sensor: Sensor
    grid: GeoBox

    @property
    def blocks(self) -> tuple[int, int]:
        """All of it at once."""
        return SIDE, SIDE

    def read(self, grid: GeoBox) -> Image:
        """Values on `grid`."""
        return ImageArray(_scene(self.number).images[self.name]).read(grid)


@dataclass(frozen=True, slots=True)
class _WorldLabels:
    """True classes of a world as a source."""

    number: int
    legend: Legend
    grid: GeoBox

    @property
    def blocks(self) -> tuple[int, int]:
        """All of it at once."""
        return SIDE, SIDE

    def read(self, grid: GeoBox) -> Labels:
        """Classes on `grid`."""
        return LabelArray(_scene(self.number).truth).read(grid)


def _stack(number: int, labels: bool) -> Stack:
    grid = varied_world(number).grid
    sensors: Sequence[tuple[str, Sensor]] = (("s1", SENTINEL_1), ("s2", SENTINEL_2))
    images = {name: _WorldImage(number, name, sensor, grid) for name, sensor in sensors}
    known = _WorldLabels(number, load_legend(_LEGEND), grid) if labels else None
    return Stack(grid=grid, images=images, labels=known)
