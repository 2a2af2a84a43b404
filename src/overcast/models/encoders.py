"""Encoders of segmentation-models-pytorch, several sensors at a time.

Shared by the encoder-decoder networks: what differs between them is the decoder.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from typing import cast

import segmentation_models_pytorch as smp
import timm
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from overcast.models.fusion import Fusion, checked, observed, pad_to, weighted_mean
from overcast.train.batch import Batch

STRIDE = 32


def make_encoder(name: str, channels: int, stride: int = STRIDE) -> nn.Module:
    """Encoder of `channels` inputs with random weights.

    Raises
    ------
    ValueError
        If there is no such encoder, naming the nearest known one, or it can't work at
        this stride or at all.
    """
    # Names that start with timm- are deprecated aliases of those with tu-.
    known = [n for n in smp.encoders.encoders if not n.startswith("timm-")]
    if name.startswith("tu-"):
        # Nothing but timm's own names: it would look others up in the network.
        known = [f"tu-{n}" for n in timm.list_models()]
    if name not in known:
        near = difflib.get_close_matches(name, known, 1, cutoff=0)
        hint = f"did you mean {near[0]}? " if near else ""
        raise ValueError(f"no encoder {name!r}; {hint}(tu-NAME takes any of timm's)")
    try:
        encoder = smp.encoders.get_encoder(
            name, in_channels=channels, depth=5, weights=None, output_stride=stride
        )
    except (ValueError, TypeError, RuntimeError, AssertionError) as error:
        raise ValueError(
            f"encoder {name!r} can't be used here, at an output stride of {stride} "
            f"({error}); take another, such as resnet18 or mobilenet_v2"
        ) from error
    return cast(nn.Module, encoder)


class Branches(nn.Module):
    """Encoders and decoders of all sensors, fused early, in the middle or late.

    Early: one encoder sees all bands stacked. Middle: an encoder per sensor, and one
    decoder of their features, averaged at each level where each sensor was observed.
    Late: a whole network per sensor, and the average of their last features.
    """

    def __init__(
        self,
        bands: Mapping[str, int],
        fusion: Fusion,
        encoder: Callable[[int], nn.Module],
        decoder: Callable[[nn.Module], nn.Module],
    ) -> None:
        super().__init__()
        if fusion not in ("early", "middle", "late"):
            raise ValueError(f"fusion is {fusion!r}, expected early, middle or late")
        self.bands, self.fusion = checked(bands), fusion
        inputs = {n: c + 1 for n, c in bands.items()}
        if fusion == "early":
            inputs = {"all": sum(inputs.values())}
        self.encoders = nn.ModuleDict({n: encoder(c) for n, c in inputs.items()})
        trunks = dict(self.encoders.items())
        if fusion != "late":
            trunks = {"all": next(iter(trunks.values()))}
        self.decoders = nn.ModuleDict({n: decoder(t) for n, t in trunks.items()})

    def forward(self, batch: Batch) -> Tensor:
        """Features of the decoder ``[B, C, H, W]``, at the size of the batch."""
        inputs = observed(batch, self.bands)
        size = next(iter(inputs.values())).shape[-2:]
        padded = {n: pad_to(x, STRIDE) for n, x in inputs.items()}
        if self.fusion == "early":
            joined = torch.cat(list(padded.values()), 1)
            return _at(self.decoders["all"](self.encoders["all"](joined)), joined, size)
        validity = [x[:, -1:] for x in padded.values()]
        levels = {n: self.encoders[n](x) for n, x in padded.items()}
        if self.fusion == "middle":
            first, *deeper = zip(*levels.values(), strict=True)
            # Level 0 is the input itself, which no decoder reads.
            fused = [first[0], *(weighted_mean(f, validity) for f in deeper)]
            return _at(self.decoders["all"](fused), validity[0], size)
        done = [_at(self.decoders[n](f), validity[0], size) for n, f in levels.items()]
        return weighted_mean(done, [inputs[n][:, -1:] for n in levels])


def _at(features: Tensor, padded: Tensor, size: torch.Size) -> Tensor:
    """Features at the size of the padded input, then without the padding."""
    if features.shape[-2:] != padded.shape[-2:]:
        features = F.interpolate(
            features, padded.shape[-2:], mode="bilinear", align_corners=False
        )
    return features[..., : size[0], : size[1]]
