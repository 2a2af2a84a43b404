"""How often intervals of 95 % by zone hold the truth, on samples of simulated maps.

    python bench/zones.py [--first 100] [--worlds 10] [--samples 20]

Maps are those of `bench/coverage.py`. Every world is cut into 5 districts and into 30
municipalities of very different sizes (cells around random places). Each map is sampled
20 times with 600 points, 50 or more per class, and the true class read off: 200 samples
of each map. Coverage is over samples, zones and classes whose true share is above 0,
by how a zone was estimated. Bar: 93 to 97 % where nothing is assumed.
"""

from __future__ import annotations

import argparse
from collections import defaultdict

import numpy as np
from numpy.typing import NDArray

from overcast.accuracy.area import StratifiedSample
from overcast.accuracy.design import allocate, count_classes, draw
from overcast.accuracy.zones import ZonedSample, estimate_zones
from overcast.geo.arrays import LabelArray
from overcast.geo.raster import Labels
from overcast.worlds.scene import SceneSpec, simulate

SIDE, POINTS = 384, 600
MAPS = ("worldcover", "outdated")
CUTS = {"districts": 5, "municipalities": 30}


def cells(count: int, seed: int, side: int = SIDE) -> NDArray[np.int64]:
    """Zone of every pixel ``[H, W]``: the nearest of `count` random places, clustered."""
    random = np.random.default_rng(seed)
    places = side * random.random((count, 2)) ** 1.5
    rows, columns = np.mgrid[:side, :side]
    far = np.stack([(rows - y) ** 2 + (columns - x) ** 2 for y, x in places])
    return far.argmin(0)


def zoned(
    truth: Labels, mapped: Labels, zones: NDArray[np.int64], seed: int
) -> ZonedSample:
    """A sample of the map, judged without a mistake, with the zones of its points."""
    source, count = LabelArray(mapped), len(truth.legend)
    pixels = count_classes(source)
    drawn = draw(source, pixels, allocate(pixels, POINTS), seed)
    place = drawn.rows, drawn.columns
    mapped_at, true_at = mapped.values[place], truth.values[place]
    whole = StratifiedSample.of(drawn.strata, mapped_at, true_at, pixels, count)
    index = zones * count + mapped.values
    table = np.bincount(index.ravel(), minlength=(zones.max() + 1) * count)
    return ZonedSample(
        whole,
        *(v.astype(np.int64) for v in (drawn.strata, mapped_at, true_at)),
        zones[place],
        table.reshape(-1, count),
    )


def shares(truth: Labels, zones: NDArray[np.int64]) -> NDArray[np.float64]:
    """True share of every class ``[Z, K]`` of every zone."""
    count = len(truth.legend)
    table = np.bincount((zones * count + truth.values).ravel())
    table = np.pad(table, (0, (zones.max() + 1) * count - len(table)))
    table = table.reshape(-1, count)
    return table / table.sum(1, keepdims=True)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--first", type=int, default=100)
    parser.add_argument("--worlds", type=int, default=10)
    parser.add_argument("--samples", type=int, default=20)
    given = parser.parse_args()
    held: dict[tuple[str, str, str], list[NDArray[np.bool_]]] = defaultdict(list)
    wide: dict[tuple[str, str, str], list[NDArray[np.float64]]] = defaultdict(list)
    off: dict[tuple[str, str, str], list[NDArray[np.float64]]] = defaultdict(list)
    for world in range(given.first, given.first + given.worlds):
        scene = simulate(world, SIDE, wanted=SceneSpec(MAPS))
        for kind in MAPS:
            mapped = scene.labels[kind]
            for cut, count in CUTS.items():
                zones = cells(count, 100 * world + count)
                true = shares(scene.truth, zones)
                for seed in range(given.samples):
                    made = estimate_zones(zoned(scene.truth, mapped, zones, seed))
                    low, high = made.interval(made.areas)
                    for d, how in enumerate(made.kind):
                        part = true[d] > 0
                        key = kind, cut, how
                        inside = (low[d] <= true[d]) & (true[d] <= high[d])
                        held[key].append(inside[part])
                        wide[key].append((high - low)[d][part])
                        off[key].append((made.areas.value - true)[d][part])
    print(
        f"{'map':12}{'zones':16}{'estimate':18}{'held':>7}{'width':>8}{'error':>8}{'n':>8}"
    )
    for key in sorted(held):
        inside, width, error = (np.concatenate(v[key]) for v in (held, wide, off))
        print(
            f"{key[0]:12}{key[1]:16}{key[2]:18}{100 * inside.mean():6.1f}%"
            f"{100 * width.mean():7.1f}%{100 * np.sqrt((error**2).mean()):7.1f}%"
            f"{len(inside):8}"
        )


if __name__ == "__main__":
    main()
