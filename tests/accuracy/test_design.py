"""Sizes as published, allocations that add up, and draws that are what they say."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from overcast.accuracy.design import (
    ALLOCATIONS,
    Design,
    allocate,
    count_classes,
    draw,
    sample_size,
)
from overcast.geo.arrays import LabelArray
from overcast.geo.legend import load_legend
from overcast.geo.raster import UNKNOWN, Labels
from tests.rasters import utm

PIXELS = np.array([200_000, 150_000, 3_200_000, 6_450_000])
EXPECTED = np.array([0.7, 0.6, 0.9, 0.95])


def labels(shape: tuple[int, int] = (700, 90), seed: int = 0) -> LabelArray:
    legend = load_legend("simplified-igbp")
    random = np.random.default_rng(seed)
    values = random.choice(
        np.uint8([0, 1, 4, UNKNOWN]), shape, p=[0.6, 0.01, 0.3, 0.09]
    )
    return LabelArray(Labels(values=values, grid=utm(shape), legend=legend))


def test_sizes_of_olofsson_2014_table_5() -> None:
    assert sample_size(PIXELS, EXPECTED, 0.01) == 641
    assert allocate(PIXELS, 641, minimum=0).tolist() == [13, 10, 205, 413]
    assert allocate(PIXELS, 640, "equal").tolist() == [160, 160, 160, 160]


def test_a_small_map_needs_fewer_points() -> None:
    pixels, expected = np.array([60, 40]), np.array([0.8, 0.8])
    assert sample_size(pixels, expected, 0.05) == 40  # 0.16 / (0.0025 + 0.16 / 100)
    assert sample_size(pixels * 10_000, expected, 0.05) == 64


def test_neyman_follows_the_spread() -> None:
    spread = PIXELS * np.sqrt(EXPECTED * (1 - EXPECTED))
    found = allocate(PIXELS, 100_000, "neyman", 0, EXPECTED)
    assert found / 100_000 == pytest.approx(spread / spread.sum(), abs=2e-5)


def test_rare_classes_get_the_minimum_and_the_rest_is_shared() -> None:
    assert allocate(PIXELS, 640, minimum=75).tolist() == [75, 75, 162, 328]


@given(
    st.lists(st.integers(0, 5000), min_size=1, max_size=12).filter(any),
    st.integers(0, 8000),
    st.integers(0, 60),
    st.sampled_from(ALLOCATIONS),
)
def test_allocations_add_up_within_bounds(
    pixels: list[int], more: int, minimum: int, how: str
) -> None:
    there = np.array(pixels)
    least = np.minimum(there, minimum)
    size = int(least.sum()) + more
    found = allocate(there, size, how, minimum, np.full(len(there), 0.8))
    assert found.sum() == min(size, there.sum())
    assert ((least <= found) & (found <= there)).all()


def test_a_size_below_the_minimum_is_refused() -> None:
    with pytest.raises(ValueError, match=r"60 points are too few.*classes are 200"):
        allocate(PIXELS, 60)


@pytest.mark.parametrize(
    ("design", "says"),
    [
        (Design(expected={"Forrest": 0.9}), "Forrest"),
        (Design(expected={"": 1.0}), "between 0 and 1"),
        (Design(standard_error=0), "expected above 0"),
        (Design(allocation="fair", size=500), "none of proportional"),
    ],
)
def test_impossible_designs_are_refused(design: Design, says: str) -> None:
    source = labels()
    with pytest.raises(ValueError, match=says):
        design.sizes(count_classes(source), source.legend)


def test_a_design_without_a_size_takes_that_of_its_standard_error() -> None:
    source = labels((700, 900))
    pixels, legend = count_classes(source), source.legend
    design = Design(expected={"": 0.8, "Forest": 0.9}, standard_error=0.02)
    expected = np.where(np.array(legend.names) == "Forest", 0.9, 0.8)
    assert design.sizes(pixels, legend).sum() == sample_size(pixels, expected, 0.02)
    assert replace(design, standard_error=1).sizes(pixels, legend).sum() == 150


def test_an_empty_map_has_nothing_to_sample() -> None:
    with pytest.raises(ValueError, match="no pixel with a class"):
        Design().sizes(np.zeros(10, np.int64), load_legend("simplified-igbp"))


def test_a_draw_has_distinct_pixels_of_the_right_class() -> None:
    source = labels()
    pixels = count_classes(source)
    assert pixels.sum() == (source.labels.values != UNKNOWN).sum()
    sizes = allocate(pixels, 400)
    drawn = draw(source, pixels, sizes, seed=3)
    assert np.bincount(drawn.strata, minlength=10).tolist() == sizes.tolist()
    assert (source.labels.values[drawn.rows, drawn.columns] == drawn.strata).all()
    assert len({*zip(drawn.rows.tolist(), drawn.columns.tolist(), strict=True)}) == 400
    assert drawn.rows.max() >= 512, "the second band of rows was never drawn from"


def test_a_draw_is_a_function_of_map_and_seed() -> None:
    source = labels()
    pixels = count_classes(source)
    sizes = allocate(pixels, 400)
    first, again, other = (draw(source, pixels, sizes, seed) for seed in (3, 3, 4))
    assert np.array_equal(first.rows, again.rows)
    assert np.array_equal(first.columns, again.columns)
    assert not np.array_equal(first.rows, other.rows)


def test_every_pixel_of_a_class_is_drawn_as_often() -> None:
    source = labels((16, 16))
    pixels = count_classes(source)
    sizes = np.where(np.arange(10) == 0, 30, 0)
    often = np.zeros((16, 16))
    for seed in range(400):
        drawn = draw(source, pixels, sizes, seed)
        often[drawn.rows, drawn.columns] += 1
    counts = often[source.labels.values == 0]
    mean = 400 * 30 / pixels[0]
    # Chi-square with pixels - 1 degrees, six standard deviations.
    statistic = ((counts - mean) ** 2).sum() / (mean * (1 - 30 / pixels[0]))
    degrees = pixels[0] - 1
    assert abs(statistic - degrees) < 6 * np.sqrt(2 * degrees)
    assert often[source.labels.values != 0].sum() == 0


def test_the_order_tells_nothing_of_the_class() -> None:
    source = labels((200, 200))
    pixels = count_classes(source)
    drawn = draw(source, pixels, allocate(pixels, 600), seed=0)
    assert (np.diff(drawn.strata.astype(int)) != 0).sum() > 100
