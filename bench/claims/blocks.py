"""What a problem is, and the data that its arms learn from.

Every problem cuts a simulated scene into blocks, half of them for learning and half for
testing. The oracle learns from true labels of the learning blocks, the naive arm the
same way from what the problem leaves it, and a method from that as well. All are scored
on the testing blocks, whose truth nobody has seen but the ceiling: it learns the same way
from the true class of every pixel, testing blocks included. What it still gets wrong, the
images don't show, or the learner can't tell from them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from overcast.geo.arrays import ImageArray, LabelArray
from overcast.geo.raster import UNKNOWN, Image, Labels
from overcast.geo.stack import Stack
from overcast.worlds.scene import SceneSpec, WorldScene

Mask = NDArray[np.bool_]

BLOCK = 64
"""Pixels along the side of a block."""


@dataclass(frozen=True)
class Arm:
    """Stacks to learn from, and the images to map."""

    learn: tuple[Stack, ...]
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
    ceiling
        Arm that is told the true class of every pixel of the images at hand, testing
        blocks included; none where the oracle is the bound.
    prepare
        Adds to the scene of a world, by its number, what `wanted` can't say.
    given
        Arm of the methods, where they are given more than the naive one.
    methods
        Ways to learn that only this problem is measured with, by name.
    arms
        Data of those of the methods, by name, that learn from other than `given`.
    placed
        Those of them, by name, whose labels count as evidence of place.
    maps
        Maps that need no learning, by name: class indices ``[H, W]``, or `UNKNOWN`.
    groups
        Parts of the scored pixels that are scored on their own as well, by name.
    """

    title: str
    wanted: SceneSpec
    naive: Callable[[WorldScene, int], Arm]
    oracle: Callable[[WorldScene, int], Arm]
    ceiling: Callable[[WorldScene, int], Arm] | None = None
    prepare: Callable[[WorldScene, int], WorldScene] | None = None
    given: Callable[[WorldScene, int], Arm] | None = None
    methods: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    arms: Mapping[str, Callable[[WorldScene, int], Arm]] = field(default_factory=dict)
    placed: Set[str] = frozenset()
    maps: Mapping[str, Callable[[WorldScene], NDArray[np.uint8]]] = field(
        default_factory=dict
    )
    groups: Mapping[str, Callable[[WorldScene], Mask]] = field(default_factory=dict)


def blocks_of(scene: WorldScene, seed: int) -> NDArray[np.int64]:
    """Number of the block of every pixel ``[H, W]``: even ones learn, odd ones test.

    Blocks are numbered at random, the same for the same world, so that neither half
    follows the land.
    """
    h, w = scene.grid.shape
    rows, columns = -(-h // BLOCK), -(-w // BLOCK)
    numbers = np.random.default_rng(seed).permutation(rows * columns)
    numbers = numbers.reshape(rows, columns)
    return numbers.repeat(BLOCK, 0).repeat(BLOCK, 1)[:h, :w]


def scored(scene: WorldScene) -> NDArray[np.bool_]:
    """Pixels that are scored ``[H, W]``."""
    return blocks_of(scene, 0) % 2 == 1


def known(scene: WorldScene, where: NDArray[np.bool_], of: Labels) -> Labels:
    """Labels as they are `where`, unknown elsewhere."""
    values = np.where(where, of.values, np.uint8(UNKNOWN))
    return Labels(values=values, grid=scene.grid, legend=of.legend)


def arm_of(scene: WorldScene, labels: Labels, *images: str) -> Arm:
    """Learn from `images` and map them; ``s2_cloudy`` takes the place of ``s2``."""
    named = {name.split("_")[0]: scene.images[name] for name in images}
    sources = {name: ImageArray(image) for name, image in named.items()}
    stack = Stack(grid=scene.grid, images=sources, labels=LabelArray(labels))
    return Arm((stack,), named)


def fine(scene: WorldScene, seed: int) -> Arm:
    """The oracle of most problems: both sensors, true labels of the learning blocks."""
    return arm_of(scene, true_of(scene), "s1", "s2")


def whole(scene: WorldScene, seed: int) -> Arm:
    """The ceiling of most problems: both sensors, the true class of every pixel."""
    return arm_of(scene, scene.truth, "s1", "s2")


def true_of(scene: WorldScene) -> Labels:
    """True labels of the learning blocks."""
    return known(scene, ~scored(scene), scene.truth)
