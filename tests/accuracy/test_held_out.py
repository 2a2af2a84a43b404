"""Pixels to calibrate with: those that the reference knows, each with its weight."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from overcast.accuracy.held_out import known_pixels
from overcast.accuracy.reference import ReferencePoints, ReferenceRaster
from overcast.geo.arrays import LabelArray
from overcast.geo.legend import load_legend
from overcast.geo.raster import UNKNOWN, Labels
from overcast.geo.vectors import read_features
from tests.rasters import utm

LEGEND = load_legend("simplified-igbp")


def raster(values: np.ndarray) -> ReferenceRaster:
    grid = utm(values.shape)
    return ReferenceRaster(
        LabelArray(Labels(values=values, grid=grid, legend=LEGEND)), grid
    )


def test_all_known_pixels_of_a_small_raster() -> None:
    values = np.random.default_rng(0).choice(np.uint8([0, 3, UNKNOWN]), (1100, 3))
    found = known_pixels(raster(values), LEGEND)
    rows, columns = np.nonzero(values != UNKNOWN)
    np.testing.assert_array_equal(found.rows, rows)
    np.testing.assert_array_equal(found.columns, columns)
    np.testing.assert_array_equal(found.classes, values[rows, columns])
    assert (found.weights == 1).all()


def test_a_large_raster_is_drawn_from_evenly_and_alike() -> None:
    values = np.zeros((1200, 100), np.uint8)
    values[:, 50:] = 1
    found, again = (known_pixels(raster(values), LEGEND, 4000) for _ in range(2))
    np.testing.assert_array_equal(found.rows, again.rows)
    assert len(found.rows) == 4000
    assert len(set(zip(found.rows, found.columns, strict=True))) == 4000
    np.testing.assert_array_equal(found.classes, values[found.rows, found.columns])
    by_third = np.bincount(found.rows // 400, minlength=3)
    assert np.abs(by_third - 4000 / 3).max() < 5 * np.sqrt(4000 * 2 / 9)


def test_points_of_a_sample_stand_for_their_stratum(tmp_path: Path) -> None:
    path = tmp_path / "s.csv"
    path.write_text(
        "lon,lat,stratum,stratum_pixels,stratum_share,reference\n"
        "9.0001,47.9999,1,300,0.3,1\n"
        "9.0002,47.9999,1,300,0.3,\n"
        "9.0003,47.9999,2,700,0.7,6\n"
        "9.0004,47.9999,2,700,0.7,1\n"
    )
    features = read_features(path)
    classes = features.classes("reference", LEGEND)
    found = known_pixels(ReferencePoints(features, classes, utm()), LEGEND)
    assert found.weights.tolist() == [300, 350, 350]
    assert found.classes.tolist() == [0, 5, 0]
