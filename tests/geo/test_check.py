"""What values give away about their units."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from overcast.geo.bands import SENTINEL_2_L1C, Band, Encoding, Sensor
from overcast.geo.check import (
    open_checked,
    open_sentinel_1,
    open_sentinel_2,
)
from overcast.geo.stored import file_bands, seen_sample
from overcast.geo.validity import Validity
from tests.rasters import backscatter, reflectance, utm, write

SHAPE = (64, 64)


def test_linear_power_is_noticed(tmp_path: Path) -> None:
    db = backscatter(SHAPE)
    path = write(tmp_path / "s1.tif", np.float32(10) ** (db / 10), utm())
    checked = open_sentinel_1(path)
    assert "linear power" in checked.notes[0]
    found = checked.image.read(checked.image.grid).values
    np.testing.assert_allclose(found, db, atol=1e-4)
    with pytest.raises(ValueError, match=r"s1\.tif: said to be dB.*linear"):
        open_sentinel_1(path, "db")


def test_decibels_are_noticed(tmp_path: Path) -> None:
    path = write(tmp_path / "s1.tif", backscatter(SHAPE), utm())
    assert open_sentinel_1(path).notes == ()
    with pytest.raises(ValueError, match=r"said to be linear power.*like dB"):
        open_sentinel_1(path, "linear")
    assert open_sentinel_1(path, "linear", trust=True).image.encoding.power


def test_digital_numbers_are_refused(tmp_path: Path) -> None:
    values = np.random.default_rng(0).integers(50, 900, (2, *SHAPE)).astype(np.uint16)
    with pytest.raises(ValueError, match="neither dB nor linear power"):
        open_sentinel_1(write(tmp_path / "s1.tif", values, utm()))


def test_unapplied_offset_is_noticed(tmp_path: Path) -> None:
    stored = reflectance(SHAPE)
    path = write(tmp_path / "s2.tif", stored + 1000, utm())
    checked = open_sentinel_2(path)
    assert "-1000 was not applied" in checked.notes[0]
    values = checked.image.read(checked.image.grid).values
    np.testing.assert_allclose(values, stored * 1e-4, atol=1e-6)
    with pytest.raises(ValueError, match="as if the offset of -1000 was not applied"):
        open_sentinel_2(path, offset=0)
    assert open_sentinel_2(path, offset=0, trust=True).image.encoding.offset == 0


def test_applied_offset_is_left_alone(tmp_path: Path) -> None:
    path = write(tmp_path / "s2.tif", reflectance(SHAPE), utm())
    checked = open_sentinel_2(path)
    assert checked.notes == ()
    assert checked.image.encoding == Encoding(scale=1e-4, nodata=0)


def test_reflectance_as_fractions_is_not_scaled_again(tmp_path: Path) -> None:
    values = (reflectance(SHAPE) * 1e-4).astype(np.float32)
    image = open_sentinel_2(write(tmp_path / "s2.tif", values, utm())).image
    np.testing.assert_allclose(image.read(image.grid).values, values, rtol=1e-5)


def test_thirteen_bands_are_another_sensor(tmp_path: Path) -> None:
    stored = np.concatenate([reflectance(SHAPE), reflectance(SHAPE)[:3]])
    image = open_sentinel_2(write(tmp_path / "s2.tif", stored, utm())).image
    assert image.sensor.name == SENTINEL_2_L1C.name


def test_nothing_but_nodata_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "s1.tif", np.full((2, *SHAPE), np.nan, np.float32), utm())
    with pytest.raises(ValueError, match=r"s1\.tif: every pixel is nodata"):
        open_sentinel_1(path)


def test_one_valid_pixel_between_the_samples_is_found(tmp_path: Path) -> None:
    values = np.full((2, 1200, 1200), np.nan, np.float32)
    values[:, 701, 33] = -12
    path = write(tmp_path / "s1.tif", values, utm((1200, 1200)))
    image = open_sentinel_1(path, trust=True).image
    assert image.read(image.grid).valid.sum() == 1
    with pytest.raises(ValueError, match=r"s1\.tif: one pixel alone was observed"):
        open_sentinel_1(path)


def test_what_differs_between_the_samples_is_found(tmp_path: Path) -> None:
    """Sampled pixels are all alike, or fill values without a tag; the others are not."""
    values = np.full((2, 1200, 1200), 32767, np.float32)
    values[:, ::3] = -12
    values[:, 701] = -13
    values[1] -= 6 * (values[1] < 0)
    path = write(tmp_path / "s1.tif", values, utm((1200, 1200)))
    image = open_sentinel_1(path).image
    assert image.read(image.grid).valid.sum() == 401 * 1200


def test_a_large_file_is_read_at_places_all_over_it(tmp_path: Path) -> None:
    values = np.zeros((1, 40, 4200), np.float32)
    values[0] = np.arange(4200)
    sensor = Sensor("mine", "optical", (Band("red", "reflectance", 0, 4200),))
    path = write(tmp_path / "long.tif", values, utm((40, 4200)), names=["red"])
    open_checked(path, sensor, Encoding())
    found = seen_sample(file_bands(path, sensor), (0,), Encoding(), Validity())
    assert found.shape == (1, 8 * 40 * 8 * 64)
    assert (found.min(), found.max()) == (0, 4199)
    assert float(np.median(found)) == pytest.approx(2100, abs=300)


def test_own_sensor_out_of_range_is_said(tmp_path: Path) -> None:
    sensor = Sensor("mine", "optical", (Band("red", "reflectance", 0, 0.5),))
    values = np.full((1, *SHAPE), 2000, np.uint16)
    values[:, ::2] += 1
    path = write(tmp_path / "mine.tif", values, utm())
    with pytest.raises(ValueError, match="1 bands without names"):
        open_checked(path, sensor, Encoding())
    named = write(
        tmp_path / "named.tif",
        values,
        utm(),
        names=["red"],
    )
    assert "is the scale right?" in open_checked(named, sensor, Encoding()).notes[0]
    assert open_checked(named, sensor, Encoding(scale=1e-4)).notes == ()


def test_an_image_of_one_value_is_refused(tmp_path: Path) -> None:
    values = np.full((2, *SHAPE), -10, np.float32)
    values[1] = -16
    path = write(tmp_path / "s1.tif", values, utm(), names=["VV", "VH"])
    with pytest.raises(ValueError, match=r"s1\.tif: every pixel has the same values"):
        open_sentinel_1(path)
    assert any("same values" in n for n in open_sentinel_1(path, trust=True).notes)
    sensor = Sensor("mine", "sar", tuple(Band(n, "dB", -30, 0) for n in ("VV", "VH")))
    with pytest.raises(ValueError, match="every pixel has the same values"):
        open_checked(path, sensor, Encoding())
    assert "is it an image" in open_checked(path, sensor, Encoding(), True).notes[0]
    values[:, 0] += 1
    path = write(tmp_path / "s1.tif", values, utm(), names=["VV", "VH"])
    assert not any("same value" in note for note in open_sentinel_1(path).notes)
    values[1] = -16
    path = write(tmp_path / "s1.tif", values, utm(), names=["VV", "VH"])
    notes = open_sentinel_1(path).notes
    assert notes == (
        f"{path}: band VH has the same value in every pixel; is it broken?",
    )


def test_a_band_of_the_sensor_that_the_file_lacks_is_refused(tmp_path: Path) -> None:
    bands = tuple(Band(name, "reflectance", 0, 1) for name in ("red", "nir", "swir"))
    sensor = Sensor("mine", "optical", bands, (("red", "nir", "swir"),))
    values = np.random.default_rng(0).random((2, *SHAPE)).astype(np.float32)
    path = write(tmp_path / "mine.tif", values, utm(), names=["red", "nir"])
    match = r"mine\.tif: no band swir of the sensor mine; its bands are red, nir"
    with pytest.raises(ValueError, match=match):
        open_checked(path, sensor, Encoding())
    three = np.concatenate([values, values[:1] / 2])
    path = write(tmp_path / "all.tif", three, utm(), names=["swir", "red", "nir"])
    assert open_checked(path, sensor, Encoding()).image.sensor.names == sensor.names
