"""True labels of few scenes, for networks that also learn from images alone.

    python -m bench.claims few --base network --methods dllr cross-pseudo
    python -m bench.claims few --base quick --methods quick-dllr quick-cross-pseudo

Unlabelled windows are cut anywhere, testing blocks included: who makes a map has the
images of what is mapped. Labels of testing blocks nobody has. ``quick`` arms train a
small network on small windows, in a tenth of the time, and can be compared with each
other alone.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from bench.claims.blocks import Arm, Problem, arm_of, blocks_of, fine, known

from overcast.geo.raster import Image
from overcast.worlds.scene import Scene, Wanted

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
    **{f"dllr-no-{part}": {"name": "dllr", part: off} for part, off in _PARTS.items()},
}
QUICK: Mapping[str, Any] = {
    "name": "network",
    "model": {"name": "fcn", "width": 16},
    "window": 32,
    "batch": 4,
}


def _few(share: int) -> Callable[[Scene, int], Arm]:
    """True labels of one learning block in `share`."""

    def arm(scene: Scene, seed: int) -> Arm:
        numbers = blocks_of(scene, 0)
        learning = np.unique(numbers[numbers % 2 == 0])
        count = max(1, len(learning) // share)
        kept = np.random.default_rng(seed + 1).choice(learning, count, replace=False)
        labels = known(scene, np.isin(numbers, kept), scene.truth)
        return arm_of(scene, labels, "s1", "s2")

    return arm


def _without(sensor: str, made: Callable[[Scene, int], Arm]) -> Callable[..., Arm]:
    """An arm that learns from both sensors, and maps with one of them gone."""

    def arm(scene: Scene, seed: int) -> Arm:
        full = made(scene, seed)
        image = full.images[sensor]
        gone = Image.of(np.full_like(image.values, np.nan), image.grid, image.sensor)
        return replace(full, images={**full.images, sensor: gone})

    return arm


def _problem(
    title: str, naive: Callable[..., Arm], oracle: Callable[..., Arm]
) -> Problem:
    methods: dict[str, Mapping[str, Any]] = {"quick": QUICK}
    for name, recipe in RECIPES.items():
        methods[name] = {"name": "network", "recipe": recipe}
        methods[f"quick-{name}"] = {**QUICK, "recipe": recipe}
    return Problem(title, Wanted(()), naive, oracle, methods=methods)


PROBLEMS = {
    "few": _problem("labels of 1/16 of the scenes", _few(16), fine),
    "few8": _problem("labels of 1/8 of the scenes", _few(8), fine),
    **{
        f"few-no-{sensor}": _problem(
            f"labels of 1/16 of the scenes, mapped without {sensor}",
            _without(sensor, _few(16)),
            _without(sensor, fine),
        )
        for sensor in ("s1", "s2")
    },
}
