"""Ten patches that `overcast labels suggest` asks for, and the map that they make.

    python bench/suggesting.py --world 3 --size 384

Writes a picture, docs/pictures/suggested.png: the scene in true colour with the patches,
their true labels, the map that `weak` makes of these, and the truth. Prints mIoU of the
map over the whole scene, beside that of as many patches at random.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench.claims.blocks import arm_of, known
from bench.claims.scoring import TRUSTED
from bench.claims.taught import probabilities_of
from bench.pretraining import class_colours, grid, save, true_colour

from overcast.accuracy.confusion import Confusion, scores
from overcast.geo.tiling import Window
from overcast.methods.suggest import patches_of, telling_patches
from overcast.progress import quiet
from overcast.worlds.scene import SceneSpec, WorldScene, simulate

SIDE, COUNT = 32, 10
_FRAME = 2
_UNLABELLED = 255


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--world", type=int, default=3)
    parser.add_argument("--size", type=int, default=384)
    parser.add_argument("--out", type=Path, default=Path("docs/pictures/suggested.png"))
    given = parser.parse_args()
    scene = simulate(given.world, given.size, wanted=SceneSpec(()))
    (stack,) = arm_of(scene, scene.truth, "s1", "s2").learn
    windows = patches_of(stack.shape, SIDE, 0)
    chosen = telling_patches(replace(stack, labels=None), windows, COUNT, 0, quiet)
    squares = [patch.window for patch in chosen]
    drawn = np.random.default_rng(0).choice(len(windows), COUNT, replace=False)
    mapped = map_of(scene, squares)
    print(f"chosen {mean_iou(scene, mapped):.3f}")
    print(f"random {mean_iou(scene, map_of(scene, [windows[i] for i in drawn])):.3f}")
    colour, classes = true_colour(scene), class_colours(scene)
    inside = mask_of(scene, squares)
    framed = colour.copy()
    framed[inside & ~mask_of(scene, squares, _FRAME)] = 255, 230, 0
    labels = np.where(inside[..., None], classes, np.uint8(_UNLABELLED))
    palette = np.array([c.rgb for c in scene.truth.legend.classes], np.uint8)
    save(grid([framed, labels, palette[mapped], classes], 4), given.out)


def mask_of(
    scene: WorldScene, squares: list[Window], within: int = 0
) -> NDArray[np.bool_]:
    """Pixels ``[H, W]`` in squares, so far `within` from their borders."""
    found = np.zeros(scene.grid.shape, np.bool_)
    for y, x, h, w in squares:
        found[y + within : y + h - within, x + within : x + w - within] = True
    return found


def map_of(scene: WorldScene, squares: list[Window]) -> NDArray[np.intp]:
    """Classes ``[H, W]`` that `weak` makes of the true labels in some squares."""
    labels = known(scene, mask_of(scene, squares), scene.truth)
    arm = arm_of(scene, labels, "s1", "s2")
    return np.asarray(probabilities_of(scene, arm, TRUSTED, 0).values.argmax(0))


def mean_iou(scene: WorldScene, mapped: NDArray[np.intp]) -> float:
    truth, legend = scene.truth.values, scene.truth.legend
    counted = Confusion.of(truth.ravel(), mapped.astype(np.uint8).ravel(), len(legend))
    return float(scores(counted, legend)["mean_iou"])


if __name__ == "__main__":
    main()
