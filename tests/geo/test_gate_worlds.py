"""Simulated scenes under clouds pass the gate as they are, on every scale."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rasterio

from overcast.geo.check import open_sentinel_2
from overcast.worlds.files import write_world
from overcast.worlds.scene import SceneSpec
from tests.rasters import BANDS, utm, write


@pytest.mark.parametrize(("seed", "cloud"), [(1, 0.3), (5, 0.9), (9, 0.6)])
def test_a_cloudy_world_is_read_as_it_is(
    tmp_path: Path, seed: int, cloud: float
) -> None:
    path = write_world(seed, 96, tmp_path, SceneSpec((), cloud), processes=1)[
        "s2_cloudy"
    ]
    checked = open_sentinel_2(path)
    with rasterio.open(path) as dataset:
        stored = dataset.read()
    image = checked.image.read(checked.image.grid)
    assert checked.notes == ()
    np.testing.assert_allclose(image.values, stored * 1e-4, atol=1e-6)
    for factor, says in ((1e-4, ()), (1e-2, ("percent, converted to reflectance",))):
        values = (stored * factor).astype(np.float32)
        other = write(tmp_path / "o.tif", values, utm((96, 96)), names=list(BANDS))
        again = open_sentinel_2(other)
        assert again.notes == tuple(f"{other}: {text}" for text in says)
        read = again.image.read(again.image.grid)
        np.testing.assert_allclose(read.values, image.values, atol=1e-4)
