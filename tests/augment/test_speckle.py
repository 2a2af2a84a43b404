"""Speckle: its looks, its mean and its correlation are those it was asked for."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from overcast.augment.speckle import speckle
from overcast.geo.bands import SENTINEL_1, SENTINEL_2, Band, Sensor
from overcast.train.batch import Batch
from tests.train.tiny import batch_of


def flat(size: int = 200) -> Batch:
    """Two bands at -12.5 dB: half of the way from -25 to 0."""
    return Batch(
        images={"s1": torch.full((2, 2, size, size), 0.5)},
        valid={"s1": torch.ones(2, size, size, dtype=torch.bool)},
    )


SPAN_DB = torch.tensor([b.high - b.low for b in SENTINEL_1.bands])[:, None, None]


def power(batch: Batch) -> Tensor:
    """Linear power relative to that of `flat`."""
    return 10 ** ((batch.images["s1"] - 0.5) * SPAN_DB / 10)


def radar(unit: str, low: float = 0.0, high: float = 4.0) -> Sensor:
    return Sensor("x-band", "sar", (Band("HH", unit, low, high),) * 2)


@pytest.mark.parametrize("looks", [1, 4, 16])
def test_power_keeps_its_mean_and_has_so_many_looks(looks: int) -> None:
    found = power(speckle(flat(), "s1", looks))
    assert found.mean().item() == pytest.approx(1, abs=0.03)
    equivalent = found.mean() ** 2 / found.var()
    assert equivalent.item() == pytest.approx(looks, rel=0.1)


@pytest.mark.parametrize("correlation_px", [0.6, 1.2])
def test_neighbours_correlate_as_asked(correlation_px: float) -> None:
    found = power(speckle(flat(), "s1", 2, correlation_px=correlation_px))
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


@pytest.mark.parametrize(("unit", "exponent"), [("power", 1), ("Amplitude", 0.5)])
def test_linear_images_are_multiplied(unit: str, exponent: float) -> None:
    """The very speckle that an image in dB gets, on values stored otherwise."""
    low, high = 1.0, 9.0
    value = 2.0
    image = torch.full((1, 2, 50, 50), (value - low) / (high - low))
    batch = replace(
        flat(50), images={"s1": image}, valid={"s1": torch.ones(1, 50, 50).bool()}
    )
    torch.manual_seed(3)
    found = speckle(batch, "s1", 8, radar(unit, low, high)).images["s1"]
    torch.manual_seed(3)
    decibels = speckle(batch, "s1", 8, radar("dB", 0, 100)).images["s1"] - image
    factor = 10 ** (10 * decibels)
    expected = ((value * factor**exponent) - low) / (high - low)
    torch.testing.assert_close(found, expected.clamp(-1, 2), rtol=1e-4, atol=1e-4)


def test_what_leaves_network_units_is_clipped_as_in_any_image() -> None:
    bright = replace(flat(50), images={"s1": torch.full((2, 2, 50, 50), 1.9)})
    found = speckle(bright, "s1", 1, radar("power")).images["s1"]
    assert found.max() == 2
    assert found.min() >= -1


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"name": "s3"}, "no image 's3'; there are s1, s2"),
        ({"name": "s2"}, "s2 has 3 bands, sentinel-1 2"),
        ({"looks": 0}, "looks must be 1 or more"),
        ({"correlation_px": 0.0}, "correlation_px positive"),
        ({"sensor": SENTINEL_2}, "is optical; speckle is of radar images"),
        ({"sensor": radar("DN")}, "band HH of s1 .x-band. is in 'DN'; speckle changes"),
    ],
)
def test_bad_arguments_are_refused(arguments: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        speckle(batch_of(0), **{"name": "s1", "looks": 4, **arguments})
