"""Whether confidence means what it says, before and after it is calibrated.

    python bench/calibration.py
    python bench/calibration.py --report

On four development worlds, or with `--report` on worlds 100 to 102, methods learn from
500 m labels and map. 1000 points of a stratified sample of the map (50 or more per class)
get their true class; temperature, curve and conformal sets are learned from them with
their weights, as `overcast calibrate` does, and judged on all other pixels. Five samples
of each map: the mean over them, and the worst. Bars: calibration error at most .05,
coverage within 2 points of the stated.
"""

from __future__ import annotations

import argparse
import tempfile
from collections import defaultdict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from overcast.accuracy.calibration import (
    HeldOut,
    Reliability,
    equal_mass_edges,
    scale,
)
from overcast.accuracy.design import allocate, count_classes, draw
from overcast.geo.arrays import ImageArray, LabelArray
from overcast.geo.raster import Labels
from overcast.geo.stack import Stack
from overcast.geo.tiling import Tiling
from overcast.jobs.calibrate import calibrate
from overcast.maps.predict import probabilities
from overcast.plan import choose
from overcast.progress import quiet
from overcast.worlds.scene import WorldScene, simulate

DEVELOPMENT, REPORTED = range(4), range(100, 103)
SIDE, POINTS, SAMPLES, COVERAGE = 384, 1000, 5, 0.9
METHODS = ("forest", "weak")
Figures = dict[str, float]


def mapped(scene: WorldScene, method: str) -> NDArray[np.float32]:
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
    scene: WorldScene, found: NDArray[np.float32], seed: int
) -> tuple[HeldOut, NDArray[np.bool_]]:
    """Points of a stratified sample with their true class, and where they are not."""
    classes = found.argmax(0).astype(np.uint8)
    legend = scene.truth.legend
    source = LabelArray(Labels(values=classes, grid=scene.grid, legend=legend))
    pixels = count_classes(source)
    sizes = allocate(pixels, POINTS)
    drawn = draw(source, pixels, sizes, seed)
    place = drawn.rows, drawn.columns
    weights = (pixels / np.maximum(sizes, 1))[drawn.strata]
    others = np.ones(classes.shape, np.bool_)
    others[place] = False
    return HeldOut.of(found[:, *place], scene.truth.values[place], weights), others


def error(found: NDArray[np.float32], true: NDArray[np.uint8], mass: bool) -> float:
    """Expected calibration error by bins of equal width, or of equal mass."""
    sure, right = found.max(0), found.argmax(0) == true
    edges = equal_mass_edges(sure) if mass else None
    return Reliability.of(sure, right, edges).expected_error


def judged(scene: WorldScene, found: NDArray[np.float32], seed: int) -> Figures:
    """What one sample gives, at all pixels that are not in it."""
    held, others = held_out(scene, found, seed)
    test, true = found[:, others], scene.truth.values[others]
    figures: Figures = {}
    for by_class in (False, True):
        learned = calibrate(held, "sample", COVERAGE, by_class)
        scaled = learned.scaling.of(test)
        assert learned.sets is not None
        sets = learned.sets.of(scaled)
        inside = sets[true, np.arange(true.size)]
        kind = "by class " if by_class else ""
        figures[kind + "covered"] = inside.mean()
        each = [inside[true == k].mean() for k in np.unique(true)]
        figures[kind + "least"] = min(each)
        figures[kind + "classes"] = sets.sum(0).mean()
    warm = scale(test, learned.scaling.temperature)
    return figures | {
        "raw": error(test, true, False),
        "temperature": error(warm, true, False),
        "curve": error(scaled, true, False),
        "curve, mass": error(scaled, true, True),
        "said": learned.after.expected_error,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--report", action="store_true", help="worlds 100 to 102")
    worlds = REPORTED if parser.parse_args().report else DEVELOPMENT
    every: dict[str, list[Figures]] = defaultdict(list)
    for world in worlds:
        scene = simulate(world, SIDE)
        for method in METHODS:
            found = mapped(scene, method)
            several = [judged(scene, found, seed) for seed in range(SAMPLES)]
            every[method] += several
            print(f"{method}, world {world}: {summary(several)}", flush=True)
    for method, several in every.items():
        print(f"{method}, all worlds: {summary(several)}")


def summary(several: list[Figures]) -> str:
    """Mean of every figure, and the worst where there is a bar."""
    parts = []
    for name in several[0]:
        values = [figures[name] for figures in several]
        text = f"{name} {np.mean(values):.3f}"
        if name.startswith(("curve", "temperature")):
            text += f" (worst {max(values):.3f})"
        if name.endswith("covered"):
            text += f" ({min(values):.3f} to {max(values):.3f})"
        parts.append(text)
    return "; ".join(parts)


if __name__ == "__main__":
    main()
