"""Losses of learning under clouds: removing them, and following a teacher around them.

With d the difference to the cloud-free image and m 1 under cloud,

    edge-cloud Charbonnier    mean (1 + 5 m) (d^2 + 1e-6)^0.45
    masked distillation       mean over pixels with m = 0 of (s - t)^2

of pixels and channels; s and t are the features of student and teacher (Xu et al.,
CloudSeg, ISPRS Journal 214, 2024). The first is nearly an absolute difference, and
smooth at 0.
"""

from __future__ import annotations

import torch
from torch import Tensor

from overcast.train.losses.reduce import masked_mean

_SMALL, _POWER = 1e-6, 0.45


def edge_cloud_charbonnier(
    restored: Tensor, clear: Tensor, cloud: Tensor, known: Tensor, extra: float = 5.0
) -> Tensor:
    """Distance of a restored image to the cloud-free one, more so under cloud.

    Parameters
    ----------
    restored, clear
        ``[B, C, H, W]``.
    cloud
        bool ``[B, H, W]``, True under cloud.
    known
        bool ``[B, H, W]``, where both images are; what stands elsewhere never counts.
    extra
        How much more a pixel under cloud counts than a clear one.

    Returns
    -------
    Tensor
        Scalar; zero, with gradient, if no pixel is known.

    Raises
    ------
    ValueError
        If the shapes don't fit.
    """
    difference, mask = _difference(restored, clear, known)
    weight = 1 + extra * _pixels(cloud, known)[:, None]
    distance = (difference.square() + _SMALL).pow(_POWER)
    return masked_mean(weight * distance, mask)


def masked_distillation(student: Tensor, teacher: Tensor, known: Tensor) -> Tensor:
    """Mean squared difference of features where both see the ground.

    Parameters
    ----------
    student, teacher
        ``[B, C, H, W]``; the teacher gets no gradient.
    known
        bool ``[B, H, W]``, free of cloud and observed by both.

    Returns
    -------
    Tensor
        Scalar; zero, with gradient, if no pixel is known.

    Raises
    ------
    ValueError
        If the shapes don't fit.
    """
    difference, mask = _difference(student, teacher.detach(), known)
    return masked_mean(difference.square(), mask)


def _difference(one: Tensor, other: Tensor, known: Tensor) -> tuple[Tensor, Tensor]:
    """Difference in float32 or better, zero where not known; where it is known."""
    if one.dim() != 4 or one.shape != other.shape:
        raise ValueError(
            f"got {tuple(one.shape)} and {tuple(other.shape)}, expected two tensors "
            "[B, C, H, W] of one shape"
        )
    if known.shape != (len(one), *one.shape[2:]):
        raise ValueError(
            f"known is {tuple(known.shape)}, expected [B, H, W] of {tuple(one.shape)}"
        )
    wide = torch.promote_types(one.dtype, torch.float32)
    mask = known[:, None].expand_as(one)
    first, second = (torch.where(mask, t, 0).to(wide) for t in (one, other))
    return first - second, mask


def _pixels(cloud: Tensor, known: Tensor) -> Tensor:
    if cloud.shape != known.shape:
        raise ValueError(
            f"cloud is {tuple(cloud.shape)}, expected that of known, "
            f"{tuple(known.shape)}"
        )
    return cloud.float()
