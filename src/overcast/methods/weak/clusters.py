"""Clusters of alike pixels, and which of them a pixel could be in that was partly seen.

Pixels are grouped by which of their features were seen: all, or, under a cloud mask,
those of the radar alone. Each group has principal axes of its own, nearly whitened, and
clusters found on them by k-means; a pixel is in the nearest cluster of its group.

What is seen of a scene to be mapped may be in no group: nobody masked anything where was
learned. Then the features x that were seen say how likely each cluster k of the group of
most features is,

    p(k | x) ~ n_k exp(-(x - m_k)' W^-1 (x - m_k) / 2)

with n_k the share of the cluster, m_k the mean of its pixels and W the covariance within
clusters, of the features that were seen: a mixture of Gaussians with one covariance,
marginalised (McLachlan and Peel, Finite Mixture Models, 2000, ch. 3).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import block_diag, csr_matrix

from overcast.methods.arrays import check_array
from overcast.progress import Progress

Floats = NDArray[np.float32]
Arrays = Mapping[str, NDArray[np.float32]]

_NEIGHBOURS = 6
_FEWEST = 2
"""Pixels that are clustered, at least."""
_PIXELS = 1024
"""Pixels that are worked on at once, so that what is made of them stays in the cache."""
_COMPARED = 256
"""Of them are compared with all centres at once: with 512 centres, half a megabyte."""
_BATCH = 4096
"""Pixels that move the centres in one step of k-means."""
_OFTEN = 0.05
"""Share of the pixels from which on those that lack the same features are a group."""
_RIDGE = 0.01
"""Added to variances of scaled features, which are about 1 over the whole scene."""


def find_clusters(
    features: Floats,
    counts: Sequence[int],
    dimensions: int,
    seed: int,
    progress: Progress,
) -> dict[str, Floats]:
    """Cluster pixels once for every count.

    Parameters
    ----------
    features
        ``[N, F]``, NaN where not seen; of every pixel something was.
    counts
        Clusters of each clustering, in every group.
    dimensions
        Principal axes that are clustered.

    Returns
    -------
    dict
        Arrays that the other functions read: ``mean`` and ``spread`` of features; of
        group g ``seen.g`` and ``axes.g``; of its clustering i ``centres.i.g``; and of
        those of the first group ``means.i``, ``within.i`` and ``sizes.i``.
    """
    if len(features) < _FEWEST:
        raise ValueError(
            f"{len(features)} pixels were seen by a sensor; {_FEWEST} are the fewest "
            "that can be clustered, so check nodata tags and masks"
        )
    arrays = _scale(features)
    scaled = _scaled(features, arrays)
    for g, (rows, seen) in enumerate(_groups(scaled)):
        values = scaled[rows][:, seen]
        axes = _whitening(values, dimensions)
        arrays |= {f"seen.{g}": seen.astype(np.float32), f"axes.{g}": axes}
        for i, count in enumerate(counts):
            progress("clustering", i, len(counts))
            centres = _cluster(values @ axes, count, seed + i)
            arrays[f"centres.{i}.{g}"] = centres
            if g == 0:
                (clusters,) = _nearest(values @ axes, [centres])
                arrays |= _moments(values, clusters, len(centres), i)
    progress("clustering", len(counts), len(counts))
    return arrays


def widths_of(arrays: Arrays) -> list[int]:
    """Clusters of every clustering, those of all groups together."""
    return [
        sum(len(centres) for centres in _centres(arrays, i))
        for i in range(_clusterings(arrays))
    ]


def check_clusters(arrays: Arrays, features: int, clusterings: int) -> list[int]:
    """Refuse arrays that `find_clusters` did not make; widths as `widths_of` has them.

    Parameters
    ----------
    features
        F, how many a pixel has.
    clusterings
        How many there must be.

    Raises
    ------
    ValueError
        If an array is missing, or its shape or values are wrong.
    """
    check_array(arrays, "spread", (features,), (1e-30, np.inf))
    if "mean" not in arrays or arrays["mean"].shape != (features,):
        raise ValueError(f"array mean is missing for {features} features")
    groups = sum(name.startswith("seen.") for name in arrays)
    if not groups or _clusterings(arrays) != clusterings:
        raise ValueError(
            f"{_clusterings(arrays)} clusterings of {groups} groups; expected "
            f"{clusterings} clusterings"
        )
    for g in range(groups):
        seen = int((check_array(arrays, f"seen.{g}", (features,), (0, 1)) > 0).sum())
        axes = check_array(arrays, f"axes.{g}", (seen, None))
        for i in range(clusterings):
            check_array(arrays, f"centres.{i}.{g}", (None, axes.shape[1]))
    first = int((arrays["seen.0"] > 0).sum())
    for i in range(clusterings):
        count = len(arrays[f"centres.{i}.0"])
        check_array(arrays, f"means.{i}", (count, first))
        check_array(arrays, f"within.{i}", (first, first))
        check_array(arrays, f"sizes.{i}", (count,), (0, np.inf))
    return widths_of(arrays)


def clusters_of(features: Floats, arrays: Arrays) -> list[NDArray[np.intp]]:
    """Cluster of every pixel ``[N]`` in every clustering; -1 if it is in no group.

    `features` are ``[N, F]``, NaN where not seen. Clusters of a group follow those of
    the groups before.
    """
    scaled = _scaled(features, arrays)
    numbers = [np.full(len(scaled), -1, np.intp) for _ in range(_clusterings(arrays))]
    for g, rows in enumerate(_members(scaled, arrays)):
        if not len(rows):
            continue
        centres = [_centres(arrays, i) for i in range(len(numbers))]
        nearest = _nearest(_points(scaled, rows, arrays, g), [c[g] for c in centres])
        for clusters, own, groups in zip(numbers, nearest, centres, strict=True):
            clusters[rows] = own + sum(len(before) for before in groups[:g])
    return numbers


def mean_over_clusters(features: Floats, arrays: Arrays, tables: str) -> Floats:
    """Mean over the clusterings of what each pixel's clusters have in a table.

    Parameters
    ----------
    features
        ``[N, F]``, NaN where not seen.
    tables
        Name of the arrays ``[K, C]`` of the clusterings, before ``.i``.

    Returns
    -------
    NDArray
        float32 ``[N, C]``.
    """
    clusters = clusters_of(features, arrays)
    shares = [
        arrays[f"{tables}.{i}"] / np.float32(len(clusters))
        for i in range(len(clusters))
    ]
    # A line for every column: maps of classes are worked on one by one.
    total = np.empty((shares[0].shape[1], len(features)), np.float32)
    for start in range(0, len(features), _PIXELS):
        some = slice(start, start + _PIXELS)
        one, *more = (
            np.take(share, mine[some], 0)
            for share, mine in zip(shares, clusters, strict=True)
        )
        total[:, some] = sum(more, one).T
    lost = clusters[0] < 0
    if lost.any():
        for rows, values, seen in _partly_seen(_scaled(features, arrays), lost):
            total[:, rows] = 0
            for i, share in enumerate(shares):
                likely = _likely(values, seen, arrays, i)
                total[:, rows] += (likely @ share[: likely.shape[1]]).T
    return total.T


def neighbours(arrays: Arrays, i: int) -> csr_matrix:
    """Symmetric weights ``[K, K]`` between every cluster and those of its group nearby."""
    return csr_matrix(block_diag([_near(centres) for centres in _centres(arrays, i)]))


def _near(centres: Floats) -> csr_matrix:
    count = len(centres)
    # Some rows at once: of 4096 centres, all differences would be gigabytes.
    parts = [
        _nearest_of(centres[start : start + _COMPARED], centres)
        for start in range(0, count, _COMPARED)
    ]
    near, away = (np.concatenate(part) for part in zip(*parts, strict=True))
    weight = np.exp(-away / max(float(np.median(away)) if away.size else 0.0, 1e-9))
    rows = np.repeat(np.arange(count), near.shape[1])
    table = csr_matrix((weight.ravel(), (rows, near.ravel())), (count, count))
    return csr_matrix(table + table.T)


def _nearest_of(some: Floats, centres: Floats) -> tuple[NDArray[np.intp], Floats]:
    """The nearest centres but itself of `some` of them, and their squared distances."""
    square = ((some[:, None] - centres[None]) ** 2).sum(-1)
    near = np.argsort(square, 1)[:, 1 : _NEIGHBOURS + 1]
    return near, np.take_along_axis(square, near, 1)


def _clusterings(arrays: Arrays) -> int:
    return sum(name.startswith("means.") for name in arrays)


def _centres(arrays: Arrays, i: int) -> list[Floats]:
    """Centres ``[K, D]`` of every group in a clustering."""
    groups = sum(name.startswith("seen.") for name in arrays)
    return [arrays[f"centres.{i}.{g}"] for g in range(groups)]


def _scale(features: Floats) -> dict[str, Floats]:
    """Mean and spread of every feature; NaN, so never seen, if it was seen nowhere."""
    never = np.isnan(features).all(0)
    filled = features.copy("K")
    filled[:, never] = 0
    mean, spread = np.nanmean(filled, 0), np.nanstd(filled, 0) + np.float32(1e-6)
    mean[never] = np.nan
    return {
        name: np.asarray(v, np.float32)
        for name, v in (("mean", mean), ("spread", spread))
    }


def _scaled(features: Floats, arrays: Arrays) -> Floats:
    return np.asarray((features - arrays["mean"]) / arrays["spread"], np.float32)


def _groups(scaled: Floats) -> list[tuple[NDArray[np.intp], NDArray[np.bool_]]]:
    """Rows and seen features of every group, that of most features first."""
    ways, way, often = np.unique(
        ~np.isnan(scaled), axis=0, return_inverse=True, return_counts=True
    )
    usual = np.flatnonzero((often >= _OFTEN * len(scaled)) & ways.any(1))
    if not len(usual):
        usual = np.argsort(-often * ways.any(1))[:1]
    order = sorted(usual, key=lambda n: (-ways[n].sum(), -often[n]))
    return [(np.flatnonzero(way.ravel() == n), ways[n]) for n in order]


def _members(scaled: Floats, arrays: Arrays) -> Iterator[NDArray[np.intp]]:
    """Rows of the pixels of every group."""
    seen = ~np.isnan(scaled)
    for g in range(len(_centres(arrays, 0))):
        yield np.flatnonzero((seen == (arrays[f"seen.{g}"] > 0)).all(1))


def _points(scaled: Floats, rows: NDArray[np.intp], arrays: Arrays, g: int) -> Floats:
    seen = np.flatnonzero(arrays[f"seen.{g}"])
    return np.asarray(scaled[np.ix_(rows, seen)] @ arrays[f"axes.{g}"])


def _whitening(scaled: Floats, dimensions: int) -> Floats:
    """Near-whitened principal axes ``[F, D]`` of scaled features ``[N, F]``."""
    values, vectors = np.linalg.eigh(np.atleast_2d(np.cov(scaled.T)))
    order = np.argsort(-values)[:dimensions]
    # Nearly: the last axes are mostly noise, and full whitening would blow it up.
    axes = vectors[:, order] / np.sqrt(values[order] + 0.02 * values.max())
    return np.ascontiguousarray(axes, np.float32)


def _cluster(points: Floats, count: int, seed: int) -> Floats:
    from sklearn.cluster import MiniBatchKMeans, kmeans_plusplus

    count = min(count, len(points))
    first = max(3 * _BATCH, 3 * count)
    random = np.random.default_rng(seed)
    some = random.permutation(len(points))[:first]
    # In float64, since scikit-learn changes float32 into it for every single centre.
    start, _ = kmeans_plusplus(
        points[some].astype(np.float64), count, random_state=seed
    )
    means = MiniBatchKMeans(
        count,
        init=start.astype(np.float32),
        batch_size=_BATCH,
        n_init=1,
        random_state=seed,
        compute_labels=False,
    ).fit(points)
    return np.ascontiguousarray(means.cluster_centers_, np.float32)


def _nearest(points: Floats, clusterings: Sequence[Floats]) -> list[NDArray[np.intp]]:
    """Number ``[N]`` of the centre ``[K, D]`` nearest to every point ``[N, D]``.

    For every clustering: the largest x'c - |c|^2 / 2, made by one product.
    """
    with_one = np.hstack([points, np.ones((len(points), 1), np.float32)])
    numbers = []
    for centres in clusterings:
        half = -(centres**2).sum(1, keepdims=True) / 2
        against = np.ascontiguousarray(np.hstack([centres, half]).T)
        scores = np.empty((_COMPARED, len(centres)), np.float32)
        nearest = np.empty(len(points), np.intp)
        for start in range(0, len(points), _COMPARED):
            some = with_one[start : start + _COMPARED]
            near = np.matmul(some, against, out=scores[: len(some)])
            near.argmax(1, out=nearest[start : start + _COMPARED])
        numbers.append(nearest)
    return numbers


def _moments(
    values: Floats, cluster: NDArray[np.intp], count: int, i: int
) -> dict[str, Floats]:
    """Means and sizes of the clusters of a clustering, and the covariance in them."""
    sizes = np.bincount(cluster, minlength=count)
    sums = np.stack([np.bincount(cluster, v, count) for v in values.T], 1)
    means = sums / np.maximum(sizes, 1)[:, None]
    apart = values - means[cluster]
    within = apart.T @ apart / len(apart) + _RIDGE * np.eye(values.shape[1])
    moments: dict[str, Any] = {"means": means, "within": within, "sizes": sizes}
    return {f"{name}.{i}": np.asarray(v, np.float32) for name, v in moments.items()}


def _partly_seen(
    scaled: Floats, lost: NDArray[np.bool_]
) -> Iterator[tuple[NDArray[np.intp], Floats, NDArray[np.bool_]]]:
    """Rows of `lost` pixels that lack the same features, what was seen, and which."""
    indices = np.flatnonzero(lost)
    ways, way = np.unique(~np.isnan(scaled[indices]), axis=0, return_inverse=True)
    for number, seen in enumerate(ways):
        rows = indices[way.ravel() == number]
        for start in range(0, len(rows), _PIXELS):
            some = rows[start : start + _PIXELS]
            yield some, scaled[some], seen


def _likely(scaled: Floats, seen: NDArray[np.bool_], arrays: Arrays, i: int) -> Floats:
    """Probabilities ``[n, K]`` of the first group's clusters by the features `seen`."""
    known = np.flatnonzero(arrays["seen.0"])
    both = np.flatnonzero(seen[known])
    means = arrays[f"means.{i}"][:, both]
    pulled = means @ np.linalg.inv(arrays[f"within.{i}"][np.ix_(both, both)])
    scores = scaled[:, known[both]] @ pulled.T
    scores += np.log(np.maximum(arrays[f"sizes.{i}"], 0.5))
    scores -= (means * pulled).sum(1) / 2
    scores -= scores.max(1, keepdims=True)
    likely = np.exp(scores, out=scores)
    return np.asarray(likely / likely.sum(1, keepdims=True), np.float32)
