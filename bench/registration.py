"""What ``--register`` is worth: ``python bench/registration.py [WORLD ...]``.

In a simulated scene, Sentinel-1 lies a few pixels beside Sentinel-2, each scene by a
shift of its own. The default method maps the scene from labels of 500 m, as the files
are and registered. Prints mean IoU over all pixels, and how far the shift is missed.
"""

from __future__ import annotations

import sys

import numpy as np

import overcast as oc
from overcast.api.simulate import SimulatedWorld
from overcast.label_quality.registration import Shift, misplaced
from overcast.worlds.world import make_world

SIZE = 384
WORLDS = (1, 2, 3, 4, 5, 6)


def main() -> None:
    """Print the table, and the mean gain with its standard deviation."""
    print("| world | shift, pixels | missed by | as it is | registered |")
    print("|---|---|---|---|---|")
    gains = []
    for seed in map(int, sys.argv[1:] or WORLDS):
        world = oc.simulate(seed, SIZE)
        down, right = make_world(seed, SIZE).region.shift
        shift = misplaced(scene_of(world, register=False).stack).get("s1")
        back = Shift(-down, -right)
        missed = "not noticed" if shift is None else f"{shift.apart(back):.1f}"
        plain, registered = (score(world, register=r) for r in (False, True))
        gains.append(registered - plain)
        row = f"{back.length:.1f} | {missed} | {plain:.3f} | {registered:.3f}"
        print(f"| {seed} | {row} |", flush=True)
    print(f"\nGain: {np.mean(gains):.3f} ± {np.std(gains, ddof=1):.3f}")


def scene_of(world: SimulatedWorld, *, register: bool) -> oc.Scene:
    """Both images of a world."""
    images = world.images
    return oc.scene(s1=images["s1"], s2=images["s2"], register=register)


def score(world: SimulatedWorld, *, register: bool) -> float:
    """Mean IoU of the default map."""
    scene = scene_of(world, register=register)
    mapped = oc.fit(scene, world.labels["modis"]).predict(scene).land_cover.values
    truth = world.truth.values
    pairs = [(mapped == code, truth == code) for code in np.unique(truth)]
    return float(np.mean([(a & b).sum() / (a | b).sum() for a, b in pairs]))


if __name__ == "__main__":
    main()
