"""Pixel losses against slow, obvious implementations of their formulas, in float64."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from overcast.train.batch import IGNORE
from overcast.train.losses import (
    agreeing_labels,
    cross_entropy,
    focal_loss,
    generalised_cross_entropy,
    hard_bootstrapping,
    label_smoothing_cross_entropy,
    soft_bootstrapping,
    symmetric_cross_entropy,
)
from tests.train.losses.scenes import CLASSES, draw, draw_soft, known_pixels, softmax

Formula = Callable[[list[float], list[float]], float]


def ce(p: list[float], t: list[float]) -> float:
    return -sum(b * math.log(a) for a, b in zip(p, t, strict=True))


def smoothed(p: list[float], t: list[float]) -> float:
    return ce(p, [0.7 * b + 0.3 / len(t) for b in t])


def focal(p: list[float], t: list[float]) -> float:
    return sum(-b * (1 - a) ** 1.5 * math.log(a) for a, b in zip(p, t, strict=True))


def gce(p: list[float], t: list[float]) -> float:
    return sum(b * (1 - a**0.7) / 0.7 for a, b in zip(p, t, strict=True))


def sce(p: list[float], t: list[float]) -> float:
    reverse = -sum(a * math.log(max(b, 1e-4)) for a, b in zip(p, t, strict=True))
    return 0.5 * ce(p, t) + 3 * reverse


def soft_boot(p: list[float], t: list[float]) -> float:
    return ce(p, [0.9 * b + 0.1 * a for a, b in zip(p, t, strict=True)])


def hard_boot(p: list[float], t: list[float]) -> float:
    return ce(p, [0.6 * b + 0.4 * (a == max(p)) for a, b in zip(p, t, strict=True)])


PAIRS: list[tuple[Callable[..., Tensor], dict[str, Any], Formula]] = [
    (cross_entropy, {}, ce),
    (label_smoothing_cross_entropy, {"smoothing": 0.3}, smoothed),
    (focal_loss, {"gamma": 1.5}, focal),
    (generalised_cross_entropy, {"q": 0.7}, gce),
    (symmetric_cross_entropy, {"alpha": 0.5, "beta": 3.0}, sce),
    (soft_bootstrapping, {"beta": 0.9}, soft_boot),
    (hard_bootstrapping, {"beta": 0.6}, hard_boot),
]
NAMES = [loss.__name__ for loss, _, _ in PAIRS]
pairs = pytest.mark.parametrize(("loss", "options", "formula"), PAIRS, ids=NAMES)


def slow(
    logits: Tensor,
    labels: Tensor,
    formula: Formula,
    soft: Tensor | None,
    confidence: Tensor | None,
) -> float:
    total, count = 0.0, 0
    for b, y, x, label in known_pixels(labels):
        target = [float(k == label) for k in range(logits.shape[1])]
        if soft is not None:
            target = soft[b, :, y, x].tolist()
        trust = 1.0 if confidence is None else float(confidence[b, y, x])
        total += trust * formula(softmax(logits[b, :, y, x].tolist()), target)
        count += 1
    return total / count if count else 0.0


@pairs
@given(
    seed=st.integers(0, 1000),
    unknown=st.floats(0, 1),
    soft=st.booleans(),
    trusted=st.booleans(),
)
def test_loss_is_its_formula(
    loss: Callable[..., Tensor],
    options: dict[str, Any],
    formula: Formula,
    seed: int,
    unknown: float,
    soft: bool,
    trusted: bool,
) -> None:
    logits, labels = draw(seed, unknown)
    target = draw_soft(seed, labels) if soft else None
    confidence = torch.rand(labels.shape, dtype=torch.float64) if trusted else None
    found = loss(
        logits,
        labels if target is None else target,
        confidence=confidence,
        **options,
    )
    assert found.dtype == torch.float64
    expect = slow(logits, labels, formula, target, confidence)
    assert found.item() == pytest.approx(expect, rel=1e-12)


@pairs
@pytest.mark.parametrize("soft", [False, True])
def test_gradient(
    loss: Callable[..., Tensor], options: dict[str, Any], formula: Formula, soft: bool
) -> None:
    logits, labels = draw(3)
    target = draw_soft(3, labels) if soft else labels
    assert torch.autograd.gradcheck(
        lambda z: loss(z, target, **options), logits.requires_grad_()
    )


@pairs
def test_one_hot_is_hard(
    loss: Callable[..., Tensor], options: dict[str, Any], formula: Formula
) -> None:
    logits, labels = draw(5)
    known = labels != IGNORE
    one_hot = torch.nn.functional.one_hot(labels * known, CLASSES).movedim(-1, 1)
    soft = (one_hot * known[:, None]).double()
    torch.testing.assert_close(
        loss(logits, soft, **options), loss(logits, labels, **options)
    )


@given(seed=st.integers(0, 1000), unknown=st.floats(0, 1))
def test_class_weights_are_torchs(seed: int, unknown: float) -> None:
    logits, labels = draw(seed, unknown)
    weight = torch.tensor([0.5, 2.0, 0.0, 0.25], dtype=torch.float64)
    total, count = 0.0, 0.0
    for b, y, x, label in known_pixels(labels):
        total -= weight[label].item() * math.log(
            softmax(logits[b, :, y, x].tolist())[label]
        )
        count += weight[label].item()
    expect = total / count if count else 0.0
    found = cross_entropy(logits, labels, weight)
    assert found.item() == pytest.approx(expect, rel=1e-12)
    if count:
        theirs = torch.nn.functional.cross_entropy(
            logits, labels, weight, ignore_index=IGNORE
        )
        torch.testing.assert_close(found, theirs)


def test_image_confidence_weighs_images() -> None:
    logits, labels = draw(1, unknown=0)
    trust = torch.tensor([0.0, 0.5])[:, None, None]
    torch.testing.assert_close(
        cross_entropy(logits, labels, confidence=trust),
        cross_entropy(logits[1:], labels[1:]) / 4,
    )


def test_symmetric_is_no_multiple_of_cross_entropy() -> None:
    """As it is in the code of the contest that Liu 2025 won."""
    ratios = []
    for seed in range(5):
        logits, labels = draw(seed)
        ratios.append(
            symmetric_cross_entropy(logits, labels) / cross_entropy(logits, labels)
        )
    assert torch.stack(ratios).std() > 0.1


def test_symmetric_gradient_is_no_multiple_either() -> None:
    logits, labels = draw(0, unknown=0)
    logits.requires_grad_()
    (ours,) = torch.autograd.grad(symmetric_cross_entropy(logits, labels), logits)
    (plain,) = torch.autograd.grad(cross_entropy(logits, labels), logits)
    scale = (ours / plain).mean(1)
    assert scale.std() > 0.1


def test_reverse_cross_entropy_is_bounded() -> None:
    """A wrong label pulls at most 4 log 10, however sure the network is."""
    logits = torch.zeros(1, 3, 1, 1, dtype=torch.float64)
    logits[0, 0] = 500
    labels = torch.ones(1, 1, 1, dtype=torch.int64)
    reverse = symmetric_cross_entropy(logits, labels, alpha=0, beta=1)
    assert reverse.item() == pytest.approx(4 * math.log(10))


@given(seed=st.integers(0, 100))
def test_limits(seed: int) -> None:
    logits, labels = draw(seed, unknown=0.2)
    plain = cross_entropy(logits, labels)
    for same in (
        label_smoothing_cross_entropy(logits, labels, smoothing=0),
        focal_loss(logits, labels, gamma=0),
        symmetric_cross_entropy(logits, labels, alpha=1, beta=0),
        soft_bootstrapping(logits, labels, beta=1),
        hard_bootstrapping(logits, labels, beta=1),
        generalised_cross_entropy(logits, labels, q=1e-9),
    ):
        torch.testing.assert_close(same, plain)


@given(seed=st.integers(0, 100))
def test_generalised_at_one_is_half_the_absolute_error(seed: int) -> None:
    logits, labels = draw(seed, unknown=0)
    one_hot = torch.nn.functional.one_hot(labels, CLASSES).movedim(-1, 1)
    absolute = (logits.softmax(1) - one_hot).abs().sum(1).mean()
    found = generalised_cross_entropy(logits, labels, q=1)
    torch.testing.assert_close(found, absolute / 2)


def test_smoothing_is_torchs() -> None:
    logits, labels = draw(2)
    theirs = torch.nn.functional.cross_entropy(
        logits, labels, ignore_index=IGNORE, label_smoothing=0.2
    )
    ours = label_smoothing_cross_entropy(logits, labels, 0.2)
    torch.testing.assert_close(ours, theirs)


@pytest.mark.parametrize("gamma", [0.0, 0.5, 1.0, 2.0])
def test_focal_gradient_is_finite_at_certainty(gamma: float) -> None:
    logits = torch.tensor([300.0, 0.0]).view(1, 2, 1, 1).requires_grad_()
    focal_loss(logits, torch.zeros(1, 1, 1, dtype=torch.int64), gamma).backward()
    assert logits.grad is not None
    assert logits.grad.isfinite().all()


def test_agreeing_labels() -> None:
    logits = torch.tensor([[2.0, 0.0, 0.0], [1.0, 1.0, 3.0]]).view(1, 2, 1, 3)
    logits[0, :, 0, 2] = torch.nan
    labels = torch.tensor([[[0, 0, IGNORE]]])
    assert agreeing_labels(logits, labels).tolist() == [[[0, IGNORE, IGNORE]]]


@pytest.mark.parametrize(
    ("loss", "option", "value"),
    [
        (label_smoothing_cross_entropy, "smoothing", 1.5),
        (focal_loss, "gamma", -1),
        (generalised_cross_entropy, "q", 0),
        (generalised_cross_entropy, "q", 1.1),
        (soft_bootstrapping, "beta", -0.1),
        (hard_bootstrapping, "beta", math.nan),
    ],
)
def test_options_out_of_range(
    loss: Callable[..., Tensor], option: str, value: float
) -> None:
    with pytest.raises(ValueError, match=f"{option} is .*expected"):
        loss(*draw(0), **{option: value})


@pytest.mark.parametrize("shape", [(3, 2), (1, 3, 2), (2, 2, 3), (2, 1, 3, 2)])
def test_shapes_must_fit(shape: tuple[int, ...]) -> None:
    logits, labels = draw(0)
    with pytest.raises(ValueError, match="expected"):
        cross_entropy(logits, torch.zeros(shape, dtype=torch.int64))
    with pytest.raises(ValueError, match="expected"):
        cross_entropy(logits, torch.zeros(shape))
    with pytest.raises(ValueError, match="confidence is"):
        cross_entropy(logits, labels, confidence=torch.ones(shape))
