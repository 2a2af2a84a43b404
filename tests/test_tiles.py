"""The main job on two real tiles, where they are at hand; they are not in this project.

Their own land cover, majority-filtered to 100 m on the MODIS sinusoidal grid, is the
coarse label.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import rasterio
from bench.tiles import NAMES, TILES, coarse_labels

from tests.test_cli import call

__all__ = ["call"]

pytestmark = pytest.mark.skipif(
    not TILES.is_dir(), reason=f"the real tiles are not at {TILES}"
)


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
