"""Corrections by a transition matrix: formulas, expectations, estimation, learning."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from overcast.train.batch import IGNORE
from overcast.train.losses import (
    NoiseLayer,
    backward_correction,
    cross_entropy,
    estimate_transition,
    forward_correction,
)
from tests.train.losses.scenes import (
    CLASSES,
    draw,
    draw_matrix,
    known_pixels,
    softmax,
)


@given(seed=st.integers(0, 1000), unknown=st.floats(0, 1), columns=st.integers(4, 6))
def test_forward_is_its_formula(seed: int, unknown: float, columns: int) -> None:
    logits, labels = draw(seed, unknown)
    matrix = draw_matrix(seed, columns=columns)
    losses = [
        -math.log(
            sum(
                p * float(matrix[i, label])
                for i, p in enumerate(softmax(logits[b, :, y, x].tolist()))
            )
        )
        for b, y, x, label in known_pixels(labels)
    ]
    found = forward_correction(logits, labels, matrix)
    assert found.item() == pytest.approx(sum(losses) / max(len(losses), 1), rel=1e-12)


def inverse(matrix: list[list[float]]) -> list[list[float]]:
    """Gauss-Jordan; the diagonal of the matrix is strong, so no pivoting."""
    n = len(matrix)
    rows = [[*row, *(float(i == j) for j in range(n))] for i, row in enumerate(matrix)]
    for i in range(n):
        rows[i] = [v / rows[i][i] for v in rows[i]]
        for j in set(range(n)) - {i}:
            rows[j] = [
                v - rows[j][i] * w for v, w in zip(rows[j], rows[i], strict=True)
            ]
    return [row[n:] for row in rows]


@given(seed=st.integers(0, 1000), unknown=st.floats(0, 1))
def test_backward_is_its_formula(seed: int, unknown: float) -> None:
    logits, labels = draw(seed, unknown)
    matrix = draw_matrix(seed)
    back = inverse(matrix.tolist())
    losses = [
        -sum(
            back[label][j] * math.log(p)
            for j, p in enumerate(softmax(logits[b, :, y, x].tolist()))
        )
        for b, y, x, label in known_pixels(labels)
    ]
    found = backward_correction(logits, labels, matrix)
    expect = sum(losses) / max(len(losses), 1)
    assert found.item() == pytest.approx(expect, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("correction", [forward_correction, backward_correction])
def test_gradient(correction: Callable[..., Tensor]) -> None:
    logits, labels = draw(6)
    matrix = draw_matrix(6)
    assert torch.autograd.gradcheck(
        lambda z, t: correction(z, labels, t),
        (logits.requires_grad_(), matrix.requires_grad_()),
    )


@given(seed=st.integers(0, 100))
def test_identity_is_cross_entropy(seed: int) -> None:
    logits, labels = draw(seed)
    plain = cross_entropy(logits, labels)
    eye = torch.eye(CLASSES)
    torch.testing.assert_close(forward_correction(logits, labels, eye), plain)
    torch.testing.assert_close(backward_correction(logits, labels, eye), plain)


def slope(loss: Tensor, logits: Tensor) -> Tensor:
    return torch.autograd.grad(loss, logits)[0]


@settings(max_examples=25)
@given(seed=st.integers(0, 100))
def test_backward_recovers_clean_gradients_in_expectation(seed: int) -> None:
    """Every way in which noise can fall on two pixels, weighted by its probability."""
    source = torch.Generator().manual_seed(seed)
    logits = torch.randn(1, 3, 1, 2, generator=source, dtype=torch.float64)
    logits.requires_grad_()
    clean = torch.randint(3, (1, 1, 2), generator=source)
    matrix = draw_matrix(seed, 3, 3)
    mean = torch.zeros_like(logits)
    naive = torch.zeros_like(logits)
    for noisy in itertools.product(range(3), repeat=2):
        labels = torch.tensor(noisy).view(1, 1, 2)
        chance = matrix[clean, labels].prod()
        mean += chance * slope(backward_correction(logits, labels, matrix), logits)
        naive += chance * slope(cross_entropy(logits, labels), logits)
    expect = slope(cross_entropy(logits, clean), logits)
    torch.testing.assert_close(mean, expect)
    assert (naive - expect).abs().max() > 1e-3


def expected_forward(p: Tensor, truth: Tensor, matrix: Tensor) -> Tensor:
    """Mean forward loss of predictions [K] when the true classes are `truth` [K]."""
    chances = truth @ matrix
    losses = [
        forward_correction(p.log().view(1, -1, 1, 1), torch.full((1, 1, 1), j), matrix)
        for j in range(len(p))
    ]
    return (chances * torch.stack(losses)).sum()


@given(seed=st.integers(0, 100))
def test_forward_is_least_at_the_clean_posterior(seed: int) -> None:
    """Forward correction has not the clean gradient, but the clean minimiser."""
    source = torch.Generator().manual_seed(seed)
    matrix = draw_matrix(seed, 3, 3)
    truth = torch.rand(3, generator=source, dtype=torch.float64).softmax(0)
    logits = truth.log().requires_grad_()
    best = expected_forward(logits.softmax(0), truth, matrix)
    assert slope(best, logits).abs().max() < 1e-12
    other = torch.rand(3, generator=source, dtype=torch.float64).softmax(0)
    assert expected_forward(other, truth, matrix) > best


def test_impossible_label_costs_much_but_not_infinity() -> None:
    logits = torch.zeros(1, 2, 1, 1, requires_grad=True)
    matrix = torch.tensor([[1.0, 0.0], [1.0, 0.0]])
    loss = forward_correction(logits, torch.ones(1, 1, 1, dtype=torch.int64), matrix)
    loss.backward()
    assert 80 < loss.item() < 100
    assert logits.grad is not None
    assert logits.grad.isfinite().all()


def test_sure_and_wrong_still_gets_a_gradient() -> None:
    """p underflows in float32; its logarithm must not."""
    logits = torch.tensor([300.0, 0.0]).view(1, 2, 1, 1).requires_grad_()
    labels = torch.ones(1, 1, 1, dtype=torch.int64)
    loss = forward_correction(logits, labels, torch.eye(2, dtype=torch.float64))
    loss.backward()
    assert loss.item() == 300
    assert logits.grad is not None
    assert logits.grad.flatten().tolist() == [1, -1]


def test_zeros_of_a_learned_matrix_have_a_finite_gradient() -> None:
    logits, labels = draw(1)
    matrix = torch.eye(CLASSES, dtype=torch.float64).requires_grad_()
    forward_correction(logits, labels, matrix).backward()
    assert matrix.grad is not None
    assert matrix.grad.isfinite().all()
    assert (matrix.grad.diagonal() < 0).all()


@pytest.mark.parametrize("quantile", [1.0, 0.9])
def test_anchors_find_the_matrix(quantile: float) -> None:
    """Posteriors of given classes where a fifth of each class is beyond doubt."""
    matrix = draw_matrix(1)
    truth = torch.rand(400, CLASSES, dtype=torch.float64).softmax(1)
    sure = torch.eye(CLASSES, dtype=torch.float64).repeat(100, 1)
    found = estimate_transition(torch.cat([truth, sure]) @ matrix, quantile)
    torch.testing.assert_close(found, matrix)


def test_anchor_of_a_quantile_is_not_the_outlier() -> None:
    q = torch.tensor([[0.9, 0.1]] * 50 + [[0.2, 0.8]] * 50 + [[1.0, 0.0]])
    assert estimate_transition(q)[0].tolist() == [1.0, 0.0]
    torch.testing.assert_close(
        estimate_transition(q, 0.97), torch.tensor([[0.9, 0.1], [0.2, 0.8]])
    )


def test_noise_layer_starts_near_identity_and_learns() -> None:
    """Of a network that knows the truth, it learns the noise."""
    layer = NoiseLayer(3, diagonal=0.9)
    torch.testing.assert_close(layer(), torch.full((3, 3), 0.05) + 0.85 * torch.eye(3))
    truth = draw_matrix(3, 3, 3).float()
    counts = (truth * 1000).round().int()
    pairs = [(i, j) for i in range(3) for j in range(3) for _ in range(counts[i, j])]
    clean, noisy = torch.tensor(pairs).T
    logits = 30 * torch.nn.functional.one_hot(clean, 3).float().T.view(1, 3, 1, -1)
    fit = torch.optim.Adam(layer.parameters(), 0.1)
    for _ in range(200):
        fit.zero_grad()
        forward_correction(logits, noisy.view(1, 1, -1), layer()).backward()
        fit.step()
    torch.testing.assert_close(layer(), truth, atol=5e-3, rtol=0)


def test_noise_layer_learns_from_known_pixels_alone() -> None:
    logits, labels = draw(4)
    unknown = (labels == IGNORE)[:, None]
    layer = NoiseLayer(CLASSES)
    slopes = []
    for junk in (0.0, torch.nan):
        trust = torch.where(unknown[:, 0], junk, 0.5)
        holed = torch.where(unknown, junk, logits)
        loss = forward_correction(holed, labels, layer(), trust)
        slopes.append(torch.autograd.grad(loss, layer.weights)[0])
    assert slopes[0].any()
    assert torch.equal(*slopes)


def test_noise_layer_is_checkpointed() -> None:
    layer, other = NoiseLayer(3), NoiseLayer(3, diagonal=0.5)
    other.load_state_dict(layer.state_dict())
    assert torch.equal(layer(), other())


def test_refusals() -> None:
    logits, labels = draw(0)
    for matrix in (torch.eye(3), torch.ones(CLASSES), torch.ones(3, CLASSES)):
        with pytest.raises(ValueError, match="transition is"):
            forward_correction(logits, labels, matrix)
    with pytest.raises(ValueError, match="transition is"):
        backward_correction(logits, labels, torch.ones(CLASSES, 5))
    with pytest.raises(ValueError, match="no inverse"):
        backward_correction(logits, labels, torch.ones(CLASSES, CLASSES) / CLASSES)
    with pytest.raises(ValueError, match="integer labels"):
        forward_correction(logits, logits.softmax(1), torch.eye(CLASSES))
    with pytest.raises(ValueError, match="one pixel or more"):
        estimate_transition(torch.zeros(0, 3))
    with pytest.raises(ValueError, match="quantile is"):
        estimate_transition(torch.ones(2, 3), 1.5)
    for classes, diagonal in ((1, 0.5), (3, 1.0), (3, 0.0)):
        with pytest.raises(ValueError, match="expected"):
            NoiseLayer(classes, diagonal)
