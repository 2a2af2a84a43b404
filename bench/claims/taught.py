"""What a method makes of an arm's own labels, for other methods to learn from."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from bench.claims.blocks import Arm
from bench.claims.scoring import TRUSTED
from numpy.typing import NDArray

from overcast.geo.arrays import ImageArray, LabelArray
from overcast.geo.probabilities import probability_sensor
from overcast.geo.raster import UNKNOWN, Image, Labels
from overcast.geo.stack import Stack
from overcast.geo.tiling import Window
from overcast.geo.warp import pixel_of
from overcast.plan import choose
from overcast.progress import quiet
from overcast.worlds.scene import WorldScene

Floats = NDArray[np.float64]

_ROUNDS = 3
_RIGHT = 0.5
"""Share of a label's area that is taken to be of its class before any is looked at."""
_LABELS_ONLY = "Savanna"
"""A class that exists at 500 m and not at 10 m."""


def probabilities_of(
    scene: WorldScene, arm: Arm, method: Mapping[str, Any], seed: int
) -> Image:
    """Class probabilities that a method gives the scene it learned from."""
    names = scene.truth.legend.names
    made = choose("methods", method)
    images = {name: ImageArray(image) for name, image in arm.images.items()}
    stack = Stack(grid=scene.grid, images=images)
    with tempfile.TemporaryDirectory() as folder:
        made.fit(arm.learn, Path(folder), seed, quiet)
        predictor = made.load(Path(folder), scene.truth.legend, stack.sensors)
        found = predictor.predict(stack.read(Window(0, 0, *stack.shape)))
    return Image.of(found, scene.grid, probability_sensor(names))


def completed(
    made: Callable[[WorldScene, int], Arm],
) -> Callable[[WorldScene, int], Arm]:
    """Labels of an arm that are right, and what `weak` makes of them elsewhere."""

    def arm(scene: WorldScene, seed: int) -> Arm:
        full = made(scene, seed)
        (stack,) = full.learn
        told = probabilities_of(scene, full, TRUSTED, seed).values.argmax(0)
        given = _given(scene, stack)
        values = np.where(given == UNKNOWN, told, given).astype(np.uint8)
        return replace(full, learn=(_with_labels(scene, stack, values),))

    return arm


def relabelled(
    naive: Callable[[WorldScene, int], Arm],
) -> Callable[[WorldScene, int], Arm]:
    """Labels by expectation and maximisation: a forest, and what every cell holds.

    A pixel's class is likely as the forest says times the share of that class in the
    pixel's cell; cells hold what their pixels are, and, half of it, what cells of their
    label do. The forest then learns the likeliest classes.
    """

    def arm(scene: WorldScene, seed: int) -> Arm:
        made = naive(scene, seed)
        (stack,) = made.learn
        shares = _at_first(scene, stack)
        for _ in range(_ROUNDS):
            seen = probabilities_of(scene, made, {"name": "forest"}, seed).values
            joint = (seen.astype(np.float64) + 1e-3) * shares
            joint /= joint.sum(0)
            shares = _in_cells(joint, scene, stack)
            values = np.where(_given(scene, stack) == UNKNOWN, UNKNOWN, joint.argmax(0))
            learned = _with_labels(scene, stack, values.astype(np.uint8))
            made = replace(made, learn=(learned,))
        return made

    return arm


def _with_labels(scene: WorldScene, stack: Stack, values: NDArray[np.uint8]) -> Stack:
    labels = Labels(values=values, grid=scene.grid, legend=scene.truth.legend)
    return replace(stack, labels=LabelArray(labels))


def _given(scene: WorldScene, stack: Stack) -> NDArray[np.uint8]:
    assert stack.labels is not None
    return stack.labels.read(scene.grid).values


def _at_first(scene: WorldScene, stack: Stack) -> Floats:
    """Shares ``[C, H, W]`` of classes in the area of every pixel's label."""
    names, given = scene.truth.legend.names, _given(scene, stack)
    often = np.bincount(given[given != UNKNOWN], minlength=len(names)).astype(float)
    table = _RIGHT * np.eye(len(names)) + (1 - _RIGHT) * often / often.sum()
    table[:, names.index(_LABELS_ONLY)] = 0
    table = np.vstack([table, np.tile(often / often.sum(), (256 - len(names), 1))])
    return np.moveaxis(table[given], 2, 0)


def _in_cells(joint: Floats, scene: WorldScene, stack: Stack) -> Floats:
    """Mean of `joint` in the cell of every pixel and in all cells of its label."""
    assert stack.labels is not None
    row, column = pixel_of(stack.labels.grid, scene.grid)
    cell = (row * stack.labels.grid.shape[1] + column).ravel()
    label = _given(scene, stack).ravel()
    parts = [_mean_of(joint, groups) for groups in (cell, label)]
    return (parts[0] + parts[1]) / 2


def _mean_of(joint: Floats, groups: NDArray[np.integer]) -> Floats:
    count = np.maximum(np.bincount(groups), 1)
    means = [np.bincount(groups, v.ravel()) / count for v in joint]
    return np.stack([mean[groups].reshape(joint.shape[1:]) for mean in means])
