"""Labels that are too coarse, or as fine as the images and wrong."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from bench.claims.areas import tables
from bench.claims.blocks import Arm, Problem, arm_of, fine
from bench.claims.scoring import NETWORK
from bench.claims.taught import probabilities_of, relabelled
from bench.claims.transfer import classes, probabilities
from numpy.typing import NDArray

from overcast.geo.arrays import ImageArray, LabelArray
from overcast.geo.raster import Image
from overcast.worlds.scene import SceneSpec, WorldScene

Make = Callable[[WorldScene, int], Arm]


def _weak(**settings: Any) -> Mapping[str, Any]:
    return {"name": "weak", **settings}


def _network(recipe: str, model: str = "fcn", **settings: Any) -> Mapping[str, Any]:
    return {
        **NETWORK,
        "model": {"name": model},
        "recipe": {"name": recipe, **settings},
    }


_PLACED = "weak, with place"
_FOREST: dict[str, Mapping[str, Any]] = {
    "forest, EM": {"name": "forest"},
    "forest, fine labels": {"name": "forest"},
}
_WEAK = {
    _PLACED: _weak(),
    "weak-transfer": _weak(prior="prior"),
    "kmeans": {"name": "kmeans"},
    "weak, cells alike": _weak(balance=0.0),
    "weak, no smoothness": _weak(smoothness=0.0),
    "weak, no smoothing of the map": _weak(radius=0, blur=0.0),
    "weak, blurred": _weak(radius=0),
    "weak, majority not favoured": _weak(power=1.0),
    "weak, S2 alone": _weak(),
    "weak, S1 unfiltered": _weak(filtered=False),
}


def _networks(kind: str) -> dict[str, Mapping[str, Any]]:
    """The default network with other losses; tables are those of other worlds."""
    known = tables(kind)
    soft = {"probabilities": "taught", "soft": True}
    robust = {
        "GCE": "generalised_cross_entropy",
        "SCE": "symmetric_cross_entropy",
        "soft bootstrapping": "soft_bootstrapping",
        "hard bootstrapping": "hard_bootstrapping",
    }
    areas: dict[str, Mapping[str, Any]] = {
        "shares": _network("coarse", loss="shares", mean=known["mean"]),
        "super-resolution": _network(
            "coarse",
            loss="super_resolution",
            mean=known["mean"],
            spread=known["spread"],
        ),
        "forward correction": _network(
            "coarse", loss="forward", transition=known["transition"]
        ),
        "noise layer": _network("coarse", loss="noise_layer"),
        "QR": _network("coarse", loss="qr", mean=known["mean"]),
        "RQ": _network("coarse", loss="rq", mean=known["mean"]),
    }
    return {
        "U-Net": {**_network("supervised", "unet"), "batch": 4},
        **{name: _network("supervised", loss=loss) for name, loss in robust.items()},
        # Half a label's cell is no cell: these see windows of 640 m.
        **{name: {**arm, "window": 64, "batch": 4} for name, arm in areas.items()},
        "distilled": _network("noisy", **soft),
    }


def _problem(title: str, kind: str, networks: bool = False) -> Problem:
    def naive(scene: WorldScene, seed: int) -> Arm:
        """Labels for the whole area: one has them for the land to be mapped."""
        return arm_of(scene, scene.labels[kind], "s1", "s2")

    def optical(scene: WorldScene, seed: int) -> Arm:
        return arm_of(scene, scene.labels[kind], "s2")

    distilled = _with_target(naive, "taught", _taught)

    def labels(scene: WorldScene) -> NDArray[np.uint8]:
        return LabelArray(scene.labels[kind]).read(scene.grid).values

    return Problem(
        title,
        SceneSpec((kind,)),
        naive,
        fine,
        methods={**_FOREST, **_WEAK, **(_networks(kind) if networks else {})},
        arms={
            "weak-transfer": _with_target(naive, "prior", _elsewhere),
            **({"distilled": distilled} if networks else {}),
            "weak, S2 alone": optical,
            "forest, EM": relabelled(naive),
            "forest, fine labels": fine,
        },
        placed=frozenset({_PLACED}),
        maps={"labels": labels, "transfer": classes},
    )


def _with_target(
    naive: Make, name: str, of: Callable[[WorldScene, Arm, int], Image]
) -> Make:
    """The same data, and probabilities of every pixel's class to learn from."""

    def arm(scene: WorldScene, seed: int) -> Arm:
        made = naive(scene, seed)
        (stack,) = made.learn
        images = {**stack.images, name: ImageArray(of(scene, made, seed))}
        told = replace(stack, images=images, targets=frozenset({name}))
        return Arm((told,), made.images)

    return arm


def _elsewhere(scene: WorldScene, arm: Arm, seed: int) -> Image:
    """What a forest of other worlds says."""
    return probabilities(scene)


def _taught(scene: WorldScene, arm: Arm, seed: int) -> Image:
    """What `weak` makes of the same labels."""
    return probabilities_of(scene, arm, _weak(), seed)


PROBLEMS = {
    "coarse": _problem("500 m labels", "modis", networks=True),
    "corine": _problem("100 m labels", "corine"),
    "product": _problem("a wrong 10 m product", "worldcover"),
}
