"""Speckle: its looks, its mean and its correlation are those it was asked for."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import pytest
import torch
from torch import Tensor

from overcast.learn.batch import Batch
from overcast.learn.speckle import SPAN_DB, speckle
from tests.learn.tiny import batch_of


def flat(size: int = 200) -> Batch:
    """Two bands at -12.5 dB: half of the way from -25 to 0."""
    return Batch(
        images={"s1": torch.full((2, 2, size, size), 0.5)},
        valid={"s1": torch.ones(2, size, size, dtype=torch.bool)},
    )


def power(batch: Batch, span_db: Sequence[float] = SPAN_DB) -> Tensor:
    """Linear power relative to that of `flat`."""
    decibels = (batch.images["s1"] - 0.5) * torch.tensor(span_db)[:, None, None]
    return 10 ** (decibels / 10)


@pytest.mark.parametrize("looks", [1, 4, 16])
def test_power_keeps_its_mean_and_has_so_many_looks(looks: int) -> None:
    found = power(speckle(flat(), "s1", looks))
    assert found.mean().item() == pytest.approx(1, abs=0.03)
    equivalent = found.mean() ** 2 / found.var()
    assert equivalent.item() == pytest.approx(looks, rel=0.1)


@pytest.mark.parametrize("correlation_px", [0.6, 1.2])
def test_neighbours_correlate_as_asked(correlation_px: float) -> None:
    found = power(speckle(flat(), "s1", 2, correlation_px))
    there = found - found.mean()
    for lag in (1, 2):
        alike = (there[..., lag:] * there[..., :-lag]).mean() / there.var()
        expected = math.exp(-(lag**2) / (2 * correlation_px**2))
        assert alike.item() == pytest.approx(expected, abs=0.05)


def test_bands_and_samples_have_speckle_of_their_own() -> None:
    found = power(speckle(flat(), "s1", 4)).flatten(0, 1).flatten(1)
    alike = torch.corrcoef(found) - torch.eye(4)
    assert alike.abs().max() < 0.05


def test_other_images_and_invalid_pixels_are_left_alone() -> None:
    batch = batch_of(0)
    made = speckle(batch, "s1", 4)
    assert made.images["s2"] is batch.images["s2"]
    assert made.valid is batch.valid
    unseen = ~batch.valid["s1"][:, None].expand_as(batch.images["s1"])
    assert made.images["s1"][unseen].isnan().all()
    changed = made.images["s1"] != batch.images["s1"]
    assert changed[~unseen].all()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"sensor": "s3"}, "no sensor 's3'; there are s1, s2"),
        ({"sensor": "s2"}, "s2 has 3 bands, span_db 2"),
        ({"looks": 0}, "looks must be 1 or more"),
        ({"correlation_px": 0.0}, "others positive"),
    ],
)
def test_bad_arguments_are_refused(arguments: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        speckle(batch_of(0), **{"sensor": "s1", "looks": 4, **arguments})
