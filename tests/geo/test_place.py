"""Grids without a place on the Earth are refused in one line that names the file."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from affine import Affine
from odc.geo.geobox import GeoBox

from overcast.geo.place import doubts, refuse_crs, refuse_place
from overcast.geo.warp import pixel_of
from tests.rasters import CELL_M, SINUSOIDAL, utm

FILE = Path("a.tif")
UTM = "EPSG:32632"
GOOD = Affine(10, 0, 600_000, 0, -10, 5_300_000)


@pytest.mark.parametrize(
    ("crs", "transform"),
    [
        (UTM, GOOD),
        ("EPSG:4326", Affine(0.25, 0, -180.125, 0, -0.25, 90.125)),
        ("EPSG:4326", Affine(1e-5, 0, 10, 0, 1e-5, 50)),
        ("EPSG:3857", Affine(1e6, 0, -20_037_508, 0, -1e6, 20_037_508)),
        ("EPSG:3035", Affine(0, 10, 4e6, 10, 0, 3e6)),
        ("EPSG:5972", GOOD),  # UTM with heights
        ("+proj=sinu +R=6371007.181 +units=m", Affine(463, 0, 0, 0, -463, 5e6)),
    ],
)
def test_what_has_a_place_is_taken(crs: str, transform: Affine) -> None:
    refuse_place(FILE, (20, 30), transform, crs)


@pytest.mark.parametrize(
    "transform",
    [
        Affine(0, 0, 600_000, 0, 0, 5_300_000),
        Affine(10, 0, 600_000, 0, 0, 5_300_000),
        Affine(1e-300, 0, 600_000, 0, -1e-300, 5_300_000),
        Affine(1e300, 0, 600_000, 0, -1e300, 5_300_000),
        Affine(math.nan, 0, 600_000, 0, -10, 5_300_000),
        Affine(10, 0, math.inf, 0, -10, 5_300_000),
        Affine(10, 10, 600_000, 10, 10, 5_300_000),
        Affine(10, 0, 1e20, 0, -10, 5_300_000),
    ],
)
def test_degenerate_transforms_are_refused(transform: Affine) -> None:
    with pytest.raises(ValueError, match=r"^a\.tif: ") as error:
        refuse_place(FILE, (20, 30), transform, UTM)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "crs",
    [
        'LOCAL_CS["local grid",UNIT["metre",1]]',
        "EPSG:5703",  # heights
        "EPSG:4978",  # geocentric
        "EPSG:999999",
        "nonsense",
    ],
)
def test_systems_that_are_not_of_the_surface_are_refused(crs: str) -> None:
    with pytest.raises(ValueError, match=r"^a\.tif: its coordinate reference system"):
        refuse_crs(FILE, crs)


def test_metres_said_to_be_degrees_are_refused() -> None:
    with pytest.raises(ValueError, match="outside of its coordinate reference system"):
        refuse_place(FILE, (20, 30), GOOD, "EPSG:4326")


def modis(crs: str, side: float = CELL_M) -> GeoBox:
    """A grid of MODIS that holds the one of `utm`, if `crs` is on its sphere."""
    return GeoBox((200, 200), Affine(side, 0, 7.4e5, 0, -side, 5.36e6), crs)


@pytest.mark.parametrize("side", [CELL_M / 2, CELL_M, 2 * CELL_M])
@pytest.mark.parametrize("crs", ["+proj=sinu +datum=WGS84 +units=m", "ESRI:54008"])
def test_a_grid_of_modis_on_an_ellipsoid_is_doubted(side: float, crs: str) -> None:
    (note,) = doubts("mcd12q1.tif", modis(crs, side))
    assert note.startswith("mcd12q1.tif: has the pixels of MODIS, but ")
    assert "gdal_edit.py -a_srs '+proj=sinu +R=6371007.181 +units=m'" in note


def test_a_grid_of_modis_on_its_sphere_and_other_grids_are_not() -> None:
    assert doubts("a.tif", modis(SINUSOIDAL)) == []
    assert doubts("a.tif", modis("+proj=sinu +datum=WGS84 +units=m", 500)) == []
    assert doubts("a.tif", modis("EPSG:6933")) == []
    assert doubts("a.tif", utm()) == []


def test_the_wrong_sphere_is_kilometres_off() -> None:
    right, wrong = (
        pixel_of(modis(crs, 10), utm((2, 2), north=5_300_000))[0][0, 0] * 10
        for crs in (SINUSOIDAL, "+proj=sinu +datum=WGS84 +units=m")
    )
    assert 2_000 < abs(right - wrong) < 20_000


def test_a_national_datum_that_was_assigned_is_not_noticed() -> None:
    """Coordinates of DHDN said to be those of WGS 84: a hundred metres or so off."""
    grid = GeoBox((500, 500), Affine(1e-4, 0, 10, 0, -1e-4, 48), "EPSG:4326")
    assert doubts("a.tif", grid) == []
    refuse_place(FILE, grid.shape, grid.affine, "EPSG:4326")
    true = GeoBox(grid.shape, grid.affine, "EPSG:4314")
    scene = utm((2, 2), east=676_000, north=5_316_000)
    rows, columns = (
        np.array([axis[0, 0] for axis in pixel_of(source, scene)], float)
        for source in (grid, true)
    )
    metres = (
        (rows - columns) * 1e-4 * 111_320 * np.array([1, math.cos(math.radians(48))])
    )
    assert 50 < np.hypot(*metres) < 200
