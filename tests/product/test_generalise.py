"""Maps without small patches: nothing too small, each patch where it belongs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio.raw
import pytest
import rasterio
import shapely
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from overcast.cli import program
from overcast.geo.raster import UNKNOWN, Labels
from overcast.product.generalise import generalise
from overcast.product.rasters import write_labels, written_legend
from tests.jobs.test_assess import LEGEND
from tests.rasters import utm
from tests.rasters import write as write_raster

FOREST, MARSH, WATER, SMALL = 0, 1, 2, 3


def shore() -> Any:
    """A patch of 4 pixels: 6 of its sides lie on forest, 2 on marsh, 2 on water."""
    classes = np.full((9, 9), FOREST, np.uint8)
    classes[4:, :4] = MARSH
    classes[4:, 4:] = WATER
    classes[2:5, 4], classes[4, 3] = SMALL, SMALL
    return classes


def test_without_more_the_longest_border_counts() -> None:
    out = generalise(shore(), 5, 4)
    assert (out[2:5, 4] == FOREST).all()


def test_a_patch_joins_the_class_that_it_resembles() -> None:
    probabilities = np.zeros((4, 9, 9), np.float32)
    probabilities[:, shore() == SMALL] = np.float32([[0.05], [0.35], [0.1], [0.5]])
    out = generalise(shore(), 5, 4, probabilities)
    assert (out[shore() == SMALL] == MARSH).all()
    same = shore() != SMALL
    assert (out[same] == shore()[same]).all()


def test_sure_neighbours_count_more() -> None:
    confidence = np.full((9, 9), 0.1, np.float32)
    confidence[shore() == WATER] = 1
    out = generalise(shore(), 5, 4, confidence=confidence)
    assert (out[shore() == SMALL] == WATER).all()


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 999), size=st.integers(2, 30), smooth=st.integers(1, 4))
def test_nothing_small_is_left_beside_something_large(
    seed: int, size: int, smooth: int
) -> None:
    random = np.random.default_rng(seed)
    fields = ndimage.uniform_filter(random.random((4, 24, 24)), (0, smooth, smooth))
    classes = fields.argmax(0).astype(np.uint8)
    classes[fields.max(0) > np.quantile(fields.max(0), 0.95)] = UNKNOWN
    out = generalise(classes, size, 4, np.float32(fields / fields.sum(0)))
    assert ((out == UNKNOWN) == (classes == UNKNOWN)).all()
    for part, count in (ndimage.label(out != UNKNOWN),):
        for n in range(1, count + 1):
            here = part == n
            sizes = []
            for k in np.unique(out[here]):
                numbers, _ = ndimage.label((out == k) & here)
                sizes += np.bincount(numbers.ravel())[1:].tolist()
            assert len(sizes) == 1 or min(sizes) >= size


def test_a_size_of_one_changes_nothing() -> None:
    assert (generalise(shore(), 1, 4) == shore()).all()


def call(*arguments: Any) -> tuple[Any, str]:
    done = CliRunner().invoke(program, [str(a) for a in arguments])
    return done.exception, done.stdout


def test_by_command(tmp_path: Path) -> None:
    grid = utm((9, 9))
    labels = Labels(values=shore(), grid=grid, legend=LEGEND)
    write_labels(labels, tmp_path / "map.tif", {"OVERCAST_MODEL": "abc"})
    sure = np.where(shore() == WATER, 1, 0.1).astype(np.float32)
    write_raster(tmp_path / "confidence.tif", sure, grid, names=["confidence"])
    given = ("generalise", tmp_path / "map.tif", "--out", tmp_path / "out.tif")
    error, text = call(*given, "--mmu", "0.05")
    assert error is None
    result = json.loads(text)
    assert result["mmu_pixels"] == 5
    assert result["used"] == "confidence.tif"
    assert (result["patches_before"], result["patches"]) == (4, 3)
    assert result["changed_share"] == pytest.approx(4 / 81, abs=1e-6)
    assert written_legend(tmp_path / "out.tif").names == LEGEND.names
    with rasterio.open(tmp_path / "out.tif") as dataset:
        assert dataset.read(1)[3, 4] == LEGEND.codes[WATER]
        assert dataset.tags()["OVERCAST_MMU_HA"] == "0.05"
    assert (tmp_path / "out.qml").is_file()
    assert "exists" in str(call(*given, "--mmu", "0.05")[0])
    assert "--mmu 9" in str(call(*given, "--mmu", "9", "--overwrite")[0])


def test_polygons_have_no_small_patches_and_shared_borders(tmp_path: Path) -> None:
    grid = utm((9, 9))
    labels = Labels(values=shore(), grid=grid, legend=LEGEND)
    write_labels(labels, tmp_path / "map.tif", {})
    out = tmp_path / "a.gpkg"
    given = ("generalise", tmp_path / "map.tif", "--mmu", "0.05", "--smooth", "10")
    error, text = call(*given, "--out", out)
    assert error is None
    result = json.loads(text)
    _, _, shapes, columns = pyogrio.raw.read(out, layer="land_cover")
    assert result["polygons"] == result["patches"] == len(shapes) == 3
    assert columns[2].min() >= 0.05
    assert shapely.coverage_is_valid(shapely.from_wkb(shapes))
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        *("a.gpkg", "map.tif", "map.tif.aux.xml"),
    ]
    assert "a raster; leave it out" in str(call(*given, "--out", tmp_path / "a.tif")[0])
    assert "ends in .tif, .gpkg, .fgb" in str(
        call(*given, "--out", tmp_path / "a.shp")[0]
    )
