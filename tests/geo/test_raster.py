from __future__ import annotations

import numpy as np
import pytest
from affine import Affine
from odc.geo.geobox import GeoBox

from overcast.geo.bands import SENTINEL_1, SENTINEL_2
from overcast.geo.legend import load_legend
from overcast.geo.raster import UNKNOWN, Fractions, Image, Labels

GRID = GeoBox((3, 4), Affine(10, 0, 500_000, 0, -10, 5_000_000), "EPSG:32633")
LEGEND = load_legend("simplified-igbp")


def image(values: tuple[int, ...], valid: tuple[int, ...] = (3, 4)) -> Image:
    return Image(
        values=np.zeros(values, np.float32),
        valid=np.ones(valid, bool),
        grid=GRID,
        sensor=SENTINEL_1,
    )


def test_image_is_valid_where_every_band_is_finite() -> None:
    values = np.ones((2, 3, 4), np.float32)
    values[0, 1, 2] = np.nan
    values[1, 0, 0] = -np.inf
    given = values.copy()
    seen = Image.of(values, GRID, SENTINEL_1)
    assert np.argwhere(~seen.valid).tolist() == [[0, 0], [1, 2]]
    assert np.isnan(seen.values[:, ~seen.valid]).all()
    assert (seen.values[:, seen.valid] == 1).all()
    assert seen.values.dtype == np.float32
    np.testing.assert_array_equal(values, given)


@pytest.mark.parametrize("shape", [(2, 4, 3), (2, 3, 5), (2, 1, 3, 4), (2, 4)])
def test_image_off_its_grid_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"image has shape .*\(2, 3, 4\)"):
        image(shape)


@pytest.mark.parametrize("shape", [(4, 3), (2, 3, 4)])
def test_validity_off_the_grid_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"validity has shape .*\(3, 4\)"):
        image((2, 3, 4), shape)


def test_image_with_bands_of_another_sensor_is_refused() -> None:
    with pytest.raises(
        ValueError, match="sentinel-1 has bands VV, VH, the image has 3"
    ):
        image((3, 3, 4))
    with pytest.raises(ValueError, match="sentinel-2"):
        Image.of(np.zeros((2, 3, 4), np.float32), GRID, SENTINEL_2)


@pytest.mark.parametrize("shape", [(4, 3), (1, 3, 4), (3,)])
def test_labels_off_their_grid_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"labels has shape .*\(3, 4\)"):
        Labels(values=np.zeros(shape, np.uint8), grid=GRID, legend=LEGEND)


def test_labels_are_valid_where_known() -> None:
    values = np.arange(12, dtype=np.uint8).reshape(3, 4)
    values[2] = UNKNOWN
    labels = Labels(values=values, grid=GRID, legend=LEGEND)
    assert labels.valid.tolist() == [[True] * 4, [True] * 4, [False] * 4]


def test_fractions_need_a_layer_for_each_class() -> None:
    Fractions(values=np.zeros((10, 3, 4), np.float32), grid=GRID, legend=LEGEND)
    for shape in ((9, 3, 4), (10, 4, 3)):
        with pytest.raises(ValueError, match=r"fractions has shape .*\(10, 3, 4\)"):
            Fractions(values=np.zeros(shape, np.float32), grid=GRID, legend=LEGEND)
