"""What is said of any raster, whether it can be mapped or not."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from overcast.geo.inspect import describe, inspect_files, to_text
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


def test_drawn_labels_are_described_beside_the_images(tmp_path: Path) -> None:
    image = write(tmp_path / "s2.tif", reflectance(SHAPE), utm())
    drawn = tmp_path / "drawn.csv"
    rows = [f"10.3408,47.8426,Wood,{n}" for n in range(13)] + ["20,47.84,,13"]
    drawn.write_text("lon,lat,class,id\n" + "\n".join(rows) + "\n")
    _, found = inspect_files([image, drawn])
    assert found["features"] == 14
    assert found["columns"]["class"] == {"Wood": 13, "": 1}
    assert found["columns"]["id"] == {}
    text = to_text([found])
    assert "  column      class: Wood x 13, empty" in text
    assert "  on grid     13 of 14 lie on it" in text
    assert "no raster" in inspect_files([drawn])[0]["on_grid"]


def test_files_half_a_pixel_apart_are_said_to_be_warped(tmp_path: Path) -> None:
    image = write(tmp_path / "s2.tif", reflectance(SHAPE), utm())
    for east, says in ((600_010, "pixel on pixel"), (600_005, "to be warped")):
        other = write(tmp_path / "other.tif", reflectance(SHAPE), utm(east=east))
        assert says in inspect_files([image, other])[1]["on_grid"]


def test_values_and_their_tag_are_shown(tmp_path: Path) -> None:
    db = np.full((1, *SHAPE), -7.5, np.float32)
    db[0, 0, 0], db[0, 1] = 3.25, -9999
    for tag, says in ((-9999, "-7.5 to 3.25, nodata -9999.0"), (None, "-9999 to 3.25")):
        path = write(tmp_path / "a.tif", db, utm(), nodata=tag)
        assert f"  values      {says}" in to_text(inspect_files([path]))
