"""The network of full resolution: its normalisation, size and receptive field."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torch.nn.functional as F

from overcast.models.fcn import FCN
from overcast.models.plain import PixelNorm
from overcast.train.batch import Batch

BANDS = {"s1": 2, "s2": 10}


def test_norm_is_layer_norm_of_each_pixel() -> None:
    norm = PixelNorm(6).double()
    with torch.no_grad():
        norm.weight.normal_()
        norm.bias.normal_()
    features = (5 + 3 * torch.randn(2, 6, 4, 5)).double()
    expected = F.layer_norm(
        features.permute(0, 2, 3, 1), (6,), norm.weight.flatten(), norm.bias.flatten()
    ).permute(0, 3, 1, 2)
    torch.testing.assert_close(norm(features), expected)


@pytest.mark.parametrize("dilations", [[1], [1, 1, 1], [1, 2, 4], [0, 0]])
def test_receptive_field_is_its_halo(dilations: list[int]) -> None:
    model, middle = FCN(BANDS, 3, dilations=dilations).eval(), 12
    images = {n: torch.randn(1, c, 25, 25) for n, c in BANDS.items()}
    for image in images.values():
        image.requires_grad_(True)
    valid = {n: torch.ones(1, 25, 25).bool() for n in BANDS}
    model(Batch(images=images, valid=valid))[0, :, middle, middle].sum().backward()
    expected = list(range(middle - model.halo, middle + model.halo + 1))
    for image in images.values():
        assert image.grad is not None
        reach = image.grad[0].abs().sum(0)
        assert reach.any(1).nonzero().flatten().tolist() == expected
        assert reach.any(0).nonzero().flatten().tolist() == expected


def test_size_that_it_states() -> None:
    model = FCN(BANDS, 8)
    assert round(sum(p.numel() for p in model.parameters()), -3) == 36_000
    assert 2 * model.halo + 1 == 9


@pytest.mark.parametrize(
    "options", [{"width": 0}, {"dilations": []}, {"dilations": [1, -1]}]
)
def test_needs_width_and_dilations(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="or more"):
        FCN(BANDS, 3, **options)


def test_fields_of_the_question_of_context() -> None:
    """Of 1, 9, 33 and 97 pixels a side, by dilations alone."""
    fields = {
        1: [0, 0, 0],
        9: [1, 1, 1],
        33: [1, 2, 4, 8],
        97: [1, 2, 4, 8, 16, 16],
    }
    for side, dilations in fields.items():
        assert 2 * FCN(BANDS, 3, dilations=dilations).halo + 1 == side


def test_radar_alone_is_averaged_in_boxes_that_widen_its_halo() -> None:
    alone, both = FCN({"s1": 2}, 3).eval(), FCN(BANDS, 3)
    assert (alone.looks, both.looks) == (3, 0)
    image = torch.randn(1, 2, 51, 51, requires_grad=True)
    valid = torch.ones(1, 51, 51).bool()
    alone(Batch(images={"s1": image}, valid={"s1": valid}))[
        0, :, 25, 25
    ].sum().backward()
    assert image.grad is not None
    reach = image.grad[0].abs().sum(0).any(1).nonzero().flatten().tolist()
    assert reach == list(range(25 - alone.halo, 25 + alone.halo + 1))


def test_looks_are_of_the_radar_image_alone() -> None:
    model = FCN(BANDS, 3, looks=1)
    stems = {name: stem.in_channels for name, stem in model.stems.items()}
    assert stems == {"s1": 2 + 2 * 2 + 1, "s2": 11}
    with pytest.raises(ValueError, match="looks"):
        FCN(BANDS, 3, looks=-1)
