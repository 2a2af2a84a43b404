"""Images with their mean and spread in wide boxes, as every pixel's own channels.

With x a band and E the mean over the observed pixels of a box,

    mean  E x        spread  sqrt(E x^2 - (E x)^2)

Radar is read this way by people too: multilooking takes speckle away, and the spread in
a box is texture, of towns and of forest (Lee 1980 has both). A convolution can learn it,
but only from far more samples than a few scenes hold.

Boxes are of 3, 9, 27, ... pixels a side: each is a mean of nine of those before, so that
one costs as much as another. Of a box that reaches over the edge of an image, those of
the nine whose own middle is inside count.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

_LITTLE = 1e-4
"""Keeps roots and shares off 0."""


def reach(count: int) -> int:
    """Pixels around a pixel that so many boxes see.

    Examples
    --------
    >>> reach(3)
    13
    """
    return sum(3**number for number in range(count))


def with_looks(image: Tensor, count: int) -> Tensor:
    """Add the means and spreads of so many boxes to an image, validity last.

    Parameters
    ----------
    image
        ``[B, C + 1, H, W]``, 0 where nothing was seen. What lies outside does not
        count.
    count
        Number of boxes, N.

    Returns
    -------
    Tensor
        ``[B, C (1 + 2 N) + 1, H, W]``.
    """
    bands, seen = image.shape[1] - 1, image[:, -1:]
    layers = [image[:, :-1]]
    sums = torch.cat([image[:, :-1], image[:, :-1].square(), seen], 1)
    for number in range(count):
        sums = _mean_of_nine(sums, 3**number)
        means = sums[:, :-1] / sums[:, -1:].clamp(min=_LITTLE)
        mean = means[:, :bands]
        variance = (means[:, bands:] - mean.square()).clamp(min=0)
        layers += [mean, (variance + _LITTLE).sqrt()]
    return torch.cat([*layers, seen], 1)


def _mean_of_nine(values: Tensor, step: int) -> Tensor:
    """Mean of the pixels at -step, 0 and step along both axes; 0 outside."""
    height, width = values.shape[-2:]
    wide = F.pad(values, (step,) * 4)
    places = (0, step, 2 * step)
    down = torch.stack([wide[..., k : k + height, :] for k in places]).mean(0)
    return torch.stack([down[..., k : k + width] for k in places]).mean(0)
