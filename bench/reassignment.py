"""How right the pseudo-labels of `dllr` are, before and after their reassignment.

    python bench/reassignment.py --world 0 --seed 0 --steps 300

Labels of one block in sixteen of a simulated world. The truth rides along as a target
image, from which nothing is learned: accuracies are gauges in the run's log, and this
prints their means over quarters of the training, overall, within 3 pixels of edges, and
by class over the last quarter.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench.claims.problems.few import PROBLEMS, QUICK

from overcast.geo.arrays import ImageArray
from overcast.geo.raster import UNKNOWN, Image
from overcast.geo.stack import Stack
from overcast.learn.diagnosis import CLASS_NUMBERS
from overcast.pages.training import PseudoLabels, Right, pseudo_labels, read_log
from overcast.plan import choose
from overcast.progress import quiet
from overcast.worlds.scene import Scene, Wanted, simulate


def with_truth(stack: Stack, scene: Scene) -> Stack:
    """The stack with true class numbers as a target image called ``truth``."""
    classes = scene.truth.values[None]
    values = np.where(classes == UNKNOWN, np.nan, classes).astype(np.float32)
    image = ImageArray(Image.of(values, scene.grid, CLASS_NUMBERS))
    targets = stack.targets | {"truth"}
    return replace(stack, images={**stack.images, "truth": image}, targets=targets)


def tables(found: PseudoLabels) -> str:
    """Two Markdown tables: over training, and by class at its end."""
    lines = [
        "| steps | before | after | before, edges | after, edges |",
        "|---|---|---|---|---|",
    ]
    for part in found.stretches:
        cells = [*_cells(part.everywhere), *_cells(part.edges)]
        lines.append(f"| {part.first} to {part.last} | {' | '.join(cells)} |")
    lines += ["", "| class | share | before | after |", "|---|---|---|---|"]
    for name, right in found.classes.items():
        lines.append(f"| {name} | {right.pixels:.3f} | {' | '.join(_cells(right))} |")
    return "\n".join(lines)


def _cells(right: Right) -> list[str]:
    return ["" if v is None else f"{v:.3f}" for v in (right.before, right.after)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--world", type=int, default=0, choices=range(100))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--size", type=int, default=768)
    parser.add_argument("--steps", type=int, default=300)
    given = parser.parse_args()
    scene = simulate(given.world, given.size, wanted=Wanted(()))
    (stack,) = PROBLEMS["few"].naive(scene, given.seed).learn
    method = {
        **QUICK,
        "schedule": {**QUICK["schedule"], "steps": given.steps},
        "recipe": {"name": "dllr", "truth": "truth"},
    }
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        network = choose("methods", method)
        network.fit([with_truth(stack, scene)], folder, given.seed, quiet)
        found = pseudo_labels(read_log(folder / "log.jsonl"), scene.truth.legend.names)
    assert found is not None
    print(tables(found))


if __name__ == "__main__":
    main()
