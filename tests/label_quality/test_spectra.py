"""Where an image contradicts what labels are called."""

from __future__ import annotations

import numpy as np
import pytest

from overcast.geo.arrays import ImageArray, LabelArray
from overcast.geo.bands import SENTINEL_1, SENTINEL_2
from overcast.geo.legend import LandClass, Legend
from overcast.geo.raster import Image, Labels
from overcast.geo.stack import Stack
from overcast.label_quality.spectra import contradictions
from tests.rasters import backscatter, utm

GRID = utm((60, 40))
SPECTRA = {  # B03, B04, B08
    "Open water": (0.028, 0.020, 0.009),
    "Forest": (0.035, 0.022, 0.24),
    "Crops": (0.09, 0.10, 0.28),
    "Town": (0.15, 0.17, 0.21),
}


def stack_of(order: tuple[str, ...], *, radar: bool = False) -> Stack:
    """Bands of rows that look as `SPECTRA` say, under the names in `order`."""
    truth = np.repeat(np.arange(4), 15)[:, None].repeat(40, 1).astype(np.uint8)
    values = np.full((10, *GRID.shape), 0.1, np.float32)
    for band, name in enumerate(("B03", "B04", "B08")):
        level = np.array([spectrum[band] for spectrum in SPECTRA.values()])
        values[SENTINEL_2.names.index(name)] = level[truth]
    legend = Legend("l", tuple(LandClass(k, n, "00ff00") for k, n in enumerate(order)))
    image = Image.of(values, GRID, SENTINEL_2)
    if radar:
        image = Image.of(backscatter(GRID.shape), GRID, SENTINEL_1)
    labels = LabelArray(Labels(values=truth, grid=GRID, legend=legend))
    return Stack(grid=GRID, images={"image": ImageArray(image)}, labels=labels)


def test_right_names_are_not_mentioned() -> None:
    assert contradictions(stack_of(tuple(SPECTRA))) == []


def test_water_that_is_bright_in_the_near_infrared() -> None:
    (note,) = contradictions(stack_of(("Other", "Open water", "Crops", "Town")))
    assert note == (
        "labels called Open water are bright in the near infrared (NDWI of at most -0.75 "
        "in 90 % of them), which water is not; is --legend right?"
    )


@pytest.mark.parametrize(("rows", "said"), [(1, 1), (3, 0)])
def test_a_product_whose_water_is_mostly_banks_is_not_said(
    rows: int, said: int
) -> None:
    """Of 15 rows called water, some are: tile 433D has a fifth, with Esri's labels."""
    stack = stack_of(("Other", "Open water", "Crops", "Town"))
    image = stack.images["image"]
    assert isinstance(image, ImageArray)
    green, near = (SENTINEL_2.names.index(name) for name in ("B03", "B08"))
    image.image.values[green, 15 : 15 + rows] = 0.06
    image.image.values[near, 15 : 15 + rows] = 0.03
    assert len(contradictions(stack)) == said


def test_forest_that_is_less_green_than_a_town() -> None:
    (note,) = contradictions(stack_of(("Lake", "Town", "Crops", "Forest")))
    assert "labels called Forest are less green than those called Town" in note
    assert "NDVI 0.11 and 0.83" in note


@pytest.mark.parametrize("radar", [True])
def test_radar_says_nothing_of_colours(radar: bool) -> None:
    names = ("Other", "Open water", "Crops", "Town")
    assert contradictions(stack_of(names, radar=radar)) == []


def test_other_classes_may_be_exchanged_unnoticed() -> None:
    """Water and trees have the same codes in both legends, and the others have not."""
    assert contradictions(stack_of(("Open water", "Forest", "Town", "Crops"))) == []
