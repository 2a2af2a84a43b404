"""A forest beside clusters where labels were drawn, and how much it counts.

A few drawn patches or polygons leave many clusters without any label. Those take the
class of clusters that look alike, and of a kind of ground that nobody drew, that is a
guess. A random forest (Breiman 2001) guesses by other rules, single bands and indices,
and errs elsewhere. The mean of both is safer:

    P(c | x) = (1 - t) P_clusters(c | x) + t P_forest(c | x)

How much the forest counts, t, is chosen by labels that neither has learned from. Drawn
pixels that touch are a piece, and a piece is one decision, however large. Pieces are
divided into folds; both learn without each fold in turn. With q the probabilities P,
raised to the power with which they are mapped and normalised, and an equal chance of
every t before,

    p(t) ∝ exp v sum_pieces mean_{pixels of a piece} log((1 - e) q_y + e / K)

and t is the mean of p: near 0.5 where pieces are few and say little, and decided where
they are many. It is a Bayesian model average of one weight (Hoeting et al. 1999). A piece
counts by v = 0.2 only: what is held out lies beside what was learned from, which flatters
whoever learns places by heart (Roberts et al. 2017), and kinds of ground that have a single
piece have no vote at all.

Three quarters of the trees are grown until leaves are pure. They lose classes with few
drawn pixels. The others have leaves of a hundredth of the pixels at least, in which classes
weigh alike, and find them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import label
from scipy.sparse import csr_matrix

from overcast.geo.label_cells import labels_of
from overcast.geo.raster import UNKNOWN
from overcast.geo.stack import Chip, Stack
from overcast.methods.arrays import check_array
from overcast.methods.forest import as_arrays, as_trees, check_trees, vote
from overcast.methods.sampling import whole_windows
from overcast.methods.weak.clusters import clusters_of, widths_of
from overcast.methods.weak.proportions import Cells
from overcast.progress import Progress
from overcast.threads import count

Floats = NDArray[np.float32]
Fit = Callable[[list[Cells]], list[NDArray[np.float64]]]
"""Class shares ``[K, C]`` of the clusters of every clustering, by cells of each."""
_PREFIX = "trees."
_MOST_PIXELS = 12_000
_TREES, _QUICK_TREES = 50, 15
_FOLDS, _FEWEST_PIECES = 4, 3
_STEPS = 21
_ANYTHING = 0.03
"""e: share of drawn labels that may be anything."""
_VOTE = 0.2
"""v: how much a piece counts."""
_LEAF, _COARSE = 0.01, 4
"""Share of the pixels in a large leaf, at least; one in so many trees has large ones."""
_SQUARE = 4
"""Drawn pixels of which one cell of the clusters' labels is made."""
_LOOK = np.ones((3, 3), np.bool_)


@dataclass(frozen=True, slots=True)
class Drawn:
    """N drawn pixels of which every feature was seen.

    Attributes
    ----------
    features
        ``[N, F]``.
    classes
        ``[N]``.
    pieces
        Number ``[N]`` of the piece that each is part of.
    """

    features: Floats
    classes: NDArray[np.int64]
    pieces: NDArray[np.int64]

    def some(self, rows: NDArray[np.bool_]) -> Drawn:
        """Some of the pixels."""
        return Drawn(self.features[rows], self.classes[rows], self.pieces[rows])

    @property
    def tells(self) -> bool:
        """Whether a forest can learn of them: two classes, and pieces to hold out."""
        several = len(np.unique(self.pieces)) >= _FEWEST_PIECES
        return several and len(np.unique(self.classes)) > 1


def drawn_pixels(
    stacks: Sequence[Stack],
    features: Callable[[Chip], Floats],
    halo: int,
    seed: int,
    progress: Progress,
) -> Drawn:
    """Drawn pixels of stacks, all or 12,000 of them at random.

    Pieces are those within windows of 256 pixels.
    """
    windows = []
    for stack in stacks:
        for wide, inside in whole_windows(stack.shape, halo):
            classes = labels_of(stack).read(stack.grid[wide.slices]).values[inside]
            if (classes != UNKNOWN).any():
                windows.append((stack, wide, inside, classes))
    known = sum(int((classes != UNKNOWN).sum()) for *_, classes in windows)
    chance = min(1.0, _MOST_PIXELS / max(known, 1))
    random, first = np.random.default_rng((seed, 33)), 0
    parts = []
    for n, (stack, wide, inside, classes) in enumerate(windows):
        progress("drawn labels", n, len(windows))
        numbers, pieces = label(classes != UNKNOWN, _LOOK)
        values = features(stack.read(wide))[(slice(None), *inside)]
        taken = (numbers > 0) & np.isfinite(values).all(0)
        taken &= random.random(numbers.shape) < chance
        own = values[:, taken].T, classes[taken], numbers[taken] - 1 + first
        parts.append(Drawn(own[0], own[1].astype(np.int64), own[2].astype(np.int64)))
        first += pieces
    progress("drawn labels", len(windows), len(windows))
    return Drawn(
        np.concatenate([part.features for part in parts]),
        np.concatenate([part.classes for part in parts]),
        np.concatenate([part.pieces for part in parts]),
    )


def grown_beside(
    drawn: Drawn,
    clusters: Mapping[str, Floats],
    fit: Fit,
    legend: int,
    sharpness: float,
    seed: int,
) -> dict[str, NDArray[Any]]:
    """Arrays of a forest of the drawn pixels and of its share; none if it can't learn.

    `legend` is the number of classes, `clusters` what `find_clusters` returned, and
    `sharpness` the power with which probabilities are mapped.
    """
    share = share_of_forest(drawn, clusters, fit, legend, sharpness, seed)
    if share is None:
        return {}
    arrays = as_arrays(_forest(drawn, _TREES, seed))
    named = {f"{_PREFIX}{name}": values for name, values in arrays.items()}
    return named | {f"{_PREFIX}share": np.array([share], np.float32)}


def share_of_forest(
    drawn: Drawn,
    clusters: Mapping[str, Floats],
    fit: Fit,
    legend: int,
    sharpness: float,
    seed: int,
) -> float | None:
    """t, by held-out pieces; None if these are too few, or of one class."""
    seen = clusters_of(drawn.features, clusters)[0] >= 0
    drawn = drawn.some(seen)
    if not drawn.tells:
        return None
    every, numbers = np.unique(drawn.pieces, return_inverse=True)
    random = np.random.default_rng((seed, 31))
    fold = (random.permutation(len(every)) % _FOLDS)[numbers]
    groups = clusters_of(drawn.features, clusters)
    widths = widths_of(clusters)
    both = np.full((2, legend, len(fold)), 1 / legend)
    for held in (fold == n for n in range(_FOLDS)):
        rest = drawn.some(~held)
        if not held.any() or len(np.unique(rest.classes)) < 2:
            continue
        cells = [
            _cells(own[~held], rest.classes, (width, legend))
            for own, width in zip(groups, widths, strict=True)
        ]
        shares = fit(cells)
        parts = [table[own[held]] for table, own in zip(shares, groups, strict=True)]
        both[0][:, held] = np.mean(parts, axis=0).T
        forest = _forest(rest, _QUICK_TREES, seed)
        both[1][:, held] = 0
        both[1][np.ix_(forest.classes_, np.flatnonzero(held))] = forest.predict_proba(
            drawn.features[held]
        ).T
    return _mean_share(both, drawn.classes, numbers, sharpness)


def _mean_share(
    both: NDArray[np.float64],
    classes: NDArray[np.int64],
    pieces: NDArray[np.int64],
    sharpness: float,
) -> float:
    """Posterior mean of t, of probabilities ``[2, K, N]`` of held-out pixels."""
    sizes = np.bincount(pieces)
    shares = np.linspace(0, 1, _STEPS)
    fits = []
    for t in shares:
        sharp = ((1 - t) * both[0] + t * both[1]) ** sharpness
        own = sharp[classes, np.arange(len(classes))] / sharp.sum(0)
        chance = np.log((1 - _ANYTHING) * own + _ANYTHING / len(sharp))
        fits.append((np.bincount(pieces, chance) / sizes).sum())
    weight = np.exp(_VOTE * (np.array(fits) - max(fits)))
    return float(weight @ shares / weight.sum())


def _cells(
    clusters: NDArray[np.intp], classes: NDArray[np.int64], shape: tuple[int, int]
) -> Cells:
    """Drawn pixels as cells: one for each cluster and class, all classes alike."""
    width, legend = shape
    pairs, often = np.unique(clusters * legend + classes, return_counts=True)
    cluster, named = np.divmod(pairs, legend)
    weight = often / np.bincount(classes, minlength=legend)[named]
    weight *= len(classes) / _SQUARE / weight.sum()
    at = (np.arange(len(pairs)), cluster)
    return Cells(
        csr_matrix((np.ones(len(pairs)), at), (len(pairs), width)),
        np.eye(legend)[named],
        weight,
        decisions=float(weight.sum()),
    )


def _forest(drawn: Drawn, trees: int, seed: int) -> Any:
    """Trees with pure leaves, and some with large ones, as one forest."""
    large = max(int(len(drawn.classes) * _LEAF), 1)
    coarse = trees // _COARSE
    fine = _grown(drawn, trees - coarse, 1, seed)
    fine.estimators_ += _grown(drawn, coarse, large, seed + 1).estimators_
    return fine


def _grown(drawn: Drawn, trees: int, leaf: int, seed: int) -> Any:
    from sklearn.ensemble import RandomForestClassifier

    forest = RandomForestClassifier(
        trees,
        min_samples_leaf=leaf,
        class_weight="balanced",
        random_state=seed,
        n_jobs=count(),
    )
    return forest.fit(drawn.features, drawn.classes)


@dataclass(frozen=True, slots=True)
class Beside:
    """A forest and its share t, as a run keeps them."""

    trees: tuple[Any, ...]
    classes: NDArray[np.int64]
    share: float

    @classmethod
    def of(
        cls, arrays: Mapping[str, NDArray[Any]], features: int, legend: int
    ) -> Beside | None:
        """Return the forest of a run's arrays, checked; None if they have none.

        Raises
        ------
        ValueError
            If arrays are missing or do not describe trees.
        """
        if f"{_PREFIX}share" not in arrays:
            return None
        own = {
            name.removeprefix(_PREFIX): values
            for name, values in arrays.items()
            if name.startswith(_PREFIX)
        }
        share = check_array(own, "share", (1,), (0, 1))
        check_trees(own, features, legend)
        trees = tuple(as_trees(own, features))
        return cls(trees, own["classes"], float(share[0]))

    def mixed(self, pixels: Floats, clusters: Floats) -> Floats:
        """P ``[N, C]`` of features ``[N, F]`` and what clusters say of them ``[N, C]``.

        A pixel that was partly seen keeps what clusters say.
        """
        complete = np.flatnonzero(np.isfinite(pixels).all(1))
        if not len(complete):
            return clusters
        out = np.array(clusters)
        own = np.ascontiguousarray(pixels[complete])
        votes = np.zeros((len(complete), clusters.shape[1]), np.float32)
        votes[:, self.classes] = vote(self.trees, own)
        out[complete] += np.float32(self.share) * (votes - out[complete])
        return out
