"""What a map does to the labels that it was made from."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from overcast.geo.arrays import LabelArray
from overcast.geo.legend import LandClass, Legend
from overcast.geo.raster import UNKNOWN, Labels
from overcast.label_quality.contradictions import Contradictions, contradictions
from tests.rasters import utm

NAMES = ("wood", "field", "coffee")
LEGEND = Legend(
    "three", tuple(LandClass(k, n, "000000") for k, n in enumerate(NAMES, 1))
)
GRID = utm((100, 100))


def source(values: NDArray[np.uint8], size: float = 10) -> LabelArray:
    grid = utm(values.shape, size=size)
    return LabelArray(Labels(values=values, grid=grid, legend=LEGEND))


def cells() -> NDArray[np.uint8]:
    """Cells of ten pixels: wood, with field in two columns and one cell of coffee."""
    values = np.zeros((10, 10), np.uint8)
    values[:, 8:] = 1
    values[0, 0] = 2
    return values


def compared(mapped: NDArray[np.uint8], given: NDArray[np.uint8]) -> Contradictions:
    found = contradictions(source(mapped), source(given, 100), GRID)
    assert found is not None
    return found


def test_a_map_of_its_labels_contradicts_nothing() -> None:
    found = compared(cells().repeat(10, 0).repeat(10, 1), cells())
    assert found.agreement == 1
    assert found.labelled.tolist() == found.mapped.tolist() == [0.79, 0.2, 0.01]
    assert (found.far == 0).all()
    assert list(found.notes()) == []


def test_cells_of_another_class_are_counted() -> None:
    mapped = cells().repeat(10, 0).repeat(10, 1)
    mapped[:, :30] = 1  # field over three columns of ten cells, one of them coffee
    found = compared(mapped, cells())
    assert found.agreement == pytest.approx(0.7)
    assert found.mapped[1] == pytest.approx(0.5)
    first, second, *_ = found.notes()
    assert "in 30% of their cells" in first
    assert "field (20.0% of the labels, 50.0% of the map)" in second


def test_a_class_far_from_its_labels_is_told() -> None:
    mapped = cells().repeat(10, 0).repeat(10, 1)
    mapped[60:70, 40:60] = 2  # two hundred pixels, sixty away from the one cell
    found = compared(mapped, cells())
    assert found.far[2] == pytest.approx(2 / 3, abs=0.01)
    notes = list(found.notes())
    assert any(
        "3 cells away from every label" in n and "coffee (67%)" in n for n in notes
    )


def test_a_map_of_one_class_is_told() -> None:
    found = compared(np.zeros((100, 100), np.uint8), cells())
    assert found.one_class == "wood"
    assert "the whole map is wood" in next(found.notes())
    assert found.tree()["one_class"] == "wood"
    assert found.tree()["classes"]["field"] == {"labels": 0.2, "map": 0.0, "far": 0.0}


def test_drawn_labels_are_no_shares() -> None:
    given = np.full((100, 100), UNKNOWN, np.uint8)
    given[:8, :8], given[50:58, 50:58] = 0, 1
    mapped = np.zeros((100, 100), np.uint8)
    mapped[30:] = 1
    found = contradictions(source(mapped), source(given), GRID)
    assert found is not None
    assert found.drawn
    assert found.agreement == 1
    assert list(found.notes()) == []


def test_too_few_labels_say_nothing() -> None:
    given = np.full((100, 100), UNKNOWN, np.uint8)
    given[:3, :3] = 0
    assert contradictions(source(given), source(given), GRID) is None
