"""Optical images under cloud, and an older clear image of the same land.

    python -m bench.claims archive --base older-weak --methods older-weak older-weak-masked
    python -m bench.claims archive5 --base fusion --methods older older-cloudseg

The older image is of spring, without clouds, and the colours of every patch of land are
drawn anew, so that outlines and classes persist and no colour does. In ``archive5`` and
``archive20``, 5 and 20 % of the land had another class then: it shows there what lies
elsewhere in the scene. The naive arm has no older image, the oracle has the clear image of
the date. Under cloud, there is nothing to know of the date but what radar says.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from bench.claims.blocks import Arm, Mask, Problem, arm_of, fine, true_of
from bench.claims.problems.cloud import GROUPS, hiding, mask_of, network_of
from bench.claims.problems.pseudo import ranks
from bench.claims.scoring import TRUSTED
from numpy.typing import NDArray

from overcast.geo.arrays import ImageArray
from overcast.geo.raster import Image
from overcast.geo.tiling import Window
from overcast.worlds.clouds import CLEAR
from overcast.worlds.optical import SCALE, see_optical
from overcast.worlds.scene import SIDE, SceneSpec, WorldScene
from overcast.worlds.spectra import draw_spectra
from overcast.worlds.world import World, WorldView, make_world

OLDER = "s2_before"
_OTHER = 50_000
"""Added to the number of a world: colours of its patches on the older date."""
_FIELD_PX = 12.0


def older_world(number: int, size: int) -> World:
    """The same land in spring, with the colours of other patches."""
    world = make_world(number, size)
    older = replace(world, region=replace(world.region, season="spring"))
    older.__dict__["spectra"] = draw_spectra(number + _OTHER, older.region)
    return older


def older_values(number: int, size: int) -> NDArray[np.float32]:
    """Reflectance ``[10, H, W]`` of the older date, everywhere clear."""
    world = older_world(number, size)
    values = np.empty((10, size, size), np.float32)
    for y in range(0, size, SIDE):
        for x in range(0, size, SIDE):
            window = Window(y, x, min(SIDE, size - y), min(SIDE, size - x))
            seen = see_optical(WorldView.of(world, window))
            values[:, *window.slices] = seen.astype(np.float32) / SCALE
    return values


def changed(classes: NDArray[np.uint8], share: float, seed: int) -> Mask:
    """Pixels ``[H, W]`` in fields, a `share` of which had the class of `elsewhere`."""
    random = np.random.default_rng((seed, 13))
    differs = elsewhere(classes) != classes
    field = ranks(random, (int(classes.shape[0]), int(classes.shape[1])), _FIELD_PX)
    order = np.sort(field[differs])
    count = round(share * classes.size)
    if count > len(order):
        raise ValueError(f"share is {share}; so much of the land has no other class")
    limit = order[count - 1] if count else -1.0
    return np.asarray(field <= limit)


def elsewhere(values: NDArray[Any]) -> NDArray[Any]:
    """Values ``[..., H, W]`` of the place half a scene away."""
    rows, columns = (side // 2 for side in values.shape[-2:])
    return np.roll(values, (rows, columns), (-2, -1))


def _with_older(share: float, scene: WorldScene, number: int) -> WorldScene:
    """The scene with its older image, of which a share had another class."""
    image = scene.images["s2"]
    values = older_values(number, int(scene.grid.shape[0]))
    where = changed(scene.truth.values, share, number)
    values = np.where(where, elsewhere(values), values)
    older = Image.of(values, image.grid, image.sensor)
    return replace(scene, images={**scene.images, OLDER: older})


def _cloudy(scene: WorldScene, seed: int) -> Arm:
    return arm_of(scene, true_of(scene), "s1", "s2_cloudy")


def _older(scene: WorldScene, seed: int) -> Arm:
    return _joined(_cloudy(scene, seed), scene)


def _joined(arm: Arm, scene: WorldScene) -> Arm:
    """The arm with the older image as one more sensor."""
    (stack,) = arm.learn
    older = scene.images[OLDER]
    images = {**stack.images, OLDER: ImageArray(older)}
    return Arm((replace(stack, images=images),), {**arm.images, OLDER: older})


def _older_masked(scene: WorldScene, seed: int) -> Arm:
    """The older image, and pixels under cloud and shadow hidden by the exact mask."""
    hidden = {"s2": mask_of(scene) != CLEAR}
    return _joined(hiding(_cloudy(scene, seed), hidden), scene)


def _older_alone(scene: WorldScene, seed: int) -> Arm:
    """The older image as if it were of the date."""
    older = replace(scene, images={**scene.images, "s2": scene.images[OLDER]})
    return arm_of(older, true_of(scene), "s1", "s2")


_PLAIN = network_of({"name": "supervised"}, gate=False)
_METHODS: Mapping[str, Mapping[str, Any]] = {
    "fusion": _PLAIN,
    "older": _PLAIN,
    "older-cloudseg": network_of({"name": "cloudseg"}),
    "older-forest": {"name": "forest"},
    "older-weak": TRUSTED,
    "older-weak-masked": TRUSTED,
    "older-alone": _PLAIN,
}


def _problem(share: float) -> Problem:
    said = f", of which {share:.0%} had another class".replace("%", " %")
    make: Callable[[WorldScene, int], WorldScene] = partial(_with_older, share)
    return Problem(
        title=f"50 % cloud and an older clear image{said if share else ''}",
        wanted=SceneSpec((), cloud=0.5),
        naive=_cloudy,
        oracle=fine,
        prepare=make,
        given=_older,
        methods=_METHODS,
        arms={
            "fusion": _cloudy,
            "older-alone": _older_alone,
            "older-weak-masked": _older_masked,
        },
        groups=GROUPS,
    )


PROBLEMS = {
    "archive": _problem(0.0),
    **{f"archive{share}": _problem(share / 100) for share in (5, 20)},
}
