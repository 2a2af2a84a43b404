"""Curves of time: what a forest sees of a pixel on several dates."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from overcast.geo.arrays import ImageArray, LabelArray
from overcast.geo.bands import SENTINEL_1, SENTINEL_2
from overcast.geo.legend import load_legend
from overcast.geo.raster import UNKNOWN, Image, Labels
from overcast.geo.series import Moment
from overcast.geo.stack import Stack
from overcast.geo.tiling import Window
from overcast.maps.by_date import for_dates
from overcast.methods.curves import Curves
from overcast.methods.forest import Forest
from overcast.progress import quiet
from tests.rasters import utm

SIDE = 24
GRID = utm((SIDE, SIDE))
DAYS = tuple(date(2024, month, 10) for month in (2, 4, 6, 8, 10))
RANDOM = np.random.default_rng(3)
GAPS = RANDOM.random((len(DAYS), SIDE, SIDE)) < 0.3
VALUES = RANDOM.uniform(0.05, 0.4, (len(DAYS), 10, SIDE, SIDE)).astype(np.float32)


def stack_of(
    values: NDArray[np.float32], days: tuple[date, ...] = DAYS, sar: bool = False
) -> Stack:
    images = {
        f"s2@{day}": ImageArray(Image.of(one, GRID, SENTINEL_2))
        for day, one in zip(days, values, strict=True)
    }
    moments = {f"s2@{day}": Moment("s2", day) for day in days}
    if sar:
        backscatter = RANDOM.normal(-12, 2, (2, SIDE, SIDE)).astype(np.float32)
        images["s1"] = ImageArray(Image.of(backscatter, GRID, SENTINEL_1))
    return Stack(images=images, grid=GRID, moments=moments)


def with_gaps(values: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.where(GAPS[:, None], np.float32(np.nan), values)


def curves_of(stack: Stack, curves: Curves | None = None) -> NDArray[np.float32]:
    curves = curves or Curves.of([stack])
    assert curves is not None
    features = curves.features(stack.read(Window(0, 0, SIDE, SIDE)), stack.sensors)
    assert len(features) == len(curves.names(stack.sensors))
    return features


def test_curves_are_ridge_regressions_over_the_days_on_which_a_pixel_was_seen() -> None:
    values = with_gaps(VALUES)
    curves = curves_of(stack_of(values))
    at = np.array([(day - DAYS[0]).days for day in DAYS]) / (DAYS[-1] - DAYS[0]).days
    cosines = np.cos(np.pi * np.outer(at, np.arange(5)))
    band = SENTINEL_2.names.index("B02")
    for row in range(0, SIDE, 5):
        for column in range(0, SIDE, 5):
            seen = ~GAPS[:, row, column]
            if not seen.any():
                continue
            a, y = cosines[seen], values[seen, band, row, column]
            slow = np.linalg.solve(a.T @ a + 0.1 * np.diag(np.arange(5) ** 2), a.T @ y)
            np.testing.assert_allclose(curves[:5, row, column], slow, atol=1e-5)
    never = GAPS.all(0)
    assert np.isnan(curves[:, never]).all()
    assert np.isfinite(curves[:, ~never]).all()


def test_what_does_not_change_is_a_constant_whatever_the_gaps() -> None:
    still = np.broadcast_to(VALUES[:1], VALUES.shape)
    whole, gaps = curves_of(stack_of(still)), curves_of(stack_of(with_gaps(still)))
    seen = ~GAPS.all(0)
    np.testing.assert_allclose(whole[:, seen], gaps[:, seen], atol=1e-4)
    np.testing.assert_allclose(whole[1:5], 0, atol=1e-5)


def test_days_of_another_year_are_those_of_the_year_that_was_learned() -> None:
    curves = Curves.of([stack_of(VALUES)])
    later = tuple(day.replace(year=2026) for day in DAYS)
    same, other = (
        curves_of(stack_of(VALUES)),
        curves_of(stack_of(VALUES, later), curves),
    )
    np.testing.assert_allclose(same, other, atol=0.01)


def test_single_images_beside_a_series_give_all_their_features() -> None:
    stack = stack_of(VALUES, sar=True)
    curves = Curves.of([stack])
    assert curves is not None
    assert curves.terms == {"s1": 1, "s2": 5}
    names = curves.names(stack.sensors)
    assert names[:4] == ["s1.VV", "s1.VH", "s1.VV filtered", "s1.VH filtered"]
    assert names[4:6] == ["s2.B02 cosine 0", "s2.B02 cosine 1"]
    assert len(names) == 4 + 6 * 5
    curves_of(stack, curves)


def test_no_curves_of_one_date() -> None:
    assert Curves.of([stack_of(VALUES[:1], DAYS[:1])]) is None


def test_a_forest_tells_apart_what_only_time_tells(tmp_path: Path) -> None:
    early = np.arange(SIDE * SIDE).reshape(SIDE, SIDE) % 2 == 0
    values = VALUES.copy()
    order = np.arange(len(DAYS))
    green = np.where(early, 4 - order[:, None, None], order[:, None, None]) / 10
    values[:, SENTINEL_2.names.index("B08")] = 0.1 + green
    legend = load_legend("worldcover")
    classes = np.where(early, 0, 1).astype(np.uint8)
    labels = classes.copy()
    labels[SIDE // 2 :] = UNKNOWN
    stack = stack_of(with_gaps(values))
    known = LabelArray(Labels(values=labels, grid=GRID, legend=legend))
    Forest(trees=20, leaf=1).fit([replace(stack, labels=known)], tmp_path, 0, quiet)
    forest = Forest().load(tmp_path, legend, stack.sensors)
    assert for_dates(forest, stack) is forest
    mapped = forest.predict(stack.read(Window(0, 0, SIDE, SIDE))).argmax(0)
    rest = (labels == UNKNOWN) & (GAPS.sum(0) < 3)
    assert (mapped == classes)[rest].mean() > 0.9
    one = stack_of(values[:1], DAYS[:1])
    single = forest.predict(one.read(Window(0, 0, SIDE, SIDE)))
    np.testing.assert_allclose(single.sum(0), 1, atol=1e-5)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("curves.days", [5]),
        ("curves.days", [9, 5]),
        ("curves.days", [0, 5]),
        ("curves.terms", [0, 1]),
        ("curves.terms", [3]),
        ("curves.terms", [99, 1]),
    ],
)
def test_days_from_elsewhere_are_checked(name: str, values: list[int]) -> None:
    stack = stack_of(VALUES, sar=True)
    curves = Curves.of([stack])
    assert curves is not None
    arrays = curves.as_arrays()
    assert Curves.from_arrays(arrays, stack.sensors) == curves
    assert Curves.from_arrays({}, stack.sensors) is None
    with pytest.raises(ValueError, match=name):
        Curves.from_arrays({**arrays, name: np.array(values)}, stack.sensors)
