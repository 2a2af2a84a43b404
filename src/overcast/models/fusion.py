"""How sensors come together, with pixels that were not observed left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from overcast.train.batch import Batch

Fusion = Literal["early", "middle", "late"]

_MIDDLE, _SCALE = 0.4, 5.0
"""Land is at .25 to .6 in network units, with a spread of .1 to .2."""


def checked(bands: Mapping[str, int]) -> dict[str, int]:
    """Return `bands` if a network can have a part for each of them.

    Raises
    ------
    ValueError
        If there are no sensors, one has no bands, or PyTorch can't name a part so.
    """
    if not bands or min(bands.values()) < 1:
        raise ValueError(
            f"a network needs one sensor or more, of one band or more, got {dict(bands)}"
        )
    taken = nn.ModuleDict()
    bad = [repr(n) for n in bands if not n or "." in n or hasattr(taken, n)]
    if bad:
        raise ValueError(
            f"a network's sensor can't be called {', '.join(bad)}; use another name, "
            "without dots"
        )
    return dict(bands)


def observed(batch: Batch, bands: Mapping[str, int]) -> dict[str, Tensor]:
    """Every sensor as ``[B, C + 1, H, W]``: zero where invalid, and the validity.

    The last channel is 1 where the sensor saw the ground. A sensor that the batch
    lacks was seen nowhere.

    Raises
    ------
    ValueError
        If the batch has no image at all, or one of another number of bands.
    """
    if not batch.images:
        raise ValueError(
            f"the batch has no images; expected some of {', '.join(bands)}"
        )
    like = next(iter(batch.images.values()))
    b, _, h, w = like.shape
    inputs = {}
    for name, count in bands.items():
        if name not in batch.images:
            inputs[name] = like.new_zeros(b, count + 1, h, w)
            continue
        image, valid = batch.images[name], batch.valid[name].unsqueeze(1)
        if image.shape[1] != count:
            raise ValueError(
                f"{name} has {image.shape[1]} bands, the network was made for {count}"
            )
        # `where`, not a product: NaN times zero is NaN.
        seen = torch.where(valid, image, 0)
        inputs[name] = torch.cat([seen, valid.to(seen.dtype)], dim=1)
    return inputs


def centred(image: Tensor) -> Tensor:
    """Network units around 0 with a spread of about 1, validity last.

    Of an image ``[B, C + 1, H, W]`` of `observed`. 0 stays 0 where nothing was seen,
    and is then an ordinary value. Unlike batch normalisation it makes no pixel depend
    on others; without either, small networks learn several times more slowly.
    """
    values, seen = image[:, :-1], image[:, -1:]
    return torch.cat([_SCALE * seen * (values - _MIDDLE), seen], 1)


def network_units(values: Tensor) -> Tensor:
    """Undo `centred`, for values without their validity."""
    return _MIDDLE + values / _SCALE


def weighted_mean(features: Sequence[Tensor], validity: Sequence[Tensor]) -> Tensor:
    """Mean of the sensors' features ``[B, C, h, w]`` where each was observed.

    Validity ``[B, 1, H, W]`` of any size is averaged down to the features' size; where
    no sensor saw anything the mean is over all of them.
    """
    if len(features) == 1:
        return features[0]
    h, w = features[0].shape[-2:]
    weights = torch.stack(
        [
            v if v.shape[-2:] == (h, w) else F.adaptive_avg_pool2d(v, (h, w))
            for v in validity
        ]
    )
    weights = torch.where(weights.sum(0) > 0, weights, 1)
    shares = weights / weights.sum(0)
    mean = features[0] * shares[0]
    for feature, share in zip(features[1:], shares[1:], strict=True):
        mean = mean + feature * share
    return mean


def pad_to(image: Tensor, multiple: int) -> Tensor:
    """Repeat the last rows and columns until both sizes are a multiple, two at least.

    Two, because the last features of an encoder would else be one value a channel,
    and batch normalisation can't learn from one value, which a batch of one is.
    """
    h, w = image.shape[-2:]
    bottom, right = (max(2 * multiple, n + -n % multiple) - n for n in (h, w))
    return F.pad(image, (0, right, 0, bottom), mode="replicate")
