"""Encoders by name, and what fusion in the middle and late promises."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from overcast.models.deeplab import DeepLab
from overcast.models.encoders import make_encoder
from overcast.models.unet import UNet
from overcast.train.batch import Batch

BANDS = {"s1": 2, "s2": 4}
SMALL: dict[Any, Any] = {
    UNet: {"encoder": "mobilenet_v2", "channels": (32, 32, 16, 16, 8)},
    DeepLab: {"encoder": "mobilenet_v2", "width": 16},
}
NETWORKS = pytest.mark.parametrize("network", SMALL, ids=lambda n: n.__name__)


def batch(h: int = 64, w: int = 64) -> Batch:
    """Both sensors valid everywhere."""
    return Batch(
        images={n: torch.randn(1, c, h, w) for n, c in BANDS.items()},
        valid={n: torch.ones(1, h, w).bool() for n in BANDS},
    )


def only_s2(of: Batch) -> Batch:
    return Batch(images={"s2": of.images["s2"]}, valid={"s2": of.valid["s2"]})


@torch.no_grad()
def forget(model: torch.nn.Module, part: str) -> None:
    """Give all weights of a part other values."""
    found = [p for n, p in model.named_parameters() if part in n]
    assert found
    for parameter in found:
        parameter.add_(torch.randn_like(parameter))


@torch.no_grad()
def alone(network: Any, both: torch.nn.Module, fusion: str) -> Any:
    """The network of s2 only, with the weights that `both` has for it."""
    made = network({"s2": BANDS["s2"]}, 5, fusion=fusion, **SMALL[network]).eval()
    kept = {k: v for k, v in both.state_dict().items() if ".s1." not in k}
    made.load_state_dict(kept)
    return made


@NETWORKS
@pytest.mark.parametrize("fusion", ["middle", "late"])
@torch.no_grad()
def test_without_s1_it_is_the_network_of_s2(network: Any, fusion: str) -> None:
    both = network(BANDS, 5, fusion=fusion, **SMALL[network]).eval()
    of = only_s2(batch(37, 53))
    expected = alone(network, both, fusion)(of)
    assert torch.equal(both(of), expected)
    forget(both, "encoders.s1.")
    assert torch.equal(both(of), expected)


@NETWORKS
@torch.no_grad()
def test_late_fusion_is_per_pixel(network: Any) -> None:
    both = network(BANDS, 5, fusion="late", **SMALL[network]).eval()
    of = batch()
    of.valid["s1"][..., 20:] = False
    mixed, expected = both.encode(of), alone(network, both, "late").encode(of)
    assert torch.equal(mixed[..., 20:], expected[..., 20:])
    assert not torch.isclose(mixed[..., :20], expected[..., :20]).all(1).any()


@torch.no_grad()
def test_middle_fusion_far_from_s1_does_not_know_its_weights() -> None:
    model = UNet(BANDS, 5, fusion="middle", **SMALL[UNet]).eval()
    of = batch(32, 320)
    of.valid["s1"][..., 32:] = False
    before = model(of)
    forget(model, "encoders.s1.")
    after = model(of)
    assert not torch.isclose(before[..., :32], after[..., :32]).all(1).any()
    # The decoder's convolutions carry s1's last valid cell less than 128 pixels.
    assert torch.equal(before[..., 160:], after[..., 160:])


@NETWORKS
@pytest.mark.parametrize("encoder", ["tu-mobilenetv3_small_100", "mit_b0"])
@torch.no_grad()
def test_other_families_of_encoders(encoder: str, network: Any) -> None:
    model = network(BANDS, 5, **SMALL[network] | {"encoder": encoder}).eval()
    found: Tensor = model(batch(37, 53))
    assert found.shape == (1, 5, 37, 53)
    assert found.isfinite().all()


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("resnet-18", "resnet18"),
        ("tu-mobilenetv3_small_99", "tu-mobilenetv3_small_100"),
        ("timm-efficientnet-b0", "efficientnet-b0"),
    ],
)
def test_unknown_encoder_names_the_nearest(name: str, nearest: str) -> None:
    with pytest.raises(ValueError, match=rf"{name}'; did you mean {nearest}\?"):
        make_encoder(name, 3)


@pytest.mark.parametrize("name", ["tu-hf-hub:someone/net", "tu-local-dir:/somewhere"])
def test_names_that_lead_elsewhere_are_refused(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: Any, **__: Any) -> None:
        raise AssertionError("looked for it elsewhere")

    monkeypatch.setattr("segmentation_models_pytorch.encoders.get_encoder", never)
    with pytest.raises(ValueError, match="no encoder"):
        make_encoder(name, 3)


def test_encoder_that_can_not_be_dilated() -> None:
    with pytest.raises(ValueError, match=r"'densenet121' can't be used.*stride of 16"):
        make_encoder("densenet121", 3, stride=16)


def test_unknown_fusion() -> None:
    with pytest.raises(ValueError, match="expected early, middle or late"):
        UNet(BANDS, 5, fusion="mid")  # type: ignore[arg-type]


@pytest.mark.parametrize("channels", [(64, 32, 16, 8), (64, 32, 16, 8, 8, 8), [0] * 5])
def test_unet_needs_five_levels(channels: Any) -> None:
    with pytest.raises(ValueError, match="5 positive numbers"):
        UNet(BANDS, 5, channels=channels)
