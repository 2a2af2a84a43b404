"""Wrong labels on SAR that a network learns by heart.

    python -m bench.claims heart --base by-heart --methods early gce sce 3-ce
    python -m bench.claims.by_heart --worlds 1

The problems ``noise-*`` can't show what a robust loss is for: their labels are many, short
trainings learn none by heart, and the true class is the likeliest label everywhere. Here
6 patches of 32 x 32 pixels have labels, in half of the land four of five labels of a class
are one and the same other class, and the network takes so many steps without augmentation
that it learns most of them. ``early`` is the same network stopped after 300 steps. The
second command also says which share of the wrong labels each loss has learned.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from bench.claims.blocks import Arm, Problem, arm_of, known
from bench.claims.problems.patches import patches
from bench.claims.problems.pseudo import BLOB_PX, MISTAKES, ranks

from overcast.geo.raster import Labels
from overcast.worlds.scene import SceneSpec, WorldScene

PATCHES, STEPS, EARLY = 6, 1200, 300
_WIDE_PX = 24.0
_PLACES, _WRONG = 0.5, 0.8
"""Share of the land with a wrong majority, and of its labels that are wrong."""


def misled(truth: Labels, seed: int) -> Labels:
    """Labels whose majority is wrong in half of the land, and right in the other half.

    Where a wide smooth field is low, a share of .8 of the pixels, in blobs, has the label
    that its class is mostly mistaken for.
    """
    random = np.random.default_rng((seed, 7))
    shape = truth.values.shape
    place, blob = ranks(random, shape, _WIDE_PX), ranks(random, shape, BLOB_PX)
    wrong = (place < _PLACES) & (blob < _WRONG)
    partner = np.array([MISTAKES[k][1] for k in range(len(MISTAKES))], np.uint8)
    values = np.where(wrong, partner[truth.values], truth.values)
    return Labels(values=values, grid=truth.grid, legend=truth.legend)


def few_misled(scene: WorldScene, seed: int) -> Arm:
    """SAR and the wrong labels of the patches."""
    return _patches_of(scene, misled(scene.truth, seed), seed)


def _true(scene: WorldScene, seed: int) -> Arm:
    return _patches_of(scene, scene.truth, seed)


def _whole(scene: WorldScene, seed: int) -> Arm:
    return arm_of(scene, scene.truth, "s1")


def _patches_of(scene: WorldScene, labels: Labels, seed: int) -> Arm:
    return arm_of(scene, known(scene, patches(scene, PATCHES, seed), labels), "s1")


def _network(steps: int = STEPS, **losses: Any) -> Mapping[str, Any]:
    still = {"augment": False, "drop": 0.0}
    return {
        "name": "network",
        "model": {"name": "fcn"},
        "recipe": {"name": "noisy", **still, **losses},
        "window": 32,
        "batch": 4,
        "schedule": {"steps": steps, "peak_rate": 4e-3},
    }


METHODS: Mapping[str, Mapping[str, Any]] = {
    "by-heart": _network(),
    "early": _network(EARLY),
    "gce": _network(cross_entropy=0.0, generalised=1.0),
    "sce": _network(cross_entropy=0.0, symmetric=1.0),
    "ce-sce": _network(published="liu2025"),
    "3-ce": _network(published="liu2025-code"),
}
PROBLEMS = {
    "heart": Problem(
        "few wrong labels on SAR, learned by heart",
        SceneSpec(()),
        few_misled,
        _true,
        ceiling=_whole,
        methods=METHODS,
    ),
}
