"""Sensors brought together, against an obvious and slow mean of single pixels."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from overcast.models.fusion import (
    centred,
    checked,
    network_units,
    observed,
    pad_to,
    weighted_mean,
)
from overcast.train.batch import Batch

BANDS = {"s1": 2, "s2": 3}


def slow_mean(features: list[Tensor], validity: list[Tensor], cell: int) -> Tensor:
    """Weights by counting the observed pixels of every cell."""
    b, c, h, w = features[0].shape
    found = torch.zeros(b, c, h, w, dtype=torch.float64)
    for i in range(b):
        for y in range(h):
            for x in range(w):
                rows = slice(y * cell, (y + 1) * cell)
                columns = slice(x * cell, (x + 1) * cell)
                seen = [int(v[i, 0, rows, columns].sum()) for v in validity]
                seen = seen if sum(seen) else [1] * len(features)
                for feature, count in zip(features, seen, strict=True):
                    found[i, :, y, x] += feature[i, :, y, x] * count / sum(seen)
    return found


@settings(max_examples=30)
@given(
    sensors=st.integers(1, 3),
    cell=st.sampled_from([1, 2, 4]),
    share=st.sampled_from([0.0, 0.1, 0.5, 1.0]),
    seed=st.integers(0, 99),
)
def test_mean_is_weighted_by_observed_pixels(
    sensors: int, cell: int, share: float, seed: int
) -> None:
    g = torch.Generator().manual_seed(seed)
    features = [torch.randn(2, 3, 4, 5, generator=g).double() for _ in range(sensors)]
    validity = [
        (torch.rand(2, 1, 4 * cell, 5 * cell, generator=g) < share).double()
        for _ in range(sensors)
    ]
    expected = slow_mean(features, validity, cell)
    torch.testing.assert_close(weighted_mean(features, validity), expected)


def test_features_of_what_was_not_seen_do_not_count() -> None:
    seen, unseen = torch.ones(1, 1, 4, 4), torch.zeros(1, 1, 4, 4)
    one, other = torch.randn(1, 3, 4, 4), 1e6 * torch.randn(1, 3, 4, 4)
    assert torch.equal(weighted_mean([one, other], [seen, unseen]), one)
    assert torch.equal(weighted_mean([other, one], [unseen, seen]), one)


def test_observed_blanks_and_says_so() -> None:
    valid = torch.tensor([[[True, False], [False, True]]])
    image = torch.full((1, 3, 2, 2), 7.0).masked_fill(~valid.unsqueeze(1), torch.nan)
    inputs = observed(Batch(images={"s2": image}, valid={"s2": valid}), BANDS)
    assert list(inputs) == ["s1", "s2"]
    assert torch.equal(inputs["s1"], torch.zeros(1, 3, 2, 2))
    assert torch.equal(inputs["s2"][:, :3], 7.0 * valid.expand(1, 3, 2, 2))
    assert torch.equal(inputs["s2"][:, 3], valid.float())


def test_observed_refuses_what_does_not_fit() -> None:
    wrong = Batch(
        images={"s2": torch.zeros(1, 4, 8, 8)},
        valid={"s2": torch.ones(1, 8, 8).bool()},
    )
    with pytest.raises(ValueError, match="s2 has 4 bands, the network was made for 3"):
        observed(wrong, BANDS)
    with pytest.raises(ValueError, match="no images; expected some of s1, s2"):
        observed(Batch(images={}, valid={}), BANDS)


@pytest.mark.parametrize(
    ("bands", "message"),
    [
        ({}, "one sensor or more"),
        ({"s1": 0}, "one band or more"),
        ({"planet.v2": 4}, "'planet.v2'.*without dots"),
        ({"s2": 4, "type": 4}, "can't be called 'type'"),
    ],
)
def test_sensors_that_no_network_can_have(bands: dict[str, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        checked(bands)


@settings(max_examples=40)
@given(h=st.integers(1, 70), w=st.integers(1, 70))
def test_padding_repeats_the_edge(h: int, w: int) -> None:
    image = torch.arange(float(h * w)).reshape(1, 1, h, w)
    padded = pad_to(image, 16)
    for size, least in zip(padded.shape[-2:], (h, w), strict=True):
        assert size % 16 == 0
        assert size == max(32, 16 * -(-least // 16))
    assert torch.equal(padded[..., :h, :w], image)
    assert (padded[..., h:, w:] == image[..., -1, -1]).all()


def test_centring_can_be_undone_where_something_was_seen() -> None:
    values, seen = torch.rand(1, 2, 4, 5), torch.ones(1, 1, 4, 5)
    seen[..., 2:] = 0
    given = torch.cat([values * seen, seen], 1)
    back = network_units(centred(given)[:, :-1])
    torch.testing.assert_close(back[..., :2], values[..., :2])
    assert centred(given)[:, :2, :, 2:].eq(0).all()
    assert torch.equal(centred(given)[:, 2:], seen)
