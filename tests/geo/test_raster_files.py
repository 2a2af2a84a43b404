"""GeoTIFFs as sources: what is read, and what is refused in one sentence."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rasterio
from rasterio.control import GroundControlPoint

from overcast.geo.bands import SENTINEL_1, SENTINEL_2, SENTINEL_2_ENCODING, Encoding
from overcast.geo.image_file import open_image
from overcast.geo.label_file import open_labels
from overcast.geo.legend import load_legend
from overcast.geo.raster import UNKNOWN
from tests.rasters import backscatter, reflectance, utm, write

LEGEND = load_legend("simplified-igbp")
SHAPE = (64, 64)


def test_reads_its_own_pixels_unchanged(tmp_path: Path) -> None:
    values = backscatter(SHAPE)
    image = open_image(write(tmp_path / "s1.tif", values, utm()), SENTINEL_1)
    found = image.read(image.grid)
    np.testing.assert_array_equal(found.values, values)
    assert found.valid.all()


def test_outside_the_file_is_not_valid(tmp_path: Path) -> None:
    values = backscatter(SHAPE)
    image = open_image(write(tmp_path / "s1.tif", values, utm()), SENTINEL_1)
    found = image.read(utm((20, 20), east=599_900))
    assert not found.valid[:, :10].any()
    np.testing.assert_array_equal(found.values[:, :, 10:], values[:, :20, :10])


def test_bands_are_found_by_name_and_by_number(tmp_path: Path) -> None:
    stored = reflectance(SHAPE)
    names = SENTINEL_2.names[::-1]
    path = write(tmp_path / "s2.tif", stored, utm(), names=names)
    found = open_image(path, SENTINEL_2, SENTINEL_2_ENCODING)
    values = found.read(found.grid).values
    np.testing.assert_allclose(values[0], stored[-1] * 1e-4, rtol=1e-6)
    twelve = np.concatenate([stored[:1], stored, stored[:1]])
    image = open_image(write(tmp_path / "twelve.tif", twelve, utm()), SENTINEL_2)
    assert image.indexes == (2, 3, 4, 5, 6, 7, 8, 9, 11, 12)


@pytest.mark.parametrize("tagged", [True, False])
def test_zero_in_all_bands_alone_is_no_observation(
    tmp_path: Path, tagged: bool
) -> None:
    stored = reflectance(SHAPE)
    stored[:, :5] = 0
    stored[3, 10, 10] = 0  # a dark band is not a missing pixel
    profile = {"nodata": 0} if tagged else {}
    path = write(tmp_path / "s2.tif", stored, utm(), **profile)
    image = open_image(path, SENTINEL_2, SENTINEL_2_ENCODING)
    valid = image.read(image.grid).valid
    assert not valid[:5].any()
    assert valid[5:].all()


def test_nan_is_not_valid_and_never_bright(tmp_path: Path) -> None:
    values = backscatter(SHAPE)
    values[0, 3, 4] = np.nan
    image = open_image(write(tmp_path / "s1.tif", values, utm()), SENTINEL_1)
    found = image.read(image.grid)
    assert not found.valid[3, 4]
    assert found.sensor.to_network(found.values)[:, 3, 4].tolist() == [0, 0]


def test_power_becomes_decibels(tmp_path: Path) -> None:
    db = backscatter(SHAPE)
    path = write(tmp_path / "s1.tif", np.float32(10) ** (db / 10), utm())
    image = open_image(path, SENTINEL_1, Encoding(power=True))
    np.testing.assert_allclose(image.read(image.grid).values, db, atol=1e-4)


def test_a_missing_nodata_tag_never_means_class_zero(tmp_path: Path) -> None:
    codes = np.ones(SHAPE, np.uint8)
    codes[0, 0] = 0
    path = write(tmp_path / "labels.tif", codes, utm())
    with pytest.raises(ValueError, match=r"labels\.tif.*codes 0 are not in the legend"):
        open_labels(path, LEGEND)
    labels = open_labels(path, LEGEND, nodata=0)
    assert labels.read(labels.grid).values[0, 0] == UNKNOWN


def test_fractions_come_from_the_file(tmp_path: Path) -> None:
    codes = np.where(np.arange(64) < 32, 1, 10)[None].repeat(64, 0).astype(np.uint8)
    labels = open_labels(write(tmp_path / "labels.tif", codes, utm()), LEGEND)
    shares = labels.read_fractions(utm((2, 2), size=640).translate_pix(0, 0)).values
    np.testing.assert_allclose(shares[:, 0, 0][[0, 9]], [0.5, 0.5], atol=1e-6)
    assert shares[:, 1, 1].sum() == 0


def empty(path: Path) -> None:
    path.touch()


def truncated(path: Path) -> None:
    write(path, backscatter((512, 512)), utm((512, 512)))
    path.write_bytes(path.read_bytes()[:4000])


def no_raster(path: Path) -> None:
    path.write_text("this is no raster")


def no_crs(path: Path) -> None:
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        count=2,
        height=64,
        width=64,
        dtype="float32",
        transform=utm().affine,
    ) as dataset:
        dataset.write(backscatter(SHAPE))


def control_points(path: Path) -> None:
    points = [
        GroundControlPoint(row=r, col=c, x=9 + c / 1e4, y=47 - r / 1e4)
        for r in (0, 64)
        for c in (0, 64)
    ]
    with rasterio.open(
        path, "w", driver="GTiff", count=2, height=64, width=64, dtype="float32"
    ) as dataset:
        dataset.gcps = (points, rasterio.crs.CRS.from_epsg(4326))
        dataset.write(backscatter(SHAPE))


def three_bands(path: Path) -> None:
    write(path, np.concatenate([backscatter(SHAPE), backscatter(SHAPE)[:1]]), utm())


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (empty, "empty file"),
        (truncated, "cut short"),
        (no_raster, "not a readable raster"),
        (no_crs, "no coordinate reference system"),
        (control_points, "4 ground-control points only"),
        (three_bands, "3 bands without names"),
    ],
    ids=lambda x: getattr(x, "__name__", ""),
)
@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
def test_refused(tmp_path: Path, make: object, says: str) -> None:
    path = tmp_path / "bad.tif"
    make(path)  # type: ignore[operator]
    with pytest.raises(ValueError, match=says) as error:
        open_image(path, SENTINEL_1)
    assert "bad.tif" in str(error.value)


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"nowhere\.tif: no such file"):
        open_image(tmp_path / "nowhere.tif", SENTINEL_1)


@pytest.mark.parametrize(
    ("values", "says"),
    [
        (np.full(SHAPE, 0.5, np.float32), "value 0.5; class codes are whole numbers"),
        (np.full(SHAPE, 77, np.uint8), "codes 77 are not in the legend"),
        (np.ones((2, *SHAPE), np.uint8), "2 bands; a label raster has one"),
    ],
)
def test_refused_labels(tmp_path: Path, values: np.ndarray, says: str) -> None:
    path = write(tmp_path / "labels.tif", values, utm())
    with pytest.raises(ValueError, match=says):
        open_labels(path, LEGEND)


def test_labels_without_a_class_are_refused(tmp_path: Path) -> None:
    path = write(
        tmp_path / "labels.tif", np.full(SHAPE, 255, np.uint8), utm(), nodata=255
    )
    with pytest.raises(ValueError, match="every pixel is nodata"):
        open_labels(path, LEGEND)
