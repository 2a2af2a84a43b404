"""Pixels at the edges of scenes and below zero: what is stored, and what is unseen."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox

from overcast.acquire.asset import Asset, Reader
from overcast.acquire.catalogue import Catalogue
from overcast.acquire.reading import STORED_OFFSET, optical_window, radar_window
from overcast.acquire.scenes import ScenePiece, projection
from overcast.geo.bands import SENTINEL_1, SENTINEL_2, to_db
from tests.rasters import reflectance, utm, write

SIDE = 32
GRID = utm((SIDE, SIDE))
READER = Reader(Catalogue(name="folder", title="A folder", api="", products={}))


def optical(folder: Path, stored: NDArray[np.uint16], **profile: object) -> ScenePiece:
    """An item of ten bands and scene classes, all of them vegetation."""
    classes = np.full((SIDE, SIDE), 4, np.uint8)
    layers = dict(zip(SENTINEL_2.names, stored, strict=True)) | {"SCL": classes}
    files = {
        name: Asset(str(write(folder / f"{name}.tif", values, GRID, **profile)))
        for name, values in layers.items()
    }
    return ScenePiece("one", "s2", "", datetime(2024, 5, 1, tzinfo=UTC), files)


def read(piece: ScenePiece, offset: int, grid: GeoBox = GRID) -> NDArray[np.uint16]:
    return optical_window(READER, [piece], {piece.ident: offset}, grid)[0]


@pytest.mark.parametrize("nodata", [0, None])
def test_no_data_stays_no_data_and_the_dark_is_kept(
    nodata: int | None, tmp_path: Path
) -> None:
    """Whatever the tag of the file says; neither is cut off at zero."""
    stored = reflectance((SIDE, SIDE))
    stored[:, :4] = 0
    stored[0, 10] = 0  # water that is darker than dark in one band
    made = read(optical(tmp_path, stored, nodata=nodata), 0)
    assert (made[:, :4] == 0).all()
    assert (made[:, 4:] == stored[:, 4:] + STORED_OFFSET).all()


def test_below_zero_is_kept(tmp_path: Path) -> None:
    """Where 1000 was added, 900 is a reflectance of -0.01."""
    stored = reflectance((SIDE, SIDE)) + STORED_OFFSET
    stored[3, 5] = 900
    np.testing.assert_array_equal(read(optical(tmp_path, stored), -1000), stored)


def test_one_at_the_edge_of_a_scene_is_no_data(tmp_path: Path) -> None:
    stored = reflectance((SIDE, SIDE)) + STORED_OFFSET
    stored[:, :, 0] = 1
    stored[4, :, 1] = 1  # an edge that lies elsewhere in one band
    made = read(optical(tmp_path, stored), -1000)
    assert (made[:, :, :2] == 0).all()
    assert (made[:, :, 2:] == stored[:, :, 2:]).all()


def test_no_data_does_not_bleed(tmp_path: Path) -> None:
    """Between pixels of the file, values are those of what was seen alone."""
    stored = np.full((10, SIDE, SIDE), 3000, np.uint16)
    stored[:, :, : SIDE // 2] = 0
    shifted = utm((SIDE, SIDE), east=600_004, north=5_299_996)
    made = read(optical(tmp_path, stored), -1000, shifted)
    assert set(np.unique(made)) == {0, 3000}
    power = np.where(stored[:2] == 0, np.float32(-32768), np.float32(0.1))
    files = {
        name: Asset(str(write(tmp_path / f"{name}.tif", power[k], GRID)))
        for k, name in enumerate(SENTINEL_1.names)
    }
    piece = replace(optical(tmp_path, stored), assets=files)
    seen = radar_window(READER, [piece], -32768, False, shifted)
    known = seen[np.isfinite(seen)]
    np.testing.assert_allclose(known, to_db(np.float32(0.1)), rtol=1e-6)
    assert known.size > seen.size / 3


@pytest.mark.parametrize(
    "said",
    [
        {"proj:epsg": 32632},
        {"proj:code": "EPSG:32632"},
        {"proj:code": "EPSG:None", "proj:epsg": 32632},
        {"proj:epsg": None, "proj:wkt2": GRID.crs.to_wkt()},
        {"proj:code": None, "proj:projjson": GRID.crs.proj.to_json_dict()},
    ],
)
def test_a_projection_is_written_in_four_ways(said: dict[str, object]) -> None:
    for properties, asset in ((said, {}), ({}, said)):
        assert GRID.crs == projection(properties, asset)
    assert projection({"proj:code": "EPSG:None"}, {"proj:epsg": None}) == ""
