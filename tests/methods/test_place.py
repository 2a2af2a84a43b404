"""How much labels count for place: stated, chosen by anchors, or by consistency."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from affine import Affine
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox

from overcast.geo.arrays import ImageArray, LabelArray
from overcast.geo.bands import SENTINEL_1, Sensor
from overcast.geo.label_cells import are_polygons, cell_sides
from overcast.geo.legend import LandClass, Legend
from overcast.geo.raster import UNKNOWN, Image, Labels
from overcast.geo.stack import Chip, Stack
from overcast.label_quality.anchors import Anchors
from overcast.label_quality.place_file import KeptPlace
from overcast.maps.placed import Strength, combine
from overcast.methods.place.by_anchors import place_by_anchors
from overcast.methods.place.consistency import place_by_consistency, power_of
from overcast.methods.place.planned import find_place
from overcast.methods.place.strength import place_by_accuracy, strength_of
from overcast.plan import Data, ImageInput, PlaceInput, Plan
from tests.rasters import utm

NAMES = ("a", "b", "c", "d")
LEGEND = Legend(
    "four", tuple(LandClass(k, n, "000000") for k, n in enumerate(NAMES, 1))
)
GRID = utm((120, 120))


@dataclass(frozen=True)
class Looking:
    """A predictor that sees a class in the first band, and says it with a probability."""

    sure: float = 0.9
    legend: Legend = LEGEND
    halo: int = 3

    @property
    def sensors(self) -> dict[str, Sensor]:
        return {"s1": SENTINEL_1}

    def predict(self, chip: Chip) -> NDArray[np.float32]:
        seen = chip.images["s1"].values[0]
        out = np.full((4, *seen.shape), (1 - self.sure) / 3, np.float32)
        for k in range(4):
            out[k][seen == k] = self.sure
        return out


def truth() -> NDArray[np.uint8]:
    """Cells of ten pixels of one class each."""
    cells = np.random.default_rng(3).integers(0, 4, (12, 12)).astype(np.uint8)
    return cells.repeat(10, 0).repeat(10, 1)


def cells_of(values: NDArray[np.uint8]) -> LabelArray:
    """Labels in cells of ten pixels."""
    grid = GeoBox((12, 12), GRID.affine * Affine.scale(10), GRID.crs)
    return LabelArray(Labels(values=values, grid=grid, legend=LEGEND))


def wrong(share: float) -> NDArray[np.uint8]:
    """The true cells, some of them called the next class."""
    values = truth()[::10, ::10].copy()
    count = round(share * values.size)
    drawn = np.random.default_rng(4).permutation(values.size)[:count]
    values.ravel()[drawn] = (values.ravel()[drawn] + 1) % 4
    return values


def stack_of(
    labels: LabelArray | None, looks: NDArray[np.uint8] | None = None
) -> Stack:
    looks = truth() if looks is None else looks
    values = np.stack([looks, looks]).astype(np.float32)
    image = ImageArray(Image.of(values, GRID, SENTINEL_1))
    return Stack(grid=GRID, images={"s1": image}, labels=labels)


def test_right_labels_count_fully() -> None:
    found = place_by_consistency(Looking(), stack_of(cells_of(wrong(0))), 0)
    assert found.strength == Strength((0.0,) * 4, exponent=0.5, temper=0.9)
    assert "consistency 1.00" in found.notes[0]


@pytest.mark.parametrize("share", [0.05, 0.15, 0.25, 0.3, 0.5])
def test_labels_count_as_far_as_images_bear_them_out(share: float) -> None:
    """Cells of one class each: the best labels have the probability 0.9 at all pixels."""
    found = place_by_consistency(Looking(), stack_of(cells_of(wrong(share))), 0)
    count = round(share * 144) / 144
    expected = (0.9 * (1 - count) + 0.1 / 3 * count) / 0.9
    assert f"consistency {expected:.2f}" in found.notes[0]
    borne_out = min(max((expected - 0.8) / 0.1, 0), 1)
    often = min(max((1 - count - 0.65) / 0.1, 0), 1) / 2
    if not max(borne_out, often):
        assert found.strength is None
        assert "the labels do not count" in found.notes[0]
        return
    assert found.strength is not None
    assert found.strength.power == pytest.approx(max(borne_out, often), abs=1e-6)
    # Of labels in doubt, a third of the pixels on which they and the map differ is theirs.
    doubt = 1 - borne_out
    assert found.strength.wrong[0] == pytest.approx(
        doubt * count * 2 / 3 * 4 / 3, rel=1e-4
    )


def test_a_map_that_is_unsure_contradicts_no_labels_that_it_mostly_agrees_with() -> (
    None
):
    def power(sure: float, share: float) -> float:
        labels = stack_of(cells_of(wrong(share)))
        strength = place_by_consistency(Looking(sure=sure), labels, 0).strength
        return strength.power if strength else 0.0

    powers = [power(sure, 0.4) for sure in (0.85, 0.74, 0.65)]
    assert powers == pytest.approx([0, 0.5, 1], abs=1e-5)
    assert power(0.65, 0.6) == 0


def test_labels_that_hardly_count_leave_the_confidence_of_the_pixel() -> None:
    pixel = np.array([0.8, 0.2 / 3, 0.2 / 3, 0.2 / 3], np.float32)[:, None]
    label = np.array([0, 1, 0, 0], np.float32)[:, None]
    accuracy = np.full(4, 0.7)
    confidences = [
        combine(pixel, label, strength_of(accuracy, power))[0, 0]
        for power in (0.001, 0.2, 0.4)
    ]
    assert confidences[0] == pytest.approx(0.8, abs=0.002)
    assert confidences == sorted(confidences, reverse=True)
    assert strength_of(accuracy).temper == pytest.approx(0.9)


def test_two_reasons_to_count_labels_add_up() -> None:
    # Half borne out by images, and half in the eyes of an unsure map.
    assert power_of(0.85, 0.74, 0.6) == pytest.approx(0.75)
    assert power_of(0.85, 0.9, 0.6) == pytest.approx(0.5)
    assert power_of(0.7, 0.74, 0.6) == pytest.approx(0.5)


def test_the_accuracy_is_at_most_the_published_one() -> None:
    legend = Legend("igbp", LEGEND.classes)
    source = cells_of(wrong(0))
    labels = LabelArray(
        Labels(values=source.labels.values, grid=source.grid, legend=legend)
    )
    found = place_by_consistency(Looking(legend=legend), stack_of(labels), 0)
    assert found.strength is not None
    assert found.strength.wrong == pytest.approx([(1 - 0.736) * 4 / 3] * 4)
    assert "published for igbp: 0.736" in found.notes[0]


def test_drawn_labels_are_right_unless_said_otherwise() -> None:
    values = np.full((120, 120), UNKNOWN, np.uint8)
    values[:20, :20] = 1
    labels = LabelArray(Labels(values=values, grid=GRID, legend=LEGEND))
    found = place_by_consistency(Looking(), stack_of(labels), 0)
    assert found == KeptPlace(Strength.of_accuracy(np.full(4, 0.95)), 1, ())


def test_polygons_with_a_minimum_size_count_little_by_default() -> None:
    values = np.zeros((12, 12), np.uint8)
    values[2:8, 3:6] = 1
    stack = stack_of(cells_of(values), values.repeat(10, 0).repeat(10, 1))
    assert are_polygons(stack, 1)
    found = place_by_consistency(Looking(), stack, 0)
    assert found.strength is not None
    assert found.strength.power == 0.15
    assert "the labels count by 0.15" in found.notes[0]
    assert "polygons with a minimum size" in found.notes[0]


def test_no_whole_patch_is_no_evidence_of_polygons() -> None:
    values = np.zeros((12, 12), np.uint8)
    values[:, 6:] = 1
    assert not are_polygons(stack_of(cells_of(values)), 1)


def test_stated_accuracy_is_taken() -> None:
    found = place_by_accuracy(
        stack_of(cells_of(wrong(0.5))), np.array([0.7, 0.7, 1, 0.4])
    )
    assert found.strength is not None
    assert found.strength.wrong == pytest.approx((0.4, 0.4, 0.0, 0.8))
    assert (found.strength.exponent, found.strength.power) == (0.7, 1.0)


@pytest.mark.parametrize(
    ("accuracy", "exponent"), [(0.5, 0.7), (0.88, 0.7), (0.915, 0.6), (0.97, 0.5)]
)
def test_the_better_the_labels_the_less_the_pixel_counts(
    accuracy: float, exponent: float
) -> None:
    found = place_by_accuracy(stack_of(cells_of(wrong(0))), np.full(4, accuracy))
    assert found.strength is not None
    assert found.strength.exponent == pytest.approx(exponent)


def anchors(values: NDArray[np.uint8], count: int = 60) -> Anchors:
    random = np.random.default_rng(8)
    rows, columns = random.integers(0, 120, (2, count))
    return Anchors(rows, columns, values[rows, columns], np.ones(count))


def test_anchors_find_that_labels_are_right_where_images_are_not() -> None:
    looks = np.zeros((120, 120), np.uint8)
    stack = stack_of(cells_of(wrong(0)), looks)
    found = place_by_anchors(Looking(), stack, anchors(truth()))
    assert found.strength is not None
    assert max(found.strength.wrong) <= 0.1
    assert found.strength.exponent < 0.7


def test_anchors_find_that_images_are_right_where_labels_are_not() -> None:
    stack = stack_of(cells_of(((truth()[::10, ::10] + 1) % 4).astype(np.uint8)))
    found = place_by_anchors(Looking(), stack, anchors(truth()))
    assert found.strength is not None
    # What the image shows wins over the label.
    image = np.array([0.9, 0.1 / 3, 0.1 / 3, 0.1 / 3], np.float32)[:, None]
    label = np.array([0, 1, 0, 0], np.float32)[:, None]
    assert combine(image, label, found.strength)[0, 0] > 0.85


def test_anchors_find_that_labels_of_one_class_are_wrong() -> None:
    values = truth()[::10, ::10].copy()
    # Half of class a is called b, and nothing else is wrong.
    values[:6][values[:6] == 0] = 1
    stack = stack_of(cells_of(values), np.zeros((120, 120), np.uint8))
    found = place_by_anchors(Looking(sure=0.4), stack, anchors(truth(), 120))
    assert found.strength is not None
    others = [found.strength.wrong[k] for k in (0, 2, 3)]
    assert found.strength.wrong[1] > 2 * max(others)


def test_anchors_far_from_labels_leave_these_as_they_count_without() -> None:
    values = wrong(0.12)
    values[6:] = UNKNOWN
    stack = stack_of(cells_of(values))
    every = anchors(truth(), 80)
    far = np.flatnonzero(every.rows > 80)
    some = Anchors(
        every.rows[far], every.columns[far], every.classes[far], every.weights[far]
    )
    before = place_by_consistency(Looking(), stack, 0).strength
    found = place_by_anchors(Looking(), stack, some).strength
    assert before is not None
    assert found is not None

    def says(strength: Strength) -> float:
        """Log-odds that a label gives its class."""
        w = strength.wrong[1]
        return strength.power * float(np.log((1 - w + w / 4) / (w / 4)))

    # Evidence is never below 0, which draws a middle of it up a little.
    assert says(found) == pytest.approx(says(before), abs=0.5)


def test_a_plan_says_which() -> None:
    stack = stack_of(cells_of(wrong(0)))
    data = Data(images={"s1": ImageInput(path="x", sensor="sentinel-1")})
    stated = Plan(data=data, place=PlaceInput(accuracy="0.7"))
    found = find_place(Looking(), stack, stated)
    assert found.strength is not None
    assert found.strength.wrong == pytest.approx((0.4,) * 4)
    missing = Plan(data=data, place=PlaceInput(anchors=str(Path("no.gpkg"))))
    with pytest.raises(ValueError, match="no such file"):
        find_place(Looking(), stack, missing)
    assert find_place(Looking(), stack, Plan(data=data)) == place_by_consistency(
        Looking(), stack, 0
    )


def test_cells_of_fine_labels_are_squares() -> None:
    fine = LabelArray(
        Labels(values=truth()[:60, :60], grid=GRID[:60, :60], legend=LEGEND)
    )
    # Blocks of ten pixels give a coarser map away.
    assert cell_sides(stack_of(fine), 4) == (10, 10)
    noise = np.random.default_rng(0).integers(0, 4, (120, 120)).astype(np.uint8)
    every = LabelArray(Labels(values=noise, grid=GRID, legend=LEGEND))
    assert cell_sides(stack_of(every), 4) == (1, 4)
    assert cell_sides(stack_of(cells_of(wrong(0))), 4) == (1, 1)


def test_labels_that_images_bear_out_are_wrong_where_cells_are_mixed() -> None:
    # In every cell of ten pixels, two rows are of the next class.
    looks = truth()
    mixed = (np.arange(120) % 10 < 2)[:, None]
    looks = np.where(mixed, (looks + 1) % 4, looks).astype(np.uint8)
    found = place_by_consistency(Looking(), stack_of(cells_of(wrong(0)), looks), 0)
    assert "consistency 1.00" in found.notes[0]
    assert found.strength is not None
    # The size of cells explains all of this: labels are the majority of what images show.
    assert found.strength.wrong == pytest.approx([0.02] * 4)
    assert found.strength.exponent == 1


def test_fine_labels_that_images_bear_out_are_wrong_elsewhere() -> None:
    # A fifth of the pixels is called another class, in no order.
    random = np.random.default_rng(5)
    called = np.where(random.random((120, 120)) < 0.2, (truth() + 1) % 4, truth())
    fine = LabelArray(Labels(values=called.astype(np.uint8), grid=GRID, legend=LEGEND))
    found = place_by_consistency(Looking(), stack_of(fine), 0)
    assert found.strength is not None
    share = (called == truth()).mean()
    assert found.strength.wrong[0] == pytest.approx((1 - share) * 2 / 3 * 4 / 3)
