"""True labels of a few small patches, and an encoder that has seen all of the images.

    python -m bench.claims patches10 --base scratch --methods fine-tuned linear plain-forest
    python -m bench.claims patches50 --base scratch --methods fine-tuned linear plain-forest

Patches of 32 x 32 pixels are drawn at random over the learning blocks, of which a scene
of 512 pixels has 128; 500 want ``--size 1024`` and 1000 ``--size 2048``. Encoders learn
from the images of the whole scene, testing blocks included, and from no labels: who makes
a map has the images of what is mapped. ``linear`` learns a classifier of their features
alone, ``fine-tuned`` all weights. ``distilled`` networks also learn what `weak` makes of
the patches, where there are none, from fresh weights or ``fine-tuned``. The time of
pretraining, once for a scene and all that start from it, is in no arm's seconds.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from bench.claims.blocks import Arm, Problem, arm_of, fine, known, scored
from bench.claims.scoring import NETWORK, TRUSTED
from bench.claims.taught import completed
from numpy.typing import NDArray

from overcast.learn.felzenszwalb import with_superpixels
from overcast.plan import Data, Plan, choose, method_of, write_plan
from overcast.progress import quiet
from overcast.worlds.scene import Scene, Wanted

SIDE = 32
"""Pixels along the side of a patch."""
_HERE = Path(tempfile.gettempdir()) / "overcast-patches"
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


def patches(scene: Scene, count: int, seed: int) -> NDArray[np.bool_]:
    """Pixels ``[H, W]`` of `count` patches of the learning blocks, or of all there are."""
    height, width = (-(-int(side) // SIDE) for side in scene.grid.shape)
    numbers = np.arange(height * width).reshape(height, width)
    numbers = numbers.repeat(SIDE, 0).repeat(SIDE, 1)
    numbers = numbers[: scene.grid.shape[0], : scene.grid.shape[1]]
    learning = np.unique(numbers[~scored(scene)])
    drawn = np.random.default_rng((seed, count)).permutation(learning)[:count]
    return np.isin(numbers, drawn)


def _few(count: int) -> Callable[[Scene, int], Arm]:
    """True labels of so many patches."""

    def arm(scene: Scene, seed: int) -> Arm:
        labels = known(scene, patches(scene, count, seed), scene.truth)
        return arm_of(scene, labels, "s1", "s2")

    return arm


def start_of(name: str) -> Path:
    """Folder of the run that methods called so start from, in this process."""
    return _HERE / f"start-{os.getpid()}{name.replace(', ', '-').replace(' ', '-')}"


def _started(name: str, made: Callable[[Scene, int], Arm]) -> Callable[..., Arm]:
    """The same arm, after seeing to it that the run to start from is the scene's."""

    def arm(scene: Scene, seed: int) -> Arm:
        run = pretrained(scene, seed, {**_PRETRAINING, "recipe": _recipe(name)})
        link = start_of(name)
        link.unlink(missing_ok=True)
        link.symlink_to(run)
        return made(scene, seed)

    return arm


def pretrained(scene: Scene, seed: int, method: Mapping[str, Any]) -> Path:
    """Run folder of an encoder that has learned from a scene's images; kept for later."""
    plan = Plan(data=Data(images={}), method=method, seed=seed)
    # A plan does not say what a recipe's defaults are.
    recipe = choose("recipes", method["recipe"])
    digest = sha256(f"{plan.fingerprint} {recipe}".encode())
    for image in scene.images.values():
        digest.update(image.values.tobytes())
    folder = _HERE / digest.hexdigest()[:16]
    if not folder.exists():
        scratch = folder.with_suffix(f".{os.getpid()}")
        scratch.mkdir(parents=True)
        (stack,) = arm_of(scene, scene.truth, "s1", "s2").learn
        bare = with_superpixels(replace(stack, labels=None))
        write_plan(plan, scratch / "plan.yaml")
        method_of(plan).pretrain([bare], scratch, seed, quiet)
        shutil.rmtree(folder, ignore_errors=True)
        scratch.rename(folder)
    return folder


def _recipe(name: str) -> dict[str, Any]:
    return {"name": "contrast", **RECIPES[name]}


def _problem(count: int) -> Problem:
    methods: dict[str, Mapping[str, Any]] = {
        "scratch": _LEARNING,
        "weak, trusted": TRUSTED,
        "with indices": {**_LEARNING, "indices": _INDICES},
        "distilled": _LEARNING,
        "distilled, fine-tuned": {**_LEARNING, "start": str(start_of(""))},
    }
    told = completed(_few(count))
    arms = {"distilled": told, "distilled, fine-tuned": _started("", told)}
    for name in RECIPES:
        start = {**_LEARNING, "start": str(start_of(name))}
        methods[f"fine-tuned{name}"] = start
        methods[f"linear{name}"] = {**start, **_CLASSIFIER}
        for way in ("fine-tuned", "linear"):
            arms[f"{way}{name}"] = _started(name, _few(count))
    title = f"labels of {count} patches of {SIDE} x {SIDE} pixels"
    return Problem(title, Wanted(()), _few(count), fine, methods=methods, arms=arms)


PROBLEMS = {f"patches{count}": _problem(count) for count in (10, 50, 100, 500, 1000)}
