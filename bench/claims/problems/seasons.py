"""An optical target, and labelled scenes of all seasons elsewhere.

    python -m bench.claims seasons --base network --methods all-seasons all-seasons-weak
    python -m bench.claims seasons --base optical --methods forest-all forest-all-weak

The naive arm has the four spring scenes of the problem ``season``, from which no method can
know a summer. Methods have 48 scenes of all seasons, each under haze and blur drawn at
random, and the target without labels. ``all-seasons`` learns from the labelled ones
alone, ``all-seasons-dacs`` adapts to the target too. Names that end in ``weak`` are
`weak`, learned from what that network or forest makes of the target.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from typing import Any

from bench.claims.blocks import Arm, Problem
from bench.claims.problems.pseudo import (
    OPTICAL,
    hazy,
    optical,
    relabelled_by,
    springs,
    target_of,
)
from bench.claims.scoring import NETWORK
from bench.claims.transfer import WORLDS, stacks_elsewhere
from numpy.random import default_rng

from overcast.geo.stack import Stack
from overcast.worlds.scene import SceneSpec, WorldScene
from overcast.worlds.varied import weathered


@cache
def _sources() -> tuple[Stack, ...]:
    """48 small scenes of all seasons, optical images alone."""
    return tuple(
        optical(
            weathered(stack.images["s2"].read(stack.grid), default_rng((world, 11))),
            stack.labels.read(stack.grid),
        )
        for world, stack in zip(WORLDS, stacks_elsewhere(), strict=True)
        if stack.labels is not None
    )


def _everywhere(scene: WorldScene, seed: int) -> Arm:
    """Labels of all seasons elsewhere; the target is what is mapped."""
    return Arm(_sources(), {"s2": hazy(scene.images["s2"])})


def _adapted(scene: WorldScene, seed: int) -> Arm:
    """The same, and the target without labels."""
    arm = _everywhere(scene, seed)
    return replace(arm, learn=(*arm.learn, optical(arm.images["s2"], None)))


def _whole(scene: WorldScene, seed: int) -> Arm:
    image = hazy(scene.images["s2"])
    return Arm((optical(image, scene.truth),), {"s2": image})


_SMALL: Mapping[str, Any] = {"name": "network", **OPTICAL}
_FOREST: Mapping[str, Any] = {"name": "forest"}
_WAYS: Mapping[str, Mapping[str, Any]] = {
    "all-seasons": NETWORK,
    "optical-all": _SMALL,
    "forest-all": _FOREST,
}
_WEAK: Mapping[str, Any] = {"name": "weak"}
_ARMS: dict[str, Callable[[WorldScene, int], Arm]] = {
    name: _everywhere for name in _WAYS
}
_ARMS |= {f"{n}-weak": relabelled_by(way, _everywhere, 1) for n, way in _WAYS.items()}
PROBLEMS = {
    "seasons": Problem(
        "labels of all seasons, haze and resolution",
        SceneSpec(()),
        springs,
        target_of,
        ceiling=_whole,
        given=_adapted,
        methods={
            "optical": _SMALL,
            **_WAYS,
            **{f"{name}-weak": _WEAK for name in _WAYS},
            "all-seasons-dacs": {**NETWORK, "recipe": {"name": "dacs"}},
            "optical-all-dacs": {**_SMALL, "recipe": {"name": "dacs"}},
        },
        arms=_ARMS,
    ),
}
