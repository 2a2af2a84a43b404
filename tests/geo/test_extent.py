"""How large pixels are: in metres, in degrees, in feet, and without a place."""

from __future__ import annotations

import pytest
from affine import Affine
from odc.geo.geobox import GeoBox

from overcast.geo.extent import pixel_m


@pytest.mark.parametrize(
    ("side", "crs", "metres"),
    [
        (10.0, "EPSG:32633", 10.0),
        (3.0, None, 3.0),
        (10.0, "EPSG:2263", 3.048),
        # A degree along the equator is 111.3 km.
        (1e-4, "EPSG:4326", 11.13),
    ],
    ids=["metre", "no place", "feet", "degrees"],
)
def test_a_pixel_in_metres(side: float, crs: str | None, metres: float) -> None:
    corner = (0.0, 0.0) if crs == "EPSG:4326" else (500_000.0, 200_000.0)
    grid = GeoBox((20, 30), Affine(side, 0, corner[0], 0, -side, corner[1]), crs)
    assert pixel_m(grid) == pytest.approx(metres, rel=2e-3)
