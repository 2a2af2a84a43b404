"""Confidence put right by a temperature and then by a curve that never falls.

A temperature has one number, and a method may be too sure at one end and not sure enough
at the other. A curve g of the confidence p (that of the most probable class) is learned
from how often held-out pixels were right: isotonic regression (Zadrozny and Elkan 2002,
KDD; of the top class alone, Gupta and Ramdas 2022, ICLR). Of some hundred pixels it is
mostly noise, so the logistic curve that fits best (Platt 1999) is put in as well, as 500
more pixels, or as many as there are, that were right as often as that curve says::

    g = argmin  sum_i w_i ((r_i - g(p_i))² + m (s(a logit p_i + b) - g(p_i))²),  g rising

where r_i is 1 for a pixel whose class was right, w_i its weight, and m = min(1, 500 / n).
The other classes of a pixel share 1 - g as they shared 1 - p.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from overcast.accuracy.calibration import Floats, HeldOut, fit_temperature, scale

STEPS = 64
"""The curve is straight between confidences that are 1/64 apart."""
MARGIN = 1e-5
"""By so much, of its confidence, the most probable class stays before the second."""
_NEAR = 1e-4
"""Confidences nearer to 0 or 1 have the logit of this one."""
_STEEPEST = 20.0
_PIXELS_OF_LOGISTIC = 500


def _straight() -> NDArray[np.float64]:
    return np.linspace(0, 1, STEPS + 1)


@dataclass(frozen=True, slots=True)
class ConfidenceCurve:
    """What a confidence is worth; make it with `fit`, or leave confidence as it is.

    Attributes
    ----------
    values
        ``[65]``, calibrated confidences at 0, 1/64, ... 1; none below the one before.
    """

    values: NDArray[np.float64] = field(default_factory=_straight)

    @classmethod
    def fit(cls, held: HeldOut) -> ConfidenceCurve:
        """Learn the curve from held-out pixels."""
        from scipy.optimize import isotonic_regression  # slow to import

        sure = held.probabilities.max(0)
        right = (held.probabilities.argmax(0) == held.classes).astype(np.float64)
        weights = held.weights / held.weights.sum()
        slope, shift = _logistic(sure, right, weights)
        smooth = expit(slope * _logit(sure) + shift)
        share = min(1, _PIXELS_OF_LOGISTIC / len(sure))
        x, y, w = (
            np.concatenate(pair)
            for pair in ((sure, sure), (right, smooth), (weights, share * weights))
        )
        # Pixels of one confidence have one value: falling, they are pooled.
        order = np.lexsort((-y, x))
        levels = isotonic_regression(y[order], weights=w[order]).x
        return cls(np.interp(_straight(), x[order], levels))

    def of(self, probabilities: Floats) -> NDArray[np.float32]:
        """Probabilities ``[K, ...]`` with the confidence of the curve.

        The most probable class stays so, by a hair where the curve would have another
        one before it. A pixel that has no probabilities (all 0), or one class alone,
        stays as it is.
        """
        given = np.asarray(probabilities, np.float64)
        top = given.argmax(0)[None]
        others = given.copy()
        np.put_along_axis(others, top, 0, 0)
        rest = others.sum(0, keepdims=True)
        share = others / np.where(rest > 0, rest, 1)
        second = share.max(0, keepdims=True)
        sure = np.take_along_axis(given, top, 0)
        wanted = np.interp(sure, _straight(), self.values)
        wanted = np.maximum(wanted, (1 + MARGIN) * second / (1 + second))
        scaled = share * (1 - wanted)
        np.put_along_axis(scaled, top, wanted, 0)
        return np.where(rest > 0, scaled, given).astype(np.float32)


@dataclass(frozen=True, slots=True)
class Scaling:
    """A temperature, and a curve of the confidence at that temperature.

    Raises
    ------
    ValueError
        If the temperature is not above 0.
    """

    temperature: float = 1.0
    curve: ConfidenceCurve = field(default_factory=ConfidenceCurve)

    def __post_init__(self) -> None:
        if not 0 < self.temperature < np.inf:
            raise ValueError(f"temperature is {self.temperature:g}, expected above 0")

    @classmethod
    def fit(cls, held: HeldOut) -> Scaling:
        """Learn both from held-out pixels."""
        temperature = fit_temperature(held)
        warm = scale(held.probabilities, temperature).astype(np.float64)
        curve = ConfidenceCurve.fit(dataclasses.replace(held, probabilities=warm))
        return cls(temperature, curve)

    def of(self, probabilities: Floats) -> NDArray[np.float32]:
        """Probabilities ``[K, ...]``, calibrated; the most probable class stays so."""
        return self.curve.of(scale(probabilities, self.temperature))


def _logit(sure: Floats) -> NDArray[np.float64]:
    return np.asarray(logit(np.clip(sure, _NEAR, 1 - _NEAR)), np.float64)


def _logistic(sure: Floats, right: Floats, weights: Floats) -> tuple[float, float]:
    """Slope, never negative, and shift of the logistic curve of least squares."""
    from scipy.optimize import minimize  # slow to import

    place = _logit(sure)

    def misfit(given: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        value = expit(given[0] * place + given[1])
        pull = 2 * weights * (value - right) * value * (1 - value)
        return float(weights @ (value - right) ** 2), np.array(
            [pull @ place, pull.sum()]
        )

    ends = [(0, _STEEPEST), (-_STEEPEST, _STEEPEST)]
    minimum = minimize(misfit, (1.0, 0.0), jac=True, bounds=ends, method="L-BFGS-B")
    return float(minimum.x[0]), float(minimum.x[1])
