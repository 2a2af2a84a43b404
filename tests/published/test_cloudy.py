"""A sky over a whole scene: fast on its pixels, and clear where there is no cloud."""

from __future__ import annotations

import numpy as np
import pytest
from affine import Affine
from bench.published.cloudy import Cloudy
from odc.geo.geobox import GeoBox

from overcast.geo.arrays import ImageArray
from overcast.geo.bands import SENTINEL_2
from overcast.geo.raster import Image

GRID = GeoBox((300, 280), Affine(10, 0, 500_000, 0, -10, 5_000_000), "EPSG:32633")


def cloudy(key: int = 3) -> Cloudy:
    random = np.random.default_rng(0)
    values = random.uniform(0.02, 0.2, (10, 300, 280)).astype(np.float32)
    values[:, :5] = np.nan
    return Cloudy(ImageArray(Image.of(values, GRID, SENTINEL_2)), key, cirrus=0.0)


def test_however_it_is_read_a_pixel_is_under_the_same_cloud() -> None:
    source, part = cloudy(), np.s_[40:200, 70:90]
    whole, window = source.read(GRID), source.read(GRID[part])
    np.testing.assert_allclose(window.values, whole.values[:, *part], atol=1e-5)
    mask = source.mask.read(GRID[part]).values
    np.testing.assert_array_equal(mask, source.mask.read(GRID).values[:, *part])


def test_the_mask_is_where_it_differs_and_nothing_is_seen_where_nothing_was() -> None:
    for key in range(4):
        source = cloudy(key)
        seen, clear = source.read(GRID), source.source.read(GRID)
        hidden = source.mask.read(GRID).values[0] > 0.5
        np.testing.assert_array_equal(seen.valid, clear.valid)
        apart = np.abs(seen.values - clear.values).max(0)[5:]
        assert apart[~hidden[5:]].max(initial=0) < 0.05
        assert not hidden.any() or apart[hidden[5:]].mean() > 0.05
    one, two = (cloudy(key).mask.read(GRID).values for key in (1, 2))
    assert not np.array_equal(one, two)


def test_it_is_not_warped() -> None:
    with pytest.raises(ValueError, match="clouds lie on the pixels of their image"):
        cloudy().read(GRID.zoom_out(2))
