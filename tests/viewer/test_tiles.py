from __future__ import annotations

from pathlib import Path

import morecantile
import numpy as np
import pytest
import rasterio
from affine import Affine
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox
from pyproj import Transformer
from rasterio.enums import Resampling

from overcast.viewer.tiles import (
    TILE_PX,
    WebTile,
    extent,
    read_point,
    read_tile,
    with_overviews,
)
from tests.rasters import CELL_M, SINUSOIDAL, utm, write
from tests.viewer.folders import place

MERCATOR = morecantile.tms.get("WebMercatorQuad")
SOUTH = GeoBox((200, 300), Affine(10, 0, 3e5, 0, -10, 6.2e6), "EPSG:32733")
DEGREES = GeoBox((200, 300), Affine(1e-4, 0, 10, 0, -1e-4, 50), "EPSG:4326")
TURNED = GeoBox((200, 300), utm().affine @ Affine.rotation(20), "EPSG:32632")
LABELS = GeoBox((30, 40), Affine(CELL_M, 0, 6e5, 0, -CELL_M, 5.3e6), SINUSOIDAL)


def tile_at(lon: float, lat: float, zoom: int) -> WebTile:
    found = MERCATOR.tile(lon, lat, zoom)
    return WebTile(zoom, found.x, found.y)


def pixels_in(tile: WebTile, grid: GeoBox) -> tuple[NDArray[np.float64], ...]:
    """Column and row of `grid` at the centre of each pixel of a tile."""
    west, south, east, north = MERCATOR.xy_bounds(
        morecantile.Tile(tile.column, tile.row, tile.zoom)
    )
    steps = (np.arange(TILE_PX) + 0.5) / TILE_PX
    x, y = np.meshgrid(west + steps * (east - west), north - steps * (north - south))
    there = Transformer.from_crs("EPSG:3857", str(grid.crs), always_xy=True)
    column, row = ~grid.affine @ there.transform(x, y)
    return column, row


def ramp(path: Path, grid: GeoBox) -> Path:
    """A raster whose values are its own row and column."""
    h, w = grid.shape
    row, column = np.mgrid[:h, :w].astype(np.float32)
    return write(path, np.stack([row, column]), grid, nodata=-1)


@pytest.mark.parametrize(
    ("grid", "zoom"),
    [
        (utm((200, 300)), 15),
        (utm((200, 300)), 12),
        (SOUTH, 14),
        (DEGREES, 14),
        (TURNED, 14),
        (LABELS, 12),
    ],
    ids=["utm, close", "utm, far", "south", "degrees", "turned", "sinusoidal"],
)
def test_a_tile_has_the_pixels_that_lie_there(
    tmp_path: Path, grid: GeoBox, zoom: int
) -> None:
    path = ramp(tmp_path / "ramp.tif", grid)
    h, w = grid.shape
    tile = tile_at(*place(h / 2, w / 2, grid), zoom)
    found = read_tile(path, (1, 2), tile, "nearest")
    assert found is not None
    (rows, columns), seen = found
    column, row = pixels_in(tile, grid)
    inside = (column >= 0) & (column < w) & (row >= 0) & (row < h)
    at_border = np.abs(np.stack([column, row]) % 1 - 0.5).max(0) > 0.498
    sure = ~at_border & inside
    assert sure.sum() > 1000
    assert seen[sure].all()
    assert not seen[~inside & ~at_border].any()
    np.testing.assert_array_equal(rows[sure], np.floor(row[sure]))
    np.testing.assert_array_equal(columns[sure], np.floor(column[sure]))


def test_no_tile_where_the_raster_is_not(tmp_path: Path) -> None:
    path = ramp(tmp_path / "ramp.tif", utm())
    assert read_tile(path, (1,), WebTile(10, 0, 0), "nearest") is None


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(row=st.integers(0, 29), column=st.integers(0, 39), off=st.floats(0.01, 0.99))
def test_a_point_has_the_pixel_that_it_lies_in(
    tmp_path: Path, row: int, column: int, off: float
) -> None:
    path = tmp_path / "ramp.tif"
    if not path.exists():
        ramp(path, LABELS)
    found = read_point(path, (1, 2), *place(row + off, column + 1 - off, LABELS))
    assert found is not None
    assert found.tolist() == [row, column]


def test_no_point_outside(tmp_path: Path) -> None:
    path = ramp(tmp_path / "ramp.tif", LABELS)
    assert read_point(path, (1,), *place(-0.1, 3, LABELS)) is None
    assert read_point(path, (1,), 0, 0) is None


def test_extent_reaches_the_corners(tmp_path: Path) -> None:
    grid = utm((200, 300))
    found = extent(ramp(tmp_path / "ramp.tif", grid))
    corners = [place(*c, grid) for c in ((0, 0), (0, 300), (200, 0), (200, 300))]
    lons, lats = zip(*corners, strict=True)
    expected = (min(lons), min(lats), max(lons), max(lats))
    assert found.bounds == pytest.approx(expected, abs=1e-5)
    assert MERCATOR.matrix(found.deepest).cellSize < 10 / 2**3


def test_overviews_are_made_elsewhere(tmp_path: Path) -> None:
    given_, scratch = tmp_path / "given", tmp_path / "scratch"
    given_.mkdir()
    scratch.mkdir()
    grid = utm((1300, 900))
    # Three of four pixels are 1: their mode, and not what the nearest pixel says.
    values = np.ones(grid.shape, np.uint8)
    values[::2, ::2] = 2
    path = write(given_ / "map.tif", values, grid, nodata=255)
    stages: list[str] = []
    view = with_overviews(
        path, scratch, Resampling.mode, lambda stage, *_: stages.append(stage)
    )
    assert [p.name for p in given_.iterdir()] == ["map.tif"]
    assert view.parent == scratch
    assert set(stages) == {"overviews of map.tif"}
    with rasterio.open(path) as plain, rasterio.open(view) as viewed:
        assert viewed.overviews(1) == [2, 4]
        assert viewed.bounds == plain.bounds
        np.testing.assert_array_equal(viewed.read(), plain.read())
    found = read_tile(view, (1,), tile_at(*place(650, 450, grid), 9), "nearest")
    assert found is not None
    assert set(found[0][0][found[1]].tolist()) == {1}


@pytest.mark.parametrize("levels", [(), (2, 4)])
def test_a_raster_that_needs_no_overviews_is_itself(
    tmp_path: Path, levels: tuple[int, ...]
) -> None:
    side = 1000 if levels else 512
    path = write(tmp_path / "a.tif", np.ones((side, side), np.uint8), utm((side, side)))
    if levels:
        with rasterio.open(path, "r+") as dataset:
            dataset.build_overviews(levels)
    assert with_overviews(path, tmp_path / "scratch") == path


def test_a_file_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "map.tif").write_text("not a raster")
    with pytest.raises(ValueError, match="not a readable raster"):
        with_overviews(tmp_path / "map.tif", tmp_path)
