"""Removal and distillation against sums written out pixel by pixel, in float64."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from overcast.train.losses import edge_cloud_charbonnier, masked_distillation

SHAPE = (2, 3, 4, 5)


def images(seed: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Two images float64 ``[2, 3, 4, 5]``, where there is cloud, and what is known."""
    source = torch.Generator().manual_seed(seed)
    one, other = (
        torch.randn(SHAPE, generator=source, dtype=torch.float64) for _ in range(2)
    )
    cloud, known = (torch.rand(2, 4, 5, generator=source) < s for s in (0.4, 0.7))
    return one, other, cloud, known


@pytest.mark.parametrize("extra", [0.0, 5.0])
def test_charbonnier_is_its_formula(extra: float) -> None:
    restored, clear, cloud, known = images(1)
    total, count = 0.0, 0
    for b, y, x in torch.cartesian_prod(*map(torch.arange, known.shape)).tolist():
        if known[b, y, x]:
            for c in range(SHAPE[1]):
                d = float(restored[b, c, y, x] - clear[b, c, y, x])
                weight = 1 + extra if cloud[b, y, x] else 1
                total += weight * (d * d + 1e-6) ** 0.45
                count += 1
    found = edge_cloud_charbonnier(restored, clear, cloud, known, extra)
    assert found.dtype == torch.float64
    assert found.item() == pytest.approx(total / count, rel=1e-12)


def test_distillation_is_its_formula() -> None:
    student, teacher, _, known = images(2)
    squares = [
        (student[b, c, y, x] - teacher[b, c, y, x]).item() ** 2
        for b, y, x in known.nonzero().tolist()
        for c in range(SHAPE[1])
    ]
    found = masked_distillation(student, teacher, known)
    assert found.item() == pytest.approx(sum(squares) / len(squares), rel=1e-12)


def test_the_gradient_is_the_derivative() -> None:
    restored, clear, cloud, known = images(3)
    restored.requires_grad_()
    assert torch.autograd.gradcheck(
        lambda x: edge_cloud_charbonnier(x, clear, cloud, known), restored
    )
    assert torch.autograd.gradcheck(
        lambda x: masked_distillation(x, clear, known), restored
    )


def test_a_perfect_image_has_a_finite_gradient() -> None:
    clear, _, cloud, known = images(4)
    restored = clear.clone().requires_grad_()
    edge_cloud_charbonnier(restored, clear, cloud, known).backward()
    assert restored.grad is not None
    assert not restored.grad.any()


def test_the_teacher_learns_nothing() -> None:
    student, teacher, _, known = images(5)
    teacher.requires_grad_()
    masked_distillation(student.requires_grad_(), teacher, known).backward()
    assert teacher.grad is None
    assert student.grad is not None


def test_nan_where_not_known_never_counts() -> None:
    restored, clear, cloud, known = images(6)
    hole = torch.where(known[:, None], clear, torch.nan)
    for loss in (
        lambda x, y: edge_cloud_charbonnier(x, y, cloud, known),
        lambda x, y: masked_distillation(x, y, known),
    ):
        assert torch.equal(loss(restored, hole), loss(restored, clear))


def test_shapes_must_fit() -> None:
    restored, clear, cloud, known = images(7)
    with pytest.raises(ValueError, match="of one shape"):
        masked_distillation(restored, clear[:, :1], known)
    with pytest.raises(ValueError, match="known is"):
        masked_distillation(restored, clear, known[:1])
    with pytest.raises(ValueError, match="cloud is"):
        edge_cloud_charbonnier(restored, clear, cloud[..., :1], known)
