"""When an image was seen, by its name, its item or its tags."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import numpy as np
import pytest
import rasterio

from overcast.geo.location import Location
from overcast.geo.series import apart
from overcast.geo.times import Seen, seen_of
from tests.rasters import reflectance, utm, write

MAY = date(2024, 5, 3)


@pytest.mark.parametrize(
    ("name", "day", "orbit"),
    [
        ("s2_2024-05-03.tif", MAY, ""),
        ("s2_20240503.tif", MAY, ""),
        ("s1_2024-05-03_asc.tif", MAY, "ascending"),
        ("s1_2024-05-03_descending.tif", MAY, "descending"),
        ("S2A_MSIL2A_20240503T105031_N0510_R051_T31UFS_20240601T150000.tif", MAY, ""),
        (
            "S1A_IW_GRDH_1SDV_20240503T053205_20240503T053230_053_x.tif",
            MAY,
            "descending",
        ),
        (
            "S1A_IW_GRDH_1SDV_20240503T171205_20240503T171230_053_x.tif",
            MAY,
            "ascending",
        ),
        ("s2.tif", None, ""),
        ("median_20240101_20240630.tif", None, ""),
        ("tile_12345678901.tif", None, ""),
        ("s2_20241503.tif", None, ""),
    ],
)
def test_names_say_it(tmp_path: Path, name: str, day: date | None, orbit: str) -> None:
    path = write(tmp_path / name, reflectance((4, 4)), utm((4, 4)))
    seen = seen_of(Location.of(path))
    assert (seen.day, seen.orbit) == (day, orbit)


def test_a_tag_and_an_item_say_it(tmp_path: Path) -> None:
    path = write(tmp_path / "s1.tif", np.zeros((2, 4, 4), np.float32), utm((4, 4)))
    with rasterio.open(path, "r+") as dataset:
        dataset.update_tags(TIFFTAG_DATETIME="2024:05:03 10:50:31")
    assert seen_of(Location.of(path)) == Seen(MAY, "", " ")
    item = {
        "type": "Feature",
        "properties": {
            "datetime": "2024-05-04T05:30:00Z",
            "sat:orbit_state": "descending",
        },
    }
    (tmp_path / "s1.json").write_text(json.dumps(item))
    seen = seen_of(Location.of(path))
    assert (seen.day, seen.orbit) == (date(2024, 5, 4), "descending")


def test_the_later_processing_sorts_last(tmp_path: Path) -> None:
    names = [
        "S2A_MSIL2A_20200503T105031_N0214_R051_T31UFS_20200503T150000.tif",
        "S2A_MSIL2A_20200503T105031_N0500_R051_T31UFS_20230601T150000.tif",
    ]
    first, second = (seen_of(Location(str(tmp_path / name))) for name in names)
    assert first.day == second.day == date(2020, 5, 3)
    assert first.processed < second.processed


def test_the_season_counts_between_years() -> None:
    assert apart(MAY, date(2024, 5, 1)) < apart(MAY, date(2023, 5, 3))
    assert apart(MAY, date(2023, 5, 20)) < apart(MAY, date(2024, 8, 1))
