"""Transport: POT's numbers, a slow form's, and what penalties promise."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from overcast.train.sinkhorn import Marginal, Transport

PENALTIES = [(math.inf, math.inf), (math.inf, 0.5), (0.3, math.inf), (0.2, 2.0)]


def problem(seed: int, pixels: int = 40, classes: int = 5) -> tuple[Tensor, ...]:
    """Costs like -log p of three images, mass of pixels and of classes; float64."""
    draw = torch.Generator().manual_seed(seed)
    logits = torch.randn(3, classes, pixels, generator=draw, dtype=torch.float64)
    a, b = (
        torch.rand(3, n, generator=draw, dtype=torch.float64) + 0.05
        for n in (pixels, classes)
    )
    cost = -(2 * logits).log_softmax(1)
    return cost, a / a.sum(1, keepdim=True), b / b.sum(1, keepdim=True)


def exact(epsilon: float, penalties: tuple[float, float]) -> Transport:
    return Transport(
        epsilon=epsilon,
        pixel_penalty=penalties[0],
        class_penalty=penalties[1],
        iterations=20_000,
        tolerance=1e-14,
    )


@pytest.mark.parametrize("epsilon", [1.0, 0.1])
@pytest.mark.parametrize("penalties", PENALTIES)
def test_it_agrees_with_pot(epsilon: float, penalties: tuple[float, float]) -> None:
    ot = pytest.importorskip("ot")
    cost, a, b = problem(0)
    ours = exact(epsilon, penalties).plan(cost, a, b).mT.numpy()
    wide = Transport(
        epsilon=epsilon,
        pixel_penalty=penalties[0],
        class_penalty=penalties[1],
        iterations=2000,
        tolerance=1e-6,
    )
    single = wide.plan(cost.float(), a.float(), b.float()).mT.numpy()
    for n, (c, x, y) in enumerate(zip(cost, a.numpy(), b.numpy(), strict=True)):
        theirs = ot.unbalanced.sinkhorn_unbalanced(
            x,
            y,
            c.T.numpy(),
            epsilon,
            penalties,
            c=np.outer(x, np.ones(len(y))),
            numItermax=20_000,
            stopThr=1e-15,
        )
        np.testing.assert_allclose(ours[n], theirs, rtol=1e-5, atol=1e-12)
        # Relative to the pixel's mass, as small plans agree anyhow.
        share = x[:, None]
        np.testing.assert_allclose(single[n] / share, theirs / share, atol=1e-5)


def slow(
    cost: list[list[float]],
    a: list[float],
    b: list[float],
    epsilon: float,
    penalties: tuple[float, float],
) -> list[list[float]]:
    """Multiplicative scaling, number by number: cost[k][i], plan[k][i]."""
    kernel = [
        [math.exp(-c / epsilon) * m for c, m in zip(row, a, strict=True)]
        for row in cost
    ]
    p, q = (
        1.0 if math.isinf(penalty) else penalty / (penalty + epsilon)
        for penalty in penalties
    )
    u, v = [1.0] * len(a), [1.0] * len(b)
    for _ in range(500):
        for i, mass in enumerate(a):
            u[i] = (mass / sum(v[k] * kernel[k][i] for k in range(len(b)))) ** p
        for k, mass in enumerate(b):
            v[k] = (mass / sum(u[i] * kernel[k][i] for i in range(len(a)))) ** q
    return [[v[k] * kernel[k][i] * u[i] for i in range(len(a))] for k in range(len(b))]


@pytest.mark.parametrize("penalties", PENALTIES)
def test_it_agrees_with_scaling_by_hand(penalties: tuple[float, float]) -> None:
    cost, a, b = problem(1, pixels=6, classes=3)
    ours = exact(0.5, penalties).plan(cost, a, b)
    for n in range(3):
        theirs = slow(cost[n].tolist(), a[n].tolist(), b[n].tolist(), 0.5, penalties)
        torch.testing.assert_close(
            ours[n], torch.tensor(theirs, dtype=torch.float64), rtol=1e-8, atol=0
        )


@settings(max_examples=30)
@given(
    seed=st.integers(0, 1000),
    epsilon=st.floats(0.2, 5),
    pixels=st.integers(1, 30),
    classes=st.integers(1, 6),
)
def test_balanced_plans_keep_both_marginals(
    seed: int, epsilon: float, pixels: int, classes: int
) -> None:
    cost, a, b = problem(seed, pixels, classes)
    plan = exact(epsilon, (math.inf, math.inf)).plan(cost, a, b)
    torch.testing.assert_close(plan.sum(1), a)
    torch.testing.assert_close(plan.sum(2), b)
    assert (plan >= 0).all()


def test_the_penalty_leads_from_own_shares_to_given_ones() -> None:
    cost, a, b = problem(2)
    free = exact(1.0, (math.inf, 0.0)).plan(cost, a, b)
    torch.testing.assert_close(free, a[:, None] * (-cost).exp())
    gaps = [
        (exact(1.0, (math.inf, q)).plan(cost, a, b).sum(2) - b).abs().sum().item()
        for q in (0.0, 0.1, 1.0, 10.0, math.inf)
    ]
    assert gaps == sorted(gaps, reverse=True)
    assert gaps[0] > 0.1
    assert gaps[-1] < 1e-9


def test_distant_costs_neither_overflow_nor_vanish() -> None:
    """Float32 and costs of a thousand epsilons: most exponentials are zero."""
    cost, a, b = problem(3)
    far = Transport(epsilon=0.001, iterations=50)
    plan = far.plan((cost * 5).float(), a.float(), b.float())
    assert plan.isfinite().all()
    # Costs of 3e4 epsilons are rounded to 2e-3 of one.
    torch.testing.assert_close(plan.sum(1), a.float(), rtol=5e-3, atol=0)
    lost = Transport(epsilon=0.01, pixel_penalty=0.01, class_penalty=0.01)
    assert lost.plan((cost * 50).float(), a.float(), b.float()).isfinite().all()


def test_absorbing_changes_no_value() -> None:
    """Shares a billion times apart move g far from where it starts."""
    cost, a, _ = problem(4)
    b = torch.tensor([1e-9, 1e-6, 1e-3, 0.1, 1.0], dtype=torch.float64)
    b = (b / b.sum()).expand(3, -1)
    plan = exact(1.0, (math.inf, math.inf)).plan(cost, a, b)
    torch.testing.assert_close(plan.sum(2), b, rtol=1e-9, atol=0)
    torch.testing.assert_close(plan.sum(1), a, rtol=1e-9, atol=0)


def test_shares_leave_out_pixels_whatever_stands_there() -> None:
    cost, _, b = problem(5)
    where = torch.rand(3, 40) > 0.4
    where[2] = False
    way = exact(0.7, (math.inf, 1.0))
    found = way.shares(torch.where(where[:, None], cost, torch.nan), where, b)
    assert not found.movedim(1, 2)[~where].any()
    for n in range(2):
        alone = way.shares(
            cost[n : n + 1, :, where[n]],
            torch.ones(1, int(where[n].sum()), dtype=torch.bool),
            b[n : n + 1],
        )
        torch.testing.assert_close(found[n][:, where[n]], alone[0])
    torch.testing.assert_close(found.sum(1), where.double())


def test_a_class_without_share_gets_nothing() -> None:
    cost, a, b = problem(6)
    b[:, 1] = 0
    b = b / b.sum(1, keepdim=True)
    plan = exact(1.0, (math.inf, math.inf)).plan(cost, a, b)
    assert plan[:, 1].abs().max() < 1e-12


def test_marginal_is_a_plain_mean_at_first_and_then_decays() -> None:
    marginal = Marginal(2, decay=0.5)
    assert marginal.shares.tolist() == [0.5, 0.5]
    expected = torch.tensor([0.5, 0.5])
    for n, amounts in enumerate([[3.0, 1.0], [0.0, 5.0], [1.0, 1.0], [8.0, 0.0]]):
        kept = min(0.5, n / (n + 1))
        found = torch.tensor(amounts)
        expected = kept * expected + (1 - kept) * found / found.sum()
        marginal.update(found)
        torch.testing.assert_close(marginal.shares, expected)


def test_marginal_of_nothing_stays() -> None:
    marginal = Marginal(3)
    marginal.update(torch.zeros(3))
    marginal.update(torch.tensor([0, 2, 2]))
    assert marginal.shares.tolist() == [0.0, 0.5, 0.5]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"epsilon": 0.0}, "epsilon must be positive"),
        ({"epsilon": 1.0, "iterations": 0}, "iterations 1 or more"),
        ({"epsilon": 1.0, "class_penalty": -1.0}, "class_penalty must be 0 or more"),
    ],
)
def test_settings_are_checked(settings: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Transport(**settings)


def test_shapes_are_checked() -> None:
    cost, a, b = problem(7)
    with pytest.raises(
        ValueError, match=r"expected \[B, K, N\], \[B, N\] and \[B, K\]"
    ):
        Transport(epsilon=1.0).plan(cost.mT, a, b)
    with pytest.raises(ValueError, match="decay is 1"):
        Marginal(2, decay=1.0)
