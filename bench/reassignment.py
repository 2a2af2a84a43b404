"""How right the pseudo-labels of `dllr` are, before and after their reassignment.

    python bench/reassignment.py --world 0 --seed 0 --steps 300

Labels of one block in sixteen of a simulated world. The truth rides along as a target
image, from which nothing is learned: accuracies are gauges in the run's log, and this
prints their means over quarters of the training in per cent, overall, within 3 pixels of
edges, and by class.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench.claims.problems.few import PROBLEMS, QUICK
from bench.published.tables import pseudo_label_tables

from overcast.geo.arrays import LabelArray
from overcast.plan import choose
from overcast.progress import quiet
from overcast.recipes.dllr.pseudo_label_accuracy import with_truth
from overcast.report.training_log import pseudo_labels, read_log
from overcast.worlds.scene import SceneSpec, simulate


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--world", type=int, default=0, choices=range(100))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--size", type=int, default=768)
    parser.add_argument("--steps", type=int, default=300)
    given = parser.parse_args()
    scene = simulate(given.world, given.size, wanted=SceneSpec(()))
    (stack,) = PROBLEMS["few"].naive(scene, given.seed).learn
    method = {
        **QUICK,
        "schedule": {**QUICK["schedule"], "steps": given.steps},
        "recipe": {"name": "dllr", "truth": "truth"},
    }
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        network = choose("methods", method)
        told = with_truth(stack, LabelArray(scene.truth), "truth")
        network.fit([told], folder, given.seed, quiet)
        found = pseudo_labels(read_log(folder / "log.jsonl"), scene.truth.legend.names)
    assert found is not None
    print("\n".join(pseudo_label_tables(found)))


if __name__ == "__main__":
    main()
