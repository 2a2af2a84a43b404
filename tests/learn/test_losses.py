"""Losses against slow, obvious implementations of their formulas, in float64."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from overcast.learn.batch import IGNORE
from overcast.learn.losses import cross_entropy, masked_mean


def slow_cross_entropy(
    logits: Tensor, labels: Tensor, weight: list[float] | None = None
) -> float:
    total, count = 0.0, 0.0
    for b, y, x in torch.cartesian_prod(*map(torch.arange, labels.shape)).tolist():
        label = int(labels[b, y, x])
        if label == IGNORE:
            continue
        scores = [math.exp(v) for v in logits[b, :, y, x].tolist()]
        share = 1.0 if weight is None else weight[label]
        total -= share * math.log(scores[label] / sum(scores))
        count += share
    return total / count if count else 0.0


@given(seed=st.integers(0, 1000), unknown=st.floats(0, 1), weighted=st.booleans())
def test_cross_entropy_is_its_formula(
    seed: int, unknown: float, weighted: bool
) -> None:
    draw = torch.Generator().manual_seed(seed)
    logits = torch.randn(2, 4, 3, 2, generator=draw, dtype=torch.float64)
    labels = torch.randint(4, (2, 3, 2), generator=draw)
    labels[torch.rand(labels.shape, generator=draw) < unknown] = IGNORE
    weight = [0.5, 2.0, 1.0, 0.25] if weighted else None
    found = cross_entropy(
        logits, labels, None if weight is None else torch.tensor(weight).double()
    )
    assert found.dtype == torch.float64
    assert found.item() == pytest.approx(
        slow_cross_entropy(logits, labels, weight), rel=1e-12
    )


@pytest.mark.parametrize("weight", [None, torch.ones(3)])
def test_unknown_everywhere_is_zero_with_a_gradient(weight: Tensor | None) -> None:
    logits = torch.randn(1, 3, 2, 2, requires_grad=True)
    loss = cross_entropy(logits, torch.full((1, 2, 2), IGNORE), weight)
    loss.backward()
    assert loss.item() == 0
    assert logits.grad is not None
    assert torch.equal(logits.grad, torch.zeros_like(logits))


def test_unknown_pixels_get_no_gradient() -> None:
    logits = torch.randn(1, 3, 2, 2, requires_grad=True)
    labels = torch.tensor([[[0, IGNORE], [IGNORE, 2]]])
    cross_entropy(logits, labels).backward()
    assert logits.grad is not None
    assert torch.equal(logits.grad.any(1), labels != IGNORE)


def test_masked_values_never_count() -> None:
    value = torch.tensor([1.0, torch.nan, 4.0, torch.inf], requires_grad=True)
    mask = torch.tensor([True, False, True, False])
    mean = masked_mean(value, mask)
    mean.backward()
    assert mean.item() == 2.5
    assert value.grad is not None
    assert value.grad.tolist() == [0.5, 0.0, 0.5, 0.0]


def test_half_precision_is_summed_in_full() -> None:
    value = torch.ones(5000, dtype=torch.bfloat16)
    assert masked_mean(value, torch.ones(5000, dtype=torch.bool)).item() == 1.0


@given(seed=st.integers(0, 100))
def test_processes_average_to_the_whole(seed: int) -> None:
    """Two processes' results, with the counts exchanged by a stand-in."""
    draw = torch.Generator().manual_seed(seed)
    value = torch.rand(12, generator=draw, dtype=torch.float64)
    mask = torch.rand(12, generator=draw) < 0.4
    halves = [slice(0, 3), slice(3, 12)]
    counts = sum(mask[half].sum() for half in halves)

    def exchange(count: Tensor) -> None:
        count.copy_(counts)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("torch.distributed.is_initialized", lambda: True)
        patch.setattr("torch.distributed.get_world_size", lambda: 2)
        patch.setattr("torch.distributed.all_reduce", exchange)
        parts = [masked_mean(value[half], mask[half]) for half in halves]
    assert (sum(parts) / 2).item() == pytest.approx(masked_mean(value, mask).item())
