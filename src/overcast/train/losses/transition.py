"""Learning through a transition matrix from true to given classes.

T[i, j] is the probability that a pixel whose true class is i carries label j; rows sum
to one. With p = softmax(logits), over true classes (Patrini 2017):

    forward correction     -log sum_i p_i T[i, y]
    backward correction    -sum_j (T^-1)[y, j] log p_j

Either makes the network predict true classes from noisy labels: forward has the clean
minimiser, backward the clean expectation, gradient included, but a larger variance,
and it is not bounded below. T is given, or found by `estimate_transition`, or learned
together with the network as a `NoiseLayer` (Sukhbaatar 2015).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from overcast.train.losses.pixel import mean_loss
from overcast.train.losses.target import hard_pixels, log_probabilities


def forward_correction(
    logits: Tensor,
    labels: Tensor,
    transition: Tensor,
    confidence: Tensor | None = None,
) -> Tensor:
    """Cross-entropy between the label and the prediction sent through `transition`.

    Parameters
    ----------
    logits
        ``[B, K, H, W]``, of the true classes.
    labels
        int64 ``[B, H, W]``, given classes, `IGNORE` where unknown.
    transition
        ``[K, C]``, probability of given class C under true class K; the legends may
        differ. It gets a gradient if it asks for one.
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
    known = hard_pixels(logits, labels)
    log_p = log_probabilities(logits, known)
    _check(transition, log_p.shape[1], None)
    log_t = _log(transition.to(log_p.dtype))
    likelihood = (log_p + _row(log_t.T, labels, known)).logsumexp(1)
    return mean_loss(-likelihood, known, confidence)


def backward_correction(
    logits: Tensor,
    labels: Tensor,
    transition: Tensor,
    confidence: Tensor | None = None,
) -> Tensor:
    """Combine the losses of all labels so that noise cancels in expectation.

    Arguments as of `forward_correction`, but `transition` is ``[K, K]``.

    Raises
    ------
    ValueError
        If the shapes don't fit, or the matrix has no inverse.
    """
    known = hard_pixels(logits, labels)
    log_p = log_probabilities(logits, known)
    classes = log_p.shape[1]
    _check(transition, classes, classes)
    inverse, failed = torch.linalg.inv_ex(transition.to(log_p.dtype))
    if failed.item():
        raise ValueError(
            "transition has no inverse: two true classes get the same labels; merge "
            "them, or use forward_correction"
        )
    loss = -(_row(inverse, labels, known) * log_p).sum(1)
    return mean_loss(loss, known, confidence)


def estimate_transition(probabilities: Tensor, quantile: float = 1.0) -> Tensor:
    """Transition matrix by anchors: T[i] = q(x_i), x_i the surest pixel of class i.

    Patrini 2017. `probabilities` must come from a network that learned the noisy
    labels with plain cross-entropy, on pixels it has seen or not; the surest pixel of
    a class is taken to be truly of it.

    Parameters
    ----------
    probabilities
        ``[N, K]`` of N pixels.
    quantile
        Which pixel is taken, 0 to 1: 1 is the surest; the paper takes .97 where the
        surest are outliers, which fails for classes rarer than 3 %.

    Returns
    -------
    Tensor
        ``[K, K]``, rows sum to one.

    Raises
    ------
    ValueError
        If there are no pixels, or `quantile` is not in 0 to 1.
    """
    if probabilities.dim() != 2 or len(probabilities) == 0:
        raise ValueError(
            f"probabilities are {tuple(probabilities.shape)}, expected [N, K] of one "
            "pixel or more"
        )
    if not 0 <= quantile <= 1:
        raise ValueError(f"quantile is {quantile}, expected 0 to 1")
    rank = round(quantile * (len(probabilities) - 1))
    anchors = probabilities[probabilities.argsort(0)[rank]]
    return anchors / anchors.sum(1, keepdim=True)


class NoiseLayer(nn.Module):
    """A transition matrix that is learned: ``T = softmax(weights)``, row by row.

    Calling it gives T for `forward_correction`. Nothing but the start, near identity,
    and the shared network tells true from given classes: Sukhbaatar 2015 therefore
    adds a small multiple of ``trace(T)`` to the loss, or weight decay, which both draw
    T away from the identity until the noise is explained.

    Parameters
    ----------
    classes
        Number of classes, 2 or more.
    diagonal
        Diagonal of T at the start, above 0 and below 1; the rest is shared equally.

    Examples
    --------
    >>> NoiseLayer(3, diagonal=0.5)().tolist()
    [[0.5, 0.25, 0.25], [0.25, 0.5, 0.25], [0.25, 0.25, 0.5]]
    """

    def __init__(self, classes: int, diagonal: float = 0.95) -> None:
        super().__init__()
        if classes < 2 or not 0 < diagonal < 1:
            raise ValueError(
                f"classes is {classes} and diagonal {diagonal}, expected 2 or more and "
                "a share above 0 and below 1"
            )
        height = math.log(diagonal * (classes - 1) / (1 - diagonal))
        self.weights = nn.Parameter(height * torch.eye(classes))

    def forward(self) -> Tensor:
        """Transition matrix ``[K, K]``."""
        return self.weights.softmax(1)


def _row(matrix: Tensor, labels: Tensor, known: Tensor) -> Tensor:
    """Row of `matrix` ``[C, K]`` for the label of each pixel: ``[B, K, H, W]``."""
    return matrix[torch.where(known, labels, 0)].movedim(-1, 1)


def _log(transition: Tensor) -> Tensor:
    """Logarithm; where no class gives a label, that costs much, but not infinity."""
    possible = transition > 0
    # A logarithm of zero would make the gradient of the matrix NaN.
    log_t = torch.where(possible, transition, 1).log()
    log_t = torch.where(possible, log_t, -torch.inf)
    lowest = math.log(torch.finfo(transition.dtype).tiny)
    return torch.where(possible.any(0), log_t, lowest)


def _check(transition: Tensor, rows: int, columns: int | None) -> None:
    shape = tuple(transition.shape)
    if len(shape) != 2 or shape[0] != rows or columns not in (None, shape[1]):
        expect = f"[{rows}, {'given classes' if columns is None else columns}]"
        raise ValueError(f"transition is {list(shape)}, expected {expect}")
