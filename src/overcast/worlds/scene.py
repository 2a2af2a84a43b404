"""A simulated scene, all of it at once or window by window.

Windows are made by processes beside each other and put together in the order in which
they lie, so neither their number nor their speed changes a byte.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox

from overcast.geo.bands import SENTINEL_1, SENTINEL_2
from overcast.geo.legend import Legend, load_legend
from overcast.geo.raster import UNKNOWN, Image, Labels
from overcast.geo.tiling import Window
from overcast.progress import Progress, quiet
from overcast.worlds import cells as coarse
from overcast.worlds import labels
from overcast.worlds.clouds import Clouds, draw_clouds, see_cloudy
from overcast.worlds.days import days_of
from overcast.worlds.nature import PLAIN, Nature
from overcast.worlds.noise import stream
from overcast.worlds.optical import SCALE, see_optical
from overcast.worlds.parallel import map_ordered
from overcast.worlds.pseudo import pseudo_labels
from overcast.worlds.radar import see_radar
from overcast.worlds.world import World, WorldView, make_world

_SCL = np.array([5, 10, 9, 3], np.uint8)
"""Scene class of the Sentinel-2 product for every class of the mask of clouds: not
vegetated (for all clear land), thin cirrus, cloud of high probability, cloud shadow."""
SIDE = 256
"""Pixels along the side of a window."""
_CLASSES = 10

FINE_LABELS: dict[str, Callable[[WorldView], NDArray[np.uint8]]] = {
    "worldcover": labels.worldcover_like,
    "points": labels.sparse_points,
    "polygons": labels.sparse_polygons,
    "outdated": labels.out_of_date,
    "pseudo": pseudo_labels,
}
"""Labels on the grid of the scene, by name."""
COARSE_LABELS = {
    "modis": (coarse.SINUSOIDAL, coarse.MODIS_M, coarse.modis_classes),
    "corine": (coarse.LAEA, coarse.CORINE_M, coarse.corine_classes),
}
"""Labels on cells of their own: projection, side in metres, what counts become."""
KINDS = (*COARSE_LABELS, *FINE_LABELS)


@dataclass(frozen=True, slots=True)
class SceneSpec:
    """The parts of a world to make, besides truth, ``s1`` and ``s2``.

    Attributes
    ----------
    labels
        Names out of `KINDS`.
    cloud
        Share of the scene under cloud in ``s2_cloudy``, or none.
    nature
        Traits of the land.
    dates
        Number of days on which the land is seen, instead of once; ``cloud`` is then the
        share under cloud on each, and images are ``s2_2024-05-03``,
        ``s2_2024-05-03_scl`` (scene classes) and ``s1_2024-05-03_asc``.
    """

    labels: tuple[str, ...] = ("modis",)
    cloud: float | None = None
    nature: Nature = PLAIN
    dates: int = 1

    def __post_init__(self) -> None:
        if self.dates < 1:
            raise ValueError(f"dates is {self.dates}, expected 1 or more")
        for kind in self.labels:
            if kind not in KINDS:
                raise ValueError(f"labels {kind!r} are none of {', '.join(KINDS)}")


@dataclass(frozen=True)
class WorldScene:
    """Everything about one simulated place.

    Attributes
    ----------
    grid
        UTM, 10 m.
    truth
        True class of every pixel.
    images
        ``s1`` (VV, VH in dB), ``s2`` (ten bands, reflectance), and ``s2_cloudy``.
    labels
        Imperfect classes by kind, on grids of their own.
    clouds
        Mask of clouds uint8 ``[H, W]``, or none.
    scene_classes
        Scene classes uint8 ``[H, W]`` of every date, where there are dates and clouds.
    """

    grid: GeoBox
    truth: Labels
    images: Mapping[str, Image]
    labels: Mapping[str, Labels]
    clouds: NDArray[np.uint8] | None = None
    scene_classes: Mapping[str, NDArray[np.uint8]] = field(default_factory=dict)

    @property
    def coarse(self) -> Labels:
        """Classes of 500 m cells."""
        return self.labels["modis"]


@dataclass(frozen=True)
class WindowRenderer:
    """Makes the parts of a window: a pure function of a world and what is wanted."""

    world: World
    wanted: SceneSpec
    cells: Mapping[str, coarse.LabelGridCells]
    clouds: Clouds | None
    days: tuple[World, ...] = ()

    @classmethod
    def of(cls, world: World, wanted: SceneSpec) -> WindowRenderer:
        """Draw what all windows share."""
        cells = {
            kind: coarse.LabelGridCells.covering(world.grid, crs, side_m)
            for kind, (crs, side_m, _) in COARSE_LABELS.items()
            if kind in wanted.labels
        }
        if wanted.dates > 1:
            days = days_of(world.seed, wanted.dates)
            dated = tuple(world.on(day, days) for day in days)
            return cls(world, wanted, cells, None, dated)
        none = wanted.cloud is None
        clouds = None if none else draw_clouds(world, wanted.cloud or 0.0)
        return cls(world, wanted, cells, clouds)

    def __call__(self, window: Window) -> dict[str, Any]:
        """Arrays by name; counts of classes alone if the window is outside."""
        view = WorldView.of(self.world, window)
        rows, columns = (
            range(start, start + count)
            for start, count in ((window.y, window.h), (window.x, window.w))
        )
        truth = view.land.truth[view.inner]
        made: dict[str, Any] = {
            kind: coarse.count_classes(truth, cells.of(rows, columns))
            for kind, cells in self.cells.items()
        }
        if not self.inside(window):
            return made
        made["truth"] = truth
        if self.days:
            for world in self.days:
                made |= self._on_day(view.in_world(world))
        else:
            made |= {"s1": see_radar(view), "s2": see_optical(view)}
        for kind in self.wanted.labels:
            if kind in FINE_LABELS:
                made[kind] = FINE_LABELS[kind](view)
        if self.clouds is not None:
            seen = see_cloudy(view, self.clouds, made["s2"])
            made["s2_cloudy"], made["clouds"] = seen
        return made

    def _on_day(self, view: WorldView) -> dict[str, Any]:
        """Both images of a day, and the scene classes where there are clouds."""
        day = view.world.day
        assert day is not None
        clear = see_optical(view)
        made = {f"s1_{day.date}_asc": see_radar(view), f"s2_{day.date}": clear}
        if self.wanted.cloud is not None:
            clouds = draw_clouds(view.world, self.wanted.cloud, day.number)
            cloudy, mask = see_cloudy(view, clouds, clear)
            made |= {f"s2_{day.date}": cloudy, f"s2_{day.date}_scl": _SCL[mask]}
        return made

    def inside(self, window: Window) -> bool:
        """Return whether the window lies in the scene; none lies across its border."""
        return 0 <= window.y < self.world.size and 0 <= window.x < self.world.size

    def windows(self) -> Sequence[Window]:
        """Windows that cover the scene, and around it those that cells reach into."""
        size = self.world.size
        inner = [(at, min(SIDE, size - at)) for at in range(0, size, SIDE)]
        if not self.cells:
            return [Window(y, x, h, w) for y, h in inner for x, w in inner]
        reach = coarse.REACH_PX
        spans = [(-reach, reach), *inner, (size, reach)]
        return [Window(y, x, h, w) for y, h in spans for x, w in spans]


class Counts:
    """Classes counted per cell, as windows bring them."""

    def __init__(self, maker: WindowRenderer) -> None:
        self.maker = maker
        self.counts = {
            kind: np.zeros(cells.grid.shape[0] * cells.grid.shape[1] * _CLASSES, int)
            for kind, cells in maker.cells.items()
        }

    def add(self, made: Mapping[str, Any]) -> None:
        """Count one window."""
        for kind, count in self.counts.items():
            pairs, often = made[kind]
            count[pairs] += often

    def labels(self, legend: Legend) -> dict[str, Labels]:
        """Coarse labels, once every window has been counted."""
        arrays = {}
        for kind, count in self.counts.items():
            grid = self.maker.cells[kind].grid
            rng = stream(self.maker.world.seed, f"labels-{kind}")
            shares = coarse.shares_of(count.reshape(*grid.shape, _CLASSES))
            classes = COARSE_LABELS[kind][2](rng, shares)
            arrays[kind] = Labels(values=classes, grid=grid, legend=legend)
        return arrays


def make_windows(
    maker: WindowRenderer, processes: int, progress: Progress
) -> Iterator[tuple[Window, dict[str, Any]]]:
    """Every window and its parts, in the order of `WindowRenderer.windows`."""
    windows = maker.windows()
    for done, made in enumerate(map_ordered(maker, windows, processes), 1):
        progress("simulate", done, len(windows))
        yield windows[done - 1], made


def simulate(
    seed: int,
    size: int = 512,
    progress: Progress = quiet,
    wanted: SceneSpec | None = None,
) -> WorldScene:
    """Scene of `size` by `size` pixels of 10 m, a pure function of its arguments.

    Holds all of it in memory; `overcast.worlds.files.write_world` doesn't.

    Raises
    ------
    ValueError
        If `size` is below 64 or `seed` is negative.
    """
    wanted = wanted or SceneSpec()
    return simulate_world(make_world(seed, size, wanted.nature), wanted, progress)


def simulate_world(
    world: World, wanted: SceneSpec, progress: Progress = quiet
) -> WorldScene:
    """Scene of a world that was drawn before; its own nature counts, not `wanted`'s."""
    maker, size = WindowRenderer.of(world, wanted), world.size
    counts, whole = Counts(maker), dict[str, NDArray[Any]]()
    for window, made in make_windows(maker, 1, progress):
        counts.add(made)
        if not maker.inside(window):
            continue
        for name in sorted(made.keys() - maker.cells.keys()):
            part = made[name]
            if name not in whole:
                whole[name] = np.empty((*part.shape[:-2], size, size), part.dtype)
            whole[name][..., *window.slices] = part
    return _scene(world, whole, counts.labels(load_legend("simplified-igbp")))


def _scene(
    world: World, whole: dict[str, NDArray[Any]], labels: dict[str, Labels]
) -> WorldScene:
    legend, grid = load_legend("simplified-igbp"), world.grid
    images = {
        name: _image(name, values, grid)
        for name, values in whole.items()
        if name.startswith(("s1", "s2")) and not name.endswith("_scl")
    }
    scene_classes = {n: v for n, v in whole.items() if n.endswith("_scl")}
    fine = {
        kind: Labels(values=whole[kind], grid=grid, legend=legend)
        for kind in FINE_LABELS
        if kind in whole
    }
    truth = Labels(values=whole["truth"], grid=grid, legend=legend)
    assert (truth.values != UNKNOWN).all()
    clouds = whole.get("clouds")
    return WorldScene(grid, truth, images, labels | fine, clouds, scene_classes)


def _image(name: str, values: NDArray[Any], grid: GeoBox) -> Image:
    if name.startswith("s1"):
        return Image.of(values, grid, SENTINEL_1)
    values = values.astype(np.float32) * np.float32(1 / SCALE)
    return Image.of(values, grid, SENTINEL_2)
