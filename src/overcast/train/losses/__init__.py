"""Losses: one pure function per published loss; unknown pixels never count.

A pixel is unknown where its label is `IGNORE`, or where its soft label is all zero or
NaN. Whatever stands in the logits there, NaN included, reaches neither value nor
gradient, and a batch without a known pixel gives zero, with gradient. Half-precision
logits are computed in float32.

Means are over the whole batch, of all processes together: `reduce` says how. Losses
that are no sums over pixels (`dice_loss`, `lovasz_softmax`, `label_super_resolution`,
`qr_loss`, `rq_loss`) take their statistics image by image, since an image lies whole
in one process, and so keep that property.
"""

from overcast.train.losses.cloud import edge_cloud_charbonnier, masked_distillation
from overcast.train.losses.pixel import (
    agreeing_labels,
    cross_entropy,
    focal_loss,
    generalised_cross_entropy,
    hard_bootstrapping,
    label_smoothing_cross_entropy,
    soft_bootstrapping,
    symmetric_cross_entropy,
)
from overcast.train.losses.posterior import implicit_posterior, qr_loss, rq_loss
from overcast.train.losses.reduce import masked_mean
from overcast.train.losses.region import dice_loss, lovasz_softmax
from overcast.train.losses.shares import (
    OUTSIDE,
    label_super_resolution,
    share_cross_entropy,
    share_divergence,
)
from overcast.train.losses.transition import (
    NoiseLayer,
    backward_correction,
    estimate_transition,
    forward_correction,
)

__all__ = [
    "OUTSIDE",
    "NoiseLayer",
    "agreeing_labels",
    "backward_correction",
    "cross_entropy",
    "dice_loss",
    "edge_cloud_charbonnier",
    "estimate_transition",
    "focal_loss",
    "forward_correction",
    "generalised_cross_entropy",
    "hard_bootstrapping",
    "implicit_posterior",
    "label_smoothing_cross_entropy",
    "label_super_resolution",
    "lovasz_softmax",
    "masked_distillation",
    "masked_mean",
    "qr_loss",
    "rq_loss",
    "share_cross_entropy",
    "share_divergence",
    "soft_bootstrapping",
    "symmetric_cross_entropy",
]
