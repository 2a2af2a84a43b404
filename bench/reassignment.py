"""How right the pseudo-labels of `dllr` are, before and after their reassignment.

    python bench/reassignment.py --world 0 --seed 0 --steps 800

Labels of one block in sixteen of a simulated world. The truth rides along as a target
image, from which nothing is learned: accuracies are gauges in the run's log, and this
prints their means over quarters of the training, overall, within 3 pixels of edges, and
by class over the last quarter.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench.claims.problems.few import PROBLEMS, QUICK

from overcast.geo.arrays import ImageArray
from overcast.geo.raster import UNKNOWN, Image
from overcast.geo.stack import Stack
from overcast.learn.diagnosis import CLASS_NUMBERS
from overcast.plan import choose
from overcast.progress import quiet
from overcast.worlds.scene import Scene, Wanted, simulate

Log = Sequence[Mapping[str, float]]


def with_truth(stack: Stack, scene: Scene) -> Stack:
    """The stack with true class numbers as a target image called ``truth``."""
    classes = scene.truth.values[None]
    values = np.where(classes == UNKNOWN, np.nan, classes).astype(np.float32)
    image = ImageArray(Image.of(values, scene.grid, CLASS_NUMBERS))
    targets = stack.targets | {"truth"}
    return replace(stack, images={**stack.images, "truth": image}, targets=targets)


def mean(log: Log, gauge: str, pixels: str | None = None) -> float:
    """Mean of a gauge over steps, by the share of pixels that each counted."""
    weights = [record[pixels] if pixels else 1.0 for record in log]
    if not sum(weights):
        return float("nan")
    return float(np.average([record[gauge] for record in log], weights=weights))


def tables(log: Log, names: Sequence[str]) -> str:
    """Two Markdown tables: over training, and by class at its end."""
    lines = [
        "| steps | before | after | before, edges | after, edges |",
        "|---|---|---|---|---|",
    ]
    for part in np.array_split(np.arange(len(log)), 4):
        steps = [log[i] for i in part]
        cells = [
            mean(steps, f"right {when}{group}", f"pixels{group}" if group else None)
            for group in ("", " edge")
            for when in ("before", "after")
        ]
        numbers = " | ".join(f"{cell:.3f}" for cell in cells)
        lines.append(f"| {part[0]} to {part[-1]} | {numbers} |")
    last = log[-(len(log) // 4) :]
    lines += ["", "| class | share | before | after |", "|---|---|---|---|"]
    for number, name in enumerate(names):
        pixels = f"pixels of {number}"
        if share := mean(last, pixels):
            before, after = (
                mean(last, f"right {when} of {number}", pixels)
                for when in ("before", "after")
            )
            lines.append(f"| {name} | {share:.3f} | {before:.3f} | {after:.3f} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--world", type=int, default=0, choices=range(100))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--steps", type=int, default=800)
    given = parser.parse_args()
    scene = simulate(given.world, given.size, wanted=Wanted(()))
    (stack,) = PROBLEMS["few"].naive(scene, given.seed).learn
    method = {
        **QUICK,
        "schedule": {"steps": given.steps},
        "recipe": {"name": "dllr", "truth": "truth"},
    }
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        network = choose("methods", method)
        network.fit([with_truth(stack, scene)], folder, given.seed, quiet)
        lines = (folder / "log.jsonl").read_text(encoding="utf-8").splitlines()
    print(tables([json.loads(line) for line in lines], scene.truth.legend.names))


if __name__ == "__main__":
    main()
