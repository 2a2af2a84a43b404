"""Estimates for zones with few points, and estimates that add up to those of the map.

A zone's own estimate y is good where it has many points; the synthetic one x, which takes
the map's errors to be in every zone as they are on the whole map, where it has few. The
composite lies between the two (Fay and Herriot 1979, J. Am. Stat. Assoc. 74, 269-277)::

    y_d = x_d + u_d + e_d,    V(u_d) = φ b_d,    V(e_d) = v_d
    θ_d = γ_d y_d + (1 - γ_d) x_d,               γ_d = φ b_d / (φ b_d + v_d)

with v the sampling variance and b that of a single pixel about the model, both from the
whole map's errors. So φ says how much alike the errors of one zone are: 0 where zones
don't differ. It is the mean of its posterior with an even prior from 0 to 1 (Rao and
Molina 2015, section 10.3), where ``(y_d - x_d)² / (φ b_d + v_d)``, with squares and
variances added up over the classes, is chi-square: so it is above 0 however few zones
there are. One φ for all classes keeps the shares' sum at 1.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_STEPS = np.linspace(0, 1, 501)
"""Values of φ that are looked at."""


def likeness(gap: Floats, sampling: Floats, single: Floats) -> tuple[float, float]:
    """Return how alike the errors of one zone are, φ, and its variance.

    Parameters
    ----------
    gap, sampling, single
        ``[D]`` of zones with points: squared difference of own and synthetic estimate,
        its sampling variance, and the variance of a single pixel; each added up over
        the classes.
    """
    used = (sampling > 0) & (single > 0)
    spread = _STEPS[:, None] * single[used] + sampling[used]
    fit = -0.5 * (np.log(spread) + gap[used] / spread).sum(1)
    weight = np.exp(fit - fit.max())
    mean = float(weight @ _STEPS / weight.sum())
    return mean, float(weight @ (_STEPS - mean) ** 2 / weight.sum())


def weight_of_own(phi: float, sampling: Floats, single: Floats) -> Floats:
    """γ ``[D]``: what the own estimate counts in the composite; 0 without points."""
    with np.errstate(invalid="ignore", divide="ignore"):
        gamma = phi * single / (phi * single + sampling)
    return np.where(np.isfinite(sampling) & np.isfinite(gamma), gamma, 0.0)


def add_up(values: Floats, rows: Floats, columns: Floats) -> Floats:
    """Scale estimates ``[D, K]`` so that rows and columns have the sums given.

    Iterative proportional fitting (Deming and Stephan 1940): what is 0 stays 0. The two
    margins must have one sum; a row or column of zeros is left as it is.
    """
    fitted = np.maximum(values, 0.0)
    for _ in range(1000):
        fitted = fitted * _factor(columns, fitted.sum(0))[None]
        sums = fitted.sum(1)
        fitted = fitted * _factor(rows, sums)[:, None]
        if np.allclose(sums, rows, rtol=1e-10, atol=1e-9 * rows.sum()):
            break
    return fitted


def _factor(wanted: Floats, present: Floats) -> Floats:
    return np.divide(wanted, present, out=np.ones_like(present), where=present > 0)
