"""SAFE, zipped SAFE and folders of bands: values, places, masks, refusals."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import rasterio

from overcast.geo.bands import SENTINEL_2
from overcast.geo.check import open_sentinel_1, open_sentinel_2
from overcast.geo.dataset import open_raster, stamp
from overcast.geo.inspect import inspect_files
from overcast.geo.location import Location
from overcast.geo.products import find_product
from overcast.inputs import open_inputs
from overcast.plan import NO_MASK, Data, ImageInput, MaskInput
from tests.geo import safe as made


def expected() -> np.ndarray:
    """Reflectance ``[10, 96, 96]`` of the miniature; 20 m pixels as squares of four."""
    bands = made.numbers(0)
    whole = [bands[name] for name in SENTINEL_2.names]
    fine = [b if len(b) == made.SIDE else b.repeat(2, 0).repeat(2, 1) for b in whole]
    return np.stack(fine) / 10000


def optical(path: Path, mask: MaskInput | None = None) -> Data:
    return Data(
        images={"s2": ImageInput(path=str(path), sensor="sentinel-2", mask=mask)}
    )


@pytest.mark.parametrize("offset", [-1000, 0])
@pytest.mark.parametrize("form", ["folder", "zip", "metadata"])
def test_values_of_a_product_are_reflectance(
    tmp_path: Path, form: str, offset: int
) -> None:
    path = made.write_safe(tmp_path, offset)
    if form == "zip":
        path = made.zipped(path, "S2A.zip")
    if form == "metadata":
        path = path / "MTD_MSIL2A.xml"
    checked = open_sentinel_2(path)
    image = checked.image.read(checked.image.grid)
    assert checked.notes == ()
    assert image.sensor.name == "sentinel-2"
    assert image.grid.resolution.x == 10
    np.testing.assert_allclose(image.values, expected(), atol=1e-6)


def test_no_offset_by_the_metadata_is_believed(tmp_path: Path) -> None:
    # Haze: nothing is darker than .1, as if an offset was not applied.
    path = made.write_safe(tmp_path, 0)
    for file in path.rglob("*_B*.jp2"):
        with rasterio.open(file) as dataset:
            values, pixel = dataset.read(1), dataset.res[0]
        if "QI_DATA" not in file.parts:
            made.band(file, values + np.uint16(1000), pixel)
    image = open_sentinel_2(path).image
    assert image.read(image.grid).values.min() == pytest.approx(0.12, abs=1e-6)


def test_an_offset_that_the_metadata_contradicts_is_refused(tmp_path: Path) -> None:
    path = made.write_safe(tmp_path)
    with pytest.raises(ValueError, match="its own metadata says -1000"):
        open_sentinel_2(path, offset=0)
    image = open_sentinel_2(path, offset=0, trust=True).image
    assert image.read(image.grid).values.min() == pytest.approx(0.12, abs=1e-6)
    half = open_sentinel_2(path, offset=-500, trust=True).image
    assert half.read(half.grid).values.min() == pytest.approx(0.07, abs=1e-6)
    same = open_sentinel_2(path, offset=-1000)
    assert same.image.read(same.image.grid).values.min() == pytest.approx(
        0.02, abs=1e-6
    )


def test_dark_values_are_as_the_metadata_says(tmp_path: Path) -> None:
    # Many digital numbers below 1000: reflectance below zero, and right all the same.
    path = made.write_safe(tmp_path)
    file = next(path.rglob("*_B11_20m.jp2"))
    values = made.numbers()["B11"]
    values[:, :24] = 950
    values[:4, :4] = 0  # no data, in this band alone
    made.band(file, values, 20)
    checked = open_sentinel_2(path)
    image = checked.image.read(checked.image.grid)
    assert checked.notes == ()
    dark = image.values[SENTINEL_2.names.index("B11"), :, :48]
    np.testing.assert_allclose(dark[8:], -0.005, atol=1e-6)
    assert not image.valid[:8, :8].any()
    assert image.valid.sum() == made.SIDE**2 - 64


def test_level_1c_is_another_sensor(tmp_path: Path) -> None:
    path = made.write_safe(tmp_path, level="L1C")
    image = open_sentinel_2(path).image
    assert image.sensor.name == "sentinel-2-l1c"
    np.testing.assert_allclose(image.read(image.grid).values, expected(), atol=1e-6)


def test_scene_classes_hide_clouds_unless_told(tmp_path: Path) -> None:
    path = made.zipped(made.write_safe(tmp_path))
    inputs = open_inputs(optical(path))
    seen = inputs.stack.images["s2"].read(inputs.stack.grid).valid
    hidden = np.zeros((made.SIDE, made.SIDE), bool)
    hidden[: made.SIDE // 4, : made.SIDE // 2] = True
    np.testing.assert_array_equal(seen, ~hidden)
    assert any("hide clouds; --s2-mask none" in note for note in inputs.notes)
    assert any("Sentinel-2 L2A, offset -1000" in note for note in inputs.notes)
    whole = open_inputs(optical(path, MaskInput(path=NO_MASK)))
    assert whole.stack.images["s2"].read(whole.stack.grid).valid.all()
    assert inputs.fingerprint != whole.fingerprint


@pytest.mark.parametrize("suffix", [".tif", ".jp2"])
@pytest.mark.parametrize("pattern", ["{}", "T32UPU_20220615T101559_{}_{m}m", "a_{}"])
def test_folder_of_bands(tmp_path: Path, suffix: str, pattern: str) -> None:
    for name, values in made.numbers(0).items():
        size = 10 if name in made.FINE else 20
        made.band(tmp_path / (pattern.format(name, m=size) + suffix), values, size)
    image = open_sentinel_2(tmp_path).image
    np.testing.assert_allclose(image.read(image.grid).values, expected(), atol=1e-6)


def test_bands_that_are_missing_are_said(tmp_path: Path) -> None:
    path = made.write_safe(tmp_path)
    for file in path.rglob("*_B1[12]_20m.jp2"):
        file.unlink()
    inputs = open_inputs(optical(path))
    assert inputs.stack.images["s2"].sensor.names == SENTINEL_2.names[:8]
    assert any("has no B11, B12; mapped without" in note for note in inputs.notes)


@pytest.mark.parametrize("pattern", ["{}", "S1A_IW_20220615T052000_RTC_{}", "s1_{}_db"])
def test_folder_of_backscatter(tmp_path: Path, pattern: str) -> None:
    for level, name in ((-10, "vv"), (-17, "vh")):
        values = np.full((8, 8), level, np.float32)
        values[1, 1] -= 1
        made.band(tmp_path / f"{pattern.format(name)}.tif", values, 10)
    image = open_sentinel_1(tmp_path).image
    assert image.read(image.grid).values[:, 0, 0].tolist() == [-10, -17]


def test_a_zip_of_one_raster_is_that_raster(tmp_path: Path) -> None:
    made.band(tmp_path / "in" / "a.tif", np.full((4, 4), 7, np.uint8), 10)
    path = Path(shutil.make_archive(str(tmp_path / "a"), "zip", tmp_path / "in"))
    assert open_raster(path).read(1).tolist() == [[7] * 4] * 4


def test_inspect_says_what_a_product_is(tmp_path: Path) -> None:
    record = inspect_files([made.write_safe(tmp_path)])[0]
    assert record["bands"] == SENTINEL_2.names
    assert record["resolution"] == (10, 10)
    assert any("Sentinel-2 L2A, offset -1000" in note for note in record["notes"])


def test_stamp_changes_with_a_file_of_the_product(tmp_path: Path) -> None:
    path = made.write_safe(tmp_path)
    before = stamp(path)
    assert sum(name.endswith(".jp2") for name in before) == 10
    metadata = path / "MTD_MSIL2A.xml"
    metadata.write_text(metadata.read_text().replace("10000<", "20000<"))
    assert stamp(path) != before


def _two_granules(path: Path) -> None:
    granule = next((path / "GRANULE").iterdir())
    shutil.copytree(granule, granule.with_name("L2A_T32UQU_A036463_20220615T102000"))


def _broken_band(path: Path) -> None:
    next(path.rglob("*_B03_10m.jp2")).write_bytes(b"no image")


def _no_metadata_value(path: Path) -> None:
    (path / "MTD_MSIL2A.xml").write_text("<a/>")


def _no_bands(path: Path) -> None:
    shutil.rmtree(path / "GRANULE")


def _landsat(path: Path) -> None:
    _no_bands(path)
    for number in (4, 5):
        values = np.ones((4, 4), np.uint16)
        made.band(path / f"LC09_L2SP_190026_B{number}.tif", values, 30)


def _two_dates(path: Path) -> None:
    images = next(path.rglob("R10m"))
    file = next(images.iterdir())
    shutil.copy(file, images / file.name.replace("20220615", "20220715"))


def _both_sensors(path: Path) -> None:
    images = next(path.rglob("R10m"))
    made.band(images / "x_VV.tif", np.ones((4, 4), np.float32), 10)


def _radar_as_delivered(path: Path) -> None:
    values = np.ones((4, 4), np.uint16)
    made.band(path / "measurement" / "s1a-iw-grd-vv-1.tif", values, 10)
    (path / "GRANULE").mkdir(exist_ok=True)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_two_granules, "2 granules in it"),
        (_broken_band, "B03_10m.jp2 is not a readable raster"),
        (_no_metadata_value, "MTD_MSIL2A.xml says no quantification value"),
        (_no_bands, "no file in it is named by a band"),
        (_landsat, "Landsat .*LC09_L2SP_190026_B4.tif"),
        (_two_dates, "two files of band B0"),
        (_both_sensors, "Sentinel-1 and of Sentinel-2 in one folder"),
        (_radar_as_delivered, "neither calibrated nor terrain-corrected"),
    ],
)
@pytest.mark.parametrize("form", ["folder", "zip"])
def test_what_is_no_product_is_refused(
    tmp_path: Path, change: object, said: str, form: str
) -> None:
    path = made.write_safe(tmp_path)
    assert callable(change)
    change(path)
    path = path if form == "folder" else made.zipped(path)
    with pytest.raises(ValueError, match=f"{path.name}: .*{said}"):
        open_raster(path)


def test_a_broken_archive_is_refused(tmp_path: Path) -> None:
    (tmp_path / "S2A.SAFE.zip").write_bytes(b"PK no archive")
    with pytest.raises(ValueError, match=r"S2A.SAFE.zip: not a zip archive"):
        find_product(Location.of(tmp_path / "S2A.SAFE.zip"))


def test_ordinary_files_are_no_products(tmp_path: Path) -> None:
    path = made.band(tmp_path / "B02.tif", np.ones((4, 4), np.uint8), 10)
    assert find_product(Location.of(path)) is None
