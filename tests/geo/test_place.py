"""Grids without a place on the Earth are refused in one line that names the file."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from affine import Affine

from overcast.geo.place import refuse_crs, refuse_place

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
