"""Which band is which, by all the names that people have."""

from __future__ import annotations

import pytest

from overcast.geo.band_names import band_order
from overcast.geo.bands import SENTINEL_1, SENTINEL_2, Band, Sensor
from tests.rasters import BANDS

TEN = {
    "GDAL": "B2|B3|B4|B5|B6|B7|B8|B8A|B11|B12".replace(
        "|", ", central wavelength 500 nm|"
    ),
    "products": "T32UPU_20200101T101010_" + "_10m|T32UPU_20200101T101010_".join(BANDS),
    "small": "b02_10m|b03_10m|b04_10m|b05_20m|b06|b07|b08|b8a|b11|b12",
    "STAC": "blue|green|red|rededge1|rededge2|rededge3|nir|nir08|swir16|swir22",
    "STAC of Earth Search": "blue|green|red|rededge|rededge|rededge|nir|nir08|swir16|"
    "swir22",
    "words": "Blue|Green|Red|Red Edge 1|Red Edge 2|Red Edge 3|NIR|Narrow NIR|SWIR 1|"
    "SWIR 2",
    "Digital Earth": "nbart_blue|nbart_green|nbart_red|nbart_red_edge_1|"
    "nbart_red_edge_2|nbart_red_edge_3|nbart_nir_1|nbart_nir_2|nbart_swir_2|"
    "nbart_swir_3",
    "numbers": "Band 2 - Blue|Band 3|Band 4|Band 5|Band 6|Band 7|Band 8 - NIR|Band 8A|"
    "Band 11|Band 12",
}


@pytest.mark.parametrize("names", TEN.values(), ids=TEN.keys())
def test_names_of_ten_bands_are_known_in_any_order(names: str) -> None:
    texts = names.split("|")
    assert band_order("s2.tif", texts, SENTINEL_2).names == BANDS
    if "rededge|rededge" not in names:
        assert band_order("s2.tif", texts[::-1], SENTINEL_2).names == BANDS[::-1]


@pytest.mark.parametrize(
    "pattern",
    [
        "",
        "Band {}",
        "Band_{}",
        "band{}",
        "Layer {}",
        "lyr.{}",
        "{}",
        "s2_2020_{}",
        "B{}",
    ],
)
def test_counted_bands_have_no_names(pattern: str) -> None:
    texts = [pattern.format(i) for i in range(1, 11)]
    order = band_order("s2.tif", texts, SENTINEL_2)
    assert (order.names, order.named) == (BANDS, False)


def test_bands_that_all_have_one_word_have_no_names() -> None:
    assert not band_order("s1.tif", ["bands", "bands"], SENTINEL_1).named
    assert not band_order("s1.tif", ["Gray", "Undefined"], SENTINEL_1).named


@pytest.mark.parametrize(
    ("texts", "names"),
    [
        ("Sigma0_VH_db|Sigma0_VV_db", ("VH", "VV")),
        ("Gamma0_VV|Gamma0_VH|angle", ("VV", "VH", "angle")),
        ("vv|vh", ("VV", "VH")),
        ("VV_20200101|VH_20200101", ("VV", "VH")),
    ],
)
def test_polarisations_are_known(texts: str, names: tuple[str, ...]) -> None:
    assert band_order("s1.tif", texts.split("|"), SENTINEL_1).names == names


@pytest.mark.parametrize(
    ("texts", "says"),
    [
        ("HH|HV", "called HH, HV; expected VV, VH of sentinel-1"),
        ("VV|HH", "called VV, HH; expected VH of sentinel-1"),
        ("VV_1|VV_2", r"more than one band is called VV \(VV_1, VV_2\)"),
        ("NDVI|NDWI", "called NDVI, NDWI; expected VV, VH"),
        ("VV/VH|angle", "expected VV, VH"),
    ],
)
def test_other_polarisations_are_refused(texts: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        band_order("s1.tif", texts.split("|"), SENTINEL_1)


@pytest.mark.parametrize(
    ("texts", "says"),
    [
        ("|".join(f"SR_B{i}" for i in range(1, 11)), "called SR_B1, .*expected B02"),
        ("AOT|SCL|WVP|QA60|CLD|SNW|a|b|c|d", "called AOT"),
        ("red|B04|blue|green", r"more than one band is called B04 \(red, B04\)"),
        ("||", "3 bands without names of sentinel-2; expected 10 or 12"),
    ],
)
def test_names_of_something_else_are_refused(texts: str, says: str) -> None:
    with pytest.raises(ValueError, match=says) as error:
        band_order("s2.tif", texts.split("|"), SENTINEL_2)
    assert "--bands" not in str(error.value)


def test_bands_of_no_sensor_are_left_out_and_said() -> None:
    texts = ["B05", "SCL", "b8a", "cloud_probability", "B01", ""]
    order = band_order("s2.tif", texts, SENTINEL_2)
    assert order.names[0] == "B05"
    assert order.names[2] == "B8A"
    assert order.ignored == ("SCL", "cloud_probability", "band 6 without a name")


def test_said_names_are_for_files_without_any_and_as_many_as_the_bands() -> None:
    said = ("red", "B8", "-")
    order = band_order("s2.tif", ["", "", ""], SENTINEL_2, said)
    assert order.names == ("B04", "B08", "-")
    same = band_order("s2.tif", ["B4", "nir", "x"], SENTINEL_2, ("red", "B8", "x"))
    assert same.names[:2] == ("B04", "B08")
    with pytest.raises(ValueError, match="called B02, B03, B04, and said to be red"):
        band_order("s2.tif", ["B02", "B03", "B04"], SENTINEL_2, said)
    with pytest.raises(ValueError, match="3 bands, but 2 band names were given"):
        band_order("s2.tif", ["", "", ""], SENTINEL_2, ("B02", "B03"))


def test_names_of_an_own_sensor_come_first() -> None:
    sensor = Sensor("mine", "optical", tuple(Band(n, "", 0, 1) for n in ("nir", "red")))
    assert band_order("x.tif", ["RED", "Nir"], sensor).names == ("red", "nir")
