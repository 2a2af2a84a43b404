"""Learning under a prior belief per pixel: QR and RQ (Rolf 2022).

With q = softmax(logits) and P the prior of a pixel i over classes k, the network is
taken as the posterior of an implicit generative model, in which pixel i has among the
pixels of class k the probability q_ik / sum_j q_jk. Then

    r_ik = P_ik (q_ik / sum_j q_jk) / (sum over classes of the same)
    QR   = KL(q || r)          RQ = -sum_k r_k log q_k

so a class that the network gives everywhere loses by it, and rare ones gain. Both are
means over known pixels; the sum over j is over the known pixels of the image. (Theirs
is over the batch. One image, unlike a batch, lies whole in one process.)

The gradient flows through r too. RQ with r held fixed is `cross_entropy(logits,
implicit_posterior(logits, prior).detach())`. torchgeo has them as QRLoss, which lacks
the mean logarithm of the denominator of r (the bound, not the divergence), and RQLoss,
which is RQ less the entropy of r.
"""

from __future__ import annotations

import torch
from torch import Tensor

from overcast.train.losses.pixel import cross_entropy
from overcast.train.losses.reduce import masked_mean
from overcast.train.losses.target import (
    known_pixels,
    log_probabilities,
    soft_labels,
)

LOWEST_PRIOR = 1e-8
"""A prior of zero would make QR infinite; torchgeo has the same bound."""


def qr_loss(logits: Tensor, prior: Tensor) -> Tensor:
    """Divergence KL(q || r) of the prediction from the posterior.

    Parameters
    ----------
    logits
        ``[B, K, H, W]``.
    prior
        ``[B, K, H, W]``, belief over the classes of each pixel; all zero where there
        is none.

    Returns
    -------
    Tensor
        Scalar; zero, with gradient, if no pixel is known.

    Raises
    ------
    ValueError
        If the shapes don't fit, or `prior` is not floating point.
    """
    known, log_q, log_r = _posterior(logits, prior)
    return masked_mean((log_q.exp() * (log_q - log_r)).sum(1), known)


def rq_loss(logits: Tensor, prior: Tensor) -> Tensor:
    """Cross-entropy -sum r log q of the posterior and the prediction.

    Arguments as of `qr_loss`.

    Raises
    ------
    ValueError
        If the shapes don't fit, or `prior` is not floating point.
    """
    return cross_entropy(logits, implicit_posterior(logits, prior))


def implicit_posterior(logits: Tensor, prior: Tensor) -> Tensor:
    """The posterior r, ``[B, K, H, W]``; all zero where there is no prior.

    Arguments as of `qr_loss`.

    Raises
    ------
    ValueError
        If the shapes don't fit, or `prior` is not floating point.
    """
    known, _, log_r = _posterior(logits, prior)
    return torch.where(known[:, None], log_r.exp(), 0)


def _posterior(logits: Tensor, prior: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Known pixels, log q and log r."""
    if not prior.is_floating_point():
        raise ValueError(
            f"prior is {prior.dtype}, expected floating point [B, K, H, W]: the "
            "probability of each class, say transition[labels]"
        )
    known = known_pixels(logits, prior)
    log_q = log_probabilities(logits, known)
    log_prior = soft_labels(prior, known).to(log_q.dtype).clamp_min(LOWEST_PRIOR).log()
    # Not -inf, whose logarithmic sum has no gradient in an image without known pixels.
    far = torch.where(known[:, None], log_q, -1e30)
    log_r = log_prior + log_q - far.logsumexp((2, 3), keepdim=True)
    return known, log_q, log_r.log_softmax(1)
