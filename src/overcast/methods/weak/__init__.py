"""Weak labels read as what whole cells hold: classes of spectral clusters.

Pixels, labelled or not, are clustered several times by what they look like. How much of
every cluster lies in every label cell is counted exactly, and the classes of clusters
are those that explain the labels of cells best (`overcast.methods.weak.proportions`).
A pixel gets the mean over the clusterings of its clusters' classes, smoothed along what the
optical image shows. Labels as fine as the images are taken together over squares of some
pixels. What was learned from other scenes joins as probabilities of every pixel's class.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from scipy.sparse import csr_matrix

from overcast.geo.bands import Sensor
from overcast.geo.legend import Legend
from overcast.geo.stack import Chip, Stack, agree
from overcast.label_quality.mixtures import mixtures_of
from overcast.limits import check_limits, check_some
from overcast.methods.arrays import check_array, load_arrays, save_arrays
from overcast.methods.features import feature_names, guide_of, halo_of, pixel_features
from overcast.methods.guided import guided
from overcast.methods.over import Chosen
from overcast.methods.sampling import FEWEST_SAMPLES, sample_seen
from overcast.methods.weak.cell_counts import Counting, count_cells
from overcast.methods.weak.clusters import (
    check_clusters,
    clusters_of,
    find_clusters,
    mean_over_clusters,
    neighbours,
    widths_of,
)
from overcast.methods.weak.drawn_forest import Beside, drawn_pixels, grown_beside
from overcast.methods.weak.held_out_cells import held_out_fit
from overcast.methods.weak.label_sources import (
    all_drawn,
    as_drawn,
    by_source,
    refuse_one_cell,
)
from overcast.methods.weak.proportions import Cells, LabelNoise, Sources, class_shares
from overcast.progress import Progress

Floats = NDArray[np.float64]
_FILE = "weak.safetensors"
_REACH = 3
"""Pixels that a blur draws on."""
_LITTLE = 1e-4
"""A linear fit of probabilities may fall below 0."""
_CELLS = 200
"""Cells of a scene for which smoothness and trust are given."""
_DRAWN_WRONG = 0.05
"""Share of drawn labels taken to be wrong, where there are others."""
_MAPPED, _DRAWN = (4, 0.5), (2, 1.0)
"""Cell and balance for labels that are a map, and for drawn ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Weak:
    """Settings of learning from weak labels by cluster shares.

    Attributes
    ----------
    clusters
        Clusters of each clustering.
    dimensions
        Principal components that are clustered.
    power
        Of the likelihood, see `overcast.methods.weak.proportions`.
    smoothness
        Likewise, for a scene of 200 cells. It falls with the root of their number: the
        more the labels say, the less needs to be assumed.
    wrong
        Share of labels taken to be wrong before any is looked at.
    samples
        Pixels that clusters are found from, of all scenes, labelled or not.
    balance
        0 counts all cells alike, 1 gives every label as much weight in all. By default
        0.5, and 1 for drawn labels (`overcast.label_quality.kind`), which are taken to be
        right.
    cell
        Pixels along the side of a cell, at least: finer labels are taken together, as
        are those in blocks, being a coarser map on a finer grid. By default 4, and 2 for
        drawn labels.
    radius
        Of the boxes, in pixels, in which probabilities are smoothed by the guided
        filter; 0 leaves it out.
    blur
        Standard deviation, in pixels, of their smoothing where no optical image guides.
    sharpness
        Power of the smoothed probabilities. Clusters are mixed and votes are averaged,
        so that they are nearer to each other than they should be. What error is left
        `bench/calibration.py` measures, and ``overcast calibrate`` mends.
    prior
        Name of a target image with a probability for every class, as ``overcast
        predict --probabilities`` makes with a run from other scenes; empty for none.
    trust
        What the prior of a pixel counts beside the label of one, 0 or more, likewise
        for a scene of 200 cells. Labels as fine as the images know more than it does.
    filtered
        Add spectral indices and guided multilook backscatter to the bands.
    forest
        Let a forest count beside clusters where all labels were drawn, without a prior
        and not over windows of a region (`overcast.methods.weak.drawn_forest`).
    """

    clusters: tuple[int, ...] = (256, 512, 256, 512)
    dimensions: int = 15
    power: float = 1.5
    smoothness: float = 1.0
    wrong: float = 0.3
    samples: int = 60_000
    balance: float | None = None
    cell: int | None = None
    radius: int = 4
    blur: float = 1.3
    sharpness: float = 1.7
    prior: str = ""
    trust: float = 0.6
    filtered: bool = True
    forest: bool = True

    def __post_init__(self) -> None:
        """Check that the settings mean something."""
        check_some(self, ("clusters",))
        check_limits(self, clusters=(2, 4096), dimensions=(1, 10_000))
        check_limits(self, power=(0.01, 100), smoothness=(0, 1e4), wrong=(0, 0.99))
        check_limits(
            self, samples=(FEWEST_SAMPLES, 10**8), balance=(0, 1), cell=(1, 4096)
        )
        check_limits(self, radius=(0, 512), blur=(0, 512), sharpness=(0.05, 100))
        check_limits(self, trust=(0, 1e6))

    def fit(
        self,
        stacks: Sequence[Stack],
        folder: Path,
        seed: int,
        progress: Progress,
        over: Chosen | None = None,
    ) -> None:
        """Cluster pixels, count clusters in cells, explain the labels of cells.

        With `over`, of the windows that were chosen alone.
        """
        self._learn(stacks, folder, seed, progress, over)

    def fit_rated(
        self,
        stacks: Sequence[Stack],
        folder: Path,
        seed: int,
        progress: Progress,
        over: Chosen | None = None,
    ) -> float:
        """Fit, and return how well held-out labels are explained (`held_out_fit`)."""
        sources, edges, legend = self._learn(stacks, folder, seed, progress, over)

        def fit(some: Sources) -> Floats:
            quick = [(cells, replace(belief, rounds=1)) for cells, belief in some]
            return self._explained(quick, edges, legend)

        return held_out_fit(sources, fit, seed)

    def _learn(
        self,
        stacks: Sequence[Stack],
        folder: Path,
        seed: int,
        progress: Progress,
        over: Chosen | None = None,
    ) -> tuple[Sources, csr_matrix, Legend]:
        """Learn; cells, beliefs and neighbours of the first clustering, and the legend."""
        first = agree(stacks)
        assert first.labels is not None
        sensors, legend = first.sensors, first.labels.legend
        groups = by_source(stacks)
        seen = sample_seen(
            groups[0],
            lambda chip: pixel_features(chip, sensors, self.filtered),
            self.samples,
            halo=halo_of(sensors),
            seed=seed,
            progress=progress,
            over=over,
        )
        arrays = find_clusters(seen, self.clusters, self.dimensions, seed, progress)
        drawn = [all_drawn(some) for some in groups]
        counters = [self._counting(arrays, sensors, seed, one) for one in drawn]
        counted = [
            count_cells(some, counter, progress, over)
            for some, counter in zip(groups, counters, strict=True)
        ]
        refuse_one_cell(stacks, counted)
        apart = len(groups) > 1
        counted = [
            as_drawn(some, cells) if one and apart else cells
            for some, cells, one in zip(groups, counted, drawn, strict=True)
        ]
        beliefs = [self._belief(legend, one and apart) for one in drawn]
        for i, cells in enumerate(zip(*counted, strict=True)):
            progress("explaining labels", i, len(counted[0]))
            edges = neighbours(arrays, i)
            sources = list(zip(cells, beliefs, strict=True))
            if i == 0:
                first_sources, first_edges = sources, edges
            shares = self._explained(sources, edges, legend)
            arrays[f"classes.{i}"] = shares.astype(np.float32)
        progress("explaining labels", len(counted[0]), len(counted[0]))
        if drawn == [True] and self.forest and not self.prior and over is None:
            arrays |= self._grown(groups[0], arrays, seed, progress)
        save_arrays(arrays, folder / _FILE)
        return first_sources, first_edges, legend

    def _grown(
        self,
        stacks: Sequence[Stack],
        arrays: Mapping[str, Any],
        seed: int,
        progress: Progress,
    ) -> dict[str, NDArray[Any]]:
        """Arrays of a forest of drawn pixels, which counts beside the clusters."""
        first = agree(stacks)
        assert first.labels is not None
        sensors, legend = first.sensors, first.labels.legend
        drawn = drawn_pixels(
            [stack for stack in stacks if stack.labels is not None],
            lambda chip: pixel_features(chip, sensors, self.filtered),
            halo_of(sensors),
            seed,
            progress,
        )
        quick = replace(self._belief(legend), rounds=1)

        def fit(cells: list[Cells]) -> list[Floats]:
            return [
                self._explained([(own, quick)], neighbours(arrays, i), legend)
                for i, own in enumerate(cells)
            ]

        return grown_beside(drawn, arrays, fit, len(legend), self.sharpness, seed)

    def _explained(self, sources: Sources, edges: csr_matrix, legend: Legend) -> Floats:
        """Classes of clusters ``[K, C]`` that explain the labels of all sources."""
        if len(sources) > 1:
            # Beside each other, sources count by how often somebody chose a label.
            sources = [
                (replace(c, weight=c.weight * (c.decisions / c.weight.sum())), belief)
                for c, belief in sources
            ]
        weights = np.concatenate([cells.weight for cells, _ in sources])
        independent = float(weights.sum() ** 2 / (weights**2).sum())
        own = [(cells, self._for(belief, independent)) for cells, belief in sources]
        shares = class_shares(own, edges)
        labelled = np.sum([cells.labels.sum(0) for cells, _ in sources], axis=0) > 0
        likely = self._likely(legend, labelled)
        # Below an equal share in every cluster, a class is nowhere the likeliest.
        if (shares[:, ~likely] >= 1 / len(likely)).any():
            own = [(c, replace(b, possible=b.possible & likely)) for c, b in own]
            shares = class_shares(own, edges)
        return shares

    def load(
        self, folder: Path, legend: Legend, sensors: Mapping[str, Sensor]
    ) -> ExplainedClusters:
        """Return the clusters that `fit` left in `folder`."""
        path = folder / _FILE
        arrays = load_arrays(path)
        try:
            features = len(feature_names(sensors, self.filtered))
            widths = check_clusters(arrays, features, len(self.clusters))
            for i, width in enumerate(widths):
                check_array(arrays, f"classes.{i}", (width, len(legend)), (0, 1))
            beside = Beside.of(arrays, features, len(legend))
        except ValueError as error:
            raise ValueError(f"{path}: {error}; train the run again") from error
        return ExplainedClusters(
            legend,
            sensors,
            arrays,
            radius=self.radius,
            blur=self.blur,
            sharpness=self.sharpness,
            filtered=self.filtered,
            beside=beside,
        )

    def _counting(
        self,
        arrays: Mapping[str, Any],
        sensors: Mapping[str, Sensor],
        seed: int,
        drawn: bool,
    ) -> Counting:
        def clusters(chip: Chip) -> list[NDArray[np.intp]]:
            features = pixel_features(chip, sensors, self.filtered)
            return clusters_of(features.reshape(len(features), -1).T, arrays)

        cell, balance = _DRAWN if drawn else _MAPPED
        return Counting(
            clusters,
            widths_of(arrays),
            cell if self.cell is None else self.cell,
            balance if self.balance is None else self.balance,
            self.prior,
            seed,
        )

    def _for(self, belief: LabelNoise, cells: float) -> LabelNoise:
        """LabelNoise for labels that say as much as so many independent cells."""
        scale = (_CELLS / cells) ** 0.5
        return replace(
            belief, smoothness=self.smoothness * scale, prior=self.trust * scale
        )

    def _belief(self, legend: Legend, drawn: bool = False) -> LabelNoise:
        """Return how labels of one source come about; drawn ones beside a map are right."""
        mixed, count = mixtures_of(legend), len(legend)
        share_wrong = min(self.wrong, _DRAWN_WRONG) if drawn else self.wrong
        mistakes = np.full((count, count), share_wrong / max(count - 1, 1))
        np.fill_diagonal(mistakes, 1 - share_wrong)
        for c, parts in mixed.items():
            for k, share in parts.items():
                mistakes[k, c] += share_wrong * share
        mistakes /= mistakes.sum(1, keepdims=True)
        possible = np.array([c not in mixed for c in range(count)])
        return LabelNoise(mistakes=mistakes, possible=possible, power=self.power)

    def _likely(self, legend: Legend, labelled: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Classes ``[K]`` that may be mapped: with labels, or a part of such mixtures.

        With a prior, all may be.
        """
        likely = labelled | bool(self.prior)
        for c, parts in mixtures_of(legend).items():
            likely[list(parts)] |= labelled[c]
        return likely


@dataclass(frozen=True, slots=True)
class ExplainedClusters:
    """Clusters with their classes as a `Predictor`."""

    legend: Legend
    sensors: Mapping[str, Sensor]
    arrays: Mapping[str, NDArray[np.float32]] = field(repr=False)
    radius: int
    blur: float
    sharpness: float
    filtered: bool = True
    beside: Beside | None = field(default=None, repr=False)
    threaded: ClassVar[bool] = True

    @property
    def halo(self) -> int:
        """Context of the features and of the smoothing."""
        return halo_of(self.sensors) + max(_REACH, 2 * self.radius)

    def predict(self, chip: Chip) -> NDArray[np.float32]:
        """Probabilities ``[K, h, w]``."""
        features = pixel_features(chip, self.sensors, self.filtered)
        shape = features.shape[1:]
        pixels = features.reshape(len(features), -1).T
        out = mean_over_clusters(pixels, self.arrays, "classes")
        if self.beside is not None:
            out = self.beside.mixed(pixels, out)
        maps = self._smoothed(out.T.reshape(len(self.legend), *shape), chip)
        sharp = maps ** np.float32(self.sharpness)
        sharp /= sharp.sum(0)
        return sharp

    def _smoothed(self, maps: NDArray[np.float32], chip: Chip) -> NDArray[np.float32]:
        """Along the optical image where it saw the ground, else all around."""
        guide = guide_of(chip, self.sensors) if self.radius else None
        if guide is None:
            return self._blurred(maps)
        along = guided(guide, maps, guide.valid, self.radius)
        np.maximum(along, np.float32(_LITTLE), out=along)
        if guide.valid.all():
            return along
        return np.where(guide.valid, along, self._blurred(maps))

    def _blurred(self, maps: NDArray[np.float32]) -> NDArray[np.float32]:
        if not self.blur:
            return maps
        return np.stack([gaussian_filter(m, self.blur, radius=_REACH) for m in maps])
