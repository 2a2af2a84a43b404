"""What one core of this machine could do, and the share that mapping with weak reaches.

    OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python bench/limit.py [ROUNDS]

Measures in turns, in CPU seconds: a matrix product whose parts stay in the cache, a sum of
arrays that don't, and the mapping of a window of 512 x 512 pixels by clusters of random
pixels. The limit is the arithmetic of nearest centres at the speed of the product, plus
100 means of boxes, each reading and writing its pixels once, at the speed of memory.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import numpy as np
from affine import Affine
from odc.geo.geobox import GeoBox

from overcast.geo.bands import SENTINEL_1, SENTINEL_2
from overcast.geo.legend import LandClass, Legend
from overcast.geo.raster import Image
from overcast.geo.stack import Chip
from overcast.methods.features import pixel_features
from overcast.methods.weak import ExplainedClusters
from overcast.methods.weak.clusters import find_clusters
from overcast.progress import quiet
from overcast.threads import keep_memory

_SIDE, _CLUSTERS, _DIMENSIONS, _CLASSES = 512, (256, 512, 256, 512), 15, 10
_MEANS = 100
"""Means of boxes that a pixel needs, in round numbers."""
_MILLION = 1e6


def chip_of_land() -> Chip:
    """Patches of 16 pixels, with noise, as two sensors see them."""
    grid = GeoBox((_SIDE, _SIDE), Affine(10, 0, 5e5, 0, -10, 4e6), "EPSG:32633")
    random, images = np.random.default_rng(0), {}
    for name, sensor in (("s1", SENTINEL_1), ("s2", SENTINEL_2)):
        low, high = (
            np.array([getattr(b, end) for b in sensor.bands])[:, None, None]
            for end in ("low", "high")
        )
        shape = (len(sensor.bands), _SIDE // 16, _SIDE // 16)
        patches = random.random(shape).repeat(16, 1).repeat(16, 2) * 0.6 + 0.1
        noisy = patches + random.normal(0, 0.03, patches.shape)
        values = (low + (high - low) * noisy).astype(np.float32)
        images[name] = Image.of(values, grid, sensor)
    return Chip(images=images, labels=None, grid=grid)


def predictor_for(chip: Chip) -> ExplainedClusters:
    """Clusters of a chip's own pixels, with classes drawn at random."""
    sensors = {name: image.sensor for name, image in chip.images.items()}
    features = pixel_features(chip, sensors)
    pixels = np.ascontiguousarray(features.reshape(len(features), -1).T)
    arrays = find_clusters(pixels[::5], _CLUSTERS, _DIMENSIONS, 0, quiet)
    random = np.random.default_rng(1)
    for i, count in enumerate(_CLUSTERS):
        shares = random.dirichlet(np.full(_CLASSES, 0.2), count)
        arrays[f"classes.{i}"] = shares.astype(np.float32)
    classes = [LandClass(k, f"class {k}", f"{k}0{k}0{k}0") for k in range(_CLASSES)]
    legend = Legend("ten", tuple(classes))
    return ExplainedClusters(
        legend, sensors, arrays, radius=4, blur=1.3, sharpness=1.7, filtered=True
    )


def cpu(work: Callable[[], object]) -> float:
    """CPU seconds of one call."""
    start = time.process_time()
    work()
    return time.process_time() - start


def main() -> None:
    """Print what the machine could do, the limit, and the share of it."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    keep_memory()
    chip = chip_of_land()
    predictor = predictor_for(chip)
    random = np.random.default_rng(2)
    square = random.random((512, 512), np.float32)
    product, long = np.empty_like(square), random.random(1 << 24, np.float32)
    total = np.empty_like(long)
    ways: dict[str, Callable[[], object]] = {
        "product": lambda: [np.matmul(square, square, out=product) for _ in range(8)],
        "memory": lambda: np.add(long, 1, out=total),
        "mapping": lambda: predictor.predict(chip),
    }
    best = dict.fromkeys(ways, np.inf)
    for _ in range(rounds):
        for name, work in ways.items():
            best[name] = min(best[name], cpu(work))
    speed = 8 * 2 * 512**3 / best["product"]
    bandwidth = 2 * long.nbytes / best["memory"]
    mapped = best["mapping"] / _SIDE**2 * _MILLION
    arithmetic = 2 * sum(_CLUSTERS) * (_DIMENSIONS + 1) * _MILLION / speed
    moved = _MEANS * 2 * 4 * _MILLION / bandwidth
    print(f"matrix product   {speed / 1e9:7.1f} GFLOP/s")
    print(f"memory           {bandwidth / 1e9:7.1f} GB/s")
    print(f"mapping by weak  {mapped:7.2f} CPU s for a million pixels")
    print(f"limit            {arithmetic + moved:7.2f} CPU s for a million pixels")
    print(f"mapping over the limit {mapped / (arithmetic + moved):.1f}")


if __name__ == "__main__":
    main()
