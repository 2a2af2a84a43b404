"""QR and RQ: by hand, by loops, and against torchgeo's form of them."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from overcast.train.losses import (
    cross_entropy,
    implicit_posterior,
    qr_loss,
    rq_loss,
)
from tests.train.losses.scenes import CLASSES, draw, draw_soft, known_pixels, softmax


def example() -> tuple[Tensor, Tensor]:
    """Two pixels, two classes: q = (1/2, 1/2), (1/4, 3/4); P = (1/2, 1/2), (4/5, 1/5).

    The sums over pixels are (3/4, 5/4), so q / sum is (2/3, 2/5) and (1/3, 3/5);
    times P: (1/3, 1/5) and (4/15, 3/25); so r = (5/8, 3/8) and (20/29, 9/29).
    """
    q = torch.tensor([[0.5, 0.25], [0.5, 0.75]], dtype=torch.float64)
    prior = torch.tensor([[0.5, 0.8], [0.5, 0.2]], dtype=torch.float64)
    return q.log().view(1, 2, 1, 2), prior.view(1, 2, 1, 2)


def test_by_hand() -> None:
    logits, prior = example()
    r = implicit_posterior(logits, prior)
    expect = torch.tensor([[5 / 8, 20 / 29], [3 / 8, 9 / 29]], dtype=torch.float64)
    torch.testing.assert_close(r[0, :, 0], expect)
    first = math.log((1 / 2) / (5 / 8)) / 2 + math.log((1 / 2) / (3 / 8)) / 2
    second = math.log((1 / 4) / (20 / 29)) / 4 + math.log((3 / 4) / (9 / 29)) * 3 / 4
    assert qr_loss(logits, prior).item() == pytest.approx((first + second) / 2)
    assert qr_loss(logits, prior).item() == pytest.approx(0.220189, abs=1e-6)
    other = -20 / 29 * math.log(1 / 4) - 9 / 29 * math.log(3 / 4)
    expect = (math.log(2) + other) / 2
    assert rq_loss(logits, prior).item() == pytest.approx(expect)


def slow(logits: Tensor, labels: Tensor, prior: Tensor) -> tuple[float, float]:
    pixels = [
        (b, softmax(logits[b, :, y, x].tolist()), prior[b, :, y, x].tolist())
        for b, y, x, _ in known_pixels(labels)
    ]
    qr = rq = 0.0
    for b, q, p in pixels:
        sums = [sum(o[k] for c, o, _ in pixels if c == b) for k in range(len(q))]
        r = [p[k] * q[k] / sums[k] for k in range(len(q))]
        r = [v / sum(r) for v in r]
        qr += sum(q[k] * math.log(q[k] / r[k]) for k in range(len(q)))
        rq -= sum(r[k] * math.log(q[k]) for k in range(len(q)))
    return qr / max(len(pixels), 1), rq / max(len(pixels), 1)


@given(seed=st.integers(0, 1000), unknown=st.floats(0, 1))
def test_losses_are_their_formulas(seed: int, unknown: float) -> None:
    logits, labels = draw(seed, unknown)
    prior = draw_soft(seed, labels)
    qr, rq = slow(logits, labels, prior)
    assert qr_loss(logits, prior).item() == pytest.approx(qr, rel=1e-11, abs=1e-14)
    assert rq_loss(logits, prior).item() == pytest.approx(rq, rel=1e-11)


def test_posterior_is_a_distribution_where_known() -> None:
    logits, labels = draw(1)
    r = implicit_posterior(logits, draw_soft(1, labels))
    torch.testing.assert_close(r.sum(1), (labels < CLASSES).double())


def torchgeo_qr(q: Tensor, prior: Tensor) -> Tensor:
    """The bound that torchgeo (MIT) computes, for one image."""
    share = q.mean((0, 2, 3))
    return (share * share.log()).sum() - (q * prior.log()).sum(1).mean()


@given(seed=st.integers(0, 100))
def test_torchgeo_differs_as_the_docstring_says(seed: int) -> None:
    logits, labels = draw(seed, unknown=0)
    prior = draw_soft(seed, labels)[:1]
    logits = logits[:1]
    q = logits.softmax(1)
    r = implicit_posterior(logits, prior)
    denominator = (prior * q / q.mean((2, 3), keepdim=True)).sum(1)
    torch.testing.assert_close(
        qr_loss(logits, prior), torchgeo_qr(q, prior) + denominator.log().mean()
    )
    theirs = (r * (r.log() - q.log())).sum(1).mean()
    entropy = -(r * r.log()).sum(1).mean()
    torch.testing.assert_close(rq_loss(logits, prior), theirs + entropy)


def test_uniform_prior_and_even_classes_leave_nothing_to_learn() -> None:
    """q sums to the same for each class, so r = q, and QR is zero."""
    q = torch.tensor([[0.3, 0.7], [0.7, 0.3]], dtype=torch.float64)
    prior = torch.full((1, 2, 1, 2), 0.5, dtype=torch.float64)
    assert abs(qr_loss(q.log().view(1, 2, 1, 2), prior).item()) < 1e-15


@pytest.mark.parametrize("loss", [qr_loss, rq_loss])
def test_gradient(loss: Callable[..., Tensor]) -> None:
    logits, labels = draw(7)
    prior = draw_soft(7, labels)
    assert torch.autograd.gradcheck(lambda z: loss(z, prior), logits.requires_grad_())


def test_fixed_posterior_by_cross_entropy() -> None:
    logits, labels = draw(2)
    prior = draw_soft(2, labels)
    logits.requires_grad_()
    r = implicit_posterior(logits, prior).detach()
    loss = cross_entropy(logits, r)
    torch.testing.assert_close(loss, rq_loss(logits, prior))
    (found,) = torch.autograd.grad(loss, logits)
    known = (labels < CLASSES)[:, None]
    torch.testing.assert_close(found, (logits.softmax(1) - r) * known / known.sum())


def test_impossible_classes_stay_finite() -> None:
    logits, _ = draw(3)
    prior = torch.zeros_like(logits)
    prior[:, 0] = 1
    logits.requires_grad_()
    qr_loss(logits, prior).backward()
    assert logits.grad is not None
    assert logits.grad.isfinite().all()
    assert implicit_posterior(logits, prior)[:, 0].min() > 0.999


def test_integer_prior_is_refused() -> None:
    logits, labels = draw(0)
    with pytest.raises(ValueError, match="prior is"):
        qr_loss(logits, labels)
