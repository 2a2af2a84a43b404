"""A public dataset: named splits of patches, each of which opens as a `Stack`.

Opening a dataset lists files and opens none. A dataset module offers ``open(root) ->
Dataset`` and ``fake(root, seed=0)``, which writes a miniature of the real layout.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from typing import Generic, TypeVar

from odc.geo.geobox import GeoBox

from overcast.geo.coverage import common_grid
from overcast.geo.legend import Legend
from overcast.geo.stack import ImageSource, LabelSource, Stack

PART = "*"
"""Stands in a patch's `files` for the word that tells its parts apart."""

Opened = TypeVar("Opened", ImageSource, LabelSource)


@dataclass(frozen=True, slots=True)
class Part(Generic[Opened]):
    """One kind of file: the word in its path that tells it, and how it is opened."""

    word: str
    open: Callable[[Path], Opened]


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """The place of a dataset, and the parts of every patch.

    Attributes
    ----------
    root
        The folder that `Patch.files` starts from.
    images
        Name in the stack (``s1``, ``s2``) to files of that sensor.
    labels
        Name (``coarse``, ``fine``) to files of labels, all in the dataset's legend.
    targets
        Names of images that are learned from, and that mapping does without.
    """

    root: Path
    images: Mapping[str, Part[ImageSource]]
    labels: Mapping[str, Part[LabelSource]]
    targets: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Patch:
    """A place that a dataset has images and labels of; nothing is open yet.

    Attributes
    ----------
    name
        Unique in the dataset.
    scene
        What it was cut from; patches of one scene are neighbours, and may overlap.
    files
        Path below the root, with `PART` where its parts differ.
    """

    name: str
    scene: str
    files: str
    layout: Layout = field(repr=False)

    def path(self, word: str) -> Path:
        """File of one part, by the word of its `Part`."""
        return self.layout.root / self.files.replace(PART, word)

    def labels(self, name: str) -> LabelSource:
        """Open labels by name.

        Raises
        ------
        ValueError
            If the dataset has no such labels, or the file is not what it should be.
        """
        parts = self.layout.labels
        if name not in parts:
            known = ", ".join(parts) or "none"
            raise ValueError(f"{self.name}: no labels {name!r}; there are: {known}")
        return parts[name].open(self.path(parts[name].word))

    def stack(self, labels: str | None = None) -> Stack:
        """Open all images, and labels by name or none, on the first optical grid.

        Raises
        ------
        ValueError
            If the dataset has no such labels, or a file is missing, broken, elsewhere
            than the others, or not what it should be.
        """
        images = {
            name: part.open(self.path(part.word))
            for name, part in self.layout.images.items()
        }
        given = None if labels is None else self.labels(labels)
        grids = {f"{self.name}, {name}": i.grid for name, i in images.items()}
        if given is not None:
            grids[f"{self.name}, labels {labels}"] = given.grid
        optical = [i for i in images.values() if i.sensor.kind == "optical"]
        grid = (optical or list(images.values()))[0].grid
        _check_places(grid, grids)
        targets = self.layout.targets
        return Stack(grid=grid, images=images, labels=given, targets=targets)


def _check_places(grid: GeoBox, others: Mapping[str, GeoBox]) -> None:
    """Every file must lie on `grid`; files without a place must be its very size."""
    if grid.crs is not None and all(o.crs is not None for o in others.values()):
        for name, other in others.items():
            common_grid(grid, {name: other})
        return
    for name, other in others.items():
        if other != grid:
            raise ValueError(
                f"{name}: {_place(other)}, but the patch has {_place(grid)}; files "
                "without a place on the ground must be of one size: unpack all parts "
                "from one release"
            )


def _place(grid: GeoBox) -> str:
    h, w = grid.shape
    crs = "no coordinate reference system" if grid.crs is None else str(grid.crs)
    return f"{h} x {w} pixels, {crs}"


def left_out(where: str, lacking: Collection[str], parts: Iterable[str]) -> list[str]:
    """A note on the names that lack a part and are left out; none if there are none."""
    if not lacking:
        return []
    return [
        f"{where}: {len(lacking)} lack one of {', '.join(parts)} and are left out, such "
        f"as {min(lacking)}"
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """A public dataset in a folder.

    Attributes
    ----------
    name, licence, citation, url
        Whose work it is, and under which terms; as stated by its publisher.
    legend
        Classes of all its labels.
    splits
        Name to patches, in a fixed order. No scene is in two of them.
    notes
        What was noticed while listing, a sentence each.
    """

    name: str
    licence: str
    citation: str
    url: str
    legend: Legend
    splits: Mapping[str, Sequence[Patch]]
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        scenes = {name: {p.scene for p in self.splits[name]} for name in self.splits}
        for a, b in combinations(scenes, 2):
            if both := scenes[a] & scenes[b]:
                raise ValueError(
                    f"{self.name}: scene {min(both)} is in {a} and in {b}; splits must "
                    "not share scenes"
                )

    def split(self, name: str) -> Sequence[Patch]:
        """Patches of a split.

        Raises
        ------
        ValueError
            If there is no such split, or nothing of it was found.
        """
        if not (patches := self.splits.get(name)):
            sizes = ", ".join(f"{n} ({len(p)} patches)" for n, p in self.splits.items())
            raise ValueError(
                f"{self.name}: no patches of split {name!r}; found {sizes}"
            )
        return patches

    def stacks(self, name: str, labels: str | None = None) -> list[Stack]:
        """Open all patches of a split, with labels by name or none.

        Opening looks into every file: take `split` where there are many thousands.

        Raises
        ------
        ValueError
            If there is no such split or labels, or a file is not what it should be.
        """
        return [patch.stack(labels) for patch in self.split(name)]
