from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from overcast.datasets.miniature import utm_grid, write_raster
from overcast.datasets.rasters import (
    AMPLITUDE,
    crossed,
    open_amplitude,
    open_bands,
    open_classes,
)
from overcast.geo.arrays import LabelArray
from overcast.geo.bands import SENTINEL_2_ENCODING, SENTINEL_2_L1C, Sensor
from overcast.geo.legend import load_crosswalk, load_legend
from overcast.geo.raster import UNKNOWN, Labels

RADAR = Sensor("radar", "sar", (AMPLITUDE,))


def test_thirteen_bands_become_the_sensors_ten(tmp_path: Path) -> None:
    stored = np.arange(1, 14, dtype=np.uint16)[:, None, None] * 100
    write_raster(tmp_path / "s2.tif", np.broadcast_to(stored, (13, 4, 4)).copy())
    source = open_bands(tmp_path / "s2.tif", SENTINEL_2_L1C, SENTINEL_2_ENCODING, 10)
    values = source.read(source.grid).values[:, 0, 0]
    # B2 to B8A are bands 2 to 9 of the file, B11 and B12 the last two.
    assert values == pytest.approx([n / 100 for n in (*range(2, 10), 12, 13)])
    assert source.grid.crs is None
    assert source.grid.affine.a == 10


def test_another_number_of_bands_is_refused(tmp_path: Path) -> None:
    write_raster(tmp_path / "s2.tif", np.ones((12, 4, 4), np.uint16))
    with pytest.raises(ValueError, match=r"s2.tif: 12 bands, expected 13"):
        open_bands(tmp_path / "s2.tif", SENTINEL_2_L1C, SENTINEL_2_ENCODING, 10)


def test_probabilities_are_no_codes(tmp_path: Path) -> None:
    write_raster(tmp_path / "p.tif", np.ones((1, 4, 4), np.float32))
    with pytest.raises(ValueError, match="float32 values; expected class codes"):
        open_classes(tmp_path / "p.tif", load_legend("igbp"), 0, 10)


def test_translates_codes_of_one_legend_to_another() -> None:
    walk = load_crosswalk("igbp", "simplified-igbp")
    grid = utm_grid((1, 4), 10)
    codes = np.array([[1, 14, 17, 0]])
    theirs = Labels(
        values=walk.source.to_indices(codes, 0), grid=grid, legend=walk.source
    )
    found = crossed(LabelArray(theirs), walk).read(grid)
    names = [walk.target.names[i] for i in found.values[0, :3]]
    assert names == ["Forest", "Croplands", "Water"]
    assert found.values[0, 3] == UNKNOWN


def test_amplitude_is_decibels(tmp_path: Path) -> None:
    stored = np.array([[[1, 10, 100, 255]]], np.uint8).repeat(4, 1)
    write_raster(tmp_path / "sar.tif", stored)
    source = open_amplitude(tmp_path / "sar.tif", RADAR, 5)
    values = source.read(source.grid).values[0, 0]
    assert values == pytest.approx([0, 20, 40, 48.13], abs=0.01)


def test_dark_land_is_seen_and_the_outside_is_not(tmp_path: Path) -> None:
    stored = np.full((1, 64, 64), 50, np.uint8)
    stored[0, 20:40, 20:40] = 0  # a lake
    stored[0, :, :8] = 0  # outside the swath
    stored[0, 63, 60] = 0  # one dark pixel at the border
    write_raster(tmp_path / "sar.tif", stored)
    source = open_amplitude(tmp_path / "sar.tif", RADAR, 5)
    image = source.read(source.grid)
    expected = np.ones((64, 64), bool)
    expected[:, :8] = False
    assert (image.valid == expected).all()
    assert image.values[0, 30, 30] == pytest.approx(20 * np.log10(0.5))
    window = source.grid[25:35, 4:30]  # the outside is known in any window
    assert (source.read(window).valid == expected[25:35, 4:30]).all()


def test_amplitude_beyond_the_file_is_not_seen(tmp_path: Path) -> None:
    grid = utm_grid((32, 32), 5)
    place = {"crs": str(grid.crs), "transform": grid.affine}
    write_raster(tmp_path / "sar.tif", np.full((1, 32, 32), 9, np.uint8), **place)
    source = open_amplitude(tmp_path / "sar.tif", RADAR, 5)
    assert source.read(grid).valid.all()
    assert not source.read(grid.translate_pix(1000, 0)).valid.any()


@pytest.mark.parametrize("values", [np.ones((2, 4, 4), np.uint8), np.ones((1, 4, 4))])
def test_other_than_eight_bit_amplitude_is_refused(
    tmp_path: Path, values: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]
) -> None:
    write_raster(tmp_path / "sar.tif", values)
    with pytest.raises(ValueError, match="expected one of uint8 for radar"):
        open_amplitude(tmp_path / "sar.tif", RADAR, 5)
