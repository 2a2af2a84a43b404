"""Groups of pixels by what was seen of them, and clusters of those that fit none."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from overcast.methods.weak.clusters import (
    clusters_of,
    find_clusters,
    mean_over_clusters,
    neighbours,
    widths_of,
)
from overcast.progress import quiet

Floats = NDArray[np.float32]
CENTRES = np.array([[0, 0, 0], [9, 0, 1], [0, 9, 2], [9, 9, 3]], np.float32)


def pixels(count: int = 4000, seed: int = 0) -> tuple[Floats, NDArray[np.intp]]:
    """Pixels of four clusters with a spread of 1, and the cluster of each."""
    random = np.random.default_rng(seed)
    cluster = random.choice(4, count, p=[0.4, 0.3, 0.2, 0.1])
    noise = random.standard_normal((count, 3))
    return (CENTRES[cluster] + noise).astype(np.float32), cluster


def found_in(features: Floats, count: int = 12) -> dict[str, Floats]:
    return find_clusters(features, [count, count], 3, 0, quiet)


def lacking(features: Floats, *missing: int) -> Floats:
    gone = features.copy()
    gone[:, list(missing)] = np.nan
    return gone


def told_by(features: Floats, arrays: dict[str, Floats]) -> Floats:
    """Probabilities of the true clusters, told where the clusters found are."""
    values, truth = pixels()
    for i, clusters in enumerate(clusters_of(values, arrays)):
        table = np.zeros((widths_of(arrays)[i], 4), np.float32)
        np.add.at(table, (clusters, truth), 1)
        arrays[f"truth.{i}"] = table / np.maximum(table.sum(1, keepdims=True), 1)
    return mean_over_clusters(features, arrays, "truth")


def test_pixels_seen_whole_are_in_the_nearest_cluster() -> None:
    features, truth = pixels()
    arrays = found_in(features)
    assert widths_of(arrays) == [12, 12]
    told = told_by(features, arrays)
    np.testing.assert_allclose(told.sum(1), 1, rtol=1e-5)
    assert (told.argmax(1) == truth).mean() > 0.99


def test_pixels_seen_in_part_get_the_probabilities_of_their_clusters() -> None:
    """Bayes by hand: the first feature tells 0 and 2 from 1 and 3, shares the rest."""
    features, _ = pixels()
    told = told_by(lacking(features, 1, 2), found_in(features))
    first = features[:, 0]
    likely = np.array([0.4, 0.3, 0.2, 0.1]) * np.exp(
        -((first[:, None] - CENTRES[:, 0]) ** 2) / 2
    )
    expected = likely / likely.sum(1, keepdims=True)
    assert np.abs(told - expected).mean() < 0.03


def test_of_what_was_not_seen_the_shares_are_known() -> None:
    features, _ = pixels()
    told = told_by(lacking(features, 0, 1, 2), found_in(features))
    np.testing.assert_allclose(told[0], [0.4, 0.3, 0.2, 0.1], atol=0.03)


def test_what_often_lacks_the_same_features_has_clusters_of_its_own() -> None:
    features, _ = pixels()
    half = np.concatenate([features[:2000], lacking(features[2000:], 0, 2)])
    arrays = found_in(half)
    assert widths_of(arrays) == [24, 24]
    (whole, part), _ = (np.split(c, 2) for c in clusters_of(half, arrays))
    assert whole.max() < 12 <= part.min()
    table = neighbours(arrays, 0).toarray()
    assert table[:12, :12].any()
    assert not table[:12, 12:].any()
    # The second feature tells 0 and 1 from 2 and 3.
    high = half[2000:, 1] > 4.5
    assert not np.intersect1d(part[high], part[~high]).size


def test_what_seldom_lacks_features_has_none() -> None:
    features, _ = pixels()
    seldom = np.concatenate([features, lacking(features[:100], 0)])
    arrays = found_in(seldom)
    assert widths_of(arrays) == [12, 12]
    (found, _) = clusters_of(seldom, arrays)
    assert (found[:4000] >= 0).all()
    assert (found[4000:] == -1).all()


def test_sensors_that_never_saw_the_same_pixel_are_clustered_alike() -> None:
    features, _ = pixels()
    apart = np.concatenate([lacking(features[:2000], 0), lacking(features[2000:], 1)])
    assert widths_of(found_in(apart)) == [24, 24]


def test_a_feature_that_was_seen_nowhere_is_done_without() -> None:
    """There, and where it is seen later: nobody knows what it means."""
    features, _ = pixels()
    arrays = found_in(lacking(features, 2))
    blind = clusters_of(lacking(features, 2), arrays)
    for one, other in zip(blind, clusters_of(features, arrays), strict=True):
        np.testing.assert_array_equal(one, other)
        assert one.min() >= 0


def test_few_pixels_are_few_clusters() -> None:
    features, _ = pixels(3)
    arrays = found_in(features)
    assert widths_of(arrays) == [3, 3]
    told = mean_over_clusters(lacking(features, 0), arrays, "means")
    assert np.isfinite(told).all()
