"""Weights of one encoder in another: matched by name, and bands by theirs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from overcast.geo.bands import SENTINEL_1, SENTINEL_2, Sensor
from overcast.models.fusion import network_units
from overcast.models.segmenter import Segmenter
from overcast.plan import choose
from overcast.train.batch import Batch
from overcast.train.frozen import Frozen
from overcast.train.transfer import (
    VALIDITY,
    Reading,
    adopt,
    encoder_weights,
    readings,
)
from tests.train.tiny import batch_of, tiny

FOUR = ("B08", "B02", "B04", "B03")
WIDE = {"s1": SENTINEL_1, "s2": SENTINEL_2}
NARROW = {"s1": SENTINEL_1, "s2": SENTINEL_2.select(FOUR)}
SMALL: dict[str, dict[str, Any]] = {
    "fcn": {"name": "fcn", "width": 8},
    "unet early": {
        "name": "unet",
        "encoder": "mobilenet_v2",
        "fusion": "early",
        "channels": [8, 8, 8, 8, 8],
    },
}


def built(name: str, sensors: Mapping[str, Sensor], seed: int) -> Segmenter:
    torch.manual_seed(seed)
    bands = {n: len(s.bands) for n, s in sensors.items()}
    model: Segmenter = choose("models", SMALL[name], bands, 3)
    return model.eval()


def read_by(name: str, sensors: Mapping[str, Sensor]) -> dict[str, Reading]:
    return readings(lambda bands: choose("models", SMALL[name], bands, 3), sensors)


def moved(
    name: str, source: Mapping[str, Sensor], target: Mapping[str, Sensor]
) -> tuple[Segmenter, Segmenter, list[str]]:
    """A network, another one that starts from it, and what that took."""
    old, new = built(name, source, 1), built(name, target, 2)
    found = adopt(new, read_by(name, target), old.state_dict(), read_by(name, source))
    return old, new, found


def images(sensors: Mapping[str, Sensor]) -> Batch:
    """The same scene, in whichever bands."""
    random = torch.Generator().manual_seed(0)
    whole = {
        n: torch.rand(2, len(s.bands), 64, 64, generator=random)
        for n, s in WIDE.items()
    }
    chosen = {
        name: whole[name][:, list(WIDE[name].index(*sensor.names) or ())]
        for name, sensor in sensors.items()
    }
    return Batch(
        images=chosen,
        valid={n: torch.ones(2, 64, 64, dtype=torch.bool) for n in chosen},
    )


@pytest.mark.parametrize("name", SMALL)
def test_the_same_bands_give_the_same_features(name: str) -> None:
    old, new, found = moved(name, WIDE, WIDE)
    assert set(found) == set(encoder_weights(new))
    with torch.no_grad():
        assert torch.equal(old.encode(images(WIDE)), new.encode(images(WIDE)))
    assert not torch.equal(
        old.state_dict()["head.weight"], new.state_dict()["head.weight"]
    )


@pytest.mark.parametrize("name", SMALL)
def test_bands_are_matched_by_name(name: str) -> None:
    """Where the bands that are missing are at their zero, features are the same."""
    old, new, _ = moved(name, WIDE, NARROW)
    zero = network_units(torch.zeros(())) if name == "fcn" else 0.0
    whole = images(WIDE)
    kept = torch.tensor([band in FOUR for band in SENTINEL_2.names])[:, None, None]
    dark = torch.where(kept, whole.images["s2"], zero)
    whole = replace(whole, images={**whole.images, "s2": dark})
    with torch.no_grad():
        torch.testing.assert_close(new.encode(images(NARROW)), old.encode(whole))


@pytest.mark.parametrize("name", SMALL)
def test_a_new_band_changes_nothing_at_first(name: str) -> None:
    old, new, _ = moved(name, NARROW, WIDE)
    with torch.no_grad():
        torch.testing.assert_close(new.encode(images(WIDE)), old.encode(images(NARROW)))


def test_one_sensor_of_two_is_enough() -> None:
    alone = {"s2": SENTINEL_2}
    old, new, found = moved("fcn", WIDE, alone)
    assert "stems.s2.weight" in found
    both = images(WIDE)
    unseen = {"s1": torch.zeros_like(both.valid["s1"]), "s2": both.valid["s2"]}
    with torch.no_grad():
        seen = old.encode(replace(both, valid=unseen))
        torch.testing.assert_close(new.encode(images(alone)), seen)


def test_no_band_in_common_is_nothing() -> None:
    others = tuple(n for n in SENTINEL_2.names if n not in FOUR)[:4]
    four, none = ({"s2": SENTINEL_2.select(b)} for b in (FOUR, others))
    _, new, found = moved("fcn", four, none)
    assert found == []
    fresh = built("fcn", none, 2).state_dict()
    assert all(torch.equal(w, fresh[n]) for n, w in new.state_dict().items())


def test_what_reads_which_bands_is_told() -> None:
    found = read_by("unet early", {"s1": SENTINEL_1, "s2": SENTINEL_2.select(("B08",))})
    (reading,) = found.values()
    assert reading.distinct
    assert reading.channels == (
        ("s1", "VV"),
        ("s1", "VH"),
        ("s1", VALIDITY),
        ("s2", "B08"),
        ("s2", VALIDITY),
    )


class Mixed(Segmenter):
    """A network that mixes the bands of an image before a weight sees them."""

    def __init__(self, bands: Mapping[str, int]) -> None:
        super().__init__()
        self.bands, self.classes, self.width, self.halo = dict(bands), 2, 4, 0
        self.body = nn.Conv2d(bands["s2"], 4, 1)
        self.head = nn.Conv2d(4, 2, 1)

    def encode(self, batch: Batch) -> Tensor:
        image = batch.images["s2"]
        return self.body(image + image.mean(1, keepdim=True))

    def decode(self, features: Tensor) -> Tensor:
        return self.head(features)


def test_bands_that_cannot_be_told_apart_must_be_the_same() -> None:
    other = tuple(reversed(FOUR))
    one, two = ({"s2": SENTINEL_2.select(bands)} for bands in (FOUR, other))
    old, new = Mixed({"s2": 4}), Mixed({"s2": 4})
    mine, theirs = readings(Mixed, one), readings(Mixed, two)
    assert not mine["body.weight"].distinct
    assert adopt(new, mine, old.state_dict(), theirs) == []
    assert adopt(new, mine, old.state_dict(), readings(Mixed, one)) == [
        "body.weight",
        "body.bias",
    ]


def test_the_encoder_is_what_features_depend_on() -> None:
    model = tiny().train()
    model.body.bias.requires_grad_(False)
    assert encoder_weights(model) == ["body.weight", "body.bias"]
    assert model.training
    assert not model.body.bias.requires_grad
    assert model.head.bias.requires_grad
    unet = built("unet early", WIDE, 0)
    left = set(unet.state_dict()) - set(encoder_weights(unet))
    assert left == {"head.weight", "head.bias"}


def test_frozen_weights_and_statistics_stay() -> None:
    model = built("unet early", WIDE, 0)
    before = {n: w.clone() for n, w in model.state_dict().items()}
    learner = Frozen(model, encoder_weights(model)).train()
    for _ in range(2):
        learner(images(WIDE)).square().sum().backward()
        with torch.no_grad():
            for weight in learner.parameters():
                if weight.grad is not None:
                    weight.sub_(0.1 * weight.grad)
    changed = {
        n for n, w in model.state_dict().items() if not torch.equal(w, before[n])
    }
    assert changed == {"head.weight", "head.bias"}


def test_a_frozen_network_can_do_what_it_could() -> None:
    bands = {n: len(s.bands) for n, s in WIDE.items()}
    model = choose("models", {"name": "cloudseg", "widths": [4, 8]}, bands, 3).eval()
    learner = Frozen(model, encoder_weights(model))
    restored = learner.restore(images(WIDE))[1]
    assert restored.shape == (2, 10, 64, 64)
    with pytest.raises(AttributeError, match="sharpen"):
        _ = learner.sharpen


def test_what_is_not_frozen_learns_as_before() -> None:
    model = tiny()
    learner = Frozen(model, ["body.weight"]).train()
    learner(batch_of(0)).sum().backward()
    assert model.body.weight.grad is None
    assert model.body.bias.grad is not None
    with torch.no_grad():
        assert torch.equal(learner(batch_of(0)), model(batch_of(0)))
