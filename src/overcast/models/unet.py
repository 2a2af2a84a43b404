"""U-Net (Ronneberger et al. 2015) on any encoder, for any set of sensors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

from segmentation_models_pytorch.decoders.unet.decoder import UnetDecoder
from torch import Tensor, nn

from overcast.models.encoders import Branches, make_encoder
from overcast.models.fusion import Fusion
from overcast.models.segmenter import Segmenter
from overcast.train.batch import Batch

_LEVELS = 5


class UNet(Segmenter):
    """Encoder and decoder with skip connections.

    Options: `encoder`, a name of segmentation-models-pytorch, or ``tu-`` and one of
    timm's; `fusion` of the sensors; `channels` of the five decoder levels, coarse to
    fine. With encoder ``resnet34`` and channels 512 to 32 it has 31 million weights.
    """

    def __init__(
        self,
        bands: Mapping[str, int],
        classes: int,
        *,
        encoder: str = "resnet18",
        fusion: Fusion = "middle",
        channels: Sequence[int] = (256, 128, 64, 32, 32),
    ) -> None:
        super().__init__()
        if len(channels) != _LEVELS or min(channels) < 1:
            raise ValueError(
                f"channels must be {_LEVELS} positive numbers, got {list(channels)}"
            )
        self.bands, self.classes, self.width = dict(bands), classes, channels[-1]
        self.halo = 64
        self.branches = Branches(
            bands,
            fusion,
            lambda inputs: make_encoder(encoder, inputs),
            lambda trunk: _Decoder(trunk, channels),
        )
        self.head = nn.Conv2d(self.width, classes, 3, padding=1)

    def encode(self, batch: Batch) -> Tensor:
        """Features ``[B, width, H, W]``."""
        return cast(Tensor, self.branches(batch))

    def decode(self, features: Tensor) -> Tensor:
        """Logits ``[B, K, H, W]``."""
        return cast(Tensor, self.head(features))


class _Decoder(nn.Module):
    def __init__(self, trunk: nn.Module, channels: Sequence[int]) -> None:
        super().__init__()
        self.layers = UnetDecoder(
            encoder_channels=cast(Sequence[int], trunk.out_channels),
            decoder_channels=list(channels),
            n_blocks=len(channels),
        )

    def forward(self, levels: list[Tensor]) -> Tensor:
        return cast(Tensor, self.layers(levels))
