"""The two stages of mapping from SAR alone with labels of optical images of elsewhere.

Stage 1 takes an optical network from its labelled source to a target that looks
different; stage 2 learns from SAR with labels that such a network got wrong in places.
The chain is both: labels of a network of elsewhere, learned from on SAR; methods of it
are given labels that `weak` learned from first. Arms named ``refitted`` are `weak`,
learned from what another method makes of the target, and again from what it makes itself.
Stage 1 is measured with ``--base network``, and its parts with ``--base optical``, a
network and schedule so small that nine arms of a scene of 256 pixels take minutes on a
core; the others with ``--base radar``, the default ones, or ``--base forest``.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from bench.claims.blocks import Arm, Problem, arm_of, known, scored, true_of
from bench.claims.scoring import NETWORK
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from overcast.geo.arrays import ImageArray, LabelArray
from overcast.geo.raster import Image, Labels
from overcast.geo.stack import Stack
from overcast.geo.tiling import Window
from overcast.maps.views import SYMMETRIES, Viewed
from overcast.plan import choose
from overcast.progress import quiet
from overcast.worlds.scene import SceneSpec, WorldScene, simulate

_SOURCES = (41, 43, 47, 51)
"""Four development worlds in spring."""
_SOFTER_PX = 1.45
"""Added blur: of 10 m pixels it makes what an instrument of 25 m pixels resolves."""
_ROUNDS = 2
"""Times that `weak` learns from what was made of the target before."""
_HAZE, _CLEAR = 0.03, 0.85
"""Reflectance that the air adds to the blue band, and share of light it lets through."""

# By position in the legend: share of its mistakes relative to other classes, what it is
# mostly mistaken for, and what else.
MISTAKES = {
    0: (0.8, 1, 4),  # forest: shrubland, wetlands
    1: (1.3, 3, 0),  # shrubland: grassland, forest
    2: (1.3, 3, 1),  # savanna: grassland, shrubland
    3: (1.3, 5, 1),  # grassland: croplands, shrubland
    4: (1.2, 3, 9),  # wetlands: grassland, water
    5: (0.9, 3, 8),  # croplands: grassland, barren
    6: (0.8, 8, 5),  # urban: barren, croplands
    7: (1.0, 8, 9),  # snow: barren, water
    8: (1.2, 6, 5),  # barren: urban, croplands
    9: (0.5, 4, 8),  # water: wetlands, barren
}
_MOSTLY = 0.7
BLOB_PX = 4.0


def noisy(truth: Labels, rate: float, seed: int) -> Labels:
    """Labels of which a share `rate` is wrong: in blobs, and some classes more often.

    Blobs are where a smooth random field is low; how low differs by class. A second
    field says what the class is mistaken for.
    """
    random = np.random.default_rng((seed, round(100 * rate)))
    wrong, other = (ranks(random, truth.values.shape) for _ in range(2))
    often = np.array([MISTAKES[k][0] for k in range(len(MISTAKES))])
    # Shares of the area scale the rates so that all mistakes together make `rate`.
    area = np.bincount(truth.values.ravel(), minlength=len(often)) / truth.values.size
    share = (rate * often / (often * area).sum())[truth.values]
    partners = np.array([MISTAKES[k][1:] for k in range(len(MISTAKES))], np.uint8)
    mistaken = partners[truth.values, (other > _MOSTLY).astype(int)]
    values = np.where(wrong < share, mistaken, truth.values)
    return Labels(values=values, grid=truth.grid, legend=truth.legend)


def ranks(
    random: np.random.Generator, shape: tuple[int, int], scale_px: float = BLOB_PX
) -> NDArray[np.float64]:
    """A smooth random field, uniform from 0 to 1, with blobs of such a scale."""
    field = gaussian_filter(random.standard_normal(shape), scale_px)
    ranks = field.ravel().argsort().argsort().reshape(shape)
    return np.asarray(ranks / field.size, float)


def _of_noise(rate: float) -> Callable[[WorldScene, int], Arm]:
    def arm(scene: WorldScene, seed: int) -> Arm:
        labels = noisy(scene.truth, rate, seed)
        return arm_of(scene, known(scene, ~scored(scene), labels), "s1")

    return arm


def on_sar(scene: WorldScene, seed: int) -> Arm:
    return arm_of(scene, true_of(scene), "s1")


def hazy(image: Image) -> Image:
    """An optical image of a coarser instrument through more air."""
    wavelengths = np.array([b.wavelength_nm for b in image.sensor.bands], float)
    air = _HAZE * (wavelengths / wavelengths[0]) ** -1.5
    soft = gaussian_filter(image.values, (0, _SOFTER_PX, _SOFTER_PX))
    values = _CLEAR * soft + air[:, None, None]
    return Image.of(values.astype(np.float32), image.grid, image.sensor)


@cache
def _sources(size: int) -> tuple[Stack, ...]:
    """Labelled optical images of other places, another season and other air."""
    scenes = (simulate(world, size, wanted=SceneSpec(())) for world in _SOURCES)
    return tuple(optical(scene.images["s2"], scene.truth) for scene in scenes)


def optical(image: Image, labels: Labels | None) -> Stack:
    return Stack(
        grid=image.grid,
        images={"s2": ImageArray(image)},
        labels=None if labels is None else LabelArray(labels),
    )


def springs(scene: WorldScene, seed: int) -> Arm:
    """Labels of the sources alone; the target is what is mapped."""
    return Arm(_sources(scene.grid.shape[0]), {"s2": hazy(scene.images["s2"])})


def _adapted(scene: WorldScene, seed: int) -> Arm:
    """The sources with labels, the target without."""
    arm = springs(scene, seed)
    return Arm((*arm.learn, optical(arm.images["s2"], None)), arm.images)


def target_of(scene: WorldScene, seed: int) -> Arm:
    image = hazy(scene.images["s2"])
    return Arm((optical(image, true_of(scene)),), {"s2": image})


OPTICAL: Mapping[str, Any] = {
    "model": {"name": "fcn", "width": 16, "dilations": [1, 2]},
    "schedule": {"steps": 250, "peak_rate": 6e-3},
    "window": 32,
    "batch": 12,
}


def _dacs(weighting: str, alignment: float = 0.0, **settings: Any) -> Mapping[str, Any]:
    recipe = {
        "name": "dacs",
        "weighting": weighting,
        "alignment": alignment,
        # The target is known to be 2.5 times coarser, and of the same scale.
        "down": (0.33, 0.5),
        "up": (1.0, 1.2),
        **settings,
    }
    return {"name": "network", "recipe": recipe, **OPTICAL}


def _noisy(**settings: Any) -> Mapping[str, Any]:
    return {**NETWORK, "recipe": {"name": "noisy", **settings}}


_WEAK: Mapping[str, Any] = {"name": "weak"}
_STAGE_1 = {
    "optical": {"name": "network", **OPTICAL},
    "network-dacs": {**NETWORK, "recipe": _dacs("mean")["recipe"]},
    "network, refitted": _WEAK,
    "weak, refitted": _WEAK,
    # Without what is ours: neither class shares nor style are aligned.
    "dacs": _dacs("mean", restyle=0.0, shares=0.0),
    # A teacher that is never trusted: what augmentation and mixing alone do.
    "dacs-untaught": _dacs("share", threshold=1.0),
    **{f"dacs-{name}": _dacs(name) for name in ("share", "mean", "pixel")},
    **{f"dacs-{name}-raa": _dacs(name, 0.5) for name in ("share", "mean", "pixel")},
    "dacs-mean-shares": _dacs("mean", restyle=0.0),
    "dacs-mean-style": _dacs("mean", shares=0.0),
}
_STAGE_2 = {
    "radar": _noisy(),
    "3-ce": _noisy(published="liu2025-code"),
    "ce-sce": _noisy(published="liu2025"),
    "ce-sce-lovasz": _noisy(published="liu2025", lovasz=1.0),
    "speckle": _noisy(looks=4),
    "gce": _noisy(cross_entropy=0.0, generalised=1.0),
    "sce": _noisy(cross_entropy=0.0, symmetric=1.0),
}


def labels_by(
    method: Mapping[str, Any], arm: Arm, scene: WorldScene, seed: int
) -> Labels:
    """What a method learned from `arm` says of the scene, from eight views."""
    image = arm.images["s2"]
    stack, legend = optical(image, None), scene.truth.legend
    made = choose("methods", method)
    with tempfile.TemporaryDirectory() as folder:
        made.fit(arm.learn, Path(folder), seed, quiet)
        network = made.load(Path(folder), legend, stack.sensors)
        chip = stack.read(Window(0, 0, *stack.shape))
        found = Viewed(network, SYMMETRIES).predict(chip)
    values = found.argmax(0).astype(np.uint8)
    return Labels(values=values, grid=image.grid, legend=legend)


def relabelled_by(
    method: Mapping[str, Any], made: Callable[[WorldScene, int], Arm], rounds: int
) -> Callable[[WorldScene, int], Arm]:
    """The target with what a method makes of it; `weak` learned from that in between."""

    def arm(scene: WorldScene, seed: int) -> Arm:
        arm, way = made(scene, seed), method
        for _ in range(rounds):
            labels = labels_by(way, arm, scene, seed)
            arm, way = replace(arm, learn=(optical(arm.images["s2"], labels),)), _WEAK
        return arm

    return arm


def _on_sar_of(
    made: Callable[[WorldScene, int], Arm],
) -> Callable[[WorldScene, int], Arm]:
    """SAR of the learning blocks with the labels of an arm."""

    def arm(scene: WorldScene, seed: int) -> Arm:
        (stack,) = made(scene, seed).learn
        assert stack.labels is not None
        labels = stack.labels.read(scene.grid)
        return arm_of(scene, known(scene, ~scored(scene), labels), "s1")

    return arm


PROBLEMS = {
    "pseudo": Problem(
        "optical pseudo-labels on SAR",
        SceneSpec(("pseudo",)),
        lambda scene, seed: arm_of(scene, scene.labels["pseudo"], "s1"),
        lambda scene, seed: arm_of(scene, true_of(scene), "s1"),
        methods=_STAGE_2,
    ),
    "season": Problem(
        "labels of another season, haze and resolution",
        SceneSpec(()),
        springs,
        target_of,
        given=_adapted,
        methods=_STAGE_1,
        arms={
            "network, refitted": relabelled_by(NETWORK, springs, _ROUNDS),
            "weak, refitted": relabelled_by(_WEAK, springs, _ROUNDS),
        },
    ),
    "chain": Problem(
        "labels of an optical network of elsewhere on SAR",
        SceneSpec(()),
        _on_sar_of(relabelled_by(NETWORK, springs, 1)),
        on_sar,
        given=_on_sar_of(relabelled_by(NETWORK, springs, 1 + _ROUNDS)),
        methods=_STAGE_2,
    ),
    **{
        f"noise-{percent}": Problem(
            f"{percent} % wrong labels on SAR",
            SceneSpec(()),
            _of_noise(percent / 100),
            on_sar,
            methods=_STAGE_2,
        )
        for percent in (10, 20, 40)
    },
}
