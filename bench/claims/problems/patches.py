"""True labels of a few small patches, and an encoder that has seen all of the images.

    python -m bench.claims patches10 --base scratch --methods fine-tuned linear plain-forest
    python -m bench.claims patches50 --base scratch --methods fine-tuned linear plain-forest

Patches of 32 x 32 pixels are drawn at random over the learning blocks, of which a scene
of 512 pixels has 128; 500 want ``--size 1024`` and 1000 ``--size 2048``. Encoders learn
from the images of the whole scene, testing blocks included, and from no labels: who makes
a map has the images of what is mapped. ``linear`` learns a classifier of their features
alone, ``fine-tuned`` all weights. Those of ``many scenes`` learn from the images of 48
development worlds besides, and longer. Those of ``labels elsewhere`` know how much any
encoder can be worth that serves all places: they learned from true labels of the 48, and
nothing of the scene. ``distilled`` networks also learn what `weak` makes of the patches,
where there are none, from fresh weights or ``fine-tuned``. Patches of arms that are
``chosen`` are not random, but those that `overcast labels suggest` would ask for. The time
of pretraining, once for a scene and all that start from it, is in no arm's seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from bench.claims.blocks import Arm, Problem, arm_of, fine, known, scored
from bench.claims.scoring import METHODS, NETWORK, TRUSTED
from bench.claims.starts import from_images, from_labels, kept, start_of, started
from bench.claims.taught import completed
from bench.claims.transfer import classes, stacks_elsewhere
from numpy.typing import NDArray

from overcast.methods.suggest import patches_of, telling_patches
from overcast.progress import quiet
from overcast.worlds.scene import SceneSpec, WorldScene

SIDE = 32
"""Pixels along the side of a patch."""
_LEARNING: Mapping[str, Any] = {**NETWORK, "window": SIDE}
_INDICES = ("NDVI", "NDWI", "DBSI")
"""By their names in spyndex: vegetation, water, bare soil; those of the paper."""
_CLASSIFIER = {"frozen": True, "schedule": {"steps": 800, "peak_rate": 0.3}}
"""A linear classifier alone takes, and needs, larger steps."""
_PRETRAINING: Mapping[str, Any] = {
    "name": "network",
    "window": SIDE,
    "batch": 16,
    "schedule": {"steps": 1000, "peak_rate": 4e-3},
}
"""Some minutes on one core."""
_LONG = {"schedule": {"steps": 2400, "peak_rate": 4e-3}}
"""For many scenes."""
MANY, LABELS = ", many scenes", ", labels elsewhere"
RECIPES: dict[str, Mapping[str, Any]] = {
    "": {},
    ", middle": {"fusion": "middle", "image": 1.0},
    ", late": {"fusion": "late", "image": 1.0},
    ", with images": {"image": 1.0},
    ", images alone": {"image": 1.0, "superpixel": 0.0},
    ", means": {"pixel": False},
    ", jittered": {"gain": 0.1, "bias": 0.01},
}
"""What is added to a method's name, and the settings of `contrast` that it stands for."""


def patches(scene: WorldScene, count: int, seed: int) -> NDArray[np.bool_]:
    """Pixels ``[H, W]`` of `count` patches of the learning blocks, or of all there are."""
    height, width = (-(-int(side) // SIDE) for side in scene.grid.shape)
    numbers = np.arange(height * width).reshape(height, width)
    numbers = numbers.repeat(SIDE, 0).repeat(SIDE, 1)
    numbers = numbers[: scene.grid.shape[0], : scene.grid.shape[1]]
    learning = np.unique(numbers[~scored(scene)])
    drawn = np.random.default_rng((seed, count)).permutation(learning)[:count]
    return np.isin(numbers, drawn)


def _few(count: int) -> Callable[[WorldScene, int], Arm]:
    """True labels of so many patches."""

    def arm(scene: WorldScene, seed: int) -> Arm:
        labels = known(scene, patches(scene, count, seed), scene.truth)
        return arm_of(scene, labels, "s1", "s2")

    return arm


def _chosen(count: int) -> Callable[[WorldScene, int], Arm]:
    """True labels of so many patches of the learning blocks, the most telling ones."""

    def arm(scene: WorldScene, seed: int) -> Arm:
        (stack,) = fine(scene, seed).learn
        tested = scored(scene)
        learning = [
            window
            for window in patches_of(stack.shape, SIDE, seed)
            if not tested[window.slices].any()
        ]
        bare = replace(stack, labels=None)
        where = np.zeros(stack.shape, np.bool_)
        for patch in telling_patches(bare, learning, count, seed, quiet):
            where[patch.window.slices] = True
        return arm_of(scene, known(scene, where, scene.truth), "s1", "s2")

    return arm


def _from_scene(name: str, scene: WorldScene, seed: int) -> Path:
    """A run of the scene's own images."""
    method = {**_PRETRAINING, "recipe": {"name": "contrast", **RECIPES[name]}}
    return kept(from_images, fine(scene, seed).learn, method, seed)


def _from_many(scene: WorldScene, seed: int) -> Path:
    """A run of the scene's own images and those of other worlds."""
    method = {**_PRETRAINING, **_LONG, "recipe": {"name": "contrast"}}
    return kept(
        from_images, [*fine(scene, seed).learn, *stacks_elsewhere()], method, seed
    )


def _from_labels(scene: WorldScene, seed: int) -> Path:
    """A run of other worlds' true labels."""
    return kept(from_labels, stacks_elsewhere(), {**_LEARNING, **_LONG}, seed)


def _problem(count: int) -> Problem:
    runs: dict[str, Callable[[WorldScene, int], Path]] = {
        **{name: partial(_from_scene, name) for name in RECIPES},
        MANY: _from_many,
        LABELS: _from_labels,
    }
    methods: dict[str, Mapping[str, Any]] = {
        "scratch": _LEARNING,
        "weak, trusted": TRUSTED,
        "with indices": {**_LEARNING, "indices": _INDICES},
        "distilled": _LEARNING,
        "distilled, fine-tuned": {**_LEARNING, "start": str(start_of(""))},
    }
    told = completed(_few(count))
    arms = {"distilled": told, "distilled, fine-tuned": started("", runs[""], told)}
    for name in ("scratch", "weak", "weak, trusted"):
        methods[f"{name}, chosen"] = {**METHODS, **methods}[name]
        arms[f"{name}, chosen"] = _chosen(count)
    for name, run in runs.items():
        start = {**_LEARNING, "start": str(start_of(name))}
        methods[f"fine-tuned{name}"] = start
        methods[f"linear{name}"] = {**start, **_CLASSIFIER}
        for way in ("fine-tuned", "linear"):
            arms[f"{way}{name}"] = started(name, run, _few(count))
    methods["fine-tuned, chosen"] = methods["fine-tuned"]
    arms["fine-tuned, chosen"] = started("", runs[""], _chosen(count))
    title = f"labels of {count} patches of {SIDE} x {SIDE} pixels"
    return Problem(
        title,
        SceneSpec(()),
        _few(count),
        fine,
        methods=methods,
        arms=arms,
        maps={"transfer": classes},
    )


PROBLEMS = {f"patches{count}": _problem(count) for count in (10, 50, 100, 500, 1000)}
