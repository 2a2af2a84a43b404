"""k-means clusters, named by the labels that they best agree with.

The unsupervised baseline of Schmitt et al. 2020: eight clusters, the best of ten starts,
named one to one by the Hungarian method (Kuhn 1955, Munkres 1957) so that the most
labelled pixels agree. Clusters left over are named by their most frequent label.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from overcast.geo.bands import Sensor
from overcast.geo.legend import Legend
from overcast.geo.stack import Chip, Stack, agree
from overcast.limits import check_limits
from overcast.methods.arrays import check_array, load_arrays, save_arrays
from overcast.methods.features import feature_names, halo_of, pixel_features
from overcast.methods.labelled_pixels import LabelledPixels
from overcast.methods.over import Chosen
from overcast.methods.sampling import FEWEST_SAMPLES
from overcast.progress import Progress

_FILE = "kmeans.safetensors"


@dataclass(frozen=True, slots=True, kw_only=True)
class KMeans:
    """Settings of the clustering.

    Attributes
    ----------
    clusters
        Number of clusters.
    starts, iterations
        k-means++ starts, of which the best is kept, and iterations of each.
    samples
        Pixels that are clustered.
    filtered
        Add spectral indices and guided multilook backscatter to the bands.
    """

    clusters: int = 8
    starts: int = 10
    iterations: int = 300
    samples: int = 60_000
    filtered: bool = False

    def __post_init__(self) -> None:
        """Check that the settings make clusters."""
        check_limits(self, clusters=(2, 4096), starts=(1, 1000))
        check_limits(self, iterations=(1, 100_000), samples=(FEWEST_SAMPLES, 10**8))

    def fit(
        self,
        stacks: Sequence[Stack],
        folder: Path,
        seed: int,
        progress: Progress,
        over: Chosen | None = None,
    ) -> None:
        """Cluster pixels drawn by area, and name the clusters.

        With `over`, of the windows that were chosen alone.
        """
        from sklearn.cluster import KMeans as Clustering

        first = agree(stacks)
        wanted = LabelledPixels(self.samples, False, self.filtered)
        sample = wanted.draw(stacks, seed, progress, over)
        mean = np.nanmean(sample.features, 0)
        spread = np.nanstd(sample.features, 0) + np.float32(1e-6)
        scaled = np.nan_to_num((sample.features - mean) / spread)
        progress("clustering", 0, 1)
        clustering = Clustering(
            min(self.clusters, len(scaled)),
            n_init=self.starts,
            max_iter=self.iterations,
            random_state=seed,
        ).fit(scaled)
        progress("clustering", 1, 1)
        assert first.labels is not None
        names = name_clusters(
            clustering.labels_, sample.classes, len(first.labels.legend)
        )
        arrays = {
            "centres": clustering.cluster_centers_,
            "mean": mean,
            "spread": spread,
        }
        floats = {k: np.ascontiguousarray(v, np.float32) for k, v in arrays.items()}
        save_arrays({**floats, "classes": names}, folder / _FILE)

    def load(
        self, folder: Path, legend: Legend, sensors: Mapping[str, Sensor]
    ) -> NamedClusters:
        """Return the clusters that `fit` left in `folder`."""
        path = folder / _FILE
        arrays = load_arrays(path)
        features = len(feature_names(sensors, self.filtered))
        try:
            centres = check_array(arrays, "centres", (None, features))
            check_array(arrays, "mean", (features,))
            check_array(arrays, "spread", (features,), (1e-30, np.inf))
            check_array(arrays, "classes", (len(centres),), (0, len(legend) - 1), True)
        except ValueError as error:
            raise ValueError(f"{path}: {error}; train the run again") from error
        return NamedClusters(legend, sensors, arrays, self.filtered)


def name_clusters(
    clusters: NDArray[np.integer], classes: NDArray[np.uint8], count: int
) -> NDArray[np.int64]:
    """Class of every cluster, one to one so that the most pixels agree.

    Examples
    --------
    >>> name_clusters(np.array([0, 0, 1, 1, 1]), np.uint8([1, 1, 0, 0, 1]), 2).tolist()
    [1, 0]
    """
    from scipy.optimize import linear_sum_assignment  # slow to import

    size = int(clusters.max()) + 1
    table = np.zeros((size, count), np.int64)
    np.add.at(table, (clusters, classes), 1)
    names = table.argmax(1)
    rows, columns = linear_sum_assignment(table, maximize=True)
    agreed = table[rows, columns] > 0  # a match without a pixel says nothing
    names[rows[agreed]] = columns[agreed]
    return np.asarray(names, np.int64)


@dataclass(frozen=True, slots=True)
class NamedClusters:
    """Clusters as a `Predictor`: a pixel has the class of its nearest centre.

    ``p(class) = exp(-d^2 / 2F) / sum over the classes of the same``, with d the distance
    in standardised features to the nearest centre of that class and F the number of
    features. A class without a cluster has 0.
    """

    legend: Legend
    sensors: Mapping[str, Sensor]
    arrays: Mapping[str, NDArray[np.float32]] = field(repr=False)
    filtered: bool = False
    threaded: ClassVar[bool] = True

    @property
    def halo(self) -> int:
        """Context of the features."""
        return halo_of(self.sensors) if self.filtered else 0

    def predict(self, chip: Chip) -> NDArray[np.float32]:
        """Probabilities ``[K, h, w]``."""
        features = pixel_features(chip, self.sensors, self.filtered)
        pixels = features.reshape(len(features), -1).T
        scaled = np.nan_to_num((pixels - self.arrays["mean"]) / self.arrays["spread"])
        centres = self.arrays["centres"]
        square = (scaled**2).sum(1)[:, None] + (centres**2).sum(1)
        distance = np.maximum(square - 2 * scaled @ centres.T, 0) / len(features)
        near = np.exp(-(distance - distance.min(1, keepdims=True)) / 2)
        out = np.zeros((len(self.legend), len(pixels)), np.float32)
        # The nearest centre of a class, not their sum: a class of many clusters would
        # take pixels that lie at a centre of another class.
        np.maximum.at(out, self.arrays["classes"].astype(np.int64), near.T)
        out /= out.sum(0)
        return out.reshape(len(self.legend), *features.shape[1:])
