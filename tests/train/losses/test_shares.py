"""Losses of class shares, against loops over pixels."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from overcast.train.batch import IGNORE
from overcast.train.losses import (
    OUTSIDE,
    cross_entropy,
    label_super_resolution,
    share_cross_entropy,
    share_divergence,
)
from tests.train.losses.scenes import (
    CLASSES,
    draw,
    draw_matrix,
    known_pixels,
    softmax,
)


def slow_super_resolution(
    logits: Tensor, labels: Tensor, mean: Tensor, spread: Tensor, weight: list[float]
) -> float:
    pixels = [
        (b, label, softmax(logits[b, :, y, x].tolist()))
        for b, y, x, label in known_pixels(labels)
    ]
    seen = sorted({b for b, _, _ in pixels})
    total = 0.0
    for b in seen:
        everything = sum(i == b for i, _, _ in pixels)
        for c in range(len(mean)):
            ps = [p for i, label, p in pixels if (i, label) == (b, c)]
            n = len(ps)
            for h in range(logits.shape[1] if n else 0):
                mu = sum(p[h] for p in ps) / n
                v = sum(p[h] * (1 - p[h]) for p in ps) / n**2
                m, s = float(mean[c, h]), float(spread[c, h])
                term = max(abs(mu - m) - s, 0) ** 2 / (v + s**2 + 1e-6)
                term += math.log(v + 0.03)
                total += n / (everything + 10) * weight[c] * term
    return total / max(len(seen), 1)


@given(seed=st.integers(0, 1000), unknown=st.floats(0, 1), weighted=st.booleans())
def test_super_resolution_is_its_formula(
    seed: int, unknown: float, weighted: bool
) -> None:
    """Three coarse classes, of which labels draw any, and four fine ones."""
    logits, labels = draw(seed, unknown)
    labels = torch.where(labels == 3, 1, labels)
    mean, spread = draw_matrix(seed, 3), 0.2 * draw_matrix(seed + 1, 3)
    weight = [0.5, 2.0, 1.5] if weighted else [1.0] * 3
    found = label_super_resolution(
        logits, labels, mean, spread, torch.tensor(weight) if weighted else None
    )
    expect = slow_super_resolution(logits, labels, mean, spread, weight)
    assert found.item() == pytest.approx(expect, rel=1e-11)


def test_super_resolution_gradient() -> None:
    logits, labels = draw(8)
    mean, spread = draw_matrix(8), 0.05 * draw_matrix(9)
    assert torch.autograd.gradcheck(
        lambda z: label_super_resolution(z, labels, mean, spread),
        logits.requires_grad_(),
    )


def split_prediction(mu: float) -> Tensor:
    """Logits of 10 pixels, two classes, mean `mu` of class 0, v the same for all mu.

    Every pixel has p (1 - p) = 0.09 with p .1 or .9, so mu is .1 to .9 in steps of .08.
    """
    sure = round((mu - 0.1) / 0.08)
    p = torch.tensor([0.9] * sure + [0.1] * (10 - sure), dtype=torch.float64)
    return torch.stack([p, 1 - p]).log().view(1, 2, 1, 10)


@pytest.mark.parametrize("share", [0.1, 0.42, 0.5, 0.9])
def test_super_resolution_is_least_at_the_matching_share(share: float) -> None:
    labels = torch.zeros(1, 1, 10, dtype=torch.int64)
    mean = torch.tensor([[share, 1 - share]])
    losses = {
        step: label_super_resolution(
            split_prediction(0.1 + 0.08 * step), labels, mean, torch.full((1, 2), 0.01)
        ).item()
        for step in range(11)
    }
    assert min(losses, key=losses.__getitem__) == round((share - 0.1) / 0.08)
    assert len({round(v, 6) for v in losses.values()}) > 5


def test_super_resolution_is_by_image() -> None:
    """Two images that are wrong in opposite ways must not excuse each other."""
    sure = torch.tensor([20.0, -20.0], dtype=torch.float64).view(1, 2, 1, 1)
    logits = torch.cat([sure, -sure]).expand(2, 2, 3, 3)
    labels = torch.zeros(2, 3, 3, dtype=torch.int64)
    mean, spread = torch.full((1, 2), 0.5), torch.full((1, 2), 0.05)
    both = label_super_resolution(logits, labels, mean, spread)
    one = label_super_resolution(logits[:1], labels[:1], mean, spread)
    torch.testing.assert_close(both, one)
    assert both.item() > 10


def slow_shares(logits: Tensor, cells: Tensor, shares: Tensor) -> tuple[float, float]:
    inside: dict[tuple[int, int], list[list[float]]] = {}
    for b, y, x in torch.cartesian_prod(*map(torch.arange, cells.shape)).tolist():
        cell = int(cells[b, y, x])
        if cell >= 0 and float(shares[b, cell].sum()) > 0:
            pixel = softmax(logits[b, :, y, x].tolist())
            inside.setdefault((b, cell), []).append(pixel)
    ce = kl = 0.0
    for (b, cell), ps in inside.items():
        for k, s in enumerate(shares[b, cell].tolist()):
            mu = sum(p[k] for p in ps) / len(ps)
            ce -= len(ps) * s * math.log(mu)
            kl += len(ps) * s * math.log(s / mu) if s else 0
    count = max(sum(map(len, inside.values())), 1)
    return ce / count, kl / count


def draw_cells(seed: int, outside: float, cells: int = 3) -> tuple[Tensor, Tensor]:
    source = torch.Generator().manual_seed(seed)
    index = torch.randint(cells, (2, 3, 2), generator=source)
    index[torch.rand(index.shape, generator=source) < outside] = OUTSIDE
    shares = torch.rand(2, cells, CLASSES, generator=source, dtype=torch.float64)
    shares[torch.rand(shares.shape, generator=source) < 0.2] = 0
    shares[0, 0] = torch.nan if seed % 2 else 0
    total = shares.sum(2, keepdim=True)
    return index, torch.where(total > 0, shares / total, shares)


@given(seed=st.integers(0, 1000), outside=st.floats(0, 1))
def test_share_losses_are_their_formulas(seed: int, outside: float) -> None:
    logits, _ = draw(seed)
    cells, shares = draw_cells(seed, outside)
    ce, kl = slow_shares(logits, cells, shares)
    found = share_cross_entropy(logits, cells, shares)
    assert found.item() == pytest.approx(ce, rel=1e-11)
    found = share_divergence(logits, cells, shares)
    assert found.item() == pytest.approx(kl, rel=1e-10, abs=1e-13)


@pytest.mark.parametrize("loss", [share_cross_entropy, share_divergence])
def test_share_gradient(loss: Callable[..., Tensor]) -> None:
    logits, _ = draw(8)
    cells, shares = draw_cells(8, 0.2)
    assert torch.autograd.gradcheck(
        lambda z: loss(z, cells, shares), logits.requires_grad_()
    )


@given(seed=st.integers(0, 100))
def test_cells_of_one_pixel_are_cross_entropy(seed: int) -> None:
    logits, labels = draw(seed)
    one_hot = torch.nn.functional.one_hot(labels % IGNORE, CLASSES).double()
    cells = torch.arange(6).view(1, 3, 2).expand(2, 3, 2)
    cells = torch.where(labels == IGNORE, OUTSIDE, cells)
    torch.testing.assert_close(
        share_cross_entropy(logits, cells, one_hot.flatten(1, 2)),
        cross_entropy(logits, labels),
    )


def test_matching_shares_have_no_divergence_and_no_gradient() -> None:
    logits, _ = draw(1)
    cells = torch.zeros(2, 3, 2, dtype=torch.int64)
    shares = logits.softmax(1).mean((2, 3))[:, None]
    logits.requires_grad_()
    loss = share_divergence(logits, cells, shares)
    loss.backward()
    assert abs(loss.item()) < 1e-15
    assert logits.grad is not None
    assert logits.grad.abs().max() < 1e-15


def test_more_cells_than_the_code_of_the_unknown() -> None:
    """Cell 255 is a cell like any other, though labels say `IGNORE` by it."""
    cells = torch.arange(300).view(1, 15, 20)
    logits = torch.zeros(1, 2, 15, 20, requires_grad=True)
    shares = torch.tensor([1.0, 0.0]).expand(1, 300, 2)
    share_cross_entropy(logits, cells, shares).backward()
    assert logits.grad is not None
    assert (logits.grad[0, 0].flatten()[IGNORE] < 0).all()


def test_sure_and_wrong_cells_stay_finite() -> None:
    """p underflows in float32 in a cell that outside pixels share the number of."""
    logits = torch.tensor([300.0, 0.0]).view(1, 2, 1, 1).repeat(1, 1, 1, 3)
    logits.requires_grad_()
    cells = torch.tensor([[[0, 0, OUTSIDE]]])
    with torch.autograd.set_detect_anomaly(True):
        loss = share_cross_entropy(logits, cells, torch.tensor([[[0.0, 1.0]]]))
        loss.backward()
    assert loss.item() == pytest.approx(300)
    assert logits.grad is not None
    torch.testing.assert_close(
        logits.grad[0, 0, 0], torch.tensor([0.5, 0.5, 0.0]), rtol=1e-4, atol=0
    )


def test_unknown_shares_leave_no_nan_on_the_way_back() -> None:
    logits, _ = draw(9)
    cells, shares = draw_cells(9, 0.2)
    assert shares[0, 0].isnan().all()
    logits.requires_grad_()
    with torch.autograd.set_detect_anomaly(True):
        share_cross_entropy(logits, cells, shares).backward()
    assert logits.grad is not None
    assert not logits.grad[0][:, cells[0] == 0].any()


def test_refusals() -> None:
    logits, labels = draw(0)
    with pytest.raises(ValueError, match="mean is"):
        label_super_resolution(logits, labels, torch.ones(3, 3), torch.ones(3, 3))
    with pytest.raises(ValueError, match="mean is"):
        label_super_resolution(logits, labels, torch.ones(3, 4), torch.ones(4, 4))
    cells, shares = draw_cells(0, 0)
    for wrong in ((cells[:1], shares), (cells, shares[:1]), (cells, shares[..., :3])):
        with pytest.raises(ValueError, match="shares"):
            share_cross_entropy(logits, *wrong)
