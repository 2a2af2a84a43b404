"""Estimates by zone against hand-made and published figures."""

from __future__ import annotations

import numpy as np
import pytest
from bench.zones import cells, shares, zoned

from overcast.accuracy.area import StratifiedSample
from overcast.accuracy.small_areas import add_up, likeness, weight_of_own
from overcast.accuracy.zones import (
    COMPOSITE,
    MODEL_ASSISTED,
    POST_STRATIFIED,
    SYNTHETIC,
    ZonedSample,
    estimate_zones,
)
from overcast.geo.legend import LandClass, Legend
from overcast.geo.raster import Labels
from tests.accuracy.test_area import OLOFSSON, PIXELS
from tests.rasters import utm

LEGEND = Legend("two", (LandClass(0, "a", "000000"), LandClass(1, "b", "ffffff")))


def sample_of(
    points: list[tuple[int, int, int]], sizes: list[list[int]]
) -> ZonedSample:
    """From zone, class in the map and class in the reference of every point."""
    zone, mapped, reference = np.array(points, np.int64).T
    table = np.array(sizes, np.int64)
    whole = StratifiedSample.of(
        mapped,
        mapped.astype(np.uint8),
        reference.astype(np.uint8),
        table.sum(0),
        table.shape[1],
    )
    return ZonedSample(whole, mapped, mapped, reference, zone, table)


def repeated(*rows: tuple[int, int, int, int]) -> list[tuple[int, int, int]]:
    return [(z, m, r) for z, m, r, n in rows for _ in range(n)]


def test_one_zone_is_olofsson_2014() -> None:
    """Table 8 of the paper, the whole map being the zone."""
    rows = [(0, m, r, int(OLOFSSON[m, r])) for m in range(4) for r in range(4)]
    made = estimate_zones(sample_of(repeated(*rows), [PIXELS.tolist()]))
    assert made.kind == (POST_STRATIFIED,)
    ha = np.rint(made.areas.value[0] * PIXELS.sum() * 0.09).astype(int)
    assert ha.tolist() == [21_158, 11_686, 285_770, 581_386]
    half = np.rint(made.areas.half_width[0] * PIXELS.sum() * 0.09).astype(int)
    assert half.tolist() == [6_158, 3_756, 15_510, 16_282]
    assert made.accuracy.value[0] == pytest.approx(0.947, abs=5e-4)


def test_a_zone_with_points_enough_is_a_map_of_its_own() -> None:
    first = [(0, 0, 0, 24), (0, 0, 1, 6), (0, 1, 0, 2), (0, 1, 1, 18)]
    second = [(1, 0, 0, 45), (1, 0, 1, 5), (1, 1, 0, 10), (1, 1, 1, 40)]
    made = estimate_zones(
        sample_of(repeated(*first, *second), [[3000, 1000], [4000, 2000]])
    )
    assert made.kind == (POST_STRATIFIED, POST_STRATIFIED)
    # 3000 · 6 / 30 + 1000 · 18 / 20 of 4000 pixels, and the like; then fitted to the
    # map's 7000 · 11 / 80 + 3000 · 58 / 70.
    own = np.array([600 + 900, 400 + 1600])
    whole = 7000 * 11 / 80 + 3000 * 58 / 70
    areas = made.areas.value[:, 1] * [4000, 6000]
    assert areas.sum() == pytest.approx(whole)
    assert areas == pytest.approx(own, rel=0.03)
    # Stehman 2014, equation 28: N² s² / n of either stratum of the zone.
    variance = 3000**2 * (0.2 * 0.8 / 29) + 1000**2 * (0.1 * 0.9 / 19)
    assert made.areas.standard_error[0, 1] == pytest.approx(np.sqrt(variance) / 4000)


def test_the_difference_estimate_by_hand() -> None:
    """Särndal et al. 1992: the map's errors, and the zone's own residuals on top."""
    first = [(0, 0, 0, 30), (0, 0, 1, 10), (0, 1, 1, 2)]
    second = [(1, 0, 0, 58), (1, 0, 1, 2), (1, 1, 1, 38), (1, 1, 0, 10)]
    sample = sample_of(repeated(*first, *second), [[4000, 1000], [6000, 4000]])
    made = estimate_zones(sample)
    assert made.kind == (MODEL_ASSISTED, POST_STRATIFIED)
    p = np.array([12 / 100, 40 / 50])  # of class b, by class in the map
    weight = np.array([100.0, 100.0])
    own = 4000 * p[0] + 1000 * p[1]
    own += weight[0] * (10 * (1 - p[0]) - 30 * p[0]) + weight[1] * 2 * (1 - p[1])
    other = 6000 * 2 / 60 + 4000 * 38 / 48
    fitted = add_up(
        np.array([[5000 - own, own], [10_000 - other, other]]),
        np.array([5000.0, 10_000.0]),
        np.array([15_000 - (1200 + 4000), 1200 + 4000.0]),
    )
    assert made.areas.value[0, 1] * 5000 == pytest.approx(fitted[0, 1])
    # V = sum_h N_h² s_h²(1_d e) / n_h
    in_zone = [
        np.array([1 - p[0]] * 10 + [-p[0]] * 30 + [0] * 60),
        np.array([1 - p[1]] * 2 + [0] * 48),
    ]
    sizes = (10_000, 5_000)
    variance = sum(
        n**2 * e.var(ddof=1) / len(e) for n, e in zip(sizes, in_zone, strict=True)
    )
    assert made.areas.standard_error[0, 1] == pytest.approx(np.sqrt(variance) / 5000)


def test_small_zones_borrow_and_say_so() -> None:
    rows = [(0, 0, 0, 40), (0, 0, 1, 10), (0, 1, 1, 50), (1, 0, 0, 2), (1, 0, 1, 2)]
    made = estimate_zones(
        sample_of(repeated(*rows), [[8000, 5000], [400, 0], [100, 100]])
    )
    assert made.kind == (POST_STRATIFIED, COMPOSITE, SYNTHETIC)
    assert made.points.tolist() == [100, 4, 0]
    assert made.own_weight[0] == 1
    assert 0 < made.own_weight[1] < 1
    assert made.own_weight[2] == 0
    low, high = made.interval(made.areas)
    assert (high - low)[1:, 1].min() > (high - low)[0, 1]
    share = 12 / 54  # of the map's class a that is b
    assert made.areas.value[1, 1] > share  # its own points are b more often
    assert low[1, 1] < share < high[1, 1]
    assert made.areas.value[2, 1] == pytest.approx((share + 1) / 2, abs=0.05)


def test_zones_add_up_both_ways() -> None:
    random = np.random.default_rng(0)
    sizes = random.integers(0, 4000, (12, 3))
    points = [
        (d, m, m if random.random() < 0.8 else int(random.integers(3)))
        for d in range(12)
        for m in range(3)
        for _ in range(int(sizes[d, m] // 200))
    ]
    sample = sample_of(points, sizes.tolist())
    made = estimate_zones(sample)
    areas = made.areas.value * sizes.sum(1, keepdims=True)
    assert areas.sum(1) == pytest.approx(sizes.sum(1))
    assert areas.sum(0) == pytest.approx(sample.whole.areas.value * sizes.sum())


def test_an_empty_zone_has_no_estimate() -> None:
    rows = [(0, 0, 0, 40), (0, 0, 1, 10), (0, 1, 1, 50)]
    made = estimate_zones(sample_of(repeated(*rows), [[8000, 5000], [0, 0]]))
    assert np.isnan(made.areas.value[1]).all()
    assert made.areas.value[0].sum() == pytest.approx(1)


def test_the_strata_of_another_map_will_do() -> None:
    """A simple random sample is one stratum; totals are still those of the sample."""
    random = np.random.default_rng(1)
    mapped = random.integers(0, 2, 400)
    reference = np.where(random.random(400) < 0.85, mapped, 1 - mapped)
    zone = random.integers(0, 3, 400)
    sizes = np.array([[9000, 11_000], [10_000, 9000], [12_000, 9000]])
    one = np.zeros(400, np.int64)
    whole = StratifiedSample.of(
        one, mapped.astype(np.uint8), reference.astype(np.uint8), np.array([60_000]), 2
    )
    sample = ZonedSample(whole, one, mapped, reference, zone, sizes)
    assert not sample.of_classes
    made = estimate_zones(sample)
    assert set(made.kind) == {MODEL_ASSISTED}
    areas = made.areas.value * sizes.sum(1, keepdims=True)
    assert areas.sum(0) == pytest.approx(whole.areas.value * 60_000)


def test_likeness_of_errors_is_recovered() -> None:
    """Zones drawn from the model of Fay and Herriot with φ = 0.1."""
    random = np.random.default_rng(2)
    single, sampling = np.full(400, 0.2), random.uniform(0.002, 0.02, 400)
    gap = random.normal(0, np.sqrt(0.1 * single + sampling)) ** 2
    phi, doubt = likeness(gap, sampling, single)
    assert phi == pytest.approx(0.1, abs=0.03)
    assert 0 < doubt < 0.02**2
    assert weight_of_own(0.1, np.array([0.02, np.inf]), np.array([0.2, 0.2])) == (
        pytest.approx([0.5, 0])
    )


def test_intervals_hold_the_truth_on_samples_of_a_small_world() -> None:
    """The bench (bench/zones.py) in small; three of its hundred may miss."""
    random = np.random.default_rng(3)
    coarse = random.random((12, 12)) < 0.4
    truth = coarse.repeat(16, 0).repeat(16, 1).astype(np.uint8)
    wrong = random.random((48, 48)).repeat(4, 0).repeat(4, 1) < 0.15
    grid = utm(truth.shape)
    true = Labels(values=truth, grid=grid, legend=LEGEND)
    mapped = Labels(values=truth ^ wrong.astype(np.uint8), grid=grid, legend=LEGEND)
    zones = cells(4, 5, 192)
    held = []
    for seed in range(25):
        made = estimate_zones(zoned(true, mapped, zones, seed))
        low, high = made.interval(made.areas)
        share = shares(true, zones)
        held.append(((low <= share) & (share <= high))[:, 0])
    assert 0.9 <= np.mean(held) <= 1
