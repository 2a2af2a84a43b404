"""Optical images under cloud; the twin without clouds is of the same moment.

The naive arm is a plain fusion network that learns from the cloudy image, the oracle the
same network learning from and mapping the clear one: the cloud-free teacher. Methods
are given the clear twin of the learning blocks besides, and map what the naive arm maps.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from bench.claims.blocks import Arm, Mask, Problem, arm_of, fine, scored, true_of
from bench.claims.scoring import NETWORK
from numpy.typing import NDArray

from overcast.geo.arrays import ImageArray
from overcast.geo.raster import Image
from overcast.worlds.clouds import CLEAR, SHADOW, THICK, THIN
from overcast.worlds.scene import SceneSpec, WorldScene


def network_of(recipe: dict[str, Any], **model: Any) -> dict[str, Any]:
    """The network of three streams, trained by a recipe."""
    return {
        "name": "network",
        "model": {"name": "cloudseg", **model},
        "recipe": recipe,
        "schedule": NETWORK["schedule"],
        # Many small windows: a step sees more places, and boxes of 27 pixels the rest.
        "window": 32,
        "batch": 20,
    }


def _method(*, gate: bool = True, **changes: Any) -> dict[str, Any]:
    return network_of({"name": "cloudseg", **changes}, gate=gate)


_FUSION = network_of({"name": "supervised"}, gate=False)
_ALONE = network_of({"name": "supervised", "drop": 0.0}, gate=False)
_METHODS = {
    "fusion": _FUSION,
    "cloudseg": _method(),
    "no-removal": _method(removal=0.0),
    "no-distillation": _method(distillation=0.0),
    "own-teacher": _method(teacher="own"),
    "own-teacher-1": _method(teacher="own", distillation=1.0),
    "no-gate": _method(gate=False),
    "no-drop": _method(drop=0.0),
    "no-drawn-clouds": _method(simulate=0.0),
    "fusion-masked": _FUSION,
    "cloudseg-masked": _method(hidden=1.0),
    "sar-alone": _ALONE,
    "optical-alone": _ALONE,
    "weak-masked": {"name": "weak"},
}


def _naive(scene: WorldScene, seed: int) -> Arm:
    return arm_of(scene, true_of(scene), "s1", "s2_cloudy")


def _whole(scene: WorldScene, seed: int) -> Arm:
    """The cloudy image, and the true class of every pixel: what it shows at all."""
    return arm_of(scene, scene.truth, "s1", "s2_cloudy")


def _pairs(scene: WorldScene, seed: int) -> Arm:
    return _with_twin(_naive(scene, seed), scene)


def _with_twin(arm: Arm, scene: WorldScene) -> Arm:
    """The arm with the clear image of the learning blocks as a target."""
    twin = ImageArray(_without(scene.images["s2"], scored(scene)))
    (stack,) = arm.learn
    images = {**stack.images, "s2_clear": twin}
    return replace(
        arm, learn=(replace(stack, images=images, targets=frozenset({"s2_clear"})),)
    )


def _masked(scene: WorldScene, seed: int) -> Arm:
    """Pixels under cloud and shadow are invalid, by the exact mask."""
    hidden = {"s2": mask_of(scene) != CLEAR}
    return hiding(_naive(scene, seed), hidden)


def _masked_pairs(scene: WorldScene, seed: int) -> Arm:
    return _with_twin(_masked(scene, seed), scene)


def _alone(other: str) -> Callable[[WorldScene, int], Arm]:
    """The network's other image is seen nowhere."""

    def arm(scene: WorldScene, seed: int) -> Arm:
        everywhere = np.ones(scene.grid.shape, np.bool_)
        return hiding(_naive(scene, seed), {other: everywhere})

    return arm


def hiding(arm: Arm, hidden: dict[str, Mask]) -> Arm:
    """The arm with pixels of some images as if nothing had been observed there."""
    images = {
        name: _without(image, hidden[name]) if name in hidden else image
        for name, image in arm.images.items()
    }
    (stack,) = arm.learn
    sources = {name: ImageArray(image) for name, image in images.items()}
    return Arm((replace(stack, images=sources),), images)


def _without(image: Image, hidden: Mask) -> Image:
    """The image as if nothing had been observed where `hidden`."""
    values = np.where(hidden, np.float32(np.nan), image.values)
    return Image.of(values, image.grid, image.sensor)


def _is(*codes: int) -> Callable[[WorldScene], Mask]:
    """Pixels of some codes of the cloud mask."""
    return lambda scene: np.isin(mask_of(scene), codes)


def mask_of(scene: WorldScene) -> NDArray[np.uint8]:
    """The exact mask of clouds ``[H, W]``."""
    assert scene.clouds is not None
    return scene.clouds


GROUPS: Mapping[str, Callable[[WorldScene], Mask]] = {
    "clear": _is(CLEAR),
    "under cloud": _is(THIN, THICK),
    "thick": _is(THICK),
    "shadow": _is(SHADOW),
}
"""Parts of the scored pixels, by what hides them."""


def _problem(cover: float) -> Problem:
    return Problem(
        title=f"{cover:.0%} cloud".replace("%", " %"),
        wanted=SceneSpec((), cloud=cover),
        naive=_naive,
        oracle=fine,
        given=_pairs,
        ceiling=_whole,
        methods=_METHODS,
        arms={
            "fusion-masked": _masked,
            "cloudseg-masked": _masked_pairs,
            "weak-masked": _masked,
            "sar-alone": _alone("s2"),
            "optical-alone": _alone("s1"),
        },
        groups=GROUPS,
    )


PROBLEMS = {
    "cloud": _problem(0.6),
    **{f"cloud{share}": _problem(share / 100) for share in (20, 50, 80)},
}
