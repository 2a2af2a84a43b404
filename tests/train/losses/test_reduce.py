"""The mean over known pixels, of one process and of several."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from overcast.train.losses import (
    cross_entropy,
    dice_loss,
    focal_loss,
    label_super_resolution,
    lovasz_softmax,
    masked_mean,
    qr_loss,
    rq_loss,
    share_cross_entropy,
)
from tests.train.losses.scenes import draw, draw_matrix, draw_soft


def test_masked_values_never_count() -> None:
    value = torch.tensor([1.0, torch.nan, 4.0, torch.inf], requires_grad=True)
    mask = torch.tensor([True, False, True, False])
    mean = masked_mean(value, mask)
    mean.backward()
    assert mean.item() == 2.5
    assert value.grad is not None
    assert value.grad.tolist() == [0.5, 0.0, 0.5, 0.0]


def test_weights_weigh() -> None:
    value = torch.tensor([1.0, 9.0, 4.0])
    weight = torch.tensor([3.0, torch.nan, 1.0])
    mask = torch.tensor([True, False, True])
    assert masked_mean(value, mask, weight).item() == 7 / 4


def test_half_precision_is_summed_in_full() -> None:
    value = torch.ones(5000, dtype=torch.bfloat16)
    assert masked_mean(value, torch.ones(5000, dtype=torch.bool)).item() == 1.0


Loss = Callable[[Tensor, Tensor], Tensor]
CELLS = torch.arange(6).view(1, 3, 2).expand(3, 3, 2) // 2


def shared(logits: Tensor, labels: Tensor) -> Tensor:
    shares = logits.detach().flatten(2).mT.reshape(len(logits), 3, 2, 4).sum(2).abs()
    cells = torch.where(labels < 4, CELLS[: len(logits)], -1)
    return share_cross_entropy(logits, cells, shares)


def super_resolved(logits: Tensor, labels: Tensor) -> Tensor:
    return label_super_resolution(logits, labels, draw_matrix(1), 0.1 * draw_matrix(2))


LOSSES: list[Loss] = [
    cross_entropy,
    lambda z, y: cross_entropy(z, y, weight=torch.tensor([1.0, 2.0, 3.0, 4.0])),
    focal_loss,
    dice_loss,
    lovasz_softmax,
    super_resolved,
    shared,
    lambda z, y: qr_loss(z, z.detach().exp() * (y < 4)[:, None]),
    lambda z, y: rq_loss(z, z.detach().exp() * (y < 4)[:, None]),
]


def exchanged(
    parts: list[tuple[Tensor, Tensor]], loss: Loss, patch: pytest.MonkeyPatch
) -> Tensor:
    """Mean over processes; the counts are exchanged by a stand-in, in two passes."""
    counts: list[Tensor] = []
    patch.setattr("torch.distributed.is_initialized", lambda: True)
    patch.setattr("torch.distributed.get_world_size", lambda: len(parts))
    patch.setattr("torch.distributed.all_reduce", lambda c: counts.append(c.clone()))
    for part in parts:
        loss(*part)
    total = torch.stack(counts).sum(0)
    assert len(counts) == len(parts)
    patch.setattr("torch.distributed.all_reduce", lambda c: c.copy_(total))
    return torch.stack([loss(*part) for part in parts]).mean()


@pytest.mark.parametrize("loss", LOSSES)
@settings(max_examples=25)
@given(seed=st.integers(0, 100), unknown=st.sampled_from([0.2, 0.8]))
def test_processes_average_to_the_whole(loss: Loss, seed: int, unknown: float) -> None:
    """One process holds two images, the other one: values and gradients agree."""
    (one, y_one), (two, y_two) = draw(seed, unknown), draw(seed + 1, unknown)
    logits = torch.cat([one, two[:1]]).requires_grad_()
    labels = torch.cat([y_one, y_two[:1]])
    whole = loss(logits, labels)
    (slope,) = torch.autograd.grad(whole, logits)
    with pytest.MonkeyPatch.context() as patch:
        parts = [(logits[:2], labels[:2]), (logits[2:], labels[2:])]
        mean = exchanged(parts, loss, patch)
    assert mean.item() == pytest.approx(whole.item())
    torch.testing.assert_close(torch.autograd.grad(mean, logits)[0], slope)


def test_soft_draws_are_distributions() -> None:
    _, labels = draw(0)
    total = draw_soft(0, labels).sum(1)
    torch.testing.assert_close(total, (labels < 4).double())
