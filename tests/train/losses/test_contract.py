"""What every loss promises about unknown pixels, empty batches and half precision."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from overcast.train import losses
from overcast.train.batch import IGNORE
from tests.train.losses.scenes import CLASSES, draw, draw_matrix, draw_soft

Loss = Callable[[Tensor, Tensor], Tensor]


def softened(loss: Callable[..., Tensor]) -> Loss:
    """`loss` with soft labels that are zero in one unknown pixel and NaN in others."""

    def soft(logits: Tensor, labels: Tensor) -> Tensor:
        target = draw_soft(0, labels).to(logits.device)
        unknown = (labels == IGNORE) & (torch.arange(2) > 0)
        return loss(logits, torch.where(unknown[:, None], torch.nan, target))

    return soft


def trusted(loss: Callable[..., Tensor]) -> Loss:
    """`loss` with confidences, NaN where unknown."""

    def with_confidence(logits: Tensor, labels: Tensor) -> Tensor:
        trust = torch.linspace(0.1, 1, labels.numel()).view_as(labels)
        trust = torch.where(labels == IGNORE, torch.nan, trust)
        return loss(logits, labels, confidence=trust)

    return with_confidence


def in_cells(loss: Callable[..., Tensor]) -> Loss:
    """`loss` of two cells per image, of known pixels."""

    def of_cells(logits: Tensor, labels: Tensor) -> Tensor:
        cells = torch.arange(2).expand_as(labels)
        cells = torch.where(labels == IGNORE, losses.OUTSIDE, cells)
        return loss(logits, cells, draw_matrix(0, 4).view(2, 2, CLASSES))

    return of_cells


def of_images(loss: Callable[[Tensor, Tensor, Tensor], Tensor]) -> Loss:
    """`loss` of an image, where labels are known, to another one."""

    def to_another(logits: Tensor, labels: Tensor) -> Tensor:
        target = torch.linspace(-1, 1, logits.numel()).view_as(logits)
        return loss(logits, target, labels != IGNORE)

    return to_another


PIXEL: dict[str, Callable[..., Tensor]] = {
    name: getattr(losses, name)
    for name in (
        "cross_entropy",
        "label_smoothing_cross_entropy",
        "focal_loss",
        "generalised_cross_entropy",
        "symmetric_cross_entropy",
        "soft_bootstrapping",
        "hard_bootstrapping",
    )
}
MATRIX = draw_matrix(0)
CORRECTED: dict[str, Callable[..., Tensor]] = {
    "forward_correction": lambda z, y, **more: losses.forward_correction(
        z, y, MATRIX, **more
    ),
    "backward_correction": lambda z, y, **more: losses.backward_correction(
        z, y, MATRIX, **more
    ),
}
TRUSTED = {**PIXEL, **CORRECTED, "lovasz_softmax": losses.lovasz_softmax}
PLAIN: dict[str, Loss] = {
    **TRUSTED,
    "dice_loss": losses.dice_loss,
    "label_super_resolution": lambda z, y: losses.label_super_resolution(
        z, y, MATRIX, 0.1 * MATRIX
    ),
    "weighted cross_entropy": lambda z, y: losses.cross_entropy(
        z, y, torch.tensor([1.0, 2.0, 0.5, 0.0])
    ),
}
LOSSES: dict[str, Loss] = {
    **PLAIN,
    **{f"soft {name}": softened(loss) for name, loss in PIXEL.items()},
    **{f"trusted {name}": trusted(loss) for name, loss in TRUSTED.items()},
    **{name: softened(getattr(losses, name)) for name in ("qr_loss", "rq_loss")},
    **{
        name: in_cells(getattr(losses, name))
        for name in ("share_cross_entropy", "share_divergence")
    },
    "masked_distillation": of_images(losses.masked_distillation),
    "edge_cloud_charbonnier": of_images(
        lambda x, y, known: losses.edge_cloud_charbonnier(x, y, x[:, 0] > 0, known)
    ),
}
every_loss = pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)


def test_every_public_loss_is_here() -> None:
    other = {
        "NoiseLayer",
        "OUTSIDE",
        "agreeing_labels",
        "estimate_transition",
        "implicit_posterior",
        "masked_mean",
    }
    assert set(losses.__all__) - other == {name for name in LOSSES if " " not in name}


def value_and_slope(loss: Loss, logits: Tensor, labels: Tensor) -> tuple[Tensor, ...]:
    """Value and gradient, with not even a passing NaN on the way back."""
    logits = logits.clone().requires_grad_()
    with torch.autograd.set_detect_anomaly(True):
        value = loss(logits, labels)
        return value.detach(), torch.autograd.grad(value, logits)[0]


@every_loss
@pytest.mark.parametrize("junk", [torch.nan, -torch.inf])
def test_unknown_pixels_never_count(loss: Loss, junk: float) -> None:
    logits, labels = draw(11)
    labels[0, 0, 0] = IGNORE
    known = (labels != IGNORE)[:, None].expand_as(logits)
    value, slope = value_and_slope(loss, logits, labels)
    holed = torch.where(known, logits, junk)
    found, found_slope = value_and_slope(loss, holed, labels)
    assert value.isfinite()
    assert torch.equal(found, value)
    assert torch.equal(found_slope, slope)
    assert not slope[~known].any()
    assert slope[known].any()


@every_loss
def test_image_without_known_pixels_never_counts(loss: Loss) -> None:
    logits, labels = draw(12)
    labels[0] = IGNORE
    logits[0] = torch.nan
    value, slope = value_and_slope(loss, logits, labels)
    assert value.isfinite()
    assert slope.isfinite().all()
    assert not slope[0].any()
    assert slope[1].any()


@every_loss
@pytest.mark.parametrize("fill", [0.5, torch.nan])
def test_unknown_everywhere_is_zero_with_a_gradient(loss: Loss, fill: float) -> None:
    logits = torch.full((2, CLASSES, 3, 2), fill)
    value, slope = value_and_slope(loss, logits, torch.full((2, 3, 2), IGNORE))
    assert value.shape == ()
    assert value.item() == 0
    assert torch.equal(slope, torch.zeros_like(logits))


@every_loss
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_half_precision_is_computed_in_float32(loss: Loss, dtype: torch.dtype) -> None:
    logits, labels = draw(13)
    logits = logits.to(dtype)
    value, slope = value_and_slope(loss, logits, labels)
    expect, expect_slope = value_and_slope(loss, logits.double(), labels)
    assert value.dtype == torch.float32
    assert slope.dtype == dtype
    torch.testing.assert_close(value.double(), expect, rtol=1e-5, atol=1e-5)
    accuracy = max(2 * torch.finfo(dtype).eps, 1e-5)
    torch.testing.assert_close(
        slope.double(), expect_slope, rtol=accuracy, atol=accuracy
    )


@pytest.mark.parametrize("name", PLAIN)
def test_half_precision_of_many_pixels(name: str) -> None:
    """More pixels than float16 can count or sum; means don't mind copies."""
    logits, labels = draw(17)
    logits = logits.half()
    many = logits.repeat(1, 1, 100, 100)
    value, slope = value_and_slope(PLAIN[name], many, labels.repeat(1, 100, 100))
    assert value.isfinite()
    assert slope.isfinite().all()
    if name != "label_super_resolution":
        expect, _ = value_and_slope(PLAIN[name], logits, labels)
        torch.testing.assert_close(value, expect, rtol=1e-4, atol=0)


@every_loss
@pytest.mark.parametrize("scale", [1e3, 3e4])
def test_extreme_logits_stay_finite(loss: Loss, scale: float) -> None:
    logits, labels = draw(14)
    value, slope = value_and_slope(loss, (scale * logits).float(), labels)
    assert value.isfinite()
    assert slope.isfinite().all()


@every_loss
def test_autocast_changes_nothing(loss: Loss) -> None:
    logits, labels = draw(15)
    value, slope = value_and_slope(loss, logits.float(), labels)
    with torch.autocast("cpu", torch.bfloat16):
        found, found_slope = value_and_slope(loss, logits.float(), labels)
    torch.testing.assert_close(found, value)
    torch.testing.assert_close(found_slope, slope)


@every_loss
def test_inputs_are_not_changed(loss: Loss) -> None:
    logits, labels = draw(16)
    before = logits.clone(), labels.clone()
    value_and_slope(loss, logits, labels)
    loss(logits, labels)
    assert torch.equal(logits, before[0])
    assert torch.equal(labels, before[1])
