"""The ground of a region: its zones, the stack of each, and the tiles that cover them.

A zone is one projection with its lattice. A region whose images have one projection is
one zone. Otherwise its zones are those of UTM, and a pixel belongs to the zone in which
its centre lies: tiles of two zones overlap, and their pixels do not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from affine import Affine
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox
from odc.geo.geom import Geometry

from overcast.acquire.origins import origins_of
from overcast.acquire.place import outline_of
from overcast.acquire.squares import Squares
from overcast.geo.lattice import Lattice
from overcast.geo.location import Location
from overcast.geo.near import members_of
from overcast.geo.place import refuse_crs
from overcast.geo.series import Moments
from overcast.geo.stack import ImageSource, Stack
from overcast.geo.tiling import Window
from overcast.geo.warp import aligned
from overcast.input_images import Opened, open_images
from overcast.methods.sampling import WINDOW
from overcast.plan import Data
from overcast.region.description import Cut, Region
from overcast.region.from_catalogues import credits_of, images_of, search_of
from overcast.region.zones import Strip, zones_of
from overcast.sources import LabelSources, open_sources

_UNIT = Affine.identity()
_POINTS = 9
"""Along each side of a tile whose outline is drawn in degrees."""


@dataclass(frozen=True, slots=True)
class Tile:
    """A tile of a zone.

    Attributes
    ----------
    name
        Its folder: code of the projection, row and column.
    window
        Its pixels on the lattice of its zone.
    """

    name: str
    window: Window


@dataclass(frozen=True, slots=True)
class Zone:
    """One projection of a region.

    Attributes
    ----------
    code
        ``32632``, or another short name of the projection.
    lattice
        Its pixels.
    stack
        Images and labels on the grid around the outline, which tiles don't change.
    outline
        What is mapped, in the zone's projection.
    tiles
        Those that are mapped, by row and column.
    strip
        West, south, east and north in degrees of the pixels that are this zone's; none
        where there is one zone.
    reach
        What the leading image covers, where it lies on the very pixels of the lattice:
        nothing is read beyond.
    """

    code: str
    lattice: Lattice
    stack: Stack = field(repr=False)
    outline: Any = field(repr=False)
    tiles: tuple[Tile, ...]
    strip: Strip | None = None
    reach: Window | None = None


@dataclass(frozen=True, slots=True)
class Ground:
    """Zones of a region, what was noticed of its files, and their names."""

    zones: tuple[Zone, ...]
    notes: tuple[str, ...]
    files: tuple[str, ...]
    accuracies: tuple[str | None, ...] = ()

    @property
    def tiles(self) -> int:
        """How many tiles there are."""
        return sum(len(zone.tiles) for zone in self.zones)


@dataclass(frozen=True, slots=True)
class _Seen:
    """What images see: its reach in degrees, its grids, and a stack's part of it."""

    reach: Any
    grids: Sequence[GeoBox]
    on: Callable[[Lattice, GeoBox], tuple[Mapping[str, ImageSource], Moments]]
    within: Callable[[Lattice], Window | None]
    targets: frozenset[str] = frozenset()
    notes: tuple[str, ...] = ()
    files: tuple[str, ...] = ()


def open_ground(region: Region, surveys: Path | None = None) -> Ground:
    """Open every file of a region, and cut its ground into tiles.

    `surveys` is the folder that keeps what is read of catalogues; a region of files
    needs none.

    Raises
    ------
    ValueError
        If a file is refused, its outline lies elsewhere, or nothing is to be mapped.
    """
    data, cut = region.plan.data, region.cut
    if data.grid is not None:
        raise ValueError("--grid: a region has a lattice of its own; leave it out")
    seen = _in_files(data) if region.acquire is None else _acquired(region, surveys)
    outline = seen.reach
    if region.acquire is None and cut.outline is not None:
        outline = outline_of(cut.outline).intersection(seen.reach)
        if outline.is_empty:
            raise ValueError(
                f"{cut.outline}: no image reaches it; give images of that place"
            )
    made = [
        one
        for lattice, strip in _lattices(cut, seen.grids, outline)
        if (one := _zone(region, seen, outline, (lattice, strip))) is not None
    ]
    if not made:
        raise ValueError("the region has no tile; check its outline and its images")
    labels = [one for _, one in made if one is not None]
    named = [Location.of(entry.path).local for entry in data.every_labels]
    credits = origins_of(path for path in named if path is not None).credits
    notes = [*seen.notes, *credits, *(note for one in labels for note in one.notes)]
    return Ground(
        tuple(zone for zone, _ in made),
        tuple(dict.fromkeys(notes)),
        (*seen.files, *(entry.path for entry in data.every_labels)),
        labels[-1].accuracies if labels else (),
    )


def _zone(
    region: Region, seen: _Seen, outline: Any, place: tuple[Lattice, Strip | None]
) -> tuple[Zone, LabelSources | None] | None:
    """The part of a region in one projection, and its labels; None if there is none."""
    lattice, strip = place
    own = outline if strip is None else outline.intersection(shapely.box(*strip))
    if own.is_empty:
        return None
    shape = _projected(own, lattice)
    tiles = _tiles(lattice, shape, region.cut.tiles)
    grid = lattice.grid(_snapped(lattice.around(shape.bounds), WINDOW))
    labels = open_sources(region.plan.data, grid)
    images, moments = seen.on(lattice, grid)
    stack = Stack(grid=grid, images=images, targets=seen.targets, moments=moments)
    if labels is not None:
        stack = replace(stack, labels=labels.first, others=labels.others)
    reach = seen.within(lattice)
    zone = Zone(_code(lattice), lattice, stack, shape, tiles, strip, reach)
    return zone, labels


def _in_files(data: Data) -> _Seen:
    """What the files of a plan see."""
    opened = open_images(data)
    leading = _leading(opened)
    return _Seen(
        shapely.union_all([_footprint(one.grid) for one in leading]),
        [one.grid for one in leading],
        lambda *_: (dict(opened.sources), opened.moments),
        lambda lattice: _reach(lattice, leading),
        opened.targets,
        opened.notes,
        opened.files,
    )


def _acquired(region: Region, surveys: Path | None) -> _Seen:
    """What catalogues are asked for: all of the outline."""
    assert region.acquire is not None
    assert region.cut.outline is not None
    if surveys is None:
        raise ValueError("acquire: a folder is needed that keeps what is read")
    folder, side = surveys.absolute(), region.acquire.square
    outline = outline_of(region.cut.outline)
    search = search_of(region.acquire, south=outline.centroid.y < 0)
    return _Seen(
        outline,
        (),
        lambda lattice, grid: images_of(
            Squares(lattice, _code(lattice), search, folder, side), grid
        ),
        lambda _: None,
        notes=tuple(credits_of(search)),
    )


def outside(tile: Tile, zone: Zone) -> NDArray[np.bool_] | None:
    """Pixels ``[H, W]`` of a tile that are another zone's; None if there are none."""
    if zone.strip is None:
        return None
    from pyproj import Transformer

    grid = zone.lattice.grid(tile.window)
    west, south, east, north = zone.strip
    box = _footprint(grid)
    if box.within(shapely.box(west, south, east, north).buffer(-1e-3)):
        return None
    h, w = (int(n) for n in grid.shape)
    place: Any = grid.affine
    x, y = place @ np.meshgrid(np.arange(w) + 0.5, np.arange(h) + 0.5)
    move = Transformer.from_crs(str(grid.crs), "EPSG:4326", always_xy=True)
    longitude, latitude = move.transform(x, y)
    inside = (longitude >= west) & (longitude < east)
    inside &= (latitude >= south) & (latitude < north)
    return None if inside.all() else np.asarray(~inside)


def _leading(opened: Opened) -> list[Any]:
    """Files of the image whose reach is mapped."""
    name = next(n for n, extent in opened.extents.items() if extent == opened.first)
    own = [
        source
        for key, source in opened.sources.items()
        if key == name or (key in opened.moments and opened.moments[key].series == name)
    ]
    return [one for source in own for one in members_of(source)]


def _lattices(
    cut: Cut, grids: Sequence[GeoBox], outline: Any
) -> list[tuple[Lattice, Strip | None]]:
    """The lattice of every zone, and the part of the Earth that is its own."""
    own = {str(grid.crs) for grid in grids}
    alike = {Lattice.along(g) for g in grids} if _in_metres(grids) else set()
    if cut.is_auto and len(alike) == 1 and len(own) == 1:
        (one,) = alike
        return [(_at(one, cut.resolution), None)]
    if not cut.is_auto and cut.crs.lower() != "utm":
        refuse_crs(Location.of("crs"), cut.crs)
        return [(_for(cut.crs, cut, alike), None)]
    return [(_for(crs, cut, alike), strip) for crs, strip in zones_of(outline)]


def _in_metres(grids: Sequence[GeoBox]) -> bool:
    return all(grid.crs is not None and grid.crs.projected for grid in grids)


def _for(crs: str, cut: Cut, alike: set[Lattice]) -> Lattice:
    """The lattice of the images in a projection, if they have one; else a plain one."""
    same = [one for one in alike if GeoBox((1, 1), _UNIT, one.crs).crs == crs]
    if same:
        first = min(same, key=lambda one: (one.resolution, one.left, one.top))
        return _at(first, cut.resolution)
    sides = sorted(one.resolution for one in alike)
    return Lattice(crs, cut.resolution or (sides[0] if sides else 10.0))


def _at(lattice: Lattice, resolution: float | None) -> Lattice:
    if resolution is None or resolution == lattice.resolution:
        return lattice
    return Lattice(lattice.crs, resolution)


def _reach(lattice: Lattice, leading: Sequence[Any]) -> Window | None:
    """The window of all files, if each lies on the pixels of a lattice."""
    origin = lattice.grid(Window(0, 0, 1, 1))
    windows = []
    for one in leading:
        if (offset := aligned(origin, one.grid)) is None:
            return None
        h, w = one.grid.shape
        windows.append(Window(*offset, int(h), int(w)))
    return _around(windows)


def _code(lattice: Lattice) -> str:
    from pyproj import CRS

    code = CRS.from_user_input(lattice.crs).to_epsg()
    return str(code) if code else "own"


def _projected(outline: Any, lattice: Lattice) -> Any:
    """An outline in degrees in the projection of a lattice."""
    dense = shapely.segmentize(outline, 0.05)
    return Geometry(dense, "EPSG:4326").to_crs(lattice.crs).geom


def _snapped(window: Window, side: int) -> Window:
    """The smallest window of whole squares of `side` pixels that holds a window."""
    top, left = window.y // side * side, window.x // side * side
    bottom, right = (
        -(-(start + length) // side) * side
        for start, length in ((window.y, window.h), (window.x, window.w))
    )
    return Window(top, left, bottom - top, right - left)


def _tiles(lattice: Lattice, outline: Any, side: int) -> tuple[Tile, ...]:
    """Tiles that an outline in the projection of the lattice touches."""
    window = _snapped(lattice.around(outline.bounds), side)
    shapely.prepare(outline)
    code, size = _code(lattice), side * lattice.resolution
    tiles = []
    for y in range(window.y, window.y + window.h, side):
        for x in range(window.x, window.x + window.w, side):
            left = lattice.left + x * lattice.resolution
            top = lattice.top - y * lattice.resolution
            square = shapely.box(left, top - size, left + size, top)
            if outline.intersects(square) and outline.intersection(square).area > 0:
                name = f"{code}_{y // side:04d}_{x // side:04d}"
                tiles.append(Tile(name, Window(y, x, side, side)))
    return tuple(tiles)


def _around(windows: Sequence[Window]) -> Window:
    """The smallest window that holds some."""
    top, left = min(w.y for w in windows), min(w.x for w in windows)
    bottom = max(w.y + w.h for w in windows)
    right = max(w.x + w.w for w in windows)
    return Window(top, left, bottom - top, right - left)


def _footprint(grid: GeoBox) -> Any:
    return grid.footprint("EPSG:4326", npoints=_POINTS).geom
