"""CloudSeg (Xu et al., ISPRS Journal 214, 2024): SAR where the optical image is cloud.

Three encoders see the optical image, the other sensors, and all of them. At each of
their levels there is a fusion block, with o, s and x the features of the three:

    m'  = relu(conv1x1([m, max2(m), max4(m)]))                 context, m = o, s, x
    a   = sigmoid(conv7x7([max |o' - s'|, mean |o' - s'|]))    gate against clouds
    w   = sigmoid(W2 relu(W1 [a o', s', x']))                  a weight for each channel
    c   = sum of the three parts of w [a o', s', x']                              cross
    o   <- o + (c - o') sigmoid(conv3x3(c - o'))                             correction

max2 and max4 are the largest of 2 x 2 and 4 x 4 pixels, brought back to their size. One
decoder takes the cross features to the classes, another one the optical features to the
cloud-free image.

The block has the authors' formulas, which were not shown to be better than a simpler block
in short trainings (docs/lab/clouds.md). It differs in these points, none of them measured:

- The blocks fuse what the encoders give and don't feed back into them, so that any
  encoder can be used. So x has an input of its own, all sensors, plus a convolution of
  the finer level's c; and a correction of s would lead nowhere.
- The weights w are of each pixel and not of the window's mean, so that a map doesn't
  depend on how a scene was cut.
- The gate reads |o' - s'|, where the authors take the difference with its sign.

Ours besides:

- A first gate, sigmoid(conv7x7(conv3x3(all))), dims the optical image before all else: a
  pixel under opaque cloud then is what a pixel is that was not observed, which the
  network knows already from samples that lack the sensor. Both gates together: +.018
  mIoU (row `no-gate` of ``bench.claims cloud50``).
- Other sensors come with their mean and spread in wide boxes: speckle hides a class in
  a few pixels, and a short training does not find that it has to average.
- The cloud-free image is the dimmed image plus what the decoder adds, so that clear
  pixels are copied, and the class head reads it: under thin cloud it is the best.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from overcast.models.box_statistics import reach, with_looks
from overcast.models.encoders import STRIDE, make_encoder
from overcast.models.fusion import (
    centred,
    checked,
    network_units,
    observed,
    pad_to,
)
from overcast.models.plain import PlainEncoder, convolved, normed
from overcast.models.segmenter import Segmenter
from overcast.train.batch import Batch
from overcast.train.blocks.units import round_up

_REDUCTION = 16
"""Of the channels, between the two layers of a fusion block's weights; the authors'."""


class CloudSegNetwork(Segmenter):
    """Three streams, fused at every level; classes and the cloud-free image.

    Options: `encoder`, a name of segmentation-models-pytorch, ``tu-`` and one of
    timm's, or ``plain`` for a few convolutions of `widths` channels at strides 2, 4, ...;
    `gate`, the one against clouds; `optical`, name of the image that clouds hide;
    `looks`, number of the boxes of 3, 9, 27, ... pixels in which ``plain`` sees other
    sensors averaged besides; it has some 335 thousand weights. The paper has ``mit_b4``.
    """

    def __init__(
        self,
        bands: Mapping[str, int],
        classes: int,
        *,
        encoder: str = "plain",
        widths: Sequence[int] = (24, 32, 48),
        gate: bool = True,
        optical: str = "s2",
        looks: int = 3,
    ) -> None:
        super().__init__()
        self.bands, self.classes, self.optical = checked(bands), classes, optical
        if optical not in bands or len(bands) < 2:
            raise ValueError(
                "cloudseg needs an optical image and another one that sees through "
                f"clouds; optical is {optical!r}, there are {', '.join(bands)}"
            )
        self.plain = encoder == "plain"
        self.looks = looks if self.plain else 0
        inputs = _channels(bands, optical, self.looks)
        self.encoders = nn.ModuleDict(
            {name: _encoder(encoder, count, widths) for name, count in inputs.items()}
        )
        levels = cast(Sequence[int], self.encoders["all"].out_channels)
        # Level 0 of an encoder is its input, and some have nothing at level 1.
        sizes = [int(w) for w in levels[1:] if w]
        finer = zip(sizes, [0, *sizes], strict=False)
        self.blocks = nn.ModuleList(_Fusion(w, f, gate) for w, f in finer)
        self.width = sizes[0]
        self.cross_decoder, self.clear_decoder = _Decoder(sizes), _Decoder(sizes)
        self.gate = _Gate(inputs["all"]) if gate else None
        self.remover = _Remover(self.width, bands[optical])
        self.reader = normed(self.width + bands[optical], self.width)
        self.head = nn.Conv2d(self.width, classes, 1)
        self.stride = 2 ** len(widths) if self.plain else STRIDE
        # A multiple of the stride, so that windows side by side are halved alike.
        context = (32 if self.plain else 64) + reach(self.looks)
        self.halo = round_up(self.stride, context)

    def encode(self, batch: Batch) -> Tensor:
        """Features ``[B, width, H, W]``."""
        return self.restore(batch)[0]

    def decode(self, features: Tensor) -> Tensor:
        """Logits ``[B, K, H, W]``."""
        return cast(Tensor, self.head(features))

    def ungated(self) -> CloudSegNetwork:
        """Copy the network without its gates, for images that have no clouds."""
        copy = deepcopy(self)
        copy.gate = None
        for block in copy.blocks:
            assert isinstance(block, _Fusion)
            block.gate = None
        return copy

    def restore(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Features, and the optical image ``[B, C, H, W]`` without its clouds.

        The image is in network units, and a guess from the other sensors where the
        optical one saw nothing.
        """
        padded = self.inputs(batch)
        h, w = batch.extent
        if self.gate is not None:
            seen = self.gate(torch.cat(list(padded.values()), 1))
            padded[self.optical] = padded[self.optical] * seen
        optical = padded[self.optical]
        cross, clear = (_resized(f, optical) for f in self._fused(padded))
        restored = optical[:, :-1] + self.remover(clear)
        features = self.reader(torch.cat([cross, restored], 1))
        image = network_units(restored) if self.plain else restored
        return features[..., :h, :w], image[..., :h, :w]

    def inputs(self, batch: Batch) -> dict[str, Tensor]:
        """Return the input of every encoder ``[B, _, H, W]``, padded; validity is last."""
        seen = observed(batch, self.bands).items()
        padded = {name: pad_to(image, self.stride) for name, image in seen}
        if not self.plain:  # published weights are for images as they are
            return padded
        return {
            name: with_looks(centred(image), 0 if name == self.optical else self.looks)
            for name, image in padded.items()
        }

    def _fused(self, inputs: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
        """Features of the two decoders, at the finest level of the encoders."""
        others = [image for name, image in inputs.items() if name != self.optical]
        streams = {
            "optical": inputs[self.optical],
            "others": torch.cat(others, 1),
            "all": torch.cat([inputs[self.optical], *others], 1),
        }
        levels = [
            [f for f in self.encoders[name](image)[1:] if f.shape[1]]
            for name, image in streams.items()
        ]
        cross: list[Tensor] = []
        clear: list[Tensor] = []
        for block, of in zip(self.blocks, zip(*levels, strict=True), strict=True):
            c, o = block(*of, cross[-1] if cross else None)
            cross.append(c)
            clear.append(o)
        return self.cross_decoder(cross), self.clear_decoder(clear)


def _channels(bands: Mapping[str, int], optical: str, looks: int) -> dict[str, int]:
    """Input channels of every stream: bands, their looks, and validity."""
    if looks < 0:
        raise ValueError(f"looks must be 0 boxes or more, got {looks}")
    wider = sum(c * (1 + 2 * looks) + 1 for n, c in bands.items() if n != optical)
    own = bands[optical] + 1
    return {"optical": own, "all": own + wider, "others": wider}


class _Gate(nn.Module):
    """How much of the ground each pixel shows, 0 to 1 ``[B, 1, H, W]``; 1 at first."""

    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.block = convolved(inputs, 8)
        self.last = nn.Conv2d(8, 1, 7, padding=3)
        nn.init.constant_(cast(Tensor, self.last.bias), 3.0)

    def forward(self, image: Tensor) -> Tensor:
        return cast(Tensor, self.last(self.block(image))).sigmoid()


class _Fusion(nn.Module):
    """One level's block, of `width` channels, after one of `finer` channels or none."""

    def __init__(self, width: int, finer: int, gate: bool) -> None:
        super().__init__()
        self.optical, self.others, self.all = (_Context(width) for _ in range(3))
        self.gate = nn.Conv2d(2, 1, 7, padding=3) if gate else None
        self.step = nn.Conv2d(finer, width, 1) if finer else None
        squeezed = max(4, 3 * width // _REDUCTION)
        self.excite = nn.Sequential(
            nn.Conv2d(3 * width, squeezed, 1),
            nn.ReLU(),
            nn.Conv2d(squeezed, 3 * width, 1),
            nn.Sigmoid(),
        )
        self.correct = nn.Conv2d(width, width, 3, padding=1)

    def forward(
        self, optical: Tensor, others: Tensor, cross: Tensor, finer: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """Cross features and corrected optical ones, each ``[B, width, h, w]``."""
        if self.step is not None and finer is not None:
            height, width = cross.shape[-2:]
            pooled = F.adaptive_avg_pool2d(finer, (height, width))
            cross = cross + self.step(pooled)
        o, s, x = self.optical(optical), self.others(others), self.all(cross)
        dimmed = o
        if self.gate is not None:
            apart = (o - s).abs()
            seen = torch.cat([apart.amax(1, True), apart.mean(1, True)], 1)
            dimmed = o * self.gate(seen).sigmoid()
        parts = torch.cat([dimmed, s, x], 1)
        c = torch.stack((parts * self.excite(parts)).chunk(3, 1)).sum(0)
        # Against the context as it was before the gate: what a cloud hides is put
        # right by the whole difference, not by what is left of it.
        apart = c - o
        return c, optical + apart * self.correct(apart).sigmoid()


class _Context(nn.Module):
    """Features, and the largest of 2 x 2 and 4 x 4 around them, mixed."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.mixer = nn.Conv2d(3 * width, width, 1)

    def forward(self, features: Tensor) -> Tensor:
        height, width = features.shape[-2:]
        layers = [features]
        for side in (2, 4):
            pooled = F.max_pool2d(features, side, ceil_mode=True)
            wide = pooled.repeat_interleave(side, 2).repeat_interleave(side, 3)
            layers.append(wide[..., :height, :width])
        return cast(Tensor, self.mixer(torch.cat(layers, 1)).relu())


class _Decoder(nn.Module):
    """From the coarsest level to the finest, adding each one's features."""

    def __init__(self, widths: Sequence[int]) -> None:
        super().__init__()
        pairs = zip(widths[1:], widths, strict=False)
        self.ups = nn.ModuleList(nn.Conv2d(a, b, 1) for a, b in pairs)
        self.blocks = nn.ModuleList(convolved(width, width) for width in widths)

    def forward(self, levels: Sequence[Tensor]) -> Tensor:
        x = cast(Tensor, self.blocks[-1](levels[-1]))
        for up, block, level in zip(
            reversed(self.ups), reversed(self.blocks[:-1]), levels[-2::-1], strict=True
        ):
            x = block(level + _resized(up(x), level))
        return x


class _Remover(nn.Module):
    """Two convolutions to what removing clouds adds to an image; little at first."""

    def __init__(self, width: int, bands: int) -> None:
        super().__init__()
        self.block = convolved(width, width)
        self.last = nn.Conv2d(width, bands, 3, padding=1)
        nn.init.normal_(self.last.weight, std=1e-3)
        nn.init.zeros_(cast(Tensor, self.last.bias))

    def forward(self, features: Tensor) -> Tensor:
        return cast(Tensor, self.last(self.block(features)))


def _encoder(name: str, inputs: int, widths: Sequence[int]) -> nn.Module:
    if name != "plain":
        return make_encoder(name, inputs)
    if not 1 <= len(widths) <= 6 or min(widths) < 4:
        raise ValueError(
            f"widths must be one to six numbers of 4 or more, got {list(widths)}"
        )
    return PlainEncoder(inputs, widths)


def _resized(features: Tensor, like: Tensor) -> Tensor:
    """Features ``[B, C, h, w]`` at the rows and columns of `like`."""
    if features.shape[-2:] == like.shape[-2:]:
        return features
    return F.interpolate(
        features, like.shape[-2:], mode="bilinear", align_corners=False
    )
