"""What is claimed: a problem, and the data that its arms learn from.

Every problem cuts a simulated scene into blocks, half of them for learning and half for
testing. The oracle learns from true labels of the learning blocks, the naive arm the
same way from what the problem leaves it, and a method from that as well. All are scored
on the testing blocks, whose truth nobody has seen.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from overcast.geo.arrays import ImageArray, LabelArray
from overcast.geo.raster import UNKNOWN, Image, Labels
from overcast.geo.stack import Stack
from overcast.worlds.scene import Scene, Wanted

BLOCK = 64
"""Pixels along the side of a block."""


@dataclass(frozen=True)
class Arm:
    """A stack to learn from, and the images to map."""

    learn: Stack
    images: Mapping[str, Image]


@dataclass(frozen=True)
class Problem:
    """One claim's setting.

    Attributes
    ----------
    title
        What a table of it is called.
    wanted
        Parts of the world that it needs.
    naive, oracle
        Arms, from a scene and a seed.
    """

    title: str
    wanted: Wanted
    naive: Callable[[Scene, int], Arm]
    oracle: Callable[[Scene, int], Arm]


def blocks_of(scene: Scene, seed: int) -> NDArray[np.int64]:
    """Number of the block of every pixel ``[H, W]``: even ones learn, odd ones test.

    Blocks are numbered at random, the same for the same world, so that neither half
    follows the land.
    """
    h, w = scene.grid.shape
    rows, columns = -(-h // BLOCK), -(-w // BLOCK)
    numbers = np.random.default_rng(seed).permutation(rows * columns)
    numbers = numbers.reshape(rows, columns)
    return numbers.repeat(BLOCK, 0).repeat(BLOCK, 1)[:h, :w]


def scored(scene: Scene) -> NDArray[np.bool_]:
    """Pixels that are scored ``[H, W]``."""
    return blocks_of(scene, 0) % 2 == 1


def known(scene: Scene, where: NDArray[np.bool_], of: Labels) -> Labels:
    """Labels as they are `where`, unknown elsewhere."""
    values = np.where(where, of.values, np.uint8(UNKNOWN))
    return Labels(values=values, grid=scene.grid, legend=of.legend)


def _arm(scene: Scene, labels: Labels, *images: str) -> Arm:
    """Learn from `images` and map them; ``s2_cloudy`` takes the place of ``s2``."""
    named = {name.split("_")[0]: scene.images[name] for name in images}
    sources = {name: ImageArray(image) for name, image in named.items()}
    return Arm(Stack(grid=scene.grid, images=sources, labels=LabelArray(labels)), named)


def _true(scene: Scene) -> Labels:
    return known(scene, ~scored(scene), scene.truth)


def _kind(kind: str) -> Callable[[Scene, int], Arm]:
    """Labels of a kind for the whole area: one has them for the land to be mapped."""
    return lambda scene, seed: _arm(scene, scene.labels[kind], "s1", "s2")


def _fine(scene: Scene, seed: int) -> Arm:
    return _arm(scene, _true(scene), "s1", "s2")


def _few(share: int) -> Callable[[Scene, int], Arm]:
    """True labels of one learning block in `share`."""

    def arm(scene: Scene, seed: int) -> Arm:
        numbers = blocks_of(scene, 0)
        learning = np.unique(numbers[numbers % 2 == 0])
        count = max(1, len(learning) // share)
        kept = np.random.default_rng(seed + 1).choice(learning, count, replace=False)
        labels = known(scene, np.isin(numbers, kept), scene.truth)
        return _arm(scene, labels, "s1", "s2")

    return arm


PROBLEMS = {
    "coarse": Problem("500 m labels", Wanted(("modis",)), _kind("modis"), _fine),
    "corine": Problem("100 m labels", Wanted(("corine",)), _kind("corine"), _fine),
    "product": Problem(
        "a wrong 10 m product", Wanted(("worldcover",)), _kind("worldcover"), _fine
    ),
    "cloud": Problem(
        "60 % cloud",
        Wanted((), cloud=0.6),
        lambda scene, seed: _arm(scene, _true(scene), "s1", "s2_cloudy"),
        _fine,
    ),
    "few": Problem("labels of 1/16 of the scenes", Wanted(()), _few(16), _fine),
    "pseudo": Problem(
        "optical pseudo-labels on SAR",
        Wanted(("pseudo",)),
        lambda scene, seed: _arm(scene, scene.labels["pseudo"], "s1"),
        lambda scene, seed: _arm(scene, _true(scene), "s1"),
    ),
}
"""By the name that the command line takes."""
