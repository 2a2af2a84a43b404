"""A map from what is left of the sensors: one network, mapped with and without each.

    python -m bench.claims.missing cloud50 --methods cloudseg no-drop fusion --worlds 1 2

Prints the mean IoU of every map on the testing blocks, all of them and by the problem's
groups of pixels, and their means over worlds.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from bench.claims.blocks import Problem
from bench.claims.problems import PROBLEMS
from bench.claims.scoring import METHODS, mapped, score_map

from overcast.geo.raster import Image
from overcast.plan import choose
from overcast.progress import quiet
from overcast.worlds.scene import WorldScene, simulate


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("problem", choices=PROBLEMS)
    parser.add_argument("--methods", nargs="+", required=True)
    parser.add_argument("--worlds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--size", type=int, default=512)
    given = parser.parse_args()
    problem = PROBLEMS[given.problem]
    found: dict[str, list[dict[str, float]]] = {}
    for world in given.worlds:
        scene = simulate(world, given.size, wanted=problem.wanted)
        for method in given.methods:
            for lost, scores in measure(problem, scene, method).items():
                name = f"{method}, {lost}"
                print(json.dumps({"world": world, "map": name, **scores}), flush=True)
                found.setdefault(name, []).append(scores)
    for name, runs in found.items():
        means = {key: round(np.mean([r[key] for r in runs]), 3) for key in runs[0]}
        print(json.dumps({"worlds": given.worlds, "map": name, **means}))


def measure(
    problem: Problem, scene: WorldScene, name: str
) -> dict[str, dict[str, float]]:
    """Mean IoU of every map of one training, by what is missing and group of pixels."""
    make = problem.arms.get(name, problem.given or problem.naive)
    arm, made = make(scene, 0), choose("methods", {**METHODS, **problem.methods}[name])
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        made.fit(arm.learn, Path(folder), 0, quiet)
        predictor = made.load(Path(folder), scene.truth.legend, arm.learn[0].sensors)
        for lost in ("", *arm.images):
            images = {**arm.images}
            if lost:
                images[lost] = Image.unseen(scene.grid, arm.images[lost].sensor)
            result = mapped(predictor, scene, images, Path(folder))
            scores: dict[str, Any] = asdict(score_map(scene, *result, problem.groups))
            groups = {n: g["mean_iou"] for n, g in scores["groups"].items() if g}
            whole = {"all": scores["mean_iou"], **groups}
            told = f"without {lost}" if lost else "whole"
            found[told] = {n: round(v, 3) for n, v in whole.items()}
    return found


if __name__ == "__main__":
    main()
