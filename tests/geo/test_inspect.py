"""What is said of any raster, whether it can be mapped or not."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from overcast.geo.inspect import describe
from tests.rasters import reflectance, utm, write

SHAPE = (64, 64)


def test_describe_says_what_looks_wrong(tmp_path: Path) -> None:
    path = write(tmp_path / "s2.tif", reflectance(SHAPE) + 1000, utm())
    found = describe(path)
    assert found.shape == SHAPE
    assert any("offset" in note for note in found.notes)
    assert "no nodata tag" in found.notes


def test_a_coarse_map_on_a_fine_grid_is_said(tmp_path: Path) -> None:
    coarse = np.random.default_rng(0).integers(1, 5, (10, 10)).astype(np.uint8)
    fine = write(
        tmp_path / "fine.tif", coarse.repeat(12, 0).repeat(12, 1), utm((120, 120))
    )
    assert any("blocks of about 12 pixels" in note for note in describe(fine).notes)
    own = write(tmp_path / "coarse.tif", coarse, utm((10, 10), size=120), nodata=0)
    assert describe(own).notes == ()
