"""Areas and accuracy of a map by zone, with intervals, from one sample of the whole map.

With N_dm the pixels of zone d that the map gives class m, and y of a pixel 1 where the
reference has class k (or, for the accuracy, where map and reference agree):

- *post-stratified*, where a zone has points enough in every class that it has: the zone
  is a map of its own, ``sum_m N_dm mean_dm(y)`` (Olofsson et al. 2014). Given how many
  points lie there, they are a stratified random sample of it.
- *model-assisted*, else: what the map says, corrected by the whole map's errors p_mk, and
  the rest of the zone's own points (difference estimator; Särndal et al. 1992, sections
  6.3 and 10.6), which has no bias whatever the model is worth::

      Y_dk = sum_m N_dm p_mk + sum_{i in d} w_i (y_ik - p_mk),    w_i = N_h / n_h
      V    = sum_h N_h² s_h²(1_d e) / n_h

- *composite* and *synthetic*, where a zone has few points or none; see `small_areas`.
  These assume that the map errs there much as it does elsewhere.

At the end all zones are fitted to the areas of classes that the sample gives for the
whole map, so that zones add up to it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv

from overcast.accuracy.area import Estimate, StratifiedSample
from overcast.accuracy.small_areas import (
    add_up,
    likeness,
    weight_of_own,
)

Counts = NDArray[np.int64]
Floats = NDArray[np.float64]

POST_STRATIFIED = "post-stratified"
MODEL_ASSISTED = "model-assisted"
COMPOSITE = "composite"
SYNTHETIC = "synthetic"
ASSUMPTIONS = {
    POST_STRATIFIED: "none: the zone's own points alone",
    MODEL_ASSISTED: "none that could bias it: the map's errors, corrected by the zone's "
    "own points",
    COMPOSITE: "the map errs here as on the whole map, but for a difference such as "
    "zones with more points show; the zone's few points count as far as they can",
    SYNTHETIC: "the map errs here as on the whole map, but for a difference such as zones "
    "with points show; no point of the sample lies here",
}
"""What an estimate of each kind takes for granted."""
ENOUGH = 30
"""Points in a zone from which on its own estimate counts alone."""
_PER_CLASS = 5
"""Points in every class of a zone's map, for it to be a map of its own."""
_TRACE = 0.02
"""Share of a zone that classes may take of which it has fewer points."""
_PRIOR_POINTS = 10
"""Points' worth of trust in the whole map's errors, for the size of a variance."""


@dataclass(frozen=True, slots=True)
class ZonedSample:
    """Judged points of a sample, and the zones of a map.

    Attributes
    ----------
    whole
        The sample, for the whole map.
    stratum, mapped, reference, zone
        Of every point ``[N]``: position of its stratum, its classes (K: not mapped) and
        its zone.
    cells
        int64 ``[Z, K]``: pixels by zone and class in the map. Their sum is that of the
        strata.
    """

    whole: StratifiedSample
    stratum: Counts
    mapped: Counts
    reference: Counts
    zone: Counts
    cells: Counts

    @property
    def of_classes(self) -> bool:
        """Tell whether the strata are the map's classes, so that zones are post-strata."""
        table = self.whole.counts.sum(2)
        own = table.argmax(1)
        alone = (table > 0).sum(1) <= 1
        sizes = self.cells.sum(0)
        known = alone.all() and len(set(own.tolist())) == len(own)
        inside = own < len(sizes)
        return bool(known and inside.all() and (sizes[own] == self.whole.pixels).all())


@dataclass(frozen=True, slots=True)
class ZoneEstimates:
    """Estimates by zone.

    Attributes
    ----------
    areas
        Share of a zone that every class truly takes ``[Z, K]``.
    accuracy
        Share of a zone whose class is right ``[Z]``.
    kind
        How each zone was estimated, a key of `ASSUMPTIONS`.
    points
        Judged points in it.
    own_weight
        What a zone's own points count in its estimate, 1 but for small zones.
    phi
        How alike the errors of one zone are; see `small_areas`.
    """

    areas: Estimate
    accuracy: Estimate
    kind: tuple[str, ...]
    points: Counts
    own_weight: Floats
    phi: float

    def interval(self, estimate: Estimate) -> tuple[Floats, Floats]:
        """Ends of the intervals of 95 % of `areas` or `accuracy`.

        What a class takes of a small zone is mostly near nothing or near all of it, so
        intervals of composite and synthetic estimates reach as far as those of a beta
        distribution with the estimate's mean and variance, and as 1.96 standard errors,
        where that is farther.
        """
        low, high = estimate.interval
        small = np.array([kind in (COMPOSITE, SYNTHETIC) for kind in self.kind])
        part = small if low.ndim == 1 else small[:, None]
        mean = np.clip(estimate.value, 1e-6, 1 - 1e-6)
        # A beta distribution has a variance below mean (1 - mean).
        variance = np.maximum(estimate.standard_error**2, 1e-12)
        size = np.maximum(mean * (1 - mean) / variance - 1, 0.05)
        ends = [betaincinv(mean * size, (1 - mean) * size, q) for q in (0.025, 0.975)]
        ends[0] = np.minimum(ends[0], np.maximum(mean - estimate.half_width, 0))
        ends[1] = np.maximum(ends[1], np.minimum(mean + estimate.half_width, 1))
        return (
            np.where(part, np.minimum(low, ends[0]), low),
            np.where(part, np.maximum(high, ends[1]), high),
        )


@dataclass(frozen=True, slots=True)
class _Model:
    """The whole map's errors, and what they say of the points and of the zones.

    Columns are a class each, and at last whether the map is right.

    Attributes
    ----------
    y, errors, weights
        Of points: ``[N, K + 1]``, their differences to the model, and ``[N]``.
    spread
        Likely variance of a pixel in every map class ``[K + 1, K + 1]``.
    synthetic, synthetic_variance, single
        By zone ``[Z, K + 1]``: the model's shares, their variance, that of a pixel.
    likely
        The model's shares ``[Z, K + 1]``, none of them 0 or 1.
    """

    y: Floats
    errors: Floats
    weights: Floats
    spread: Floats
    synthetic: Floats
    synthetic_variance: Floats
    single: Floats
    likely: Floats


def estimate_zones(sample: ZonedSample) -> ZoneEstimates:
    """Estimate areas and accuracy of every zone; see the module."""
    model = _model_of(sample)
    zones = len(sample.cells)
    points = np.bincount(sample.zone, minlength=zones)[:zones]
    own, variance, sampling, expected = _difference(sample, model)
    kind = np.where(points >= ENOUGH, MODEL_ASSISTED, COMPOSITE).astype(object)
    kind[points == 0] = SYNTHETIC
    (phi, doubt), gamma = _shared(model, own, expected, points)
    gamma = np.where(points >= ENOUGH, 1.0, gamma)
    value = gamma[:, None] * own + (1 - gamma[:, None]) * model.synthetic
    error = _squared_error(model, (sampling, expected), gamma, (phi, doubt))
    small = points < ENOUGH
    variance[small] = error[small]
    effective = _effective(value, model.likely, error)
    if sample.of_classes:
        for d in np.flatnonzero(_are_maps(sample)):
            kind[d] = POST_STRATIFIED
            value[d], variance[d], effective[d] = _as_a_map(sample, int(d))
    return _gather(sample, (value, variance, effective), kind, (points, gamma, phi))


def _gather(
    sample: ZonedSample,
    numbers: tuple[Floats, Floats, Floats],
    kind: NDArray[np.object_],
    more: tuple[Counts, Floats, float],
) -> ZoneEstimates:
    """Fit the areas to those of the whole map, and put the columns in their places."""
    value, variance, effective = numbers
    sizes = sample.cells.sum(1).astype(np.float64)
    total = sizes.sum()
    areas = add_up(
        value[:, :-1] * sizes[:, None], sizes, sample.whole.areas.value * total
    )
    with np.errstate(invalid="ignore", divide="ignore"):
        shares = areas / sizes[:, None]
    error = np.sqrt(variance)
    empty = sizes == 0
    for column in (shares, value, error, effective):
        column[empty] = np.nan
    right = np.clip(value[:, -1], 0, 1)
    return ZoneEstimates(
        Estimate(shares, error[:, :-1], effective[:, :-1]),
        Estimate(right, error[:, -1], effective[:, -1]),
        tuple(kind.tolist()),
        *more,
    )


def _model_of(sample: ZonedSample) -> _Model:
    """The share of every class, and of right pixels, by class in the map."""
    classes = sample.cells.shape[1]
    y = np.zeros((len(sample.zone), classes + 1))
    y[np.arange(len(y)), sample.reference] = 1
    y[:, -1] = sample.mapped == sample.reference
    weights = (sample.whole.pixels / np.maximum(sample.whole.taken, 1))[sample.stratum]
    member = np.zeros((classes + 1, len(y)))
    member[sample.mapped, np.arange(len(y))] = 1
    taken, mass = member.sum(1), member @ weights
    # A class of the map without a point is taken to be what the map says.
    p = np.eye(classes + 1)
    p[:, -1] = 1
    seen = mass > 0
    p[seen] = (member @ (weights[:, None] * y))[seen] / mass[seen, None]
    even = np.full(classes + 1, 1 / classes)
    likely = (taken[:, None] * p + even) / (taken[:, None] + 1)
    spread = likely * (1 - likely)
    concentration = np.divide(
        member @ weights**2, mass**2, out=np.ones_like(mass), where=seen
    )
    sizes = np.maximum(sample.cells.sum(1, keepdims=True), 1)
    cells = sample.cells / sizes
    return _Model(
        y,
        y - p[sample.mapped],
        weights,
        spread,
        cells @ p[:-1],
        cells**2 @ (spread * concentration[:, None])[:-1],
        cells @ spread[:-1],
        cells @ likely[:-1],
    )


def _difference(
    sample: ZonedSample, model: _Model
) -> tuple[Floats, Floats, Floats, Floats]:
    """Difference estimate, and its variance in three ways, ``[Z, K + 1]`` each.

    As published; steadied by the whole map's errors; and from those alone.
    """
    zones = len(sample.cells)
    sizes = np.maximum(sample.cells.sum(1), 1)[:, None]
    taken = np.maximum(sample.whole.taken, 1)[sample.stratum][:, None]
    weighted = model.weights[:, None] * model.errors
    value = model.synthetic + _sums(weighted, sample.zone, zones) / sizes
    strata = len(sample.whole.pixels)
    cell = np.where(sample.zone < zones, sample.zone, zones) * strata + sample.stratum
    mean = _sums(weighted / taken, cell, (zones + 1) * strata)
    mean = mean.reshape(zones + 1, strata, -1)[:zones]
    n = np.maximum(sample.whole.taken, 1)[None, :, None]
    square = _sums(weighted**2 * taken / np.maximum(taken - 1, 1), sample.zone, zones)
    square -= (mean**2 * n**2 / np.maximum(n - 1, 1)).sum(1)
    variance = np.maximum(square, 0) / sizes**2
    expected = _sums(
        model.weights[:, None] ** 2 * model.spread[sample.mapped], sample.zone, zones
    )
    points = np.bincount(sample.zone, minlength=zones)[:zones, None]
    with np.errstate(invalid="ignore", divide="ignore"):
        one = expected / points
        factor = (_sums(weighted**2, sample.zone, zones) + _PRIOR_POINTS * one) / (
            expected + _PRIOR_POINTS * one
        )
        steady = factor * expected / sizes**2
    none = np.where(points > 0, 0.0, np.inf)
    return value, variance, steady + none, expected / sizes**2 + none


def _shared(
    model: _Model, own: Floats, sampling: Floats, points: Counts
) -> tuple[tuple[float, float], Floats]:
    """Return the likeness of zone errors, its variance, and weights of own estimates."""
    gap = ((own - model.synthetic)[:, :-1] ** 2).sum(1)
    v, b = sampling[:, :-1].sum(1), model.single[:, :-1].sum(1)
    here = points > 0
    phi, doubt = likeness(gap[here], v[here], b[here])
    return (phi, doubt), weight_of_own(phi, v, b)


def _squared_error(
    model: _Model,
    variances: tuple[Floats, Floats],
    gamma: Floats,
    likeness: tuple[float, float],
) -> Floats:
    """Mean squared error ``[Z, K + 1]``: g1 + g2 + g3 of Rao and Molina 2015, 6.2.

    `variances` are steadied by the whole map's, for zones that stand alone, and the
    whole map's.
    """
    (phi, doubt), b, g = likeness, model.single, gamma[:, None]
    steady, expected = (np.where(np.isfinite(v), v, 0.0) for v in variances)
    first = np.where(g == 1, steady, np.where(g > 0, g * expected, phi * b))
    second = (1 - g) ** 2 * model.synthetic_variance
    with np.errstate(invalid="ignore", divide="ignore"):
        third = doubt * b**2 * expected**2 / (expected + phi * b) ** 3
    return np.asarray(first + second + np.where(g < 1, np.nan_to_num(third), 0.0))


def _effective(value: Floats, likely: Floats, error: Floats) -> Floats:
    """Points of a simple random sample that would tell as much ``[Z, K + 1]``.

    Shares near 0 and 1 are taken to be no nearer than a quarter of what is likely.
    """
    share = np.clip(value, likely / 4, 1 - (1 - likely) / 4)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(share * (1 - share) / error)


def _are_maps(sample: ZonedSample) -> NDArray[np.bool_]:
    """Return which zones ``[Z]`` have points enough to be maps of their own."""
    zones, classes = sample.cells.shape
    table = np.zeros((zones + 1, classes + 1), np.int64)
    np.add.at(table, (np.minimum(sample.zone, zones), sample.mapped), 1)
    table = table[:zones, :classes]
    shares = sample.cells / np.maximum(sample.cells.sum(1, keepdims=True), 1)
    thin = (shares * (table < _PER_CLASS)).sum(1)
    enough: NDArray[np.bool_] = (table.sum(1) >= ENOUGH) & (thin <= _TRACE)
    return enough


def _as_a_map(sample: ZonedSample, zone: int) -> tuple[Floats, Floats, Floats]:
    """Value, variance and effective size ``[K + 1]`` of a zone as a map of its own."""
    classes = sample.cells.shape[1]
    here = sample.zone == zone
    counts = np.zeros((classes, classes + 1, classes), np.int64)
    mapped = sample.mapped[here]
    inside = mapped < classes
    place = mapped[inside], mapped[inside], sample.reference[here][inside]
    np.add.at(counts, place, 1)
    # Classes with too few points take a trace of the zone; they are left out.
    enough = counts.sum((1, 2)) >= 2
    pixels = np.where(enough, sample.cells[zone], 0)
    counts[~enough] = 0
    own = StratifiedSample(counts, pixels)
    areas, right = own.areas, own.overall_accuracy
    return (
        np.append(areas.value, right.value),
        np.append(areas.standard_error, right.standard_error) ** 2,
        np.append(areas.effective_size, right.effective_size),
    )


def _sums(values: Floats, index: Counts, count: int) -> Floats:
    """Sums ``[count, C]`` of values ``[N, C]`` by index; those beyond are left out."""
    total = np.zeros((count, values.shape[1]))
    inside = index < count
    np.add.at(total, index[inside], values[inside])
    return total
