"""How good are the methods on simulated scenes with 500 m labels, and why the defaults.

    python bench/methods.py --seeds 0 1 2 3 4
    python bench/methods.py --seeds 0 1 2 --arms forest network

Development worlds only (seeds below 100): these figures choose the defaults, so they
don't say how good the result is. Prints mean and standard deviation over the seeds,
and writes bench/results/methods.json.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from overcast.accuracy.confusion import Confusion, compare, scores
from overcast.geo.arrays import ImageArray, LabelArray
from overcast.geo.raster import UNKNOWN, Labels
from overcast.geo.stack import Stack
from overcast.geo.tiling import Tiling
from overcast.maps.predict import predict
from overcast.plan import choose
from overcast.progress import quiet
from overcast.worlds.scene import Scene, simulate

PLAIN = {"name": "forest", "depth": 10, "leaf": 1, "balanced": False, "filtered": False}
ARMS: dict[str, dict[str, Any]] = {
    "k-means, 8 clusters": {"name": "kmeans"},
    "forest of Schmitt 2020": PLAIN,
    "  and balanced": {**PLAIN, "balanced": True},
    "forest": {"name": "forest"},
    "weak": {"name": "shares"},
    "network": {"name": "network"},
}


def run(scene: Scene, method: dict[str, Any], seed: int) -> Confusion:
    """Map a scene from its coarse labels and compare with the truth."""
    stack = Stack(
        grid=scene.grid,
        images={name: ImageArray(image) for name, image in scene.images.items()},
        labels=LabelArray(scene.coarse),
    )
    with tempfile.TemporaryDirectory() as folder:
        made = choose("methods", method)
        made.fit([stack], Path(folder), seed, quiet)
        predictor = made.load(Path(folder), scene.coarse.legend, stack.sensors)
        raw = predict(predictor, stack, Tiling(512, 64), Path(folder))
        classes, _ = raw.rows(0, stack.shape[0])
    mapped = Labels(values=classes, grid=scene.grid, legend=scene.coarse.legend)
    assert (classes != UNKNOWN).all()
    return compare(LabelArray(mapped), LabelArray(scene.truth))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2, 3, 4])
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--arms", nargs="+", default=list(ARMS))
    given = parser.parse_args()
    if max(given.seeds) >= 100:
        parser.error("worlds from 100 on are for reporting; defaults are chosen below")
    found: dict[str, list[tuple[float, float, float, float]]] = {}
    for seed in given.seeds:
        scene = simulate(seed, given.size)
        labels = compare(LabelArray(scene.coarse), LabelArray(scene.truth), scene.grid)
        rows = {"the labels": (labels, 0.0)}
        for arm in given.arms:
            start = time.perf_counter()
            rows[arm] = (run(scene, ARMS[arm], 0), time.perf_counter() - start)
        for arm, (confusion, seconds) in rows.items():
            s = scores(confusion, scene.truth.legend)
            found.setdefault(arm, []).append(
                (s["average_accuracy"], s["mean_iou"], s["overall_accuracy"], seconds)
            )
    print(f"{'':34}{'AA':>13}{'mIoU':>13}{'OA':>13}{'seconds':>9}")
    for arm, values in found.items():
        mean, spread = np.mean(values, 0), np.std(values, 0)
        cells = "".join(
            f"{m:7.3f} ±{d:.3f}" for m, d in zip(mean[:3], spread[:3], strict=True)
        )
        print(f"{arm:34}{cells}{mean[3]:9.1f}")
    results = Path(__file__).parent / "results"
    results.mkdir(exist_ok=True)
    text = json.dumps(
        {"seeds": given.seeds, "size": given.size, "arms": found}, indent=2
    )
    (results / "methods.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
