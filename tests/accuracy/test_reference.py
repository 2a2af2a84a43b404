"""What `map --reference` scores with is what `assess` scores with, of any kind of file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyogrio.raw
import pytest
import shapely
from numpy.typing import NDArray

from overcast.accuracy.bootstrap import block_side
from overcast.accuracy.confusion import Confusion, compare_blocks
from overcast.accuracy.design import Design
from overcast.accuracy.reference import ReferenceFile
from overcast.geo.arrays import LabelArray
from overcast.geo.legend import load_legend
from overcast.geo.raster import UNKNOWN, Labels
from overcast.jobs.assess import draw_sample
from overcast.product.rasters import write_labels
from tests.rasters import utm

LEGEND = load_legend("simplified-igbp")
GRID = utm((120, 90))


def mapped() -> LabelArray:
    values = np.random.default_rng(0).integers(0, 10, GRID.shape).astype(np.uint8)
    return LabelArray(Labels(values=values, grid=GRID, legend=LEGEND))


def write(path: Path, shapes: NDArray[Any], kind: str) -> Path:
    """Shapes in a file, each with a class at random."""
    classes = np.random.default_rng(1).choice(np.array(LEGEND.names), len(shapes))
    pyogrio.raw.write(
        path,
        shapely.to_wkb(shapes),
        [classes.astype(object)],
        ["cover"],
        geometry_type=kind,
        crs=str(GRID.crs),
    )
    return path


def points(path: Path) -> Path:
    """Points in 200 pixels, one in each."""
    random = np.random.default_rng(2)
    places = np.stack(np.unravel_index(random.permutation(120 * 90)[:200], GRID.shape))
    inside = places[::-1] + random.uniform(0.1, 0.9, (2, 200))
    x, y = GRID.affine * inside
    return write(path, shapely.points(x, y), "Point")


def fields(path: Path) -> Path:
    left, top = GRID.affine * (5, 5)
    boxes = [
        shapely.box(left + 130 * k, top - 400, left + 130 * k + 130, top)
        for k in range(5)
    ]
    return write(path, np.array(boxes), "Polygon")


@pytest.mark.parametrize("make", [points, fields])
def test_labels_of_a_vector_file_count_as_itself(make: Any, tmp_path: Path) -> None:
    path = make(tmp_path / "known.gpkg")
    file = ReferenceFile(path, column="cover")
    none = Confusion.none(len(LEGEND))
    assessed = sum(file.open(LEGEND, GRID).against(mapped()), none)
    truth = ReferenceFile(path, column="cover").labels(LEGEND, GRID)
    blocks = compare_blocks(mapped(), truth, block_side(GRID), GRID)
    scored = sum(blocks, none)
    assert assessed.counts.sum() > 190
    np.testing.assert_array_equal(scored.counts, assessed.counts)


def test_points_outside_are_left_out(tmp_path: Path) -> None:
    x, y = GRID.affine * (np.array([-3.0, 4.5, 95.0]), np.array([2.5, 119.5, 2.5]))
    path = write(tmp_path / "few.gpkg", shapely.points(x, y), "Point")
    truth = ReferenceFile(path, column="cover").labels(LEGEND, GRID)
    values = truth.read(GRID).values
    assert np.argwhere(values != UNKNOWN).tolist() == [[119, 4]]
    assert (truth.read(GRID[:50, :40]).values == UNKNOWN).all()


def test_a_sample_is_for_assess(tmp_path: Path) -> None:
    write_labels(mapped().read(GRID), tmp_path / "map.tif", {})
    path = tmp_path / "s.csv"
    draw_sample(tmp_path / "map.tif", path, Design(size=500))
    head, *rows = path.read_text().splitlines()
    at = head.split(",").index("reference")
    filled = [
        ",".join([*(c := row.split(","))[:at], "1", *c[at + 1 :]]) for row in rows
    ]
    path.write_text("\n".join([head, *filled]))
    with pytest.raises(ValueError, match=r"s\.csv: a sample .* give it to `overcast"):
        ReferenceFile(path).labels(LEGEND, GRID)


def test_a_reference_in_blocks_is_said(tmp_path: Path) -> None:
    coarse = np.random.default_rng(3).integers(0, 10, (10, 10)).astype(np.uint8)
    values = coarse.repeat(12, 0)[:120].repeat(9, 1)
    labels = Labels(values=values, grid=GRID, legend=LEGEND)
    write_labels(labels, tmp_path / "truth.tif", {})
    reference = ReferenceFile(tmp_path / "truth.tif").open(LEGEND, GRID)
    assert "coarser map on a finer grid" in reference.notes[0]
