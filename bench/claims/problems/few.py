"""True labels of few scenes, for networks that also learn from images alone.

    python -m bench.claims few --base network --methods dllr cross-pseudo
    python -m bench.claims few --base quick --methods quick-dllr quick-cross-pseudo

Unlabelled windows are cut anywhere, testing blocks included: who makes a map has the
images of what is mapped. Labels of testing blocks nobody has. ``quick`` arms train a
small network on small windows, in a tenth of the time, and can be compared with each
other alone. ``scene`` arms are also given what `weak` makes of the same labels;
``distilled`` is a network that learns it where there are none.

Take 768 pixels a side: one learning block in sixteen is four blocks then. Of 512 it is
two, which often lack whole classes, and what nobody was shown nobody can recover.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from bench.claims.blocks import Arm, Problem, arm_of, blocks_of, fine, known, whole
from bench.claims.scoring import NETWORK, TRUSTED
from bench.claims.taught import completed, probabilities_of

from overcast.geo.arrays import ImageArray
from overcast.geo.raster import Image
from overcast.worlds.scene import SceneSpec, WorldScene

_PARTS: Mapping[str, Any] = {
    "masking": None,
    "complementary": 0.0,
    "reassignment": None,
    "cross": None,
}
"""What leaves each part of DLLR out."""
RECIPES: dict[str, Mapping[str, Any]] = {
    "mean-teacher": {"name": "mean_teacher"},
    "fixmatch": {"name": "fixmatch"},
    "cross-pseudo": {"name": "cross_pseudo"},
    "dllr": {"name": "dllr"},
    "dllr-scene": {"name": "dllr", "scene": "weak"},
    **{f"dllr-no-{part}": {"name": "dllr", part: off} for part, off in _PARTS.items()},
    **{
        f"dllr-scene-no-{part}": {"name": "dllr", "scene": "weak", part: _PARTS[part]}
        for part in ("masking", "complementary")  # the scene is read by the others
    },
    "dropping": {"name": "supervised", "drop": 0.2},
}
"""The last learns from labels as ``dllr`` does, losing a sensor as often."""
QUICK: Mapping[str, Any] = {
    "name": "network",
    "model": {"name": "fcn", "width": 16},
    "window": 32,
    "batch": 8,
    "schedule": {"steps": 300, "peak_rate": 6e-3},
}


def quick_of(steps: int) -> Mapping[str, Any]:
    """The quick network with so many steps."""
    return {**QUICK, "schedule": {**QUICK["schedule"], "steps": steps}}


PATIENT = quick_of(4800)

Make = Callable[[WorldScene, int], Arm]


def _few(share: int) -> Make:
    """True labels of one learning block in `share`."""

    def arm(scene: WorldScene, seed: int) -> Arm:
        numbers = blocks_of(scene, 0)
        learning = np.unique(numbers[numbers % 2 == 0])
        count = max(1, len(learning) // share)
        kept = np.random.default_rng(seed + 1).choice(learning, count, replace=False)
        labels = known(scene, np.isin(numbers, kept), scene.truth)
        return arm_of(scene, labels, "s1", "s2")

    return arm


def _told(made: Make) -> Make:
    """The same, and what `weak` makes of these labels as a target image."""

    def arm(scene: WorldScene, seed: int) -> Arm:
        full = made(scene, seed)
        (stack,) = full.learn
        weak = ImageArray(probabilities_of(scene, full, TRUSTED, seed))
        images = {**stack.images, "weak": weak}
        told = replace(stack, images=images, targets=frozenset({"weak"}))
        return replace(full, learn=(told,))

    return arm


def _without(sensor: str, made: Make) -> Make:
    """An arm that learns from both sensors, and maps with one of them gone."""

    def arm(scene: WorldScene, seed: int) -> Arm:
        full = made(scene, seed)
        gone = Image.unseen(scene.grid, full.images[sensor].sensor)
        return replace(full, images={**full.images, sensor: gone})

    return arm


def _problem(
    title: str, naive: Make, missing: Callable[[Make], Make] = lambda made: made
) -> Problem:
    """Learn from `naive`; `missing` takes away what is not there to map from."""
    methods: dict[str, Mapping[str, Any]] = {
        "quick": QUICK,
        "patient": PATIENT,
        **{f"quick-{steps}": quick_of(steps) for steps in (1200, 19_200)},
        "looks": {**NETWORK, "model": {"name": "fcn", "looks": 2}},
        "patient-looks": {**PATIENT, "model": {**QUICK["model"], "looks": 2}},
        "distilled": NETWORK,
        "weak, trusted": TRUSTED,
    }
    for name, recipe in RECIPES.items():
        methods[name] = {**NETWORK, "recipe": recipe}
        methods[f"quick-{name}"] = {**QUICK, "recipe": recipe}
        methods[f"patient-{name}"] = {**PATIENT, "recipe": recipe}
    told = missing(_told(naive))
    return Problem(
        title,
        SceneSpec(()),
        missing(naive),
        missing(fine),
        ceiling=missing(whole),
        methods=methods,
        arms={
            **{name: told for name in methods if "scene" in name},
            "distilled": missing(completed(naive)),
        },
    )


PROBLEMS = {
    "few": _problem("labels of 1/16 of the scenes", _few(16)),
    "few8": _problem("labels of 1/8 of the scenes", _few(8)),
    **{
        f"few-no-{sensor}": _problem(
            f"labels of 1/16 of the scenes, mapped without {sensor}",
            _few(16),
            partial(_without, sensor),
        )
        for sensor in ("s1", "s2")
    },
}
