"""Where and when: grids, tiles, outlines, seasons, and what is refused."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import numpy as np
import pyproj
import pytest
from hypothesis import given
from hypothesis import strategies as st

from overcast.acquire.period import period_of
from overcast.acquire.place import area_of, given_place


def test_a_box_is_a_grid_of_its_zone_on_whole_tens_of_metres() -> None:
    area = area_of("11.2,48.0,11.6,48.3")
    assert str(area.grid.crs) == "EPSG:32632"
    assert area.grid.resolution.xy == (10, -10)
    left, top = area.grid.affine.c, area.grid.affine.f
    assert (left % 10, top % 10) == (0, 0)
    west, south, east, north = area.bbox
    assert west <= 11.2
    assert south <= 48.0
    assert east >= 11.6
    assert north >= 48.3
    assert east - west < 0.43


@given(
    st.floats(-179, 178), st.floats(-70, 80), st.floats(0.01, 0.3), st.floats(0.01, 0.3)
)
def test_the_grid_covers_the_box(
    west: float, south: float, wide: float, high: float
) -> None:
    area = area_of(f"{west},{south},{west + wide},{south + high}", 100.0)
    x, y = np.meshgrid(
        np.linspace(west, west + wide, 5), np.linspace(south, south + high, 5)
    )
    move = pyproj.Transformer.from_crs("EPSG:4326", str(area.grid.crs), always_xy=True)
    column, row = ~area.grid.affine * move.transform(x, y)
    h, w = area.grid.shape
    assert column.min() > -1
    assert column.max() < w + 1
    assert row.min() > -1
    assert row.max() < h + 1


@pytest.mark.parametrize(
    ("name", "code", "left", "top"),
    [
        ("31TFJ", 32631, 600_000, 4_900_020),
        ("T32TQM", 32632, 699_960, 4_700_040),
        ("33UUP", 32633, 300_000, 5_400_000),
    ],
)
def test_a_tile_is_its_grid(name: str, code: int, left: int, top: int) -> None:
    """Trap 25: 109.8 km from the corner that the products have."""
    grid = area_of(name).grid
    assert str(grid.crs) == f"EPSG:{code}"
    assert (grid.affine.c, grid.affine.f) == (left, top)
    assert grid.shape.yx == (10_980, 10_980)


@given(st.integers(1, 60), st.integers(0, 19), st.integers(0, 7), st.integers(0, 19))
def test_a_tile_lies_in_its_band(zone: int, band: int, column: int, row: int) -> None:
    letters = "CDEFGHJKLMNPQRSTUVWX"
    columns = ("ABCDEFGH", "JKLMNPQR", "STUVWXYZ")[(zone - 1) % 3]
    name = f"{zone:02d}{letters[band]}{columns[column]}{'ABCDEFGHJKLMNPQRSTUV'[row]}"
    area = area_of(name, 1000.0)
    _, south, _, north = area.bbox
    low = -80 + 8 * band
    # Rows come again after 2000 km, which is 18 degrees: the first from the band on.
    assert north > low - 0.2
    assert south < low + 18.5


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("11,48,12", "no such file, no tile"),
        ("12,48,11,49", "west before east"),
        ("11,48,12,x", "expected WEST,SOUTH,EAST,NORTH"),
        ("11,48,12,89", "from -80 to 84"),
        ("1,40,9,48", "at most 60000 along a side"),
        ("32AAA", "no such file, no tile"),
        ("31TZZ", "no such file, no tile"),
        ("31TSJ", "zone 31 has columns A to H"),
    ],
)
def test_what_is_no_place_is_refused(place: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        area_of(place)


def test_a_vector_file_is_its_outline(tmp_path: Path) -> None:
    ring = [[11.0, 48.0], [11.1, 48.0], [11.0, 48.1], [11.0, 48.0]]
    shape = {"type": "Polygon", "coordinates": [ring]}
    feature = {"type": "Feature", "properties": {}, "geometry": shape}
    path = tmp_path / "area.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
    area = area_of(str(path))
    assert area.name == "area.geojson"
    assert area.inside(area.grid).mean() == pytest.approx(0.5, abs=0.03)
    point = {**feature, "geometry": {"type": "Point", "coordinates": [11.0, 48.0]}}
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [point]}))
    with pytest.raises(ValueError, match="outline of an area"):
        area_of(str(path))


def test_a_place_is_said_once() -> None:
    assert given_place("1, 2,3 ,4", None) == "1,2,3,4"
    for both in ((None, None), ("1,2,3,4", "32UPU")):
        with pytest.raises(ValueError, match="a place, once"):
            given_place(*both)


def test_seasons_turn_over_the_equator() -> None:
    north, south = (period_of(2024, None, None, "summer", s) for s in (False, True))
    assert north.holds(date(2024, 7, 1))
    assert not north.holds(date(2024, 1, 15))
    assert south.holds(date(2024, 1, 15))
    assert not south.holds(date(2024, 7, 1))
    winter = period_of(2024, None, None, "winter")
    assert winter.holds(date(2023, 12, 24))
    assert winter.holds(date(2024, 2, 28))


def test_parts_hold_every_day_once() -> None:
    period = period_of(None, "2023-01-01", "2024-12-31", "summer")
    parts = period.parts(4)
    assert parts[0][0] == date(2023, 6, 1)
    assert parts[-1][1] == date(2024, 8, 31)
    days = [
        n
        for first, last in parts
        for n in range(first.toordinal(), last.toordinal() + 1)
    ]
    assert len(days) == len(set(days))


@pytest.mark.parametrize(
    ("given_", "said"),
    [
        ((None, None, None, None), "a time, once"),
        ((2024, "2024-01-01", None, None), "a time, once"),
        ((None, "2024-01-01", None, None), "give both"),
        ((None, "2024-05-01", "2024-01-01", None), "ends before it begins"),
        ((None, "May", "2024-01-01", None), "expected a day"),
        ((None, "2024-05-01", "2024-05-31", "winter"), "no day of it"),
        ((1990, None, None, None), "flies since 2014"),
    ],
)
def test_what_is_no_time_is_refused(given_: tuple[object, ...], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        period_of(*given_)  # type: ignore[arg-type]
