"""Losses of single pixels, averaged over the known pixels of the batch.

With p = softmax(logits) of a pixel, y its label and t its soft label (one at y, zero
elsewhere, if the label is hard):

    cross-entropy              -sum_k t_k log p_k
    label smoothing            the same with t' = (1 - e) t + e / K
    focal                      -(1 - p_y)^g log p_y
    generalised cross-entropy  (1 - p_y^q) / q
    symmetric cross-entropy    a CE + b RCE,  RCE = -sum_k p_k log max(t_k, 1e-4)
    soft bootstrapping         -sum_k (b t_k + (1 - b) p_k) log p_k
    hard bootstrapping         -sum_k (b t_k + (1 - b) [k = argmax p]) log p_k

A loss of p_y is averaged under t where the label is soft. `confidence` multiplies the
loss of its pixel; the mean stays one over pixels, so that a batch of doubtful
pseudo-labels moves the weights less (the weighting of DACS, Tranheden 2021).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from overcast.train.batch import IGNORE
from overcast.train.losses.reduce import masked_mean
from overcast.train.losses.target import (
    expected,
    hard_pixels,
    known_pixels,
    log_probabilities,
    soft_labels,
)

LOWEST_TARGET = 1e-4
"""What Wang 2019 puts for a target of zero, whose logarithm is not finite."""


def cross_entropy(
    logits: Tensor,
    labels: Tensor,
    weight: Tensor | None = None,
    confidence: Tensor | None = None,
) -> Tensor:
    """Cross-entropy, ``-log softmax(logits)[label]``, over known pixels.

    Parameters
    ----------
    logits
        ``[B, K, H, W]``.
    labels
        int64 ``[B, H, W]``, `IGNORE` where unknown; or soft, ``[B, K, H, W]``, all
        zero where unknown.
    weight
        ``[K]``, of the classes; the mean is then over weights, not pixels.
    confidence
        ``[B, H, W]`` or ``[B, 1, 1]``, factor of each pixel's or image's loss.

    Returns
    -------
    Tensor
        Scalar; zero, with gradient, if no pixel is known.

    Raises
    ------
    ValueError
        If the shapes don't fit.
    """
    known = known_pixels(logits, labels)
    log_p = log_probabilities(logits, known)
    if weight is None:
        return mean_loss(-expected(log_p, labels, known), known, confidence)
    each = weight.to(log_p.dtype)[:, None, None].expand_as(log_p)
    weights = expected(each, labels, known)
    # Divided here, as the mean multiplies by the weights again.
    loss = -expected(each * log_p, labels, known)
    loss = loss / torch.where(weights > 0, weights, 1)
    return mean_loss(loss, known, confidence, weights)


def label_smoothing_cross_entropy(
    logits: Tensor,
    labels: Tensor,
    smoothing: float = 0.1,
    confidence: Tensor | None = None,
) -> Tensor:
    """Cross-entropy with a share `smoothing` of the label given to all K classes alike.

    Szegedy 2016. Arguments as of `cross_entropy`.

    Raises
    ------
    ValueError
        If `smoothing` is not in 0 to 1, or the shapes don't fit.
    """
    _check("smoothing", smoothing, 0 <= smoothing <= 1, "0 to 1")
    known = known_pixels(logits, labels)
    log_p = log_probabilities(logits, known)
    loss = (1 - smoothing) * expected(log_p, labels, known) + smoothing * log_p.mean(1)
    return mean_loss(-loss, known, confidence)


def focal_loss(
    logits: Tensor,
    labels: Tensor,
    gamma: float = 2.0,
    confidence: Tensor | None = None,
) -> Tensor:
    """Focal loss: cross-entropy times ``(1 - p_y)^gamma``, small where it is easy.

    Lin 2017. Arguments as of `cross_entropy`.

    Raises
    ------
    ValueError
        If `gamma` is negative, or the shapes don't fit.
    """
    _check("gamma", gamma, gamma >= 0, "0 or more")
    known = known_pixels(logits, labels)
    log_p = log_probabilities(logits, known)
    # A root has no finite gradient at zero, which is where 1 - p is when p rounds to 1.
    missing = (-torch.expm1(log_p)).clamp_min(torch.finfo(log_p.dtype).tiny)
    loss = -(missing**gamma) * log_p
    return mean_loss(expected(loss, labels, known), known, confidence)


def generalised_cross_entropy(
    logits: Tensor, labels: Tensor, q: float = 0.7, confidence: Tensor | None = None
) -> Tensor:
    """Generalised cross-entropy: ``(1 - p_y^q) / q``, cross-entropy as q goes to 0.

    Zhang and Sabuncu 2018. At q = 1 it is ``1 - p_y``, half the absolute error, which
    tolerates noise but learns slowly. Arguments as of `cross_entropy`.

    Raises
    ------
    ValueError
        If `q` is not above 0 and at most 1, or the shapes don't fit.
    """
    _check("q", q, 0 < q <= 1, "above 0 and at most 1; cross_entropy is q = 0")
    known = known_pixels(logits, labels)
    loss = -torch.expm1(q * log_probabilities(logits, known)) / q
    return mean_loss(expected(loss, labels, known), known, confidence)


def symmetric_cross_entropy(
    logits: Tensor,
    labels: Tensor,
    alpha: float = 0.1,
    beta: float = 1.0,
    confidence: Tensor | None = None,
) -> Tensor:
    """Cross-entropy of the label and, in reverse, of the prediction.

    Wang 2019: ``alpha CE + beta RCE``, ``RCE = -sum_k p_k log max(t_k, 1e-4)``. Of a
    hard label RCE is ``9.21 (1 - p_y)``: bounded, so that wrong labels can't pull
    without limit. The factors are Wang's for 10 classes; for 100 they are 6 and .1.
    Arguments as of `cross_entropy`.

    Raises
    ------
    ValueError
        If the shapes don't fit.
    """
    known = known_pixels(logits, labels)
    log_p = log_probabilities(logits, known)
    if labels.is_floating_point():
        target = soft_labels(labels, known).to(log_p.dtype)
        reverse = -(log_p.exp() * target.clamp_min(LOWEST_TARGET).log()).sum(1)
    else:
        missing = -torch.expm1(expected(log_p, labels, known))
        reverse = -math.log(LOWEST_TARGET) * missing
    loss = -alpha * expected(log_p, labels, known) + beta * reverse
    return mean_loss(loss, known, confidence)


def soft_bootstrapping(
    logits: Tensor, labels: Tensor, beta: float = 0.95, confidence: Tensor | None = None
) -> Tensor:
    """Cross-entropy with the label mixed with the prediction itself.

    Reed 2015: a share `beta` of the target is the label, the rest is p, through which
    the gradient flows: cross-entropy and entropy in one. Arguments as of
    `cross_entropy`.

    Raises
    ------
    ValueError
        If `beta` is not in 0 to 1, or the shapes don't fit.
    """
    _check("beta", beta, 0 <= beta <= 1, "0 to 1")
    known = known_pixels(logits, labels)
    log_p = log_probabilities(logits, known)
    own = (log_p.exp() * log_p).sum(1)
    loss = -beta * expected(log_p, labels, known) - (1 - beta) * own
    return mean_loss(loss, known, confidence)


def hard_bootstrapping(
    logits: Tensor, labels: Tensor, beta: float = 0.8, confidence: Tensor | None = None
) -> Tensor:
    """Cross-entropy with the label mixed with the likeliest class of the prediction.

    Reed 2015. Arguments as of `soft_bootstrapping`.

    Raises
    ------
    ValueError
        If `beta` is not in 0 to 1, or the shapes don't fit.
    """
    _check("beta", beta, 0 <= beta <= 1, "0 to 1")
    known = known_pixels(logits, labels)
    log_p = log_probabilities(logits, known)
    loss = -beta * expected(log_p, labels, known) - (1 - beta) * log_p.amax(1)
    return mean_loss(loss, known, confidence)


def agreeing_labels(logits: Tensor, labels: Tensor) -> Tensor:
    """Hard `labels` where `logits` give them the highest score, elsewhere `IGNORE`.

    The idea of Paraformer (Li 2024): one branch learns from all coarse labels, a
    second one only from those with which the first agrees.

    Raises
    ------
    ValueError
        If the shapes don't fit, or the labels are soft.
    """
    agree = hard_pixels(logits, labels) & (logits.argmax(1) == labels)
    return torch.where(agree, labels, IGNORE)


def mean_loss(
    loss: Tensor,
    known: Tensor,
    confidence: Tensor | None = None,
    weight: Tensor | None = None,
) -> Tensor:
    """Mean of `loss` ``[B, H, W]`` times `confidence` over known pixels.

    Raises
    ------
    ValueError
        If `confidence` is not ``[B, H, W]`` or ``[B, 1, 1]``.
    """
    if confidence is None:
        return masked_mean(loss, known, weight)
    if confidence.shape not in (loss.shape, (len(loss), 1, 1)):
        raise ValueError(
            f"confidence is {tuple(confidence.shape)}, expected {tuple(loss.shape)}, "
            f"of pixels, or {(len(loss), 1, 1)}, of images"
        )
    # What stands there where nothing is known may be NaN.
    factor = torch.where(known, confidence.to(loss.dtype), 0)
    return masked_mean(loss * factor, known, weight)


def _check(name: str, value: float, good: bool, expect: str) -> None:
    if not good:
        raise ValueError(f"{name} is {value}, expected {expect}")
