"""Which pixels features label, and what is said of those that label none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import shapely

from overcast.geo.feature_notes import looked_at
from overcast.geo.legend import load_legend
from overcast.geo.overlay import PolygonLabels, lay
from overcast.geo.raster import UNKNOWN
from overcast.geo.vectors import Features
from tests.rasters import utm

LEGEND, GRID = load_legend("simplified-igbp"), utm((40, 50))
EAST, NORTH = 600_000, 5_300_000


def box(left: float, top: float, right: float, bottom: float) -> shapely.Polygon:
    """A box in pixels of the grid."""
    return shapely.box(
        EAST + 10 * left, NORTH - 10 * bottom, EAST + 10 * right, NORTH - 10 * top
    )


def laid(shapes: list[object], *classes: int) -> PolygonLabels:
    features = Features(Path("p.gpkg"), np.array(shapes, object), {}, "EPSG:32632")
    labels = looked_at(lay(features, np.uint8(classes), LEGEND, GRID))
    assert isinstance(labels, PolygonLabels)
    return labels


def test_a_polygon_below_a_pixel_labels_the_pixel_it_lies_in() -> None:
    labels = laid([box(3.1, 4.1, 3.3, 4.3), box(20.6, 30.6, 20.9, 30.9)], 1, 2)
    expected = np.full(GRID.shape, UNKNOWN, np.uint8)
    expected[4, 3], expected[30, 20] = 1, 2
    np.testing.assert_array_equal(labels.read(GRID).values, expected)
    (note,) = labels.notes
    assert note.startswith("p.gpkg: 2 polygons are so small that they hold no pixel's")
    for rows in (slice(0, 17), slice(17, 40)):
        part = labels.read(GRID[rows, 2:30]).values
        np.testing.assert_array_equal(part, expected[rows, 2:30])


@pytest.mark.parametrize("order", [1, -1])
def test_the_polygon_that_holds_a_centre_goes_first(order: int) -> None:
    shapes = [box(0, 0, 8, 8), box(3.1, 4.1, 3.3, 4.3)][::order]
    labels = laid(shapes, *[1, 2][::order])
    assert (labels.read(GRID).values[:8, :8] == 1).all()
    assert "1 of 2 features label no pixel: 1 lie under others" in labels.notes[0]


def test_a_long_strip_between_centres_labels_one_pixel() -> None:
    labels = laid([box(2, 5.6, 45, 5.9), box(1, 20.4, 45, 20.7)], 1, 2)
    values = labels.read(GRID).values
    assert (values == 1).sum() == 1
    assert (values[5] == 1).sum() == 1
    assert (values[20] == 2).sum() == 44


def test_every_polygon_of_some_size_holds_a_centre_or_has_an_inner_point() -> None:
    random = np.random.default_rng(3)
    at = random.uniform(2, 38, (300, 2))
    shapes = [
        shapely.transform(
            shapely.box(x, y, x + w, y + h),
            lambda xy: xy * (10, -10) + (EAST, NORTH),
        )
        for (x, y), (w, h) in zip(at, random.uniform(0.01, 2, (300, 2)), strict=True)
    ]
    for k, shape in enumerate(shapes):
        values = laid([shape], k % 10).read(GRID).values
        assert (values == k % 10).any()


def test_features_that_label_nothing_are_counted() -> None:
    far = box(900, 0, 910, 10)
    labels = laid([box(0, 0, 4, 4), far, far, box(0, 0, 2, 2)], 1, 2, 3, 2)
    assert (
        "2 of 4 features label no pixel: 2 lie outside of the images" in labels.notes[0]
    )
    assert "4 pixels lie in polygons of different classes" in labels.notes[1]
    assert laid([box(0, 0, 4, 4), box(10, 0, 14, 4)], 1, 1).notes == ()
    assert laid([box(0, 0, 4, 4), box(1, 0, 4, 3)], 1, 1).notes == ()


def test_features_elsewhere_are_refused() -> None:
    with pytest.raises(ValueError, match="no feature with a class has a pixel"):
        laid([box(900, 0, 910, 10)], 1)


def test_a_bow_tie_labels_what_it_encloses() -> None:
    corners = [(0, 0), (10, 10), (10, 0), (0, 10)]
    tie = shapely.Polygon([(EAST + 10 * x, NORTH - 10 * y) for x, y in corners])
    labels = laid([tie], 3)
    values = labels.read(GRID).values
    assert values[5, 1] == values[5, 8] == 3
    assert values[1, 5] == values[8, 5] == UNKNOWN
    assert "1 polygons cross themselves (the first in row 1)" in labels.notes[0]


def test_shapes_without_an_area_are_refused_by_row() -> None:
    line = shapely.LineString([(EAST, NORTH), (EAST + 50, NORTH)])
    with pytest.raises(ValueError, match=r"p\.gpkg: row 2 is a LineString"):
        laid([box(0, 0, 4, 4), line], 1, 2)
    flat = shapely.Polygon([(EAST, NORTH), (EAST + 50, NORTH), (EAST, NORTH)])
    with pytest.raises(
        ValueError, match=r"p\.gpkg: row 1 is a polygon without an area"
    ):
        laid([flat], 1)


def test_points_that_share_a_pixel_are_counted() -> None:
    at = shapely.points([EAST + 5, EAST + 6, EAST - 50], [NORTH - 5, NORTH - 6, NORTH])
    features = Features(Path("p.csv"), at, {}, "EPSG:32632")
    labels = looked_at(lay(features, np.uint8([1, 2, 3]), LEGEND, GRID))
    assert labels.read(GRID).values[0, 0] == 2
    assert labels.notes == (
        "p.csv: 1 of 3 features label no pixel: 1 lie outside of the images",
        "p.csv: 1 pixels have points of different classes; the later one in the file "
        "counts",
    )


def test_polygons_at_another_place_of_the_images_are_not_noticed() -> None:
    labels = laid([box(0, 0, 4, 4), box(20, 20, 24, 24)], 1, 2)
    moved = laid([box(9, 7, 13, 11), box(29, 27, 33, 31)], 1, 2)
    assert labels.notes == moved.notes == ()
    whole = np.roll(labels.read(GRID).values, (7, 9), (0, 1))
    np.testing.assert_array_equal(moved.read(GRID).values, whole)
