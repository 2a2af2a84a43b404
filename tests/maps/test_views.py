"""Test-time views: every one is undone exactly where it lies, and the mean is plain."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pytest
from affine import Affine
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox

from overcast.geo.bands import Band, Sensor
from overcast.geo.legend import LandClass, Legend
from overcast.geo.raster import Image
from overcast.geo.stack import Chip
from overcast.geo.tiling import Tiling
from overcast.maps.predict import probabilities
from overcast.maps.views import (
    CHOICES,
    SYMMETRIES,
    View,
    Viewed,
    symmetries_at,
    views_of,
)
from tests.maps.test_predict import stack_of

Floats = NDArray[np.float32]
SENSOR = Sensor("two", "optical", (Band("a", "px", 0, 1), Band("b", "px", 0, 1)))
LEGEND = Legend("two", (LandClass(7, "low", "112233"), LandClass(3, "high", "445566")))


def chip_of(values: Floats) -> Chip:
    affine = Affine(10, 0, 500_000, 0, -10, 4_000_000)
    grid = GeoBox(values.shape[1:], affine, "EPSG:32633")
    return Chip(images={"x": Image.of(values, grid, SENSOR)}, labels=None, grid=grid)


def random_values(shape: tuple[int, int]) -> Floats:
    return np.random.default_rng(0).random((2, *shape), np.float32)


@dataclass
class Identity:
    """Says what it sees, nonsense where it sees nothing, and keeps its windows."""

    legend: Legend = LEGEND
    halo: int = 3
    sensors: Mapping[str, Sensor] = field(default_factory=lambda: {"x": SENSOR})
    chips: list[Chip] = field(default_factory=list)

    def predict(self, chip: Chip) -> Floats:
        self.chips.append(chip)
        return np.nan_to_num(chip.images["x"].values, nan=1e6)


@dataclass
class Leaning(Identity):
    """Blurs towards the right and down, as a biased predictor would."""

    def predict(self, chip: Chip) -> Floats:
        values = chip.images["x"].values
        moved = np.roll(values, (1, 2), (1, 2))
        return np.asarray(0.5 * values + 0.5 * moved, np.float32)


@pytest.mark.parametrize("view", SYMMETRIES, ids=str)
@pytest.mark.parametrize("shape", [(7, 7), (5, 9), (8, 3), (1, 4)])
def test_a_turned_view_is_undone_to_the_bit(view: View, shape: tuple[int, int]) -> None:
    values = random_values(shape)
    back, there = view.undo(
        view.of(chip_of(values)).images["x"].values, seen_by(view, values), shape
    )
    np.testing.assert_array_equal(back, values)
    assert there.all()


def seen_by(view: View, values: Floats) -> NDArray[np.bool_]:
    return view.of(chip_of(values)).images["x"].valid


def test_the_eight_symmetries_are_eight() -> None:
    values = random_values((5, 5))
    looks = {
        view.of(chip_of(values)).images["x"].values.tobytes() for view in SYMMETRIES
    }
    assert len(looks) == 8


@pytest.mark.parametrize("view", symmetries_at(0.5, 0.75, 1.0, 1.25, 1.75), ids=str)
def test_every_view_puts_coordinates_back_where_they_were(view: View) -> None:
    """A value that is its own place, on a window that no symmetry leaves alone."""
    shape = (40, 27)
    place = np.asarray(np.mgrid[:40, :27], np.float32)
    looked = view.of(chip_of(place)).images["x"]
    back, _ = view.undo(looked.values, looked.valid, shape)
    inner = (slice(None), slice(5, -5), slice(5, -5))
    np.testing.assert_allclose(back[inner], place[inner], atol=1e-4)


@pytest.mark.parametrize("view", symmetries_at(0.5, 1.0, 1.5), ids=str)
def test_the_grid_of_a_view_says_where_its_pixels_lie(view: View) -> None:
    """Its affine, in metres, against coordinates that went through the view."""
    chip = chip_of(random_values((12, 20)))
    rows, columns = np.mgrid[:12, :20]
    easting, northing = chip.grid.affine * (columns + 0.5, rows + 0.5)
    place = np.stack([easting - 5e5, northing - 4e6]).astype(np.float32)
    looked = view.of(chip_of(place))
    rows, columns = np.mgrid[: looked.grid.shape[0], : looked.grid.shape[1]]
    expected = np.stack(looked.grid.affine * (columns + 0.5, rows + 0.5))
    expected -= np.array([5e5, 4e6])[:, None, None]
    inner = (slice(None), slice(2, -2), slice(2, -2))
    found = looked.images["x"].values
    np.testing.assert_allclose(found[inner], expected[inner], atol=1e-3)


@given(
    scale=st.floats(0.3, 3),
    rows=st.integers(1, 30),
    columns=st.integers(1, 30),
    seed=st.integers(0, 99),
)
@settings(max_examples=50)
def test_probabilities_stay_probabilities_and_unseen_pixels_add_nothing(
    scale: float, rows: int, columns: int, seed: int
) -> None:
    random = np.random.default_rng(seed)
    values = random.random((2, rows, columns), np.float32)
    values /= values.sum(0)
    values[:, random.random((rows, columns)) < 0.3] = np.nan
    chip = chip_of(values)
    found = Viewed(Identity(), symmetries_at(scale)).predict(chip)
    valid = chip.images["x"].valid
    np.testing.assert_allclose(found.sum(0)[valid], 1, atol=1e-4)
    assert found.max(initial=0) <= 1 + 1e-4


def test_fine_detail_is_averaged_and_not_aliased() -> None:
    chequered = np.indices((32, 32)).sum(0) % 2
    values = np.stack([chequered, 1 - chequered]).astype(np.float32)
    half = View(scale=0.5).of(chip_of(values)).images["x"].values
    np.testing.assert_allclose(half[:, 1:-1, 1:-1], 0.5, atol=1e-6)


def test_one_plain_view_changes_nothing() -> None:
    chip = chip_of(random_values((6, 9)))
    plain = Leaning().predict(chip)
    np.testing.assert_array_equal(Viewed(Leaning(), views_of(1)).predict(chip), plain)


def test_views_average_out_what_has_a_direction() -> None:
    values = random_values((16, 16))
    turned = SYMMETRIES[5]
    of_views = Viewed(Leaning()).predict(chip_of(values))
    of_turned = Viewed(Leaning()).predict(turned.of(chip_of(values)))
    back, _ = turned.undo(of_turned, np.ones((16, 16), bool), (16, 16))
    np.testing.assert_allclose(back, of_views, atol=1e-6)
    lone = turned.undo(
        Leaning().predict(turned.of(chip_of(values))), np.ones((16, 16), bool), (16, 16)
    )[0]
    assert np.abs(lone - Leaning().predict(chip_of(values))).max() > 0.1


def test_the_mean_is_over_all_views() -> None:
    """Against one view at a time, undone and added by hand."""
    chip = chip_of(random_values((9, 14)))
    views = views_of(24)
    expected = np.zeros((2, 9, 14))
    for view in views:
        looked = view.of(chip)
        seen = looked.images["x"].valid
        expected += view.undo(Leaning().predict(looked), seen, (9, 14))[0] / len(views)
    found = Viewed(Leaning(), views).predict(chip)
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_windows_of_a_stack_come_together_without_seams() -> None:
    """Halo and tiling hold for views as for any predictor."""
    place = np.asarray(np.mgrid[:90, :70], np.float32)
    viewed = Viewed(Identity(), views_of(24))
    tiling = Tiling(48, 2 * viewed.halo)
    got = np.full_like(place, np.nan)
    for window, band in probabilities(viewed, stack_of(place), tiling):
        got[(slice(None), *window.slices)] = band
    inner = (slice(None), slice(3, -3), slice(3, -3))
    np.testing.assert_allclose(got[inner], place[inner], atol=0.05)


@pytest.mark.parametrize("count", sorted(CHOICES))
def test_a_footprint_ends_in_the_map_where_it_ends_in_the_image(count: int) -> None:
    """Windows that it cuts, or that lie outside of it, add nothing and lose nothing."""
    values = random_values((60, 60))
    values /= values.sum(0)
    rows, columns = np.indices((60, 60))
    outside = rows + columns < 50
    values[:, outside] = np.nan
    viewed = Viewed(Identity(), views_of(count))
    got = np.full_like(values, np.nan)
    for window, band in probabilities(viewed, stack_of(values), Tiling(24, 8)):
        got[(slice(None), *window.slices)] = band
    assert (got[:, outside] == 0).all()
    np.testing.assert_allclose(got.sum(0)[~outside], 1, atol=1e-4)


def test_halo_grows_as_scale_falls() -> None:
    assert Viewed(Identity()).halo == 3
    assert Viewed(Identity(), symmetries_at(0.5)).halo == 10
    assert Viewed(Identity(), symmetries_at(2.0)).halo == 4


def test_sets_have_the_number_of_views_that_they_are_called_by() -> None:
    for count, views in CHOICES.items():
        assert len(set(views)) == count
    with pytest.raises(
        ValueError, match="no set of 5 views; there are sets of 1, 8, 24"
    ):
        views_of(5)


def test_bad_views_are_refused() -> None:
    with pytest.raises(ValueError, match="needs a view"):
        Viewed(Identity(), ())
    with pytest.raises(ValueError, match=r"scale of a view is 0\.01"):
        View(scale=0.01)
