"""True labels of few scenes."""

from collections.abc import Callable

import numpy as np
from bench.claims.blocks import Arm, Problem, arm_of, blocks_of, fine, known

from overcast.worlds.scene import Scene, Wanted


def _few(share: int) -> Callable[[Scene, int], Arm]:
    """True labels of one learning block in `share`."""

    def arm(scene: Scene, seed: int) -> Arm:
        numbers = blocks_of(scene, 0)
        learning = np.unique(numbers[numbers % 2 == 0])
        count = max(1, len(learning) // share)
        kept = np.random.default_rng(seed + 1).choice(learning, count, replace=False)
        labels = known(scene, np.isin(numbers, kept), scene.truth)
        return arm_of(scene, labels, "s1", "s2")

    return arm


PROBLEMS = {
    "few": Problem("labels of 1/16 of the scenes", Wanted(()), _few(16), fine),
}
