"""Labels that somebody drew, and those that are a map."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import shapely

from overcast.geo.arrays import LabelArray
from overcast.geo.legend import LandClass, Legend
from overcast.geo.overlay import PolygonLabels
from overcast.geo.raster import UNKNOWN, Labels
from overcast.label_quality.kind import are_drawn
from tests.rasters import utm

LEGEND = Legend("two", (LandClass(1, "a", "000000"), LandClass(2, "b", "ffffff")))
GRID = utm((50, 50))


def raster(rows: int, side: float = 10) -> LabelArray:
    """Labels in the first rows."""
    count = round(500 / side)
    grid = utm((count, count), size=side)
    values = np.full(grid.shape, UNKNOWN, np.uint8)
    values[: round(rows * count / 50)] = 1
    return LabelArray(Labels(values=values, grid=grid, legend=LEGEND))


@pytest.mark.parametrize(
    ("rows", "drawn"), [(5, True), (9, True), (11, False), (50, False)]
)
def test_a_fine_raster_of_a_few_places_was_drawn(rows: int, drawn: bool) -> None:
    assert are_drawn(raster(rows), GRID) is drawn


def test_coarse_cells_were_not() -> None:
    assert not are_drawn(raster(10, side=100), GRID)


@pytest.mark.parametrize(("side", "drawn"), [(100, True), (340, True), (500, False)])
def test_polygons_were_unless_they_cover_the_scene(side: int, drawn: bool) -> None:
    left, top = 600_000, 5_300_000
    shapes = np.array([shapely.box(left, top - side, left + side, top)], object)
    classes = np.zeros(1, np.uint8)
    inner = np.full((1, 2), np.nan)
    path = Path("x.gpkg")
    labels = PolygonLabels(path, shapes, classes, LEGEND, GRID, inner)
    assert are_drawn(labels, GRID) is drawn
