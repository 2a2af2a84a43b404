"""Composites: right values where dates are missing, and a file that is read again."""

from __future__ import annotations

from pathlib import Path

import click
import numpy as np
import pytest
import rasterio
from click.testing import CliRunner

from overcast.cli import program
from overcast.geo.composite import WAYS, geomedian, mean_power, median, medoid
from tests.cli.test_options import every_command
from tests.rasters import BANDS, SPECTRA, backscatter, utm, write

NAN = np.nan


def pixels(*dates: tuple[float, float]) -> np.ndarray:
    """Two bands of one pixel on some dates."""
    return np.array(dates, np.float32)[..., None, None]


def test_a_median_is_of_each_band() -> None:
    found = median(pixels((0.1, 0.5), (0.3, 0.2), (NAN, NAN), (0.2, 0.9)))
    np.testing.assert_allclose(found[:, 0, 0], (0.2, 0.5), rtol=1e-6)
    even = median(pixels((0.1, 0.5), (0.3, 0.2)))
    np.testing.assert_allclose(even[:, 0, 0], (0.2, 0.35), rtol=1e-6)


def test_a_geomedian_is_where_distances_are_least() -> None:
    # Of three points of an equal-sided triangle it is the middle (Fermat's point).
    corners = [(0, 0), (1, 0), (0.5, 3**0.5 / 2)]
    found = geomedian(pixels(*corners, (NAN, NAN)))
    np.testing.assert_allclose(found[:, 0, 0], (0.5, 3**0.5 / 6), atol=1e-4)
    # A single outlier does not move it far, as it does the mean.
    alike = geomedian(pixels((0.1, 0.1), (0.1, 0.1), (0.1, 0.1), (0.9, 0.9)))
    np.testing.assert_allclose(alike[:, 0, 0], 0.1, atol=1e-3)


def test_a_medoid_was_measured() -> None:
    dates = pixels((0.1, 0.1), (0.12, 0.1), (NAN, NAN), (0.9, 0.8))
    np.testing.assert_array_equal(medoid(dates)[:, 0, 0], dates[1, :, 0, 0])


def test_backscatter_is_averaged_in_power() -> None:
    found = mean_power(pixels((-10, -20), (0, -20), (NAN, NAN)))
    np.testing.assert_allclose(found[:, 0, 0], (10 * np.log10(0.55), -20), rtol=1e-5)


@pytest.mark.parametrize("way", [*WAYS.values(), mean_power])
def test_what_no_date_saw_is_missing(way: object) -> None:
    assert callable(way)
    assert np.isnan(way(pixels((NAN, NAN), (NAN, NAN)))).all()


def test_the_command_writes_bands_and_counts(tmp_path: Path) -> None:
    grid = utm((40, 30))
    for month, name in ((4, "soil"), (5, "crops"), (6, "crops"), (9, "snow")):
        values = np.ones((10, 40, 30), np.uint16)
        values *= np.array(SPECTRA[name], np.uint16)[:, None, None]
        values[:, :5] = 0 if month == 5 else values[:, :5]
        path = tmp_path / f"s2_2024-0{month}-03.tif"
        write(path, values, grid, nodata=0, names=BANDS)
        radar = tmp_path / f"s1_2024-0{month}-03_asc.tif"
        write(radar, backscatter((40, 30), month), grid, names=("VV", "VH"))
    words = [
        "--s2",
        str(tmp_path),
        "--s1",
        str(tmp_path),
        "--s2-offset",
        "0",
        "--trust",
    ]
    period = ["--from", "2024-04-01", "--to", "2024-06-30"]
    out = tmp_path / "out"
    done = CliRunner().invoke(
        program, ["composite", *words, *period, "--out", str(out)]
    )
    assert done.exit_code == 0, (done.output, done.exception)
    with rasterio.open(out / "s2.tif") as dataset:
        assert dataset.descriptions == (*BANDS, "clear_count")
        red, count = dataset.read(3), dataset.read(11)
    np.testing.assert_allclose(red[5:], 0.1, atol=1e-4)
    np.testing.assert_allclose(red[:5], 0.14, atol=1e-4)  # of soil and crops, two dates
    assert (count[:5] == 2).all()
    assert (count[5:] == 3).all()
    with rasterio.open(out / "s1.tif") as dataset:
        assert dataset.descriptions == ("VV", "VH", "clear_count")
    again = CliRunner().invoke(
        program,
        ["composite", *words, "--from", "2030-01-01", "--out", str(tmp_path / "x")],
    )
    assert "none of its 4 dates lies from 2030-01-01" in str(again.exception)


def test_every_command_with_images_takes_several() -> None:
    taken = 0
    for name, command in every_command():
        for option in command.params:
            images = isinstance(option, click.Option) and option.name in (
                *("s1", "s2", "s2_mask", "others"),
            )
            if images:
                assert option.multiple, f"{name}: {option.opts[0]} takes one file only"
                taken += 1
    assert taken >= 5 * 4
