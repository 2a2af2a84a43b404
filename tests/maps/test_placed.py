"""Labels as evidence of place: the equation, its limits, and where the shares lie."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from affine import Affine
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox
from scipy.ndimage import gaussian_filter

from overcast.geo.arrays import LabelArray
from overcast.geo.bands import SENTINEL_1, Sensor
from overcast.geo.legend import LandClass, Legend
from overcast.geo.raster import UNKNOWN, Image, Labels
from overcast.geo.stack import Chip
from overcast.geo.warp import pixel_of
from overcast.maps.placed import Placed, Strength, combine, soft_labels
from overcast.maps.views import Viewed, views_of
from tests.rasters import CELL_M, SINUSOIDAL, backscatter, utm

LEGEND = Legend("two", (LandClass(1, "a", "000000"), LandClass(2, "b", "ffffff")))
GRID = utm((60, 80))


def labels_on(grid: GeoBox, seed: int = 0) -> LabelArray:
    values = np.random.default_rng(seed).integers(0, 2, grid.shape).astype(np.uint8)
    return LabelArray(Labels(values=values, grid=grid, legend=LEGEND))


def cells(side: int) -> GeoBox:
    """Cells of `side` pixels under `GRID` and around it."""
    shape = 60 // side + 3, 80 // side + 3
    place = GRID.affine * Affine.translation(-side, -side) * Affine.scale(side)
    return GeoBox(shape, place, GRID.crs)


@dataclass(frozen=True)
class Fixed:
    """A predictor that says the same of every pixel."""

    said: tuple[float, ...] = (0.3, 0.7)
    legend: Legend = LEGEND
    halo: int = 0

    @property
    def sensors(self) -> dict[str, Sensor]:
        return {"s1": SENTINEL_1}

    def predict(self, chip: Chip) -> NDArray[np.float32]:
        said = np.array(self.said, np.float32)
        return np.broadcast_to(said[:, None, None], (2, *chip.grid.shape)).copy()


def chip_on(grid: GeoBox) -> Chip:
    image = Image.of(backscatter(grid.shape), grid, SENTINEL_1)
    return Chip(images={"s1": image}, labels=None, grid=grid)


def test_the_equation() -> None:
    pixel = np.array([[0.3], [0.5], [0.2]], np.float32)
    labels = np.array([[0.6], [0.1], [0.0]], np.float32)
    strength = Strength((0.2, 0.5, 0.1), exponent=2.0, power=0.5)
    chance = (0.2 * 0.6 + 0.5 * 0.1 + 0.3) / 3
    place = np.array([0.8 * 0.6 + chance, 0.5 * 0.1 + chance, chance])
    # 0.7 of the labels are known there, so that the exponent is 1 + 0.7 (2 - 1).
    expected = pixel[:, 0] ** 1.7 * place**0.5
    found = combine(pixel, labels, strength)
    assert found[:, 0] == pytest.approx(expected / expected.sum(), rel=1e-5)


def test_labels_of_cells_that_pixels_of_a_class_lie_in() -> None:
    pixel = np.array([[0.3], [0.7]], np.float32)
    labels = np.array([[0.5], [0.1]], np.float32)
    named = (0.9, 0.4), (0.1, 0.6)
    found = combine(pixel, labels, Strength((0.2, 0.1), named=named))
    chance = (0.2 * 0.5 + 0.1 * 0.1 + 0.4) / 2
    right = 0.8 * 0.5, 0.9 * 0.1
    place = [right @ np.array(column) + chance for column in ((0.9, 0.1), (0.4, 0.6))]
    expected = pixel[:, 0] * place
    assert found[:, 0] == pytest.approx(expected / expected.sum(), rel=1e-5)


def test_a_tempered_result_is_less_sure_and_has_the_same_classes() -> None:
    pixel = np.array([[0.3, 0.3], [0.6, 0.6], [0.1, 0.1]], np.float32)
    labels = np.array([[1, 0], [0, 0], [0, 0]], np.float32)
    sure = combine(pixel, labels, Strength((0.1,) * 3))
    found = combine(pixel, labels, Strength((0.1,) * 3, temper=0.75))
    expected = sure[:, 0] ** 0.75
    assert found[:, 0] == pytest.approx(expected / expected.sum(), rel=1e-5)
    # Where no label is known, the predictor's own probabilities stay.
    assert found[:, 1] == pytest.approx(pixel[:, 1], rel=1e-5)


@pytest.mark.parametrize(
    ("strength", "labels", "expected"),
    [
        (Strength((1.0, 1.0)), (1.0, 0.0), (0.3, 0.7)),
        (Strength((0.1, 0.1), power=0.0), (1.0, 0.0), (0.3, 0.7)),
        (Strength((0.1, 0.1), exponent=2.0), (0.0, 0.0), (0.3, 0.7)),
        (Strength((0.0, 0.0)), (1.0, 0.0), (1.0, 0.0)),
        (Strength((0.0, 0.0), exponent=0.0), (0.25, 0.75), (0.25, 0.75)),
    ],
)
def test_limits(
    strength: Strength, labels: tuple[float, ...], expected: tuple[float, ...]
) -> None:
    pixel = np.array([[0.3], [0.7]], np.float32)
    around = np.array(labels, np.float32)[:, None]
    assert combine(pixel, around, strength)[:, 0] == pytest.approx(expected, abs=1e-6)


def test_no_class_stays_no_class() -> None:
    found = combine(
        np.zeros((2, 4), np.float32),
        np.ones((2, 4), np.float32) / 2,
        Strength((0.1, 0.1)),
    )
    assert (found == 0).all()


def test_accuracy_becomes_a_share_drawn_at_random() -> None:
    strength = Strength.of_accuracy(np.array([0.85, 1.0, 0.1, 0.25]))
    assert strength.wrong == pytest.approx((0.2, 0.0, 1.0, 1.0))


@pytest.mark.parametrize(
    "wrong",
    [
        {"wrong": (1.2, 0)},
        {"wrong": (0, 0), "power": 2},
        {"wrong": (0,), "exponent": -1},
        {"wrong": (0,), "temper": 0},
    ],
)
def test_impossible_strengths_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="expected"):
        Strength(**wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("side", [1, 4, 10, 20])
def test_shares_are_those_of_labels_blurred_by_half_a_cell(side: int) -> None:
    """A border between two classes, as the normal distribution has it."""
    grid = cells(side)
    values = np.zeros(grid.shape, np.uint8)
    values[:, grid.shape[1] // 2 :] = 1
    source = LabelArray(Labels(values=values, grid=grid, legend=LEGEND))
    found = soft_labels(source, GRID, 1)
    assert found.sum(0) == pytest.approx(1, abs=1e-5)
    border = (grid.shape[1] // 2 - 1) * side
    away = (np.arange(80) + 0.5 - border) / (side / 2)
    spread = np.diff(found[1, 30]) @ ((away[1:] + away[:-1]) / 2) ** 2
    assert found[1, 30].min() == pytest.approx(0, abs=0.01)
    assert found[1, 30].max() == pytest.approx(1, abs=0.01)
    assert spread == pytest.approx(1, abs=0.4 if side == 1 else 0.12)


def test_blocks_on_a_fine_grid_are_blurred_as_cells_are() -> None:
    coarse = labels_on(cells(10))
    row, column = pixel_of(coarse.grid, GRID)
    fine = Labels(values=coarse.labels.values[row, column], grid=GRID, legend=LEGEND)
    ones = (fine.values == 1).astype(float)
    # Half a cell of ten pixels is the standard deviation of the blur.
    expected = gaussian_filter(ones, 5)[16:-16, 16:-16]
    as_blocks = soft_labels(LabelArray(fine), GRID, 10)[1, 16:-16, 16:-16]
    as_cells = soft_labels(coarse, GRID, 1)[1, 16:-16, 16:-16]
    assert np.abs(as_blocks - expected).mean() < 0.03
    assert np.abs(as_cells - expected).mean() < 0.05
    assert np.abs(ones[16:-16, 16:-16] - expected).mean() > 0.2


def test_cells_of_another_projection_lie_where_they_are() -> None:
    box = GRID.extent.to_crs(SINUSOIDAL).boundingbox
    place = Affine(CELL_M / 5, 0, box.left - 300, 0, -CELL_M / 5, box.top + 300)
    source = labels_on(GeoBox((24, 30), place, SINUSOIDAL))
    found = soft_labels(source, GRID, 1)
    row, column = pixel_of(source.grid, GRID)
    given = source.labels.values[row, column]
    own = np.take_along_axis(found, given[None].astype(int), 0)[0]
    # The middle of a cell has most of its own label.
    assert found.sum(0) == pytest.approx(1, abs=1e-5)
    assert (found.argmax(0) == given).mean() > 0.8
    assert own.mean() > 0.65


def test_windows_have_the_shares_of_the_whole() -> None:
    source = labels_on(cells(4))
    whole = soft_labels(source, GRID, 1)
    part = soft_labels(source, GRID[17:40, 30:61], 1)
    assert part == pytest.approx(whole[:, 17:40, 30:61], abs=1e-5)


def test_unknown_labels_and_what_lies_outside_say_nothing() -> None:
    grid = GRID[20:40, 20:40]
    source = labels_on(grid)
    source.labels.values[:10] = UNKNOWN
    found = soft_labels(source, GRID, 1)
    assert (found[:, :19] == 0).all()
    assert (found[:, :, 41:] == 0).all()
    assert found.sum(0)[35, 30] == pytest.approx(1, abs=1e-5)
    far = soft_labels(source, utm((8, 8), east=700_000), 1)
    assert (far == 0).all()


def test_a_placed_predictor_maps_with_labels_where_they_reach() -> None:
    values = np.zeros((20, 20), np.uint8)
    source = LabelArray(Labels(values=values, grid=GRID[:20, :20], legend=LEGEND))
    placed = Placed(Fixed(), source, 1, Strength((0.2, 0.2)))
    found = placed.predict(chip_on(GRID))
    assert found[:, 5, 5] == pytest.approx(
        [0.3 * 0.9 / 0.34, 0.7 * 0.1 / 0.34], abs=1e-5
    )
    assert found[:, 50, 70] == pytest.approx([0.3, 0.7])
    assert (placed.legend, placed.halo) == (LEGEND, 0)


def test_turned_views_see_the_labels_in_their_place() -> None:
    source = labels_on(cells(5))
    placed = Placed(Fixed(), source, 1, Strength((0.1, 0.1)))
    views = Viewed(placed, views_of(8))
    chip = chip_on(GRID[:40, :40])
    assert views.predict(chip) == pytest.approx(placed.predict(chip), abs=1e-4)
