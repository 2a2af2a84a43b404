"""A user's own sensor in a TOML file."""

from pathlib import Path

import pytest

from overcast.geo.bands import Band, Encoding
from overcast.geo.sensor_file import load_sensor

GOOD = """
name = "landsat"
kind = "optical"
scale = 2.75e-5
offset = -0.2
nodata = 0
[[bands]]
name = "red"
unit = "reflectance"
low = 0.0
high = 0.3
wavelength_nm = 655
[[bands]]
name = "nir"
unit = "reflectance"
low = 0
high = 0.6
"""


def test_a_users_sensor_is_read_from_toml(tmp_path: Path) -> None:
    path = tmp_path / "landsat.toml"
    path.write_text(GOOD)
    sensor, encoding = load_sensor(path)
    assert (sensor.name, sensor.kind, sensor.names) == (
        "landsat",
        "optical",
        ("red", "nir"),
    )
    assert sensor.layouts == (("red", "nir"),)
    assert encoding == Encoding(scale=2.75e-5, offset=-0.2, nodata=0)
    assert sensor.bands[0] == Band("red", "reflectance", 0.0, 0.3, 655)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('name = "landsat"', "name = 7", "name: 7; expected a valid string"),
        ("high = 0.6", "high = inf", r"bands\[1\]: high: inf; expected a finite"),
        ('name = "landsat"\n', "", "name: Field required"),
        ('kind = "optical"\n', "", "kind: Field required"),
        ("optical", "lidar", "kind: 'lidar'; expected 'optical' or 'sar'"),
        ("scale =", "skale =", "did you mean scale"),
        ("wavelength_nm", "wavelength", "did you mean wavelength_nm"),
        ("high = 0.6", "", r"bands\.1\.high: Field required"),
        ("high = 0.6", "high = -1", "band nir: low must be below high"),
        ('name = "nir"', 'name = "red"', "red, red; expected .* each name once"),
        ("[[bands]]", "[[strips]]", "unknown key 'strips'"),
        ("scale = 2.75e-5", "scale = = 1", "not a TOML file"),
    ],
)
def test_bad_sensor_is_refused_by_file_name(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    path = tmp_path / "mine.toml"
    assert old in GOOD
    path.write_text(GOOD.replace(old, new))
    with pytest.raises(ValueError, match=message) as error:
        load_sensor(path)
    assert str(path) in str(error.value)


def test_sensor_without_bands_or_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('name = "x"\nkind = "sar"\nbands = []\n')
    with pytest.raises(ValueError, match="bands are none"):
        load_sensor(path)
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ValueError, match="not a TOML file"):
        load_sensor(path)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ('nodata = "0"', "nodata: '0'; expected a number"),
        ("scale = true", "scale: True; expected a number"),
        ("offset = [1]", r"offset: \[1\]; expected"),
        ("scale = nan", "scale: nan; expected a finite number"),
        ("scale = 0", "scale is 0"),
        ("power = 1", "power: 1; expected true or false"),
    ],
)
def test_a_value_of_another_type_is_refused(
    tmp_path: Path, line: str, says: str
) -> None:
    path = tmp_path / "sensor.toml"
    band = '[[bands]]\nname = "red"\nunit = "reflectance"\nlow = 0\nhigh = 1\n'
    path.write_text(f'name = "x"\nkind = "optical"\n{line}\n{band}', encoding="utf-8")
    with pytest.raises(ValueError, match=says):
        load_sensor(path)
