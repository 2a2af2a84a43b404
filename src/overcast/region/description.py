"""The description of a region: what is mapped, from which files, in which tiles.

``region.yaml`` is a plan (`overcast.plan`) with keys more: those of `Cut`, such as
``tiles`` and ``outline``, and ``acquire`` for images of catalogues in the place of files.
Paths of images may be patterns: files that a pattern names are parts of one image, unless
all of them say when they were seen.
"""

from __future__ import annotations

import glob
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from overcast.acquire.place import is_named
from overcast.errors import reading
from overcast.geo.location import Location
from overcast.geo.times import seen_of
from overcast.limits import check_limits
from overcast.plan import Data, ImageInput, Plan, fingerprint, plan_of_tree, unsigned
from overcast.plan_images import LATER
from overcast.region.from_catalogues import Acquire, plain_acquire, tree_of_acquire
from overcast.region.strata import NONE, ZONES
from overcast.schema import from_tree
from overcast.strict_yaml import parse_yaml
from overcast.texts import read_text
from overcast.trees import to_tree

_CELL, _SMALLEST = 512, 32
_YAML = (".yaml", ".yml")
_OWN = tuple(
    ("tiles", "cell", "outline", "crs", "resolution", "strata", "strata_column")
)
_ACQUIRE = "acquire"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """Where a region lies, and how it is cut into tiles.

    Attributes
    ----------
    outline
        A vector file, WEST,SOUTH,EAST,NORTH in degrees, or a tile such as 32UPU: tiles
        that it touches are mapped. Without it, all that the leading image reaches are.
    tiles
        Pixels along the side of a tile.
    cell
        Pixels along the side of the windows that a tile is mapped by: a tile is a
        multiple of it. 0 is 512, or the largest half of it (256, 128, ...) that a tile
        is a multiple of.
    crs
        Projection in metres; auto is that of the images, where all have the same, else
        UTM, each zone by itself.
    resolution
        Metres of a pixel; that of the leading image, if it is not said.
    strata
        Where each class must be learned from: in each zone (``zones``), in each polygon
        of a vector file, or anywhere (``none``).
    strata_column
        Polygons with the same value there are one stratum.
    """

    outline: str | None = None
    tiles: int = 2048
    cell: int = 0
    crs: str = "auto"
    resolution: float | None = None
    strata: str = field(default=ZONES, metadata=LATER)
    strata_column: str | None = field(default=None, metadata=LATER)

    def __post_init__(self) -> None:
        """Check that tiles are whole numbers of cells, and strata have a file."""
        if self.strata_column is not None and self.strata in (ZONES, NONE):
            raise ValueError("strata_column: of which file? give strata: FILE as well")
        check_limits(self, tiles=(_SMALLEST, 65_536), cell=(0, 4096))
        check_limits(self, resolution=(0.05, 10_000))
        if self.tiles % (self.cell or _SMALLEST):
            raise ValueError(
                f"tiles is {self.tiles}; expected a multiple of "
                f"{f'cell, {self.cell}' if self.cell else _SMALLEST}"
            )

    @property
    def side(self) -> int:
        """Pixels along a cell."""
        if self.cell:
            return self.cell
        return next(_CELL >> n for n in range(5) if self.tiles % (_CELL >> n) == 0)

    @property
    def is_auto(self) -> bool:
        """Return whether the images say which projection is mapped."""
        return self.crs == "auto"


@dataclass(frozen=True, slots=True)
class Region:
    """A region to map: images, labels and method of a plan, and how it is cut.

    With `acquire`, images are those of catalogues, and the plan has none.
    """

    plan: Plan
    cut: Cut = Cut()
    acquire: Acquire | None = None

    def __post_init__(self) -> None:
        """Check that images come from one place, and that no tile moves its own."""
        if self.plan.data.register:
            raise ValueError(
                "data: register: true; each tile would move its images by itself, so "
                "move the files before, and leave register out"
            )
        if self.acquire is None:
            return
        if self.plan.data.images:
            raise ValueError("acquire and images: give one of them")
        if self.cut.outline is None:
            raise ValueError(
                "acquire: of which place? give outline, a vector file or "
                "WEST,SOUTH,EAST,NORTH in degrees"
            )

    @property
    def fingerprint(self) -> str:
        """Changes with all that decides what the map looks like, and how it is cut."""
        cut = {**to_tree(self.cut), "cell": self.cut.side}
        return fingerprint([self.plan.fingerprint, cut, *self._acquired])

    @property
    def ground(self) -> str:
        """Changes with what is learned from; not with tiles, nor with cells."""
        where = [self.cut.outline, self.cut.crs, self.cut.resolution]
        if self.cut.strata != ZONES:
            where += [self.cut.strata, self.cut.strata_column]
        return fingerprint([self.plan.fingerprint, where, *self._acquired])

    @property
    def _acquired(self) -> list[object]:
        return [] if self.acquire is None else [to_tree(self.acquire)]


def read_region(path: Path) -> Region:
    """Read ``region.yaml``; its relative paths are relative to its own folder.

    Raises
    ------
    ValueError
        If the file is not YAML, a key is unknown, missing or of the wrong type, or a
        pattern names no file.
    """
    if not path.is_file():
        raise ValueError(f"{path}: no such file; give a region.yaml or an outline")
    with reading(path, "give a region in YAML and UTF-8", "readable region"):
        text = read_text(path)
    tree = parse_yaml(text, str(path))
    if not isinstance(tree, Mapping):
        raise ValueError(f"{path}: expected keys and values, such as data and tiles")
    own = {key: value for key, value in tree.items() if key in _OWN}
    rest = {key: tree[key] for key in tree if key not in (*_OWN, _ACQUIRE)}
    cut = from_tree(Cut, own, str(path))
    if cut.outline is not None and not is_named(cut.outline):
        outline = Location.of(cut.outline, path.parent).text
        cut = replace(cut, outline=outline)
    if cut.strata not in (ZONES, NONE):
        cut = replace(cut, strata=Location.of(cut.strata, path.parent).text)
    acquire = None
    if _ACQUIRE in tree:
        acquire = _acquire(tree[_ACQUIRE], path)
        data = rest.get("data")
        rest["data"] = {"images": {}, **(data if isinstance(data, Mapping) else {})}
    plan = plan_of_tree(_expanded(rest, path), path)
    try:
        return Region(replace(plan, data=parts_of_one(plan.data)), cut, acquire)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def _acquire(tree: object, path: Path) -> Acquire:
    if not isinstance(tree, Mapping):
        raise ValueError(f"{path}: acquire: expected keys and values, such as year")
    return from_tree(Acquire, plain_acquire(tree, path.parent), f"{path}: acquire")


def tree_of(region: Region) -> dict[str, Any]:
    """Plain values of a region, as ``region.yaml`` has them."""
    cut = {**to_tree(region.cut), "cell": region.cut.side}
    said = {name: value for name, value in cut.items() if value is not None}
    if region.acquire is not None:
        said["acquire"] = tree_of_acquire(region.acquire)
    return {**said, **to_tree(unsigned(region.plan))}


def is_region_file(path: Path) -> bool:
    """Return whether a file describes a region, rather than its outline."""
    return path.suffix.lower() in _YAML


def parts_of_one(data: Data) -> Data:
    """The same data; files of an image that say no day are parts of one image."""
    images = {name: _as_parts(image) for name, image in data.images.items()}
    return replace(data, images=images)


def _as_parts(image: ImageInput) -> ImageInput:
    several = image.observations
    if image.mosaic or len(several) < 2 or any(one.day for one in several):
        return image
    if any(seen_of(Location.of(one.path)).day for one in several):
        return image
    return replace(image, mosaic=True)


def _expanded(tree: Mapping[str, object], path: Path) -> dict[str, object]:
    """A plan's tree with files in the place of patterns.

    Raises
    ------
    ValueError
        If a pattern names no file.
    """
    data = tree.get("data")
    if not isinstance(data, Mapping) or not isinstance(data.get("images"), Mapping):
        return dict(tree)
    images = {
        name: _files_of(image, path) if isinstance(image, Mapping) else image
        for name, image in data["images"].items()
    }
    return {**tree, "data": {**data, "images": images}}


def _files_of(image: Mapping[str, object], path: Path) -> dict[str, object]:
    pattern = image.get("path")
    if not isinstance(pattern, str) or not glob.has_magic(pattern):
        return dict(image)
    files = matching(pattern, path)
    rest = {key: value for key, value in image.items() if key not in ("path", "mask")}
    mask = image.get("mask")
    if not isinstance(mask, Mapping):
        masks: Sequence[dict[str, object] | None] = [None] * len(files)
    else:
        masks = _masks_of(mask, files, path)
    dates = [
        {"path": file} if one is None else {"path": file, "mask": one}
        for file, one in zip(files, masks, strict=True)
    ]
    return {**rest, "dates": dates}


def matching(pattern: str, path: Path) -> list[str]:
    """Files that a pattern of a region's file names, in order of their names."""
    files = sorted(glob.glob(os.path.join(path.parent, pattern), recursive=True))
    if not files:
        raise ValueError(f"{path}: no file is called {pattern}; correct the pattern")
    return [os.path.abspath(file) for file in files]


def _masks_of(
    mask: Mapping[str, object], files: list[str], path: Path
) -> Sequence[dict[str, object]]:
    """The mask of every file, which lies in the same folder."""
    pattern = mask.get("path")
    if not isinstance(pattern, str) or not glob.has_magic(pattern):
        return [dict(mask) for _ in files]
    by_folder = {os.path.dirname(one): one for one in matching(pattern, path)}
    lost = [file for file in files if os.path.dirname(file) not in by_folder]
    if lost:
        raise ValueError(
            f"{path}: {lost[0]} has no mask in its folder that is called {pattern}; put "
            "each mask beside its image"
        )
    return [{**mask, "path": by_folder[os.path.dirname(file)]} for file in files]
