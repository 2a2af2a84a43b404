"""What options say, as what jobs take."""

from pathlib import Path

import pytest

from overcast.cli.arguments import absolute, data_of, file_of
from overcast.plan import NO_MASK

GIVEN = {
    "s1": (),
    "s2": (),
    "s1_units": "auto",
    "s2_offset": None,
    "s2_bands": None,
    "s2_mask": (),
    "s2_hidden": None,
    "mask_dilation": None,
    "others": (),
    "grid": None,
    "trust": False,
    "small_overlap": False,
    "register": False,
}


@pytest.mark.parametrize(
    ("text", "sensor", "path"),
    [
        ("planet.toml:a.tif", "{0}/planet.toml", "{0}/a.tif"),
        ("C:/planet.toml:D:/a.tif", "{0}/C:/planet.toml", "{0}/D:/a.tif"),
        ("C:/a.toml:s2.tif", "{0}/C:/a.toml", "{0}/s2.tif"),
        ("a:b.TOML:s2.tif", "{0}/a:b.TOML", "{0}/s2.tif"),
        ("a.toml:https://h/a.tif?v=1", "{0}/a.toml", "https://h/a.tif?v=1"),
        ("sentinel-2:https://h:80/a.tif", "sentinel-2", "https://h:80/a.tif"),
        ("sentinel-1:s1.tif", "sentinel-1", "{0}/s1.tif"),
        ("no-ending:s1.tif", "{0}/no-ending", "{0}/s1.tif"),
    ],
)
def test_sensor_and_file_of_an_image(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, sensor: str, path: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "no-ending").write_text("")
    image = data_of({**GIVEN, "others": (f"it={text}",)}).images["it"]
    assert image.sensor == sensor.format(tmp_path)
    assert image.path == path.format(tmp_path)


@pytest.mark.parametrize(
    "text", ["it=planet:a.tif", "it=a.toml", "it=", "a.toml:a.tif", ""]
)
def test_what_is_no_image_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"--image .*expected NAME=SENSOR:FILE"):
        data_of({**GIVEN, "others": (text,)})


def test_none_is_no_mask(tmp_path: Path) -> None:
    given = {**GIVEN, "s2": (str(tmp_path / "a.SAFE"),), "s2_mask": ("none",)}
    mask = data_of(given).images["s2"].mask
    assert mask is not None
    assert mask.path == NO_MASK


def test_paths_stay_as_they_were_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert file_of("a.tif") == Path("a.tif")
    assert str(file_of("https://h/a.tif")) == "https://h/a.tif"
    assert absolute(Path("a.tif")) == str(tmp_path / "a.tif")
