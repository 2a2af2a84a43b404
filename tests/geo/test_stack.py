"""Sensors and labels of different places, sizes and projections on one grid."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from overcast.geo.bands import SENTINEL_1, SENTINEL_2, SENTINEL_2_ENCODING
from overcast.geo.coverage import common_grid
from overcast.geo.image_file import open_image
from overcast.geo.label_file import open_labels
from overcast.geo.legend import load_legend
from overcast.geo.stack import Stack
from overcast.geo.tiling import Tiling
from tests.rasters import backscatter, reflectance, utm, write


def test_windows_of_a_stack_are_cut_from_the_whole(tmp_path: Path) -> None:
    s2 = open_image(
        write(tmp_path / "s2.tif", reflectance((80, 80)), utm((80, 80))),
        SENTINEL_2,
        SENTINEL_2_ENCODING,
    )
    s1 = open_image(
        write(tmp_path / "s1.tif", backscatter((60, 60)), utm((60, 60), size=20)),
        SENTINEL_1,
    )
    codes = np.arange(64).reshape(8, 8).astype(np.uint8) % 10 + 1
    labels = open_labels(
        write(tmp_path / "l.tif", codes, utm((8, 8), size=100)),
        load_legend("simplified-igbp"),
    )
    stack = Stack(grid=s2.grid, images={"s1": s1, "s2": s2}, labels=labels)
    (whole,) = (stack.read(w) for w in Tiling(80).windows(stack.shape))
    for window in Tiling(32, 4).windows(stack.shape):
        part = stack.read(window)
        for name in ("s1", "s2"):
            np.testing.assert_allclose(
                part.images[name].values,
                whole.images[name].values[(slice(None), *window.slices)],
                atol=1e-4,
            )
        assert part.labels is not None
        assert whole.labels is not None
        np.testing.assert_array_equal(
            part.labels.values, whole.labels.values[window.slices]
        )


def test_common_grid_is_what_all_cover_on_the_first_ones_pixels() -> None:
    first = utm((100, 100))
    second = utm((100, 100), east=600_300, north=5_299_800)
    common = common_grid(first, {"b": second})
    assert common == first[20:, 30:]
    assert common.affine.c == 600_300


def test_a_neighbouring_zone_narrows_the_grid() -> None:
    first = utm((100, 100), east=700_000)
    box = first.extent.to_crs("EPSG:32633").boundingbox
    # The western half, in the other zone's coordinates.
    second = utm(
        (200, 60),
        east=round(box.left, -1) - 100,
        north=round(box.top, -1) + 500,
        zone=33,
    )
    common = common_grid(first, {"b": second})
    assert common.shape[0] == 100
    assert 30 < common.shape[1] < 70
    assert common.affine.c == first.affine.c


def test_no_overlap_is_named() -> None:
    with pytest.raises(ValueError, match=r"far\.tif: no overlap"):
        common_grid(utm(), {"far.tif": utm(east=700_000)})


def test_one_zone_read_as_the_next_is_refused() -> None:
    """Six degrees away, whatever the size of the scene."""
    with pytest.raises(ValueError, match=r"labels\.tif: no overlap"):
        common_grid(
            utm((1000, 1000), zone=32), {"labels.tif": utm((1000, 1000), zone=33)}
        )
