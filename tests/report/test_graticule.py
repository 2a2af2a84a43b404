"""Meridians, parallels and north lie where they do on the ground."""

from __future__ import annotations

import math
from xml.etree import ElementTree

import numpy as np
import pyproj
import pytest
from odc.geo.geobox import GeoBox

from overcast.report.graticule import lines_of, map_furniture, north_of
from tests.rasters import utm

DEGREES = GeoBox.from_bbox((10, 50, 10.5, 50.25), "EPSG:4326", resolution=0.001)


def test_lines_of_a_grid_in_degrees_are_straight_and_round() -> None:
    meridians, parallels = lines_of(DEGREES)
    assert [line.degrees for line in meridians] == pytest.approx([10, 10 + 1 / 3])
    assert [line.degrees for line in parallels] == pytest.approx([50, 50 + 1 / 6])
    for line in meridians:
        np.testing.assert_allclose(line.points[:, 0], (line.degrees - 10) / 0.5)
    for line in parallels:
        np.testing.assert_allclose(line.points[:, 1], 1 - (line.degrees - 50) / 0.25)


def test_lines_of_utm_are_where_proj_puts_them() -> None:
    grid = utm((200, 300))
    to = pyproj.Transformer.from_crs(str(grid.crs), "EPSG:4326", always_xy=True)
    meridians, parallels = lines_of(grid)
    assert meridians
    assert parallels
    for lines, axis in ((meridians, 0), (parallels, 1)):
        for line in lines:
            for x, y in line.points:
                at = to.transform(*(grid.affine * (x * 300, y * 200)))
                assert at[axis] == pytest.approx(line.degrees, abs=1e-7)


def test_north_is_up_in_degrees_and_turns_beside_the_central_meridian() -> None:
    assert north_of(DEGREES) == pytest.approx(0, abs=1e-6)
    for west, sign in ((250_000, 1), (740_000, -1)):
        box = (west, 5_500_000, west + 10_000, 5_510_000)
        grid = GeoBox.from_bbox(box, "EPSG:32632", resolution=100)
        to = pyproj.Proj(32632)
        lon, lat = to(west + 5000, 5_505_000, inverse=True)
        convergence = to.get_factors(lon, lat).meridian_convergence
        assert north_of(grid) == pytest.approx(-convergence, abs=0.01)
        assert math.copysign(1, north_of(grid)) == sign


def test_labels_are_degrees_and_minutes_inside_of_the_picture() -> None:
    tree = ElementTree.fromstring(map_furniture(DEGREES))
    texts = {node.text: node for node in tree.iter("text")}
    assert set(texts) == {"10°20′ E", "50°10′ N", "N"}
    assert float(texts["10°20′ E"].attrib["x"]) == pytest.approx(1000 * 2 / 3, abs=0.1)


def test_lines_cross_180_degrees() -> None:
    box = (179.9, -17, 180.1, -16.9)
    grid = GeoBox.from_bbox(box, "EPSG:4326", resolution=0.001)
    (middle,) = [line for line in lines_of(grid)[0] if abs(line.degrees - 180) < 0.01]
    np.testing.assert_allclose(middle.points[:, 0], 0.5, atol=1e-6)
    pacific = GeoBox.from_bbox((-6e4, -19e5, 6e4, -18e5), "EPSG:3832", resolution=1000)
    assert len(lines_of(pacific)[0]) <= 3


def test_a_grid_without_a_place_has_none() -> None:
    nowhere = GeoBox((4, 4), DEGREES.affine, None)
    assert map_furniture(nowhere) == ""
