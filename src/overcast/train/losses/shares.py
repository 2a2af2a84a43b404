"""Learning from class shares of areas, for labels much coarser than the pixels.

Label super-resolution (Malkin 2019) knows, for every coarse class c, mean m_ch and
spread s_ch of the share of fine class h inside it. Per image, with p = softmax(logits)
and N_c pixels of coarse class c:

    mu_ch = sum_c p_h / N_c                  v_ch = sum_c p_h (1 - p_h) / N_c^2
    term  = relu(|mu_ch - m_ch| - s_ch)^2 / (v_ch + s_ch^2 + 1e-6) + log(v_ch + .03)
    loss  = sum_ch  N_c / (N_all + 10)  w_c  term

Where the shares of each cell are known, by cell i of n_i pixels with shares s_ik:

    cross-entropy  -sum_k s_ik log mu_ik       divergence  sum_k s_ik log(s_ik / mu_ik)

with mu_i the mean prediction inside the cell; mean over cells, weighted by n_i, so
that cells cut off by the window count for what is seen of them, and that cells of one
pixel give `cross_entropy`.
"""

from __future__ import annotations

import torch
from torch import Tensor

from overcast.train.losses.reduce import masked_mean
from overcast.train.losses.target import hard_pixels, log_probabilities

OUTSIDE = -1
"""Cell number of a pixel outside all cells: `IGNORE`, 255, is the number of a cell."""


def label_super_resolution(
    logits: Tensor,
    labels: Tensor,
    mean: Tensor,
    spread: Tensor,
    weight: Tensor | None = None,
) -> Tensor:
    """Distance of the class shares inside each coarse class from what is usual there.

    In the authors' mix it has a factor of 1/40 beside 39/40 of cross-entropy where
    fine labels exist. It may be negative.

    Parameters
    ----------
    logits
        ``[B, K, H, W]``, of the fine classes.
    labels
        int64 ``[B, H, W]``, coarse classes, 0 to C - 1, `IGNORE` where unknown.
    mean, spread
        ``[C, K]``, of the share of each fine class inside each coarse one.
    weight
        ``[C]``, of the coarse classes; 1 if not given.

    Returns
    -------
    Tensor
        Scalar, the mean over images with known pixels; zero, with gradient, if none.

    Raises
    ------
    ValueError
        If the shapes don't fit.
    """
    known = hard_pixels(logits, labels)
    classes = logits.shape[1]
    if mean.shape != spread.shape or mean.dim() != 2 or mean.shape[1] != classes:
        raise ValueError(
            f"mean is {tuple(mean.shape)} and spread {tuple(spread.shape)}, expected "
            f"both [C, {classes}]: coarse classes by fine ones"
        )
    p = log_probabilities(logits, known).exp()
    count, share, variance = _statistics(p, labels, known, len(mean))
    m, s = mean.to(p.dtype), spread.to(p.dtype)
    off = ((share - m).abs() - s).relu() ** 2
    term = off / (variance + s**2 + 1e-6) + (variance + 0.03).log()
    part = count / (count.sum(1, keepdim=True) + 10)
    if weight is not None:
        part = part * weight.to(p.dtype)
    return masked_mean((part[..., None] * term).sum((1, 2)), known.flatten(1).any(1))


def share_cross_entropy(logits: Tensor, cells: Tensor, shares: Tensor) -> Tensor:
    """Cross-entropy of each cell's shares and the mean prediction inside it.

    Parameters
    ----------
    logits
        ``[B, K, H, W]``.
    cells
        int64 ``[B, H, W]``, number of the cell within its image, 0 to M - 1;
        `OUTSIDE` (any negative number) outside.
    shares
        ``[B, M, K]``, class shares of the cells of each image, a row sums to one; all
        zero (or NaN) where not known, as in rows that fill up.

    Returns
    -------
    Tensor
        Scalar; zero, with gradient, if no pixel lies in a known cell.

    Raises
    ------
    ValueError
        If the shapes don't fit.
    """
    log_mean, target, size = _cells(logits, cells, shares)
    loss = -(target * log_mean).sum(2)
    return masked_mean(loss, size > 0, size)


def share_divergence(logits: Tensor, cells: Tensor, shares: Tensor) -> Tensor:
    """Kullback-Leibler divergence of the mean prediction from each cell's shares.

    `share_cross_entropy` less the entropy of the shares: the same gradient, and zero
    where they match. Arguments as there.

    Raises
    ------
    ValueError
        If the shapes don't fit.
    """
    log_mean, target, size = _cells(logits, cells, shares)
    loss = (torch.special.xlogy(target, target) - target * log_mean).sum(2)
    return masked_mean(loss, size > 0, size)


def _cells(
    logits: Tensor, cells: Tensor, shares: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Log of the mean prediction and shares, ``[B, M, K]``, and pixels ``[B, M]``."""
    pixels = (logits.shape[0], *logits.shape[2:])
    fits = shares.dim() == 3 and shares.shape[::2] == logits.shape[:2]
    if cells.shape != pixels or not fits:
        raise ValueError(
            f"logits are {tuple(logits.shape)}, cells {tuple(cells.shape)} and shares "
            f"{tuple(shares.shape)}; expected [B, K, H, W], [B, H, W] and [B, M, K]"
        )
    given = shares.sum(2) > 0
    inside = cells >= 0
    index = torch.where(inside, cells, 0).flatten(1)
    inside &= given.gather(1, index).view_as(inside)
    log_p = log_probabilities(logits, inside)
    target = torch.where(given[..., None], shares, 0).to(log_p.dtype)
    size = _sum_within(inside[:, None].to(log_p.dtype), index, inside, shares.shape[1])
    log_sum = _log_sum_within(log_p, index, inside, shares.shape[1])
    return log_sum - size.clamp_min(1).log(), target, size[..., 0]


def _statistics(
    p: Tensor, labels: Tensor, known: Tensor, classes: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Pixels ``[B, C]``, mean and variance of the mean ``[B, C, K]`` of `p`."""
    index = torch.where(known, labels, 0).flatten(1)
    count = _sum_within(known[:, None].to(p.dtype), index, known, classes)
    some = count.clamp_min(1)
    share = _sum_within(p, index, known, classes) / some
    variance = _sum_within(p * (1 - p), index, known, classes) / some**2
    return count[..., 0], share, variance


def _sum_within(values: Tensor, index: Tensor, inside: Tensor, count: int) -> Tensor:
    """Sum of ``[B, K, H, W]`` over the pixels of each index: ``[B, count, K]``."""
    masked = torch.where(inside[:, None], values, 0).flatten(2)
    sums = masked.new_zeros(*masked.shape[:2], count)
    return sums.scatter_add(2, index[:, None].expand_as(masked), masked).mT


def _log_sum_within(
    log_values: Tensor, index: Tensor, inside: Tensor, count: int
) -> Tensor:
    """Logarithm of the sum of ``exp(log_values)`` likewise, safe from underflow."""
    masked = torch.where(inside[:, None], log_values, -torch.inf).flatten(2).detach()
    spread = index[:, None].expand_as(masked)
    top = masked.new_full((*masked.shape[:2], count), -torch.inf)
    top = top.scatter_reduce(2, spread, masked, "amax").nan_to_num(neginf=0)
    # Outside, the difference may be so large that its exponential is infinite.
    shifted = log_values - top.gather(2, spread).view_as(log_values)
    shifted = torch.where(inside[:, None], shifted, 0)
    sums = _sum_within(shifted.exp(), index, inside, count)
    return torch.where(sums > 0, sums, 1).log() + top.mT
