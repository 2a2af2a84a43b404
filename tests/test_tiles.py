"""The main job on two real tiles, where they are at hand; they are not in this project.

Their own land cover, majority-filtered to 100 m on the MODIS sinusoidal grid, is the
coarse label.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from affine import Affine
from rasterio.warp import Resampling, reproject, transform_bounds

from tests.rasters import SINUSOIDAL
from tests.rasters import write as write_raster
from tests.test_cli import call

__all__ = ["call"]

TILES = Path(__file__).parents[2] / "shared" / "tiles"
NAMES = ["282D_485L_3_3", "433D_629L_3_1"]

pytestmark = pytest.mark.skipif(
    not TILES.is_dir(), reason=f"the real tiles are not at {TILES}"
)


def coarse_labels(source: Path, path: Path, size: float = 100) -> Path:
    """Majority of the classes in cells of `size` metres."""
    from odc.geo.geobox import GeoBox

    with rasterio.open(source) as fine:
        left, bottom, right, top = transform_bounds(fine.crs, SINUSOIDAL, *fine.bounds)
        x0, y0 = np.floor(left / size) * size, np.ceil(top / size) * size
        shape = (int(np.ceil((y0 - bottom) / size)), int(np.ceil((right - x0) / size)))
        grid = GeoBox(shape, Affine(size, 0, x0, 0, -size, y0), SINUSOIDAL)
        cells = np.zeros(shape, np.uint8)
        reproject(
            fine.read(1),
            cells,
            src_transform=fine.transform,
            src_crs=fine.crs,
            src_nodata=0,
            dst_transform=grid.affine,
            dst_crs=SINUSOIDAL,
            dst_nodata=0,
            resampling=Resampling.mode,
        )
    return write_raster(path, cells, grid, nodata=0)


@pytest.mark.parametrize("name", NAMES)
def test_tile(call: Any, name: str, tmp_path: Path) -> None:
    tile = TILES / name
    labels = coarse_labels(tile / "land_cover_esri.tif", tmp_path / "coarse.tif")
    code, out, err = call(
        *("map", "--s2", tile / "s2_l2a.tif", "--s1", tile / "s1_rtc.tif"),
        *("--labels", labels, "--legend", TILES / "legend.csv"),
        *("--reference", tile / "land_cover_esri.tif", "--reference-nodata", 0),
        *("--out", tmp_path / "out", "--set", "samples=20000"),
    )
    assert code == 0, err
    # 433D carries the offset of -1000 that was not applied, 282D does not.
    assert ("offset of -1000" in err) == (name == "433D_629L_3_1")
    with (
        rasterio.open(tmp_path / "out" / "map.tif") as mapped,
        rasterio.open(tile / "s2_l2a.tif") as image,
    ):
        assert mapped.transform == image.transform
        assert mapped.shape == image.shape
        assert mapped.crs == image.crs
        assert (mapped.read(1) != 255).all()
    scores = json.loads(out)["accuracy"]
    # Far above what one class everywhere, or classes at random, would have.
    assert scores["map"]["overall_accuracy"] > 0.6
    assert scores["map"]["average_accuracy"] > 0.65
    assert scores["map"]["mean_iou"] > scores["forest"]["mean_iou"]
