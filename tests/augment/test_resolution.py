"""Coarser views: what is blurred, what is enlarged, and what stays true to its pixel."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from scipy.ndimage import gaussian_filter
from torch import Tensor

from overcast.augment.resolution import align_resolution, blur
from overcast.train.batch import IGNORE, Batch
from tests.train.tiny import batch_of

SAME = (1.0, 1.0)


def batch_from(image: Tensor, valid: Tensor | None = None) -> Batch:
    """One sensor; labels that follow the first band."""
    seen = torch.ones_like(image[:, 0], dtype=torch.bool) if valid is None else valid
    labels = image[:, 0].nan_to_num(0).round().long()
    return Batch(images={"x": image}, valid={"x": seen}, labels=labels)


def ramp(size: int = 64) -> Batch:
    """Columns from 0 to 63 in one band, rows in another."""
    rows, columns = torch.meshgrid(*[torch.arange(float(size))] * 2, indexing="ij")
    return batch_from(torch.stack([columns, rows])[None].repeat(3, 1, 1, 1))


def test_with_no_chance_nothing_changes() -> None:
    batch = batch_of(0)
    made = align_resolution(batch, probability=0.0)
    for name, image in batch.images.items():
        torch.testing.assert_close(made.images[name], image, equal_nan=True)
    assert made.labels is not None
    assert batch.labels is not None
    assert torch.equal(made.labels, batch.labels)


def test_detail_finer_than_the_coarser_pixel_is_lost_and_the_mean_is_not() -> None:
    chequered = (torch.arange(64)[:, None] + torch.arange(64)) % 2
    batch = batch_from(chequered[None, None].float())
    made = align_resolution(batch, 1.0, down=(0.25, 0.25), up=SAME)
    inner = made.images["x"][..., 4:-4, 4:-4]
    torch.testing.assert_close(inner, torch.full_like(inner, 0.5), atol=0.02, rtol=0)
    assert torch.equal(made.labels, batch.labels)  # type: ignore[arg-type]


def test_everything_stays_where_it_was_or_is_enlarged_alike() -> None:
    """Places, blurred or enlarged, still fit the labels, which are places too."""
    made = align_resolution(ramp(), 1.0, down=(0.3, 0.5), up=(1.0, 3.0))
    assert made.labels is not None
    inner = (slice(None), slice(8, -8), slice(8, -8))
    apart = made.images["x"][:, 0][inner] - made.labels[inner]
    assert apart.abs().max() < 1.0
    assert apart.mean().abs() < 0.1


@pytest.mark.parametrize("up", [1.0, 2.0, 3.0])
def test_what_is_seen_is_enlarged_as_often_as_asked(up: float) -> None:
    made = align_resolution(ramp(), 1.0, down=(0.5, 0.5), up=(up, up))
    step = made.images["x"][:, 0, :, 20:44].diff(dim=-1).mean()
    assert step.item() == pytest.approx(1 / up, rel=0.03)


def test_samples_are_drawn_on_their_own() -> None:
    batch = ramp().map(lambda t: t[:1].repeat(64, *[1] * (t.dim() - 1)))
    made = align_resolution(batch, 0.25)
    changed = (made.images["x"] != batch.images["x"]).flatten(1).any(1)
    assert 6 <= changed.sum() <= 28
    assert len({image.numpy().tobytes() for image in made.images["x"][changed]}) > 5


@pytest.mark.parametrize("change", [lambda b: align_resolution(b, 1.0), blur])
def test_what_was_not_observed_has_no_part(change: Any) -> None:
    image = torch.full((4, 1, 32, 32), 0.25)
    valid = torch.rand(4, 32, 32) > 0.3
    hidden = batch_from(torch.where(valid[:, None], image, torch.nan), valid)
    made = change(hidden)
    seen = made.valid["x"][:, None]
    torch.testing.assert_close(
        made.images["x"][seen], torch.full_like(made.images["x"][seen], 0.25)
    )
    assert seen.any()


def test_unknown_labels_stay_unknown() -> None:
    batch = ramp()
    assert batch.labels is not None
    batch.labels[:] = IGNORE
    made = align_resolution(batch, 1.0)
    assert made.labels is not None
    assert (made.labels == IGNORE).all()


@pytest.mark.parametrize(
    "bad",
    [
        {"probability": 1.5},
        {"down": (0.0, 0.5)},
        {"down": (0.5, 0.2)},
        {"up": (0.5, 1)},
    ],
)
def test_bad_scales_are_refused(bad: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="expected 0 <= probability <= 1"):
        align_resolution(batch_of(0), **bad)


@pytest.mark.parametrize("sigma", [0.5, 1.15])
def test_blur_is_a_gaussian(sigma: float) -> None:
    image = torch.randn(2, 3, 24, 30)
    made = blur(batch_from(image), 1.0, (sigma, sigma)).images["x"]
    expected = gaussian_filter(image.numpy(), (0, 0, sigma, sigma), truncate=4)
    inner = (slice(None), slice(None), slice(5, -5), slice(5, -5))
    torch.testing.assert_close(
        made[inner], torch.from_numpy(expected)[inner], atol=2e-3, rtol=0
    )


def test_blur_by_chance_leaves_the_other_samples_as_they_are() -> None:
    batch = batch_from(torch.randn(60, 1, 8, 8))
    made = blur(batch, 0.5, (1.0, 1.0)).images["x"]
    same = torch.isclose(made, batch.images["x"], atol=1e-6).flatten(1).all(1)
    assert 15 <= same.sum() <= 45
