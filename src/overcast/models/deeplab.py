"""DeepLabv3+ (Chen et al. 2018) on any encoder, for any set of sensors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from segmentation_models_pytorch.decoders.deeplabv3.decoder import (
    DeepLabV3PlusDecoder,
)
from torch import Tensor, nn

from overcast.models.encoders import Branches, make_encoder
from overcast.models.fusion import Fusion
from overcast.models.segmenter import Segmenter
from overcast.train.batch import Batch


class DeepLab(Segmenter):
    """Atrous spatial pyramid pooling, and a decoder at a quarter of the resolution.

    Options: `encoder`, a name of segmentation-models-pytorch, or ``tu-`` and one of
    timm's; `fusion` of the sensors; `width`, channels of the decoder. The pyramid's
    pooled branch sees the whole window. It has one value a channel and is normalised
    over its channels, not over the batch, so that batches of one can be learned from.
    """

    def __init__(
        self,
        bands: Mapping[str, int],
        classes: int,
        *,
        encoder: str = "resnet18",
        fusion: Fusion = "middle",
        width: int = 256,
    ) -> None:
        super().__init__()
        self.bands, self.classes, self.width = dict(bands), classes, width
        self.halo = 64
        self.branches = Branches(
            bands,
            fusion,
            lambda inputs: make_encoder(encoder, inputs, stride=16),
            lambda trunk: _Decoder(trunk, width),
        )
        self.head = nn.Conv2d(width, classes, 1)

    def encode(self, batch: Batch) -> Tensor:
        """Features ``[B, width, H, W]``."""
        return cast(Tensor, self.branches(batch))

    def decode(self, features: Tensor) -> Tensor:
        """Logits ``[B, K, H, W]``."""
        return cast(Tensor, self.head(features))


class _Decoder(nn.Module):
    def __init__(self, trunk: nn.Module, width: int) -> None:
        super().__init__()
        self.layers = DeepLabV3PlusDecoder(
            encoder_channels=cast(list[int], trunk.out_channels),
            encoder_depth=5,
            out_channels=width,
            atrous_rates=(12, 24, 36),
            output_stride=16,
            aspp_separable=True,
            aspp_dropout=0.1,
        )
        pooled = self.layers.aspp[0].convs[-1]
        (batch_norm,) = (i for i, m in enumerate(pooled) if type(m) is nn.BatchNorm2d)
        pooled[batch_norm] = nn.GroupNorm(1, width)

    def forward(self, levels: list[Tensor]) -> Tensor:
        return cast(Tensor, self.layers(levels))
