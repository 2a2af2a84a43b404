"""Whether confidence means what it says, before and after it is calibrated.

    python bench/calibration.py

On four development worlds, methods learn from 500 m labels and map. 1000 points of a
stratified sample of the map (50 or more per class) get their true class; temperature
and conformal sets are learned from them with their weights, and judged on all other
pixels. Bars: calibration error at most .05, coverage within 2 points of the stated.
"""

from __future__ import annotations

import tempfile
from collections import defaultdict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from overcast.accuracy.calibration import (
    HeldOut,
    Reliability,
    equal_mass_edges,
    fit_temperature,
    scale,
)
from overcast.accuracy.conformal import ConformalSets, Score
from overcast.accuracy.design import allocate, count_classes, draw
from overcast.geo.arrays import ImageArray, LabelArray
from overcast.geo.raster import Labels
from overcast.geo.stack import Stack
from overcast.geo.tiling import Tiling
from overcast.maps.predict import probabilities
from overcast.plan import choose
from overcast.progress import quiet
from overcast.worlds.scene import Scene, simulate

WORLDS, SIDE, POINTS, COVERAGE = range(4), 384, 1000, 0.9
METHODS = ("forest", "weak")
SETS: tuple[tuple[Score, bool], ...] = (
    ("lac", False),
    ("lac", True),
    ("aps", False),
    ("aps", True),
)


def mapped(scene: Scene, method: str) -> NDArray[np.float32]:
    """Class probabilities ``[K, H, W]`` of a method that learned from coarse labels."""
    images = {name: ImageArray(scene.images[name]) for name in ("s1", "s2")}
    coarse = LabelArray(scene.coarse)
    stack = Stack(grid=scene.grid, images=images, labels=coarse)
    found = np.empty((len(coarse.legend), *stack.shape), np.float32)
    with tempfile.TemporaryDirectory() as folder:
        made = choose("methods", {"name": method})
        made.fit((stack,), Path(folder), 0, quiet)
        predictor = made.load(Path(folder), coarse.legend, stack.sensors)
        for window, band in probabilities(predictor, stack, Tiling(512, 64)):
            found[:, *window.slices] = band
    return found


def held_out(
    scene: Scene, found: NDArray[np.float32]
) -> tuple[HeldOut, NDArray[np.bool_]]:
    """Points of a stratified sample with their true class, and where they are not."""
    classes = found.argmax(0).astype(np.uint8)
    legend = scene.truth.legend
    source = LabelArray(Labels(values=classes, grid=scene.grid, legend=legend))
    pixels = count_classes(source)
    sizes = allocate(pixels, POINTS)
    drawn = draw(source, pixels, sizes, seed=0)
    place = drawn.rows, drawn.columns
    weights = (pixels / np.maximum(sizes, 1))[drawn.strata]
    others = np.ones(classes.shape, np.bool_)
    others[place] = False
    return HeldOut.of(found[:, *place], scene.truth.values[place], weights), others


def errors(found: NDArray[np.float32], true: NDArray[np.uint8]) -> tuple[float, float]:
    """Expected calibration error by bins of equal width, and of equal mass."""
    sure, right = found.max(0), found.argmax(0) == true
    mass = Reliability.of(sure, right, equal_mass_edges(sure))
    return Reliability.of(sure, right).expected_error, mass.expected_error


def main() -> None:
    covered = defaultdict(list)
    print("method  world    raw: width   mass    temperature    scaled: width   mass")
    for world in WORLDS:
        scene = simulate(world, SIDE)
        for method in METHODS:
            found = mapped(scene, method)
            held, others = held_out(scene, found)
            test, true = found[:, others], scene.truth.values[others]
            temperature = fit_temperature(held)
            before, after = errors(test, true), errors(scale(test, temperature), true)
            print(
                f"{method:8}{world:5}{before[0]:14.3f}{before[1]:7.3f}"
                f"{temperature:15.2f}{after[0]:17.3f}{after[1]:7.3f}",
                flush=True,
            )
            for score, by_class in SETS:
                sets = ConformalSets.fit(held, COVERAGE, score, by_class).of(test)
                inside = sets[true, np.arange(true.size)]
                each = [inside[true == k].mean() for k in np.unique(true)]
                kind = method, score, by_class
                covered[kind].append((inside.mean(), min(each), sets.sum(0).mean()))
    print(f"\nsets at {COVERAGE:.0%}: coverage by world, least by class, mean classes")
    for (method, score, by_class), figures in covered.items():
        shares = " ".join(f"{100 * share:.1f}" for share, _, _ in figures)
        _, least, size = np.mean(figures, 0)
        name = f"{score}, by class" if by_class else score
        print(f"{method:8}{name:15}{shares}   {100 * least:5.1f}   {size:.2f}")


if __name__ == "__main__":
    main()
