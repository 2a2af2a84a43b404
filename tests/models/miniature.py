"""Miniatures of published weights, in the layout of the real ones; none is fetched."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import timm
import torch
from torch import Tensor, nn

from overcast.geo.bands import SENTINEL_1, SENTINEL_2
from overcast.models.published import PUBLISHED
from overcast.models.unet import UNet

SENSORS = {"s1": SENTINEL_1, "s2": SENTINEL_2}
COUNTS = {name: len(sensor.bands) for name, sensor in SENSORS.items()}
CHANNELS = (8, 8, 8, 8, 8)
OPTICAL = PUBLISHED["resnet18-sentinel2-moco"]
RADAR = replace(PUBLISHED["resnet50-sentinel1-moco"], name="radar", encoder="resnet18")


def layout(inputs: int, name: str = "test_resnet", seed: int = 0) -> nn.Module:
    """A network of timm, as torchgeo publishes it: random, its statistics too."""
    torch.manual_seed(seed)
    made = timm.create_model(name, in_chans=inputs, num_classes=0)
    for part in made.modules():
        if isinstance(part, nn.BatchNorm2d):
            assert part.running_mean is not None
            assert part.running_var is not None
            part.running_mean.normal_(std=0.1)
            part.running_var.uniform_(0.5, 2)
    return made.eval()


def shapes(inputs: int, name: str) -> dict[str, Tensor]:
    """The layout of a network with nothing in it."""
    with torch.device("meta"):
        made = timm.create_model(name, in_chans=inputs)
    return {n: torch.zeros(()).expand(t.shape) for n, t in made.state_dict().items()}


def unet(encoder: str = "tu-test_resnet", **options: Any) -> UNet:
    return UNet(COUNTS, 3, encoder=encoder, channels=CHANNELS, **options)
