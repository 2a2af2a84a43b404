"""Which share of wrong labels a loss learns by heart, and what that costs.

    python -m bench.claims.by_heart --worlds 1 --seeds 0 --size 512

For every loss of the problem ``heart``: mIoU against the truth on testing blocks, and the
share of the wrong labels that the map repeats where they were learned. Where that share is
small, no loss has anything to mend.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench.claims.problems.heart import METHODS, few_misled
from bench.claims.scoring import mapped, score_map

from overcast.geo.raster import UNKNOWN
from overcast.plan import choose
from overcast.progress import quiet
from overcast.worlds.scene import SceneSpec, WorldScene, simulate


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--worlds", type=int, nargs="+", default=[1])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=list(METHODS))
    given = parser.parse_args()
    print("| world | seed | loss | mIoU | share of wrong labels learned |")
    print("|---|---|---|---|---|")
    for world in given.worlds:
        scene = simulate(world, given.size, wanted=SceneSpec(()))
        for seed in given.seeds:
            for name in given.methods:
                iou, share = learned(scene, METHODS[name], seed)
                row = f"| {world} | {seed} | {name} | {iou:.3f} | {share:.2f} |"
                print(row, flush=True)


def learned(
    scene: WorldScene, method: Mapping[str, Any], seed: int
) -> tuple[float, float]:
    """Mean IoU on testing blocks, and the share of wrong labels that the map repeats."""
    arm = few_misled(scene, seed)
    (stack,) = arm.learn
    assert stack.labels is not None
    labels = stack.labels.read(scene.grid).values
    wrong = (labels != UNKNOWN) & (labels != scene.truth.values)
    with tempfile.TemporaryDirectory() as folder:
        made = choose("methods", method)
        made.fit(arm.learn, Path(folder), seed, quiet)
        predictor = made.load(Path(folder), scene.truth.legend, stack.sensors)
        classes, confidence = mapped(predictor, scene, arm.images, Path(folder))
    repeated = float((classes == labels)[wrong].mean())
    return score_map(scene, classes, confidence).mean_iou, repeated


if __name__ == "__main__":
    main()
