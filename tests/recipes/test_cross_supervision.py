"""Losses among predictions, against slow forms, and who gets a gradient."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from overcast.recipes.dllr.cross_supervision import (
    complementary_loss,
    cross_pseudo_loss,
)

NAMERS = (1.0, 0.5, 0.25)


def draw(*shape: int) -> Tensor:
    return torch.randn(*shape, dtype=torch.float64)


def test_complementary_loss_by_hand() -> None:
    one, other = draw(2, 3, 2, 2), draw(2, 3, 2, 2)
    where = torch.rand(2, 2, 2) > 0.3
    losses = []
    for b, y, x in where.nonzero().tolist():
        p, q = (
            one[b, :, y, x].softmax(0).tolist(),
            other[b, :, y, x].softmax(0).tolist(),
        )
        m = [(s + t) / 2 for s, t in zip(p, q, strict=True)]
        js = sum(
            0.5 * s * math.log(s / c) + 0.5 * t * math.log(t / c)
            for s, t, c in zip(p, q, m, strict=True)
        )
        sure, less = (p, q) if max(p) >= max(q) else (q, p)
        entropy = -sum(s * math.log(t) for s, t in zip(sure, less, strict=True))
        losses.append(js / math.log(2) * entropy)
    found = complementary_loss(one, other, where).item()
    assert found == pytest.approx(sum(losses) / len(losses), rel=1e-5)


def test_only_the_less_sure_learns() -> None:
    one = draw(1, 3, 4, 4).requires_grad_()
    other = draw(1, 3, 4, 4).requires_grad_()
    complementary_loss(one, other, torch.ones(1, 4, 4, dtype=torch.bool)).backward()
    assert one.grad is not None
    assert other.grad is not None
    surer = (one.softmax(1).amax(1) >= other.softmax(1).amax(1))[:, None]
    assert not (one.grad * surer).any()
    assert not (other.grad * ~surer).any()
    assert (one.grad + other.grad).abs().sum(1).min() > 0


def test_equal_predictions_have_nothing_to_learn() -> None:
    one = draw(1, 3, 4, 4)
    where = torch.ones(1, 4, 4, dtype=torch.bool)
    assert complementary_loss(one, one.clone(), where).item() == pytest.approx(0)
    assert complementary_loss(one, draw(1, 3, 4, 4), ~where).item() == 0


@pytest.mark.parametrize("own", [0.0, 0.5])
def test_cross_pseudo_loss_by_hand(own: float) -> None:
    logits, shares = draw(3, 2, 4, 2, 2), (2 * draw(3, 2, 4, 2, 2)).softmax(2)
    where = torch.rand(3, 2, 2, 2) > 0.2
    total = weights = 0.0
    for u in range(3):
        for v in range(3):
            weight = NAMERS[v] * (own if u == v else 1.0)
            both = where[u] & where[v]
            losses = []
            for b, y, x in both.nonzero().tolist():
                given = shares[v, b, :, y, x]
                loss = -logits[u, b, :, y, x].log_softmax(0)[given.argmax()]
                losses.append(loss.item() if given.max() >= 0.7 else 0.0)
            total += weight * sum(losses) / len(losses)
            weights += weight
    found = cross_pseudo_loss(logits, shares, where, NAMERS, 0.7, own).item()
    assert found == pytest.approx(total / weights)


def test_what_names_has_no_gradient() -> None:
    logits = draw(2, 1, 3, 2, 2).requires_grad_()
    shares = draw(2, 1, 3, 2, 2).softmax(2).requires_grad_()
    where = torch.ones(2, 1, 2, 2, dtype=torch.bool)
    cross_pseudo_loss(logits, shares, where, [1.0, 1.0]).backward()
    assert logits.grad is not None
    assert shares.grad is None


def test_nobody_names_anything() -> None:
    logits = draw(2, 1, 3, 2, 2).requires_grad_()
    where = torch.ones(2, 1, 2, 2, dtype=torch.bool)
    loss = cross_pseudo_loss(logits, logits.softmax(2), where, [0.0, 0.0])
    loss.backward()
    assert loss.item() == 0
    assert logits.grad is not None
