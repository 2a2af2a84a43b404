"""Dice and Lovasz against set arithmetic, and against segmentation-models-pytorch."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest
import segmentation_models_pytorch as smp
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from overcast.train.batch import IGNORE
from overcast.train.losses import dice_loss, lovasz_softmax
from tests.train.losses.scenes import CLASSES, draw, known_pixels, softmax

Pixels = list[tuple[list[float], int]]


def images(logits: Tensor, labels: Tensor) -> list[Pixels]:
    """Per image with known pixels: (probabilities, label) of those."""
    found: list[Pixels] = [[] for _ in logits]
    for b, y, x, label in known_pixels(labels):
        found[b].append((softmax(logits[b, :, y, x].tolist()), label))
    return [pixels for pixels in found if pixels]


def slow_dice(pixels: Pixels) -> float:
    losses = []
    for k in {label for _, label in pixels}:
        overlap = sum(p[k] for p, label in pixels if label == k)
        total = sum(p[k] for p, _ in pixels) + sum(label == k for _, label in pixels)
        losses.append(1 - 2 * overlap / total)
    return sum(losses) / len(losses)


def jaccard_loss(truth: set[int], wrong: set[int]) -> float:
    """One minus the IoU if the prediction is wrong at just the pixels of `wrong`."""
    return 1 - len(truth - wrong) / len(truth | wrong)


def lovasz_extension(truth: set[int], errors: list[float]) -> float:
    """Brute force: the integral of the set function over all thresholds.

    f(e) = integral over t in 0 to 1 of F({i : e_i >= t}), no sorting formula used.
    """
    steps = sorted({0.0, *errors})
    return sum(
        (high - low) * jaccard_loss(truth, {i for i, e in enumerate(errors) if e > low})
        for low, high in itertools.pairwise(steps)
    )


def slow_lovasz(pixels: Pixels) -> float:
    losses = []
    for k in {label for _, label in pixels}:
        errors = [abs((label == k) - p[k]) for p, label in pixels]
        truth = {i for i, (_, label) in enumerate(pixels) if label == k}
        losses.append(lovasz_extension(truth, errors))
    return sum(losses) / len(losses)


@given(seed=st.integers(0, 1000), unknown=st.floats(0, 1))
def test_losses_are_their_formulas(seed: int, unknown: float) -> None:
    logits, labels = draw(seed, unknown)
    parts = images(logits, labels)
    for loss, slow in ((dice_loss, slow_dice), (lovasz_softmax, slow_lovasz)):
        found = loss(logits, labels)
        expect = sum(map(slow, parts)) / max(len(parts), 1)
        assert found.dtype == torch.float64
        assert found.item() == pytest.approx(expect, rel=1e-12)


@pytest.mark.parametrize("bits", list(itertools.product([0, 1], repeat=4)))
def test_binary_lovasz_is_the_jaccard_loss_at_sure_predictions(
    bits: tuple[int, ...],
) -> None:
    """At the corners of the cube an extension is the set function itself."""
    truth = torch.tensor([[[0, 1, 1, 0]]])
    logits = torch.tensor(bits).mul(2000.0).sub(1000).view(1, 1, 1, 4)
    logits = torch.cat([-logits, logits], 1)
    iou = [
        ((torch.tensor(bits) == k) & (truth == k)).sum()
        / ((torch.tensor(bits) == k) | (truth == k)).sum()
        for k in (0, 1)
    ]
    found = lovasz_softmax(logits, truth)
    torch.testing.assert_close(found, 1 - (iou[0] + iou[1]) / 2)


@given(seed=st.integers(0, 100))
def test_confidence_counts_pixels(seed: int) -> None:
    """A pixel of confidence n is n pixels; one of zero is none."""
    logits, labels = draw(seed, unknown=0.2)
    source = torch.Generator().manual_seed(seed)
    times = torch.randint(3, labels.shape, generator=source)
    times[:, 0, 0] = 1
    labels[:, 0, 0] = 0
    found = lovasz_softmax(logits, labels, times.double())
    expect = []
    for b in range(2):
        n = times[b].flatten()
        many = logits[b].flatten(1).repeat_interleave(n, 1)[None, :, None]
        expect.append(
            lovasz_softmax(many, labels[b].flatten().repeat_interleave(n)[None, None])
        )
    torch.testing.assert_close(found, torch.stack(expect).mean())


@pytest.mark.parametrize("loss", [dice_loss, lovasz_softmax])
def test_gradient(loss: Callable[..., Tensor]) -> None:
    logits, labels = draw(4)
    assert torch.autograd.gradcheck(lambda z: loss(z, labels), logits.requires_grad_())


@settings(max_examples=25)
@given(seed=st.integers(0, 200))
def test_library_agrees_where_it_can(seed: int) -> None:
    """One image at a time, float32; Dice only where every class is present."""
    logits, labels = draw(seed)
    for z, y in zip(logits.float()[:, None], labels[:, None], strict=True):
        if (y == IGNORE).all():
            continue
        theirs = smp.losses.LovaszLoss("multiclass", ignore_index=IGNORE)(
            z.movedim(0, 0), y
        )
        torch.testing.assert_close(lovasz_softmax(z, y), theirs)
        present = y[y != IGNORE].unique().numel()
        theirs = smp.losses.DiceLoss("multiclass", ignore_index=IGNORE)(z, y)
        torch.testing.assert_close(dice_loss(z, y) * present / CLASSES, theirs)


def test_why_the_library_is_not_used() -> None:
    """Should one of these fail, the library got better: see the module's docstring."""
    logits, labels = draw(0)
    lovasz = smp.losses.LovaszLoss("multiclass", ignore_index=IGNORE)
    with pytest.raises(RuntimeError, match="Double"):
        lovasz(logits, labels)
    assert lovasz(logits.float(), torch.full_like(labels, IGNORE)).numel() == 0
    holed = torch.where(labels[:, None] == IGNORE, torch.nan, logits).float()
    holed.requires_grad_()
    lovasz(holed, labels).backward()
    assert holed.grad is not None
    assert holed.grad.isnan().any()


def test_soft_labels_are_refused() -> None:
    logits, _ = draw(0)
    for loss in (dice_loss, lovasz_softmax):
        with pytest.raises(ValueError, match="integer labels"):
            loss(logits, logits.softmax(1))
    with pytest.raises(ValueError, match="confidence is"):
        lovasz_softmax(*draw(0), confidence=torch.ones(2, 1, 1))
