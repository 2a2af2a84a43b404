"""Points whose class the user knows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import shapely

from overcast.geo.legend import LandClass, Legend
from overcast.label_quality.anchors import read_anchors
from tests.rasters import utm
from tests.test_drawn import draw

LEGEND = Legend(
    "two", (LandClass(1, "Wood", "000000"), LandClass(2, "Field", "ffffff"))
)
GRID = utm((32, 32))
PLACES = [shapely.Point(5 + 20 * k, 5 + 10 * k) for k in range(14)]
CLASSES = ["Wood", "Field"] * 7


@pytest.mark.parametrize("column", ["class", "reference", "kind"])
def test_points_are_read_in_their_pixels(tmp_path: Path, column: str) -> None:
    path = draw(tmp_path / "a.gpkg", PLACES, CLASSES, column)
    found = read_anchors(path, LEGEND, GRID, "kind" if column == "kind" else None)
    assert found.rows.tolist() == list(range(14))
    assert found.columns.tolist() == list(range(0, 28, 2))
    assert found.classes.tolist() == [0, 1] * 7
    assert found.weights.tolist() == [1.0] * 14


def test_points_outside_or_without_a_class_are_left_out(tmp_path: Path) -> None:
    places = [*PLACES, shapely.Point(-5, 5), shapely.Point(5, 325)]
    path = draw(tmp_path / "a.gpkg", places, ["", *CLASSES[1:], "Wood", "Wood"])
    found = read_anchors(path, LEGEND, GRID)
    assert found.rows.tolist() == list(range(1, 14))


def test_a_sample_counts_by_the_pixels_that_it_stands_for(tmp_path: Path) -> None:
    rows = ["lon,lat,stratum,stratum_pixels,stratum_share,reference"]
    lon, lat = 10.36, 47.845
    for k in range(12):
        stratum, pixels, share = (1, 900, 0.9) if k < 4 else (2, 100, 0.1)
        rows.append(f"{lon + k * 1e-5},{lat},{stratum},{pixels},{share},Wood")
    (tmp_path / "s.csv").write_text("\n".join(rows))
    grid = utm((400, 400), east=600_000, north=5_302_000)
    found = read_anchors(tmp_path / "s.csv", LEGEND, grid)
    # 225 pixels a point and 12.5, with the mean 1000 / 12.
    assert found.weights == pytest.approx([2.7] * 4 + [0.15] * 8)
    assert np.mean(found.weights) == pytest.approx(1)


def test_other_files_are_refused(tmp_path: Path) -> None:
    few = draw(tmp_path / "few.gpkg", PLACES[:9], CLASSES[:9])
    with pytest.raises(ValueError, match=r"9 points .* expected 10 or more"):
        read_anchors(few, LEGEND, GRID)
    shapes = draw(tmp_path / "p.gpkg", [shapely.box(0, 0, 50, 50)] * 12, ["Wood"] * 12)
    with pytest.raises(ValueError, match="anchors are points"):
        read_anchors(shapes, LEGEND, GRID)
    with pytest.raises(ValueError, match="anchors are points"):
        read_anchors(tmp_path / "raster.tif", LEGEND, GRID)
    with pytest.raises(ValueError, match="no column"):
        read_anchors(draw(tmp_path / "x.gpkg", PLACES, CLASSES, "kind"), LEGEND, GRID)
