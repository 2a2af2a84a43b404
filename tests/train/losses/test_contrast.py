"""The contrastive loss against its published formula, and its known limits."""

from __future__ import annotations

import math
from itertools import product

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from overcast.train.losses.contrast import contrastive_loss

PAIRS, WIDTH = 5, 4


def draw(seed: int, pairs: int = PAIRS) -> tuple[Tensor, Tensor]:
    random = torch.Generator().manual_seed(seed)
    shape = (2, pairs, WIDTH)
    one, two = torch.randn(shape, generator=random, dtype=torch.float64)
    return one, two


def slow(
    one: Tensor, two: Tensor, memory: Tensor | None, t: float, tau: float, beta: float
) -> float:
    """Robinson 2021, equations 3 and 4, one anchor and one negative at a time."""

    def cosine(a: Tensor, b: Tensor) -> float:
        return float(a @ b / (a.norm() * b.norm()))

    total = 0.0
    views = (list(one), list(two))
    for view, n in product((0, 1), range(len(one))):
        anchor, partner = views[view][n], views[1 - view][n]
        others = [v[m] for v in views for m in range(len(one)) if m != n]
        others += [] if memory is None else list(memory)
        positive = math.exp(cosine(anchor, partner) / t)
        negatives = [math.exp(cosine(anchor, other) / t) for other in others]
        importance = [math.exp(beta * math.log(e)) for e in negatives]
        mean_importance = sum(importance) / len(importance)
        hard = sum(w * e for w, e in zip(importance, negatives, strict=True))
        count = len(negatives)
        estimate = (hard / mean_importance - tau * count * positive) / (1 - tau)
        estimate = max(estimate, count * math.exp(-1 / t))
        total -= math.log(positive / (positive + estimate))
    return total / (2 * len(one))


@given(
    st.integers(0, 1000),
    st.floats(0.1, 2),
    st.floats(0, 0.9),
    st.floats(0, 4),
    st.booleans(),
)
def test_is_the_published_formula(
    seed: int, t: float, tau: float, beta: float, remembers: bool
) -> None:
    one, two = draw(seed)
    memory = draw(seed + 1)[0] if remembers else None
    found = contrastive_loss(
        one, two, memory, temperature=t, prior=tau, hardness=beta
    ).item()
    assert found == pytest.approx(slow(one, two, memory, t, tau, beta), rel=1e-9)


def test_without_prior_and_hardness_it_is_a_cross_entropy() -> None:
    """NT-Xent: which of the others is the partner?"""
    one, two = draw(3)
    units = F.normalize(torch.cat([one, two]), dim=1)
    logits = (units @ units.T / 0.2).fill_diagonal_(-torch.inf)
    partner = torch.arange(2 * PAIRS).roll(PAIRS)
    found = contrastive_loss(one, two, temperature=0.2, prior=0, hardness=0)
    torch.testing.assert_close(found, F.cross_entropy(logits, partner))


def test_vectors_that_are_all_alike_cost_the_logarithm_of_their_number() -> None:
    same = torch.ones(PAIRS, WIDTH, dtype=torch.float64)
    for prior, hardness in product((0, 0.3), (0, 2)):
        found = contrastive_loss(same, same, prior=prior, hardness=hardness)
        assert found.item() == pytest.approx(math.log(2 * PAIRS - 1))


def test_great_hardness_sees_the_nearest_negative_alone() -> None:
    one, two = draw(4, 2)
    (a, b), (c, d) = F.normalize(one, dim=1), F.normalize(two, dim=1)
    expected = 0.0
    for anchor, partner, rest in ((a, c, (b, d)), (b, d, (a, c))):
        for x, y in ((anchor, partner), (partner, anchor)):
            hardest = max(float(x @ r) for r in rest)
            expected += math.log1p(2 * math.exp(2 * (hardest - float(x @ y))))
    found = contrastive_loss(one, two, prior=0, hardness=1e4).item()
    assert found == pytest.approx(expected / 4, rel=1e-3)


def test_negatives_of_ones_own_kind_are_taken_off() -> None:
    one, noise = draw(5)
    near = one + 0.1 * noise
    losses = [contrastive_loss(one, near, prior=p).item() for p in (0, 0.1, 0.2)]
    assert losses == sorted(losses, reverse=True)


def test_memory_is_more_negatives_without_gradient_of_its_own() -> None:
    one, two = draw(6)
    memory = draw(7)[0]
    plain = contrastive_loss(one, two)
    assert contrastive_loss(one, two, memory) > plain
    empty = torch.zeros(3, WIDTH, dtype=torch.float64)
    assert contrastive_loss(one, two, empty) == plain
    partly = torch.cat([empty, memory])
    assert contrastive_loss(one, two, partly) == contrastive_loss(one, two, memory)


@pytest.mark.parametrize("temperature", [1e-3, 1e3])
@pytest.mark.parametrize("prior", [0.0, 0.1, 0.99])
@pytest.mark.parametrize("apart", [True, False])
def test_extremes_stay_finite(temperature: float, prior: float, apart: bool) -> None:
    one = torch.eye(4)
    two = (-one if apart else one).clone()
    one.requires_grad_()
    loss = contrastive_loss(one, two, temperature=temperature, prior=prior)
    loss.backward()
    assert loss.isfinite()
    assert loss >= 0
    assert one.grad is not None
    assert one.grad.isfinite().all()


def test_gradient_is_that_of_the_value() -> None:
    one, two = (v.requires_grad_() for v in draw(8))
    assert torch.autograd.gradcheck(contrastive_loss, (one, two))


@pytest.mark.parametrize("pairs", [0, 1])
def test_nothing_to_tell_apart_is_zero_with_a_gradient(pairs: int) -> None:
    one, two = (v[:pairs].requires_grad_() for v in draw(9))
    loss = contrastive_loss(one, two)
    loss.backward()
    assert loss.item() == 0
    assert one.grad is not None
    assert not one.grad.any()


def test_half_precision_is_computed_in_float32() -> None:
    one, two = (v.bfloat16() for v in draw(10))
    expected = contrastive_loss(one.double(), two.double())
    with torch.autocast("cpu", torch.bfloat16):
        found = contrastive_loss(one, two)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found.double(), expected, rtol=1e-5, atol=0)


def test_wrong_arguments_are_refused() -> None:
    one, two = draw(11)
    with pytest.raises(ValueError, match=r"expected \[N, D\]"):
        contrastive_loss(one, two[:2])
    with pytest.raises(ValueError, match=r"expected \[N, D\]"):
        contrastive_loss(one, two, two[:, :2])
    with pytest.raises(ValueError, match="prior from 0 to below 1"):
        contrastive_loss(one, two, prior=1)
    with pytest.raises(ValueError, match="temperature must be above 0"):
        contrastive_loss(one, two, temperature=0)
