"""How sensors come together, with pixels that were not observed left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from overcast.learn.batch import Batch

Fusion = Literal["early", "middle", "late"]


def observed(batch: Batch, bands: Mapping[str, int]) -> dict[str, Tensor]:
    """Every sensor as ``[B, C + 1, H, W]``: zero where invalid, and the validity.

    The last channel is 1 where the sensor saw the ground. A sensor that the batch
    lacks was seen nowhere.
    """
    like = next(iter(batch.images.values()))
    b, _, h, w = like.shape
    inputs = {}
    for name, count in bands.items():
        if name not in batch.images:
            inputs[name] = like.new_zeros(b, count + 1, h, w)
            continue
        valid = batch.valid[name].unsqueeze(1)
        # `where`, not a product: NaN times zero is NaN.
        seen = torch.where(valid, batch.images[name], 0)
        inputs[name] = torch.cat([seen, valid.to(seen.dtype)], dim=1)
    return inputs


def weighted_mean(features: Sequence[Tensor], validity: Sequence[Tensor]) -> Tensor:
    """Mean of the sensors' features ``[B, C, h, w]`` where each was observed.

    Validity ``[B, 1, H, W]`` of any size is averaged down to the features' size; where
    no sensor saw anything the mean is over all of them.
    """
    h, w = features[0].shape[-2:]
    weights = [F.adaptive_avg_pool2d(v, (h, w)) for v in validity]
    total = torch.stack(weights).sum(0)
    nowhere = (total <= 0).to(total.dtype)
    total = total + nowhere * len(features)
    return torch.stack(
        [f * ((w + nowhere) / total) for f, w in zip(features, weights, strict=True)]
    ).sum(0)


def pad_to(image: Tensor, multiple: int) -> Tensor:
    """Repeat the last rows and columns until both sizes are a multiple."""
    h, w = image.shape[-2:]
    bottom, right = -h % multiple, -w % multiple
    return F.pad(image, (0, right, 0, bottom), mode="replicate")
