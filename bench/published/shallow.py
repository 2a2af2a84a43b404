"""The classifiers of single pixels of Schmitt et al. 2020.

Random forest: 100 trees of depth 10. k-means: eight clusters, the best of ten
k-means++ starts of at most 300 iterations, named by Kuhn and Munkres's assignment so
that the most pixels agree with the coarse labels. The features are the bands in [0, 1].
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from bench.published.patches import NINE, SENSORS, whole
from bench.published.settings import MOST_PIXELS

from overcast.geo.stack import Stack
from overcast.maps.predictor import Predictor
from overcast.methods.features import pixel_features
from overcast.methods.forest import Forest
from overcast.methods.kmeans import NamedClusters, name_clusters
from overcast.progress import Progress

_SHARP = 1e-3
"""Unit of distance in which the nearest centre takes all of a pixel."""


def grow_forest(
    stack: Stack, trees: int, folder: Path, seed: int, progress: Progress
) -> Predictor:
    """Forest on the pixels of a stack, kept in `folder`."""
    method = Forest(
        trees=trees,
        depth=10,
        leaf=1,
        samples=MOST_PIXELS,
        balanced=False,
        filtered=False,
    )
    folder.mkdir(parents=True, exist_ok=True)
    method.fit([stack], folder, seed, progress)
    return method.load(folder, NINE, stack.sensors)


def cluster(stack: Stack, clusters: int, seed: int, progress: Progress) -> Predictor:
    """Clusters of the pixels of a stack, each pixel in that of the nearest centre."""
    from sklearn.cluster import KMeans

    chip = stack.read(whole(stack))
    assert chip.labels is not None
    known = chip.labels.valid
    pixels = pixel_features(chip, stack.sensors, filtered=False)[:, known].T
    bands = [b for name in stack.sensors for b in SENSORS[name].bands]
    low = np.array([b.low for b in bands], np.float32)
    spread = np.array([b.high - b.low for b in bands], np.float32)
    scaled = (pixels - low) / spread
    progress("clustering", 0, 1)
    found = KMeans(
        min(clusters, len(scaled)), n_init=10, max_iter=300, random_state=seed
    ).fit(scaled)
    progress("clustering", 1, 1)
    arrays = {
        "centres": (found.cluster_centers_ / _SHARP).astype(np.float32),
        "mean": low,
        "spread": spread * np.float32(_SHARP),
        "classes": name_clusters(
            found.labels_, chip.labels.values[known], len(NINE)
        ).astype(np.float32),
    }
    return NamedClusters(NINE, stack.sensors, arrays)
