"""Learn an arm, map it, and score it on the testing blocks."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.claims.blocks import Arm, known, scored

from overcast.geo.arrays import ImageArray, LabelArray
from overcast.geo.raster import Labels
from overcast.geo.stack import Stack
from overcast.geo.tiling import Tiling
from overcast.maps.accuracy import compare, scores
from overcast.maps.predict import predict
from overcast.plan import choose
from overcast.progress import quiet
from overcast.worlds.scene import Scene

METHODS: dict[str, Mapping[str, Any]] = {
    "plain-forest": {
        "name": "forest",
        "depth": 10,
        "leaf": 1,
        "balanced": False,
        "filtered": False,
    },
    "forest": {"name": "forest"},
    "shares": {"name": "shares"},
    "network": {"name": "network"},
}
"""Ways to learn that every problem is measured with: the forest of Schmitt 2020, the
default one, balanced by class, and the default network."""


@dataclass(frozen=True)
class Score:
    """Scores of one arm on one world with one seed; IoU by class name."""

    mean_iou: float
    average_accuracy: float
    overall_accuracy: float
    iou: Mapping[str, float | None]
    seconds: float


def score(scene: Scene, arm: Arm, method: Mapping[str, Any], seed: int) -> Score:
    """Fit `method` on the arm, map its images, compare with the truth where tested."""
    start = time.perf_counter()
    legend = scene.truth.legend
    with tempfile.TemporaryDirectory() as folder:
        made = choose("methods", method)
        made.fit(arm.learn, Path(folder), seed, quiet)
        predictor = made.load(Path(folder), legend, arm.learn[0].sensors)
        sources = {name: ImageArray(image) for name, image in arm.images.items()}
        stack = Stack(grid=scene.grid, images=sources, labels=None)
        raw = predict(predictor, stack, Tiling(512, 64), Path(folder))
        classes, _ = raw.rows(0, stack.shape[0])
    mapped = Labels(values=classes, grid=scene.grid, legend=legend)
    truth = known(scene, scored(scene), scene.truth)
    found = scores(compare(LabelArray(mapped), LabelArray(truth)), legend)
    present = found["classes_present"]
    iou = {name: found["per_class"][name]["iou"] for name in present}
    return Score(
        found["mean_iou"],
        found["average_accuracy"],
        found["overall_accuracy"],
        iou,
        time.perf_counter() - start,
    )
