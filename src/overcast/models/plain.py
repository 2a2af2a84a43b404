"""Convolutions whose statistics are of a pixel, so that a map has no seams.

A norm over a window would make what a pixel is called depend on how a scene was cut.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class PixelNorm(nn.Module):
    """Layer normalisation over the channels of every pixel."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width, 1, 1))
        self.bias = nn.Parameter(torch.zeros(width, 1, 1))

    def forward(self, features: Tensor) -> Tensor:
        # Not torch.var_mean, which takes several times as long on a CPU.
        centred = features - features.mean(1, keepdim=True)
        variance = centred.square().mean(1, keepdim=True)
        scaled = centred * torch.rsqrt(variance + 1e-5)
        return scaled * self.weight + self.bias


class PlainEncoder(nn.Module):
    """Convolutions at strides 2, 4, 8, ...: one at the first, then two each."""

    def __init__(self, inputs: int, widths: Sequence[int]) -> None:
        super().__init__()
        self.out_channels = [inputs, *widths]
        first = [inputs, *widths[:-1]]
        self.levels = nn.ModuleList(
            nn.Sequential(normed(a, b), *([convolved(b, b)] if number else []))
            for number, (a, b) in enumerate(zip(first, widths, strict=True))
        )

    def forward(self, image: Tensor) -> list[Tensor]:
        features = [image]
        for level in self.levels:
            features.append(level(F.avg_pool2d(features[-1], 2)))
        return features


def convolved(inputs: int, width: int) -> nn.Sequential:
    """A convolution as it is, for features that were normed before."""
    return nn.Sequential(nn.Conv2d(inputs, width, 3, padding=1), nn.GELU())


def normed(inputs: int, width: int) -> nn.Sequential:
    """A block that a pixel's brightness passes, and no statistics of a window."""
    convolution = nn.Conv2d(inputs, width, 3, padding=1)
    return nn.Sequential(convolution, PixelNorm(width), nn.GELU())
