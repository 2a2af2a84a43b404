"""How often intervals of 95 % hold the truth, on samples of simulated maps.

    python bench/coverage.py

On ten development worlds, two maps are assessed: one that is right in about 60 % of the
pixels (a 10 m product) and one in about 93 % (the truth of eight years ago). Each is
sampled 20 times with 600 points, 50 or more per class, and the true class read off:
200 samples of each. Coverage is over samples and the classes of the truth, for the
intervals that overcast gives and for the papers' estimate ± 1.96 standard errors.
Bar: 92 to 98 % for areas.
"""

from __future__ import annotations

from collections import defaultdict

import numpy as np
from numpy.typing import NDArray

from overcast.accuracy.area import Estimate, StratifiedSample
from overcast.accuracy.confusion import Confusion
from overcast.accuracy.design import allocate, count_classes, draw
from overcast.geo.arrays import LabelArray
from overcast.geo.raster import Labels
from overcast.worlds.scene import SceneSpec, simulate

WORLDS, SIDE, SAMPLES, POINTS = range(10), 384, 20, 600
MAPS = ("worldcover", "outdated")
QUANTITIES = ("areas", "overall_accuracy", "users_accuracy", "producers_accuracy")
Held = dict[str, list[tuple[bool, bool]]]


def known(truth: Labels, mapped: Labels) -> dict[str, NDArray[np.float64]]:
    """What the estimates are of, from all pixels."""
    found = Confusion.of(truth.values, mapped.values, len(truth.legend))
    return {
        "areas": found.support / found.support.sum(),
        "overall_accuracy": np.array([found.overall_accuracy]),
        "users_accuracy": found.users_accuracy,
        "producers_accuracy": found.producers_accuracy,
    }


def sampled(truth: Labels, mapped: Labels, seed: int) -> StratifiedSample:
    """A sample of the map, judged without a mistake."""
    source = LabelArray(mapped)
    pixels = count_classes(source)
    drawn = draw(source, pixels, allocate(pixels, POINTS), seed)
    place = drawn.rows, drawn.columns
    return StratifiedSample.of(
        drawn.strata,
        mapped.values[place],
        truth.values[place],
        pixels,
        len(truth.legend),
    )


def note(held: Held, name: str, estimate: Estimate, true: NDArray[np.float64]) -> None:
    """Keep whether the two intervals hold what is true, where both are defined."""
    low, high = estimate.interval
    ours = (low <= true) & (true <= high)
    papers = np.abs(estimate.value - true) <= estimate.half_width
    # A class that the world lacks has area 0: any interval that starts there holds it.
    counted = np.isfinite(estimate.value) & np.isfinite(true) & (true > 0)
    held[name] += list(zip(ours[counted], papers[counted], strict=True))


def main() -> None:
    held: dict[str, Held] = {kind: defaultdict(list) for kind in MAPS}
    for world in WORLDS:
        scene = simulate(world, SIDE, wanted=SceneSpec(MAPS))
        for kind in MAPS:
            true = known(scene.truth, scene.labels[kind])
            for seed in range(SAMPLES):
                sample = sampled(scene.truth, scene.labels[kind], seed)
                for name in QUANTITIES:
                    note(held[kind], name, getattr(sample, name), true[name])
    print(f"{'map':12}{'quantity':20}{'overcast':>9}{'papers':>9}{'intervals':>11}")
    for kind in MAPS:
        for name in QUANTITIES:
            ours, papers = (100 * np.mean(held[kind][name], 0)).tolist()
            count = len(held[kind][name])
            print(f"{kind:12}{name:20}{ours:8.1f}%{papers:8.1f}%{count:11}")


if __name__ == "__main__":
    main()
