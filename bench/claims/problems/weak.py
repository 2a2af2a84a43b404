"""Labels that are too coarse, or as fine as the images and wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from bench.claims.blocks import Arm, Problem, arm_of, fine
from bench.claims.transfer import classes, probabilities
from numpy.typing import NDArray

from overcast.geo.arrays import ImageArray, LabelArray
from overcast.worlds.scene import Scene, Wanted

_METHODS: dict[str, dict[str, Any]] = {
    "weak-transfer": {"name": "weak", "prior": "prior"},
    "kmeans": {"name": "kmeans"},
    "weak, cells alike": {"name": "weak", "balance": 0.0},
    "weak, no smoothness": {"name": "weak", "smoothness": 0.0},
    "weak, no blur": {"name": "weak", "blur": 0.0},
    "weak, majority not favoured": {"name": "weak", "power": 1.0},
}


def _problem(title: str, kind: str) -> Problem:
    def naive(scene: Scene, seed: int) -> Arm:
        """Labels for the whole area: one has them for the land to be mapped."""
        return arm_of(scene, scene.labels[kind], "s1", "s2")

    def labels(scene: Scene) -> NDArray[np.uint8]:
        return LabelArray(scene.labels[kind]).read(scene.grid).values

    return Problem(
        title,
        Wanted((kind,)),
        naive,
        fine,
        methods=_METHODS,
        arms={"weak-transfer": _with_prior(naive)},
        maps={"labels": labels, "transfer": classes},
    )


def _with_prior(naive: Callable[[Scene, int], Arm]) -> Callable[[Scene, int], Arm]:
    """The same data, and what a forest of other worlds says of every pixel."""

    def arm(scene: Scene, seed: int) -> Arm:
        made = naive(scene, seed)
        (stack,) = made.learn
        images = {**stack.images, "prior": ImageArray(probabilities(scene))}
        told = replace(stack, images=images, targets=frozenset({"prior"}))
        return Arm((told,), made.images)

    return arm


PROBLEMS = {
    "coarse": _problem("500 m labels", "modis"),
    "corine": _problem("100 m labels", "corine"),
    "product": _problem("a wrong 10 m product", "worldcover"),
}
