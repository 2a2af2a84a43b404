"""Learn an arm, map it, and score it on the testing blocks, all and in groups."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from bench.claims.blocks import Arm, Mask, known, scored
from numpy.typing import NDArray

from overcast.accuracy.calibration import Reliability
from overcast.accuracy.confusion import Confusion, compare, scores
from overcast.geo.arrays import ImageArray, LabelArray
from overcast.geo.label_cells import labels_of
from overcast.geo.legend import Legend
from overcast.geo.raster import UNKNOWN, Image, Labels
from overcast.geo.stack import Stack
from overcast.geo.tiling import Tiling
from overcast.label_quality.place_file import with_place
from overcast.maps.predict import predict
from overcast.maps.predictor import Predictor
from overcast.methods.place.consistency import place_by_consistency
from overcast.plan import choose
from overcast.progress import quiet
from overcast.worlds.scene import WorldScene

NETWORK: Mapping[str, Any] = {
    "name": "network",
    "batch": 16,
    "schedule": {"steps": 800, "peak_rate": 4e-3},
}
"""The default network with half the windows in a step: half the time, and two points of
mIoU less with true labels on a development world."""
TRUSTED: Mapping[str, Any] = {"name": "weak", "cell": 2, "balance": 1.0}
"""`weak` for labels that are few and right: rare ones count as much as frequent ones."""
METHODS: dict[str, Mapping[str, Any]] = {
    "plain-forest": {
        "name": "forest",
        "depth": 10,
        "leaf": 1,
        "balanced": False,
        "filtered": False,
    },
    "forest": {"name": "forest"},
    "weak": {"name": "weak"},
    "network": NETWORK,
}
"""Ways to learn that every problem is measured with: the forest of Schmitt 2020, the
default one, balanced by class, and the default network, but for its batch."""


_GROUP_SCORES = ("mean_iou", "overall_accuracy")


@dataclass(frozen=True)
class Score:
    """Scores of one arm on one world with one seed; IoU by class name.

    `groups` holds, by name of a group of pixels, its mean IoU, overall accuracy,
    calibration error and share of the scored pixels.
    """

    mean_iou: float
    average_accuracy: float
    overall_accuracy: float
    iou: Mapping[str, float | None]
    seconds: float
    groups: Mapping[str, Mapping[str, float]] = field(default_factory=dict)


def score(
    scene: WorldScene,
    arm: Arm,
    method: Mapping[str, Any],
    seed: int,
    groups: Mapping[str, Callable[[WorldScene], Mask]] | None = None,
    place: bool = False,
) -> Score:
    """Fit `method` on the arm, map its images, compare with the truth where tested.

    With `place`, labels count as evidence of place, as far as by default of
    `overcast map`.
    """
    start = time.perf_counter()
    legend = scene.truth.legend
    with tempfile.TemporaryDirectory() as folder:
        made = choose("methods", method)
        made.fit(arm.learn, Path(folder), seed, quiet)
        predictor = made.load(Path(folder), legend, arm.learn[0].sensors)
        if place:
            predictor = _placed(predictor, arm.learn[0], seed)
        result = mapped(predictor, scene, arm.images, Path(folder))
    found = score_map(scene, *result, groups)
    return replace(found, seconds=time.perf_counter() - start)


def _placed(predictor: Predictor, stack: Stack, seed: int) -> Predictor:
    """Return the predictor with the labels that it was learned from."""
    place = place_by_consistency(predictor, stack, seed)
    if place.strength is None:
        return predictor
    return with_place(predictor, place, [labels_of(stack)])


def mapped(
    predictor: Predictor,
    scene: WorldScene,
    images: Mapping[str, Image],
    folder: Path,
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Class indices and confidence ``[H, W]`` of some images of a scene."""
    sources = {name: ImageArray(image) for name, image in images.items()}
    stack = Stack(grid=scene.grid, images=sources, labels=None)
    raw = predict(predictor, stack, Tiling(512, 64), folder)
    return raw.rows(0, stack.shape[0])


def score_map(
    scene: WorldScene,
    classes: NDArray[np.uint8],
    confidence: NDArray[np.float32],
    groups: Mapping[str, Callable[[WorldScene], Mask]] | None = None,
) -> Score:
    """Compare a map, class indices ``[H, W]``, with the truth where tested."""
    legend = scene.truth.legend
    mapped = Labels(values=classes, grid=scene.grid, legend=legend)
    truth = known(scene, scored(scene), scene.truth)
    found = scores(compare(LabelArray(mapped), LabelArray(truth)), legend)
    present = found["classes_present"]
    iou = {name: found["per_class"][name]["iou"] for name in present}
    result = truth.values, classes, confidence
    return Score(
        found["mean_iou"],
        found["average_accuracy"],
        found["overall_accuracy"],
        iou,
        0.0,
        {
            name: _score_group(where(scene), result, legend)
            for name, where in (groups or {}).items()
        },
    )


def _score_group(
    where: Mask,
    result: tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.float32]],
    legend: Legend,
) -> dict[str, float]:
    truth, classes, confidence = result
    inside = where & (truth != UNKNOWN)
    if not inside.any():
        return {}
    counted = Confusion.of(truth[inside], classes[inside], len(legend))
    found = scores(counted, legend)
    right = (classes == truth)[inside]
    return {
        **{name: found[name] for name in _GROUP_SCORES},
        "calibration_error": Reliability.of(confidence[inside], right).expected_error,
        "share": float(inside.sum() / (truth != UNKNOWN).sum()),
    }
