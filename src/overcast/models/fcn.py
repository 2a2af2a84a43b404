"""A small network that keeps full resolution and sees a few pixels around.

Coarse labels favour it: without down-sampling it can't blur a map to the labels' own
scale, and with a small receptive field it can't tell where in a label's cell a pixel
lies, so it must go by what the pixel looks like (Robinson et al. 2021, baseline of the
IEEE GRSS Data Fusion Contest 2021; Li et al. 2022, L2HNet).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

from torch import Tensor, nn

from overcast.models.box_statistics import reach, with_looks
from overcast.models.fusion import centred, checked, observed, weighted_mean
from overcast.models.plain import PixelNorm
from overcast.models.segmenter import Segmenter
from overcast.train.batch import Batch

_LOOKS = 3


class FCN(Segmenter):
    """Stem per sensor, validity-weighted mean, residual blocks, a linear head.

    Normalisation is over the channels of each pixel, so an output depends on its
    receptive field of ``2 * halo + 1`` pixels and nothing else: cutting a scene into
    windows changes no prediction further than `halo` from a window's edge.

    Options: `width`, channels; `dilations`, the spacing in pixels of the 3 x 3 taps of
    every residual block (Yu and Koltun 2016), which it adds to `halo`. A spacing of 0 is a
    block of a single pixel, and where all are 0 the network sees single pixels alone;
    `branches`, residual blocks for every sensor of its own, so that a prediction of one
    sensor shares the linear head alone with those of others. By default the network has
    36 thousand weights and sees 9 x 9 pixels. Speckle hides a class in so few, so the
    image called `radar` is averaged besides in `looks` boxes of 3, 9, 27, ... pixels,
    which widen `halo`. By default it is in three where there is no other image, and in none
    beside one, which was not measured against others.

    It learns from windows of 32 pixels: in as many pixels a step, more places are seen.
    """

    window = 32

    def __init__(
        self,
        bands: Mapping[str, int],
        classes: int,
        *,
        width: int = 32,
        dilations: Sequence[int] = (1, 1, 1),
        radar: str = "s1",
        looks: int | None = None,
        branches: bool = False,
    ) -> None:
        super().__init__()
        if width < 1 or not dilations or min(dilations) < 0:
            raise ValueError(
                "width must be 1 or more, and dilations one whole number or more, each "
                f"0 or more; got {width=}, {dilations=}"
            )
        self.bands, self.classes, self.width = checked(bands), classes, width
        if looks is None:
            looks = _LOOKS if set(bands) == {radar} else 0
        if looks < 0:
            raise ValueError(f"looks must be 0 boxes or more, got {looks}")
        self.radar, self.looks = radar, looks if radar in bands else 0
        edge = int(any(dilations))
        self.halo = edge + sum(dilations) + reach(self.looks)
        seen = {name: count + 1 for name, count in self.bands.items()}
        if self.looks:
            seen[radar] += 2 * self.looks * self.bands[radar]
        self.stems = nn.ModuleDict(
            {
                name: nn.Conv2d(count, width, 1 + 2 * edge, padding=edge)
                for name, count in seen.items()
            }
        )
        parts = {name: _body(width, dilations) for name in seen} if branches else {}
        self.branches = nn.ModuleDict(parts)
        body = nn.Identity() if branches else _body(width, dilations)
        self.body: nn.Module = body
        self.norm = PixelNorm(width)
        self.head = nn.Conv2d(width, classes, 1)

    def encode(self, batch: Batch) -> Tensor:
        """Features ``[B, width, H, W]``."""
        seen = observed(batch, self.bands)
        inputs = {name: centred(image) for name, image in seen.items()}
        if self.looks:
            inputs[self.radar] = with_looks(inputs[self.radar], self.looks)
        features = [stem(inputs[name]) for name, stem in self.stems.items()]
        if self.branches:
            own = zip(self.branches.values(), features, strict=True)
            features = [branch(feature) for branch, feature in own]
        fused = weighted_mean(features, [inputs[name][:, -1:] for name in self.stems])
        return cast(Tensor, self.norm(self.body(fused)))

    def decode(self, features: Tensor) -> Tensor:
        """Logits ``[B, K, H, W]``."""
        return cast(Tensor, self.head(features))


def _body(width: int, dilations: Sequence[int]) -> nn.Sequential:
    return nn.Sequential(*(_Residual(width, spacing) for spacing in dilations))


class _Residual(nn.Module):
    def __init__(self, width: int, spacing: int) -> None:
        super().__init__()
        side = 3 if spacing else 1
        self.layers = nn.Sequential(
            PixelNorm(width),
            nn.Conv2d(width, width, side, padding=spacing, dilation=max(spacing, 1)),
            nn.GELU(),
            nn.Conv2d(width, width, 1),
        )

    def forward(self, features: Tensor) -> Tensor:
        return features + cast(Tensor, self.layers(features))
