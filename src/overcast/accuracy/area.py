"""Areas and accuracies of a map, with intervals, from a stratified random sample.

Every quantity here is a ratio of two totals over the pixels of the map::

    R = Y / X = sum_h N_h mean_h(y) / sum_h N_h mean_h(x)

with N_h the pixels of stratum h, and y and x of a pixel 0 or 1 (Stehman 2014, Int. J.
Remote Sens. 35, 4923-4939, equation 27)::

                             y is 1 where            x is 1
    area of class k          reference k             everywhere
    overall accuracy         map = reference         where the map has a class
    user's accuracy of k     map = reference = k     map k
    producer's accuracy      map = reference = k     reference k
    IoU of class k           map = reference = k     map k or reference k

The variance is that of the residual z = y - R x (equation 28)::

    V(R) = 1 / X² sum_h N_h² s²_h(z) / n_h

Where the strata are the classes of the map, these are the equations 5 to 11 of Olofsson
et al. (2014, Remote Sens. Environ. 148, 42-57). As there, no correction is made for
the share of a stratum that was sampled: without it intervals are a little wide, never
narrow.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from overcast.accuracy.confusion import plain
from overcast.geo.legend import Legend
from overcast.geo.raster import UNKNOWN

Counts = NDArray[np.int64]
Floats = NDArray[np.float64]

Z = 1.96
"""Standard errors on either side of an estimate in an interval of 95 %."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """Shares with their uncertainty, an array each; NaN where they are not defined.

    Attributes
    ----------
    value
        The estimate.
    standard_error
        As the papers have it.
    effective_size
        Points of a simple random sample that would tell as much; see `interval`.
    """

    value: Floats
    standard_error: Floats
    effective_size: Floats

    @property
    def half_width(self) -> Floats:
        """Half of the papers' symmetric interval of 95 %, printed after ±."""
        return Z * self.standard_error

    @property
    def interval(self) -> tuple[Floats, Floats]:
        """Ends of the interval of 95 %.

        A stratum in which no point happened to be wrong has standard error 0, though
        its error is not 0; so the papers' interval misses far too often where a map is
        good or a class is rare. Here the variance is taken with one more point in every
        stratum, spread evenly over the classes (Perks 1947), and the interval is
        Wilson's (1927) for the effective size that follows (Franco et al. 2019, J.
        Surv. Stat. Methodol. 7, 334-364). `bench/coverage.py` measures both.
        """
        spread = Z**2 / self.effective_size
        middle = (self.value + spread / 2) / (1 + spread)
        variance = self.value * (1 - self.value) * spread + spread**2 / 4
        reach = np.sqrt(np.maximum(variance, 0)) / (1 + spread)
        return middle - reach, middle + reach


@dataclass(frozen=True, slots=True)
class StratifiedSample:
    """Sampled pixels, counted.

    Attributes
    ----------
    counts
        int64 ``[H, K + 1, K]``: pixels by stratum, class in the map (the last one for
        pixels that the map leaves without a class) and class in the reference.
    pixels
        int64 ``[H]``: size of every stratum, sampled or not.
    """

    counts: Counts
    pixels: Counts

    def __post_init__(self) -> None:
        strata, mapped, classes = self.counts.shape
        if mapped != classes + 1 or self.pixels.shape != (strata,):
            raise ValueError(
                f"counts are {self.counts.shape} and pixels {self.pixels.shape}, "
                "expected [H, K + 1, K] and [H]"
            )
        thin = (self.taken < 2) & (self.taken < self.pixels)
        if thin.any():
            raise ValueError(
                f"stratum {int(np.flatnonzero(thin)[0])} has "
                f"{int(self.taken[thin][0])} sampled pixels with a reference class, "
                "expected two or more"
            )

    @classmethod
    def of(
        cls,
        stratum: NDArray[np.integer],
        mapped: NDArray[np.uint8],
        reference: NDArray[np.uint8],
        pixels: Counts,
        classes: int,
    ) -> StratifiedSample:
        """Count points ``[N]``; those whose reference is unknown are left out.

        `stratum` is the position of a point's stratum in `pixels`. That a point could
        not be judged must have nothing to do with its class.
        """
        known = reference != UNKNOWN
        column = np.where(mapped == UNKNOWN, classes, mapped)[known].astype(np.int64)
        row = stratum[known].astype(np.int64) * (classes + 1) + column
        index = row * classes + reference[known]
        shape = (len(pixels), classes + 1, classes)
        counts = np.bincount(index, minlength=int(np.prod(shape))).reshape(shape)
        return cls(counts.astype(np.int64), pixels)

    @property
    def taken(self) -> Counts:
        """Sampled pixels of every stratum ``[H]``."""
        return np.asarray(self.counts.sum((1, 2)), np.int64)

    @property
    def matrix(self) -> Floats:
        """Estimated share of the area ``[K + 1, K]`` by map and reference class."""
        weights = self.pixels / self.pixels.sum()
        return np.asarray(
            np.einsum("h,hmk->mk", weights / np.maximum(self.taken, 1), self.counts)
        )

    @property
    def areas(self) -> Estimate:
        """Share of the area that every class truly takes ``[K]``."""
        _, reference = self._masks()
        return self._ratio(reference, np.ones_like(reference))

    def areas_of(self, groups: NDArray[np.bool_]) -> Estimate:
        """Share of the area that groups of classes ``[G, K]`` truly take ``[G]``.

        Value and standard error are the sums of the papers. For the interval, one more
        point of a group is taken on the whole map, spread over the strata by their area.
        One in every stratum, as for single classes, makes intervals of rare groups too
        wide where strata are many (`bench/change.py`).
        """
        weights = self.pixels / self.pixels.sum()
        taken = np.maximum(self.taken, 1)[:, None]
        degrees = np.maximum(self.taken - 1, 1)
        hits = self.counts.sum(1) @ groups.T.astype(np.float64)
        share, cautious = hits / taken, (hits + weights[:, None]) / (taken + 1)
        variance, careful = (
            weights**2 / degrees @ (p * (1 - p)) for p in (share, cautious)
        )
        likely = weights @ cautious
        effective = likely * (1 - likely) / careful
        return Estimate(weights @ share, np.sqrt(variance), effective)

    @property
    def overall_accuracy(self) -> Estimate:
        """Share of the mapped area whose class is right ``[1]``."""
        mapped, reference = self._masks()
        right, anywhere = (mapped * reference).sum(0), mapped.sum(0)
        return self._ratio(right[None], anywhere[None])

    @property
    def users_accuracy(self) -> Estimate:
        """Share of the area mapped as a class that is so ``[K]``."""
        mapped, reference = self._masks()
        return self._ratio(mapped * reference, mapped)

    @property
    def producers_accuracy(self) -> Estimate:
        """Share of the true area of a class that is mapped as it ``[K]``."""
        mapped, reference = self._masks()
        return self._ratio(mapped * reference, reference)

    @property
    def iou(self) -> Estimate:
        """Intersection over union of every class ``[K]``."""
        mapped, reference = self._masks()
        return self._ratio(mapped * reference, np.maximum(mapped, reference))

    def _masks(self) -> tuple[Floats, Floats]:
        """Return where ``[K, K + 1, K]`` the map, and where the reference has a class."""
        classes = self.counts.shape[2]
        cells = np.zeros((classes, classes + 1, classes))
        mapped, reference = cells.copy(), cells
        for k in range(classes):
            mapped[k, k], reference[k, :, k] = 1, 1
        return mapped, reference

    def _ratio(self, y: Floats, x: Floats) -> Estimate:
        """Ratio of the totals of `y` and `x` ``[C, K + 1, K]``, as in the module."""
        taken = np.maximum(self.taken, 1)[:, None, None]
        value, variance = self._moments(self.counts / taken, y, x)
        # One more point, of the map's class as sampled and of any reference class.
        more = self.counts.sum(2, keepdims=True) / taken / self.counts.shape[2]
        likely, cautious = self._moments((self.counts + more) / (taken + 1), y, x)
        with np.errstate(divide="ignore", invalid="ignore"):
            effective = likely * (1 - likely) / cautious
        return Estimate(value, np.sqrt(variance), effective)

    def _moments(self, shares: Floats, y: Floats, x: Floats) -> tuple[Floats, Floats]:
        """Ratio and its variance ``[C]`` if strata have these shares of cells."""
        weights = self.pixels / self.pixels.sum()
        with np.errstate(divide="ignore", invalid="ignore"):
            total = np.einsum("h,hmk,cmk->c", weights, shares, x)
            value = np.einsum("h,hmk,cmk->c", weights, shares, y) / total
            residual = y - value[:, None, None] * x
            mean = np.einsum("hmk,cmk->ch", shares, residual)
            spread = np.einsum("hmk,cmk->ch", shares, residual**2) - mean**2
            degrees = np.maximum(self.taken - 1, 1)
            variance = np.maximum(spread, 0) @ (weights**2 / degrees) / total**2
        return value, variance


def estimates(
    sample: StratifiedSample, legend: Legend, total_ha: float
) -> dict[str, Any]:
    """All estimates as plain values for JSON; what is undefined is None.

    `total_ha` is the area of the whole map. Every estimate is a share with its
    standard error, half width (± of the papers) and interval of 95 %; areas are in
    hectares too.
    """
    shares = sample.areas
    columns = {
        "area_share": _plain_each(shares),
        "area_ha": _plain_each(shares, total_ha),
        "users_accuracy": _plain_each(sample.users_accuracy),
        "producers_accuracy": _plain_each(sample.producers_accuracy),
        "iou": _plain_each(sample.iou),
    }
    points = sample.counts.sum(0)
    mapped = sample.matrix.sum(1)
    per_class = {
        c.name: {
            "code": c.code,
            "points_mapped": int(points[k].sum()),
            "points_reference": int(points[:, k].sum()),
            "mapped_share": plain(mapped[k]),
            **{name: values[k] for name, values in columns.items()},
        }
        for k, c in enumerate(legend.classes)
    }
    return {
        "overall_accuracy": _plain_each(sample.overall_accuracy)[0],
        "per_class": per_class,
        "points": int(points.sum()),
        "unmapped_points": int(points[-1].sum()),
        "matrix": [[plain(share) for share in row] for row in sample.matrix],
    }


def _plain_each(estimate: Estimate, unit: float = 1) -> list[dict[str, Any]]:
    low, high = estimate.interval
    columns = {
        "value": estimate.value,
        "standard_error": estimate.standard_error,
        "half_width": estimate.half_width,
        "low": low,
        "high": high,
    }
    return [
        {name: plain(values[k] * unit) for name, values in columns.items()}
        for k in range(len(estimate.value))
    ]
