"""Label rasters of any type, with masks and tags, read where they are wanted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rasterio
from rasterio.enums import ColorInterp

from overcast.geo.label_file import open_codes, open_labels
from overcast.geo.legend import LandClass, Legend, load_legend
from overcast.geo.raster import UNKNOWN
from tests.rasters import utm, write

LEGEND = Legend(
    "four",
    tuple(
        LandClass(code, name, "00ff00")
        for code, name in enumerate(("Water", "Forest", "Crops", "Town"), 1)
    ),
)
GRID = utm((8, 8))
CODES = (np.arange(64).reshape(8, 8) % 4 + 1).astype(np.uint8)
POSITIONS = CODES - 1


@pytest.mark.parametrize(
    "dtype",
    [
        *("uint8", "int8", "uint16", "int16", "uint32", "int32", "int64", "uint64"),
        *("float32", "float64"),
    ],
)
def test_codes_of_any_type_are_the_same_classes(tmp_path: Path, dtype: str) -> None:
    labels = open_labels(write(tmp_path / "l.tif", CODES.astype(dtype), GRID), LEGEND)
    np.testing.assert_array_equal(labels.read(GRID).values, POSITIONS)


@pytest.mark.parametrize(
    ("dtype", "tag"),
    [
        *(("int8", -128), ("int16", -9999), ("int32", -2147483648), ("uint16", 65535)),
        *(("float32", -9999), ("float32", float("nan"))),
        ("float32", -3.4028234663852886e38),
    ],
)
def test_a_tag_of_any_type_is_not_known(tmp_path: Path, dtype: str, tag: float) -> None:
    codes = CODES.astype(dtype)
    codes[0, :3] = tag
    path = write(tmp_path / "l.tif", codes, GRID, nodata=tag)
    found = open_labels(path, LEGEND).read(GRID).values
    assert (found[0, :3] == UNKNOWN).all()
    np.testing.assert_array_equal(found[1:], POSITIONS[1:])


def test_signed_codes_without_a_tag_are_named(tmp_path: Path) -> None:
    codes = CODES.astype(np.int16)
    codes[0, 0] = -9999
    path = write(tmp_path / "l.tif", codes, GRID)
    with pytest.raises(ValueError, match=r"l\.tif: codes -9999 are not in the legend"):
        open_labels(path, LEGEND)
    found = open_labels(path, LEGEND, -9999).read(GRID).values
    assert (found == UNKNOWN).sum() == 1


@pytest.mark.parametrize("value", [1.5, 0.1, float("inf"), 1e30])
def test_floats_that_are_no_codes_are_refused(tmp_path: Path, value: float) -> None:
    codes = CODES.astype(np.float32)
    codes[3, 3] = value
    path = write(tmp_path / "l.tif", codes, GRID)
    with pytest.raises(ValueError, match=r"l\.tif: value .*whole numbers"):
        open_labels(path, LEGEND)


def test_codes_for_no_data_join_the_tag(tmp_path: Path) -> None:
    codes = CODES.copy()
    codes[0], codes[1], codes[2] = 255, 0, 99
    path = write(tmp_path / "l.tif", codes, GRID, nodata=255)
    labels = open_labels(path, LEGEND, (0, 99))
    assert labels.nodata == (0, 99, 255)
    found = labels.read(GRID).values
    assert (found[:3] == UNKNOWN).all()
    np.testing.assert_array_equal(found[3:], POSITIONS[3:])


@pytest.mark.parametrize("code", [256, -1, 10**20])
def test_codes_that_a_type_cannot_hold_are_refused(tmp_path: Path, code: int) -> None:
    path = write(tmp_path / "l.tif", CODES, GRID)
    with pytest.raises(ValueError, match=rf"l\.tif: {code} can't be .*uint8"):
        open_labels(path, LEGEND, code)


def test_an_internal_mask_hides_labels(tmp_path: Path) -> None:
    path = tmp_path / "l.tif"
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True):
        write(path, CODES, GRID)
        with rasterio.open(path, "r+") as dataset:
            dataset.write_mask(np.arange(64).reshape(8, 8) >= 16)
    check_hidden(path)


def test_a_mask_beside_the_file_hides_labels(tmp_path: Path) -> None:
    path = write(tmp_path / "l.tif", CODES, GRID)
    with (
        rasterio.Env(GDAL_TIFF_INTERNAL_MASK=False),
        rasterio.open(path, "r+") as dataset,
    ):
        dataset.write_mask(np.arange(64).reshape(8, 8) >= 16)
    assert (tmp_path / "l.tif.msk").exists()
    check_hidden(path)


@pytest.mark.parametrize("tag", [None, 99])
def test_an_alpha_band_hides_labels(tmp_path: Path, tag: int | None) -> None:
    alpha = np.where(np.arange(64).reshape(8, 8) >= 16, 255, 0).astype(np.uint8)
    path = write(tmp_path / "l.tif", np.stack([CODES, alpha]), GRID, nodata=tag)
    with rasterio.open(path, "r+") as dataset:
        dataset.colorinterp = (ColorInterp.gray, ColorInterp.alpha)
    check_hidden(path)


def check_hidden(path: Path) -> None:
    """The first two rows are hidden, and the others are not."""
    found = open_labels(path, LEGEND).read(GRID).values
    assert (found[:2] == UNKNOWN).all()
    np.testing.assert_array_equal(found[2:], POSITIONS[2:])


def test_a_hidden_code_may_be_any(tmp_path: Path) -> None:
    codes = CODES.copy()
    codes[:2] = 77
    path = write(tmp_path / "l.tif", codes, GRID)
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True), rasterio.open(path, "r+") as d:
        d.write_mask(np.arange(64).reshape(8, 8) >= 16)
    check_hidden(path)


def test_a_tag_that_is_a_class_is_said(tmp_path: Path) -> None:
    path = write(tmp_path / "l.tif", CODES, GRID, nodata=1)
    labels = open_labels(path, LEGEND)
    (note,) = labels.notes
    assert "1 is its nodata tag and the class Water of the legend four; its 16" in note
    assert "gdal_edit.py -unsetnodata" in note
    assert (labels.read(GRID).values[CODES == 1] == UNKNOWN).all()
    assert open_labels(path, LEGEND, 1).notes == ()
    other = write(tmp_path / "o.tif", CODES, GRID, nodata=0)
    assert open_labels(other, LEGEND).notes == ()


def test_a_raster_in_a_geopackage_is_read(tmp_path: Path) -> None:
    path = tmp_path / "l.gpkg"
    with rasterio.open(
        path,
        "w",
        driver="GPKG",
        count=1,
        width=8,
        height=8,
        dtype="uint8",
        crs="EPSG:32632",
        transform=GRID.affine,
    ) as dataset:
        dataset.write(CODES, 1)
    labels = open_labels(path, LEGEND)
    np.testing.assert_array_equal(labels.read(GRID).values, POSITIONS)


def test_codes_far_away_do_not_count(tmp_path: Path) -> None:
    codes = np.full((64, 64), 77, np.uint8)
    codes[:8, :8] = CODES
    path = write(tmp_path / "l.tif", codes, utm((64, 64)))
    labels = open_labels(path, LEGEND, grid=GRID)
    np.testing.assert_array_equal(labels.read(GRID).values, POSITIONS)
    with pytest.raises(ValueError, match="codes 77"):
        open_labels(path, LEGEND, grid=utm((9, 8)))
    with pytest.raises(ValueError, match="codes 77"):
        labels.read(utm((9, 8)))


def test_codes_beside_a_warped_scene_do_not_count(tmp_path: Path) -> None:
    codes = np.full((20, 20), 77, np.uint8)
    codes[:10, :10] = 2
    path = write(tmp_path / "l.tif", codes, utm((20, 20), size=50))
    inside = utm((90, 90), east=600_003, north=5_299_997, size=5)
    found = open_labels(path, LEGEND, grid=inside).read(inside).values
    assert (found == 1).all()
    wider = utm((104, 104), east=600_003, north=5_299_997, size=5)
    with pytest.raises(ValueError, match="codes 77"):
        open_labels(path, LEGEND, grid=wider)


def test_labels_that_know_nothing_of_the_scene_are_refused(tmp_path: Path) -> None:
    codes = np.full((64, 64), 255, np.uint8)
    codes[40:] = 2
    path = write(tmp_path / "l.tif", codes, utm((64, 64)), nodata=255)
    with pytest.raises(ValueError, match="every pixel where the images are is nodata"):
        open_labels(path, LEGEND, grid=GRID)


def test_a_sparse_continent_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "l.tif"
    n = 200_000
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        count=1,
        width=n,
        height=n,
        dtype="uint8",
        crs="EPSG:32632",
        transform=utm((n, n)).affine,
        tiled=True,
        compress="deflate",
        bigtiff="yes",
        SPARSE_OK=True,
        nodata=0,
    ) as dataset:
        window = rasterio.windows.Window(100_000, 100_000, 8, 8)
        dataset.write(CODES, 1, window=window)
    here = utm((n, n))[100_000:100_008, 100_000:100_008]
    labels = open_labels(path, LEGEND, grid=here)
    np.testing.assert_array_equal(labels.read(here).values, POSITIONS)


def test_three_digit_codes_of_corine(tmp_path: Path) -> None:
    corine = load_legend("corine")
    codes = np.array([[111, 112, 311], [312, 512, 523]], np.uint16)
    path = write(tmp_path / "l.tif", codes, utm((2, 3)))
    labels = open_labels(path, corine)
    found = np.array(corine.codes)[labels.read(labels.grid).values]
    assert found.tolist() == [[1, 2, 23], [24, 41, 44]]
    assert any(
        "111 to 523 are read as the three-digit codes" in n for n in labels.notes
    )
    one = write(tmp_path / "o.tif", np.array([[1, 23, 44]], np.uint8), utm((1, 3)))
    assert open_labels(one, corine).notes == ()


def test_without_a_look_nothing_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "l.tif", np.full((8, 8), 77, np.uint8), GRID)
    labels = open_codes(path, LEGEND)
    assert labels.notes == ()
    with pytest.raises(ValueError, match="codes 77"):
        labels.read(GRID)


def test_a_code_for_no_data_that_is_a_class_is_that_class(tmp_path: Path) -> None:
    """Without a tag, nothing tells fill from a class of the same code."""
    codes = CODES.copy()
    codes[:3] = 1  # filled with 1, which the legend calls Water
    labels = open_labels(write(tmp_path / "l.tif", codes, GRID), LEGEND)
    assert labels.notes == ()
    assert (labels.read(GRID).values[:3] == 0).all()


def test_labels_in_blocks_are_said(tmp_path: Path) -> None:
    coarse = np.random.default_rng(0).integers(1, 5, (10, 10)).astype(np.uint8)
    blocks, grid = coarse.repeat(12, 0).repeat(12, 1), utm((120, 120))
    path = write(tmp_path / "l.tif", blocks, grid)
    (note,) = open_labels(path, LEGEND, grid=grid).notes
    assert note.startswith("l.tif: blocks of about 12 pixels: a coarser map on a finer")
    hidden = np.where(np.arange(120) < 10, np.uint8(99), blocks)
    path = write(tmp_path / "l.tif", hidden, grid, nodata=99)
    (note,) = open_labels(path, LEGEND, grid=utm((100, 100))).notes
    assert "blocks of about 12 pixels" in note
    own = write(tmp_path / "own.tif", coarse, utm((10, 10), size=120))
    assert open_labels(own, LEGEND, grid=grid).notes == ()
