"""Whether confidence means what it says under cloud, and beside it.

    python -m bench.claims.confidence cloud50
    python -m bench.claims.confidence cloud50 --worlds 100 101 102

Expected calibration error of `cloudseg` on the testing blocks, clear and under cloud
apart: as it is, and at the one temperature that the first development world gives.
"""

from __future__ import annotations

import argparse
import json

import numpy as np
from bench.claims.blocks import Problem, scored
from bench.claims.problems import PROBLEMS
from bench.claims.taught import probabilities_of
from numpy.typing import NDArray

from overcast.accuracy.calibration import HeldOut, Reliability, fit_temperature, scale
from overcast.worlds.scene import Scene, simulate

_TUNED = 1
"""The development world that gives the temperature."""
_GROUPS = ("clear", "under cloud")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("problem", choices=[n for n in PROBLEMS if "cloud" in n])
    parser.add_argument("--worlds", type=int, nargs="+", default=[2, 3])
    parser.add_argument("--size", type=int, default=512)
    given = parser.parse_args()
    problem = PROBLEMS[given.problem]
    tuned = simulate(_TUNED, given.size, wanted=problem.wanted)
    held, truth = mapped(problem, tuned)
    here = scored(tuned)
    sample = HeldOut.of(held[:, here], truth[here], np.ones(int(here.sum())))
    temperature = fit_temperature(sample)
    print(json.dumps({"world": _TUNED, "temperature": round(temperature, 3)}))
    for world in given.worlds:
        scene = simulate(world, given.size, wanted=problem.wanted)
        found, truth = mapped(problem, scene)
        errors = {
            name: {
                "as it is": error(found[:, where], truth[where]),
                "scaled": error(scale(found[:, where], temperature), truth[where]),
            }
            for name, where in (
                (name, problem.groups[name](scene) & scored(scene)) for name in _GROUPS
            )
        }
        print(json.dumps({"world": world, **errors}), flush=True)


def mapped(
    problem: Problem, scene: Scene
) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Probabilities ``[K, H, W]`` of `cloudseg`, and the true classes."""
    assert problem.given is not None
    arm = problem.given(scene, 0)
    found = probabilities_of(scene, arm, problem.methods["cloudseg"], 0)
    return found.values, scene.truth.values


def error(found: NDArray[np.float32], true: NDArray[np.uint8]) -> float:
    """Expected calibration error of probabilities ``[K, N]``."""
    reliability = Reliability.of(found.max(0), found.argmax(0) == true)
    return round(reliability.expected_error, 3)


if __name__ == "__main__":
    main()
