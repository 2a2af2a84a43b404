from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import check_grad
from scipy.sparse import csr_matrix

from overcast.methods.weak.proportions import (
    Cells,
    LabelNoise,
    _loss,
    _misfit,
    _mistakes_of,
    class_shares,
)

CLUSTERS, CLASSES = 12, 3
ALL = np.ones(CLASSES, bool)


def cells(count: int, wrong: float, seed: int = 0) -> tuple[Cells, np.ndarray]:
    """Cells of clusters that each have one class, labelled by majority."""
    rng = np.random.default_rng(seed)
    classes = np.arange(CLUSTERS) % CLASSES
    shares = rng.dirichlet(np.full(CLUSTERS, 0.25), count)
    held = shares @ np.eye(CLASSES)[classes]
    labels = held.argmax(1)
    flipped = rng.random(count) < wrong
    labels = np.where(flipped, rng.integers(0, CLASSES, count), labels)
    known = Cells(csr_matrix(shares), np.eye(CLASSES)[labels], np.ones(count))
    return known, classes


def edges() -> csr_matrix:
    """Clusters of a class are neighbours."""
    same = np.arange(CLUSTERS)[:, None] % CLASSES == np.arange(CLUSTERS) % CLASSES
    return csr_matrix(same.astype(float) - np.eye(CLUSTERS))


def belief(wrong: float = 0.1, **changed: object) -> LabelNoise:
    mistakes = np.full((CLASSES, CLASSES), wrong / (CLASSES - 1))
    np.fill_diagonal(mistakes, 1 - wrong)
    return LabelNoise(**{"mistakes": mistakes, "possible": ALL, **changed})  # type: ignore[arg-type]


@pytest.mark.parametrize("wrong", [0.0, 0.3])
def test_clusters_get_their_classes_back(wrong: float) -> None:
    known, classes = cells(120, wrong)
    found = class_shares([(known, belief(max(wrong, 0.05), smoothness=0.1))], edges())
    assert found.shape == (CLUSTERS, CLASSES)
    assert found.sum(1) == pytest.approx(np.ones(CLUSTERS))
    assert np.array_equal(found.argmax(1), classes)


def test_misfit_is_the_likelihood_and_its_slope() -> None:
    known, _ = cells(9, 0.2)
    rng = np.random.default_rng(1)
    theta = rng.dirichlet(np.ones(CLASSES), CLUSTERS)
    mistakes = belief(0.2).mistakes
    value, _ = _misfit(theta, known, 1.5, mistakes)
    slow = 0.0
    shares = known.shares.toarray()
    for j in range(9):
        q = [sum(shares[j, k] * theta[k, c] for k in range(CLUSTERS)) for c in range(3)]
        t = np.array([v**1.5 for v in q]) / sum(v**1.5 for v in q)
        label = known.labels[j].argmax()
        slow -= np.log(sum(t[h] * mistakes[h, label] for h in range(3)))
    assert value == pytest.approx(slow, abs=1e-6)
    wrong = check_grad(
        lambda flat: _misfit(flat.reshape(theta.shape), known, 1.5, mistakes)[0],
        lambda flat: _misfit(flat.reshape(theta.shape), known, 1.5, mistakes)[
            1
        ].ravel(),
        theta.ravel(),
    )
    assert wrong < 1e-3


def test_mistakes_are_estimated() -> None:
    known, classes = cells(4000, 0.3)
    sharp = belief(0.1, power=40.0)
    found = _mistakes_of(np.eye(CLASSES)[classes], known, sharp)
    # A third of the redrawn labels are right again.
    assert np.diag(found) == pytest.approx(np.full(CLASSES, 0.8), abs=0.05)
    assert found.sum(1) == pytest.approx(np.ones(CLASSES))


def test_a_class_that_cannot_be_is_never_found() -> None:
    known, _ = cells(200, 0.1)
    possible = np.array([True, True, False])
    found = class_shares([(known, belief(0.1, possible=possible))], edges())
    assert (found[:, 2] == 0).all()
    assert np.isfinite(found).all()


def test_smoothness_gives_an_unseen_cluster_its_neighbours_class() -> None:
    known, classes = cells(150, 0.0)
    shares = known.shares.toarray()
    shares[:, 0] = 0
    seen = Cells(
        csr_matrix(shares / shares.sum(1, keepdims=True)), known.labels, known.weight
    )
    found = class_shares([(seen, belief())], edges())
    assert found[0].argmax() == classes[0]


def weighted(count: int = 9) -> tuple[Cells, LabelNoise]:
    """Cells of unequal weight, with what other scenes say of the clusters."""
    rng = np.random.default_rng(3)
    known, _ = cells(count, 0.2)
    before = rng.dirichlet(np.ones(CLASSES), CLUSTERS)
    weight = rng.uniform(0.2, 3, count)
    whole = Cells(known.shares, known.labels, weight, before)
    return whole, belief(0.2, smoothness=0.7, prior=0.4)


def test_loss_is_the_likelihood_smoothness_and_prior() -> None:
    known, how = weighted()
    links = edges()
    theta = np.random.default_rng(4).dirichlet(np.ones(CLASSES), CLUSTERS)
    value, _ = _loss([(known, how)], links, [how.mistakes])(np.log(theta).ravel())
    held = known.shares.toarray() @ theta
    seen = held**1.5 / (held**1.5).sum(1, keepdims=True) @ how.mistakes
    slow = 0.0
    for weight, label, likely in zip(known.weight, known.labels, seen, strict=True):
        slow -= weight * np.log(likely[label.argmax()])
    neighbours = links.toarray()
    pull = 0.7 * known.weight.sum() / neighbours.sum()
    for k in range(CLUSTERS):
        for other in range(k):
            apart = ((theta[k] - theta[other]) ** 2).sum()
            slow += pull * neighbours[k, other] * apart
    assert known.before is not None
    for k in range(CLUSTERS):
        mass = (known.shares.toarray()[:, k] * known.weight).sum()
        slow -= 0.4 * mass * (known.before[k] * np.log(theta[k] + 1e-6)).sum()
    assert value == pytest.approx(slow, rel=1e-6)


@pytest.mark.parametrize("part", ["labels", "smoothness", "prior", "all"])
def test_slope_is_the_change_of_the_loss(part: str) -> None:
    """Central differences in float64, each term alone and all together."""
    known, how = weighted()
    if part != "all":
        how = replace(
            how,
            smoothness=500.0 if part == "smoothness" else 0.0,
            prior=50.0 if part == "prior" else 0.0,
        )
    loss = _loss([(known, how)], edges(), [how.mistakes])
    scores = np.random.default_rng(5).normal(0, 1, CLUSTERS * CLASSES)
    steps = 1e-5 * np.eye(scores.size)
    slow = [(loss(scores + s)[0] - loss(scores - s)[0]) / 2e-5 for s in steps]
    slope = loss(scores)[1]
    assert np.abs(slope).max() > 0.1
    assert slope == pytest.approx(slow, rel=1e-6, abs=1e-6)


def test_heavy_cells_count_for_more_in_the_mistakes() -> None:
    # Clusters 0 and 1 are of class 0; the cell of 3 says so, the cell of 1 does not.
    labels = np.eye(CLASSES)[[0, 1]]
    known = Cells(csr_matrix(np.eye(2, CLUSTERS)), labels, np.array([3.0, 1.0]))
    theta = np.eye(CLASSES)[np.zeros(CLUSTERS, int)]
    how = belief(0.2, trust=4.0)
    found = _mistakes_of(theta, known, how)
    # Row 0: 3 and 1 cells, and 4 cells' worth of (.8, .1, .1).
    assert found[0] == pytest.approx([6.2 / 8, 1.4 / 8, 0.4 / 8], abs=1e-6)
    assert found[1:] == pytest.approx(how.mistakes[1:], abs=1e-6)
