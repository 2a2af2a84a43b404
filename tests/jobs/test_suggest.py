"""`overcast labels suggest`, from files to outlines in a GIS."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import shapely
from click.testing import CliRunner, Result

from overcast.cli import program
from overcast.geo.bands import SENTINEL_2
from overcast.geo.vectors import read_features
from tests.rasters import backscatter, reflectance, utm, write

GRID = utm((64, 96))


def suggest(folder: Path, *more: str, out: str = "p.gpkg") -> Result:
    write(folder / "s1.tif", backscatter((64, 96)), GRID)
    write(folder / "s2.tif", reflectance((64, 96)), GRID, names=SENTINEL_2.names)
    given = ["labels", "suggest", "--s1", folder / "s1.tif", "--s2", folder / "s2.tif"]
    given += ["--s2-offset", "0", "--side", "16", "--out", folder / out, *more]
    return CliRunner().invoke(program, list(map(str, given)))


def test_squares_lie_on_the_pixels_in_order(tmp_path: Path) -> None:
    made = suggest(tmp_path, "--count", "5")
    assert made.exit_code == 0, made.output
    assert json.loads(made.stdout)["count"] == 5
    found = read_features(tmp_path / "p.gpkg")
    assert found.column("order") == ["1", "2", "3", "4", "5"]
    likeness = [float(text) for text in found.column("likeness")]
    assert 0 < likeness[0] < likeness[-1] <= 1
    assert "32632" in found.crs
    for shape in found.shapes:
        x, y, right, bottom = (
            (v - o) / 160
            for v, o in zip(
                shape.bounds, (600_000, 5_300_000, 600_000, 5_300_000), strict=True
            )
        )
        assert (right - x, bottom - y) == (1, 1)
        assert (x, y) == (round(x), round(y))
        assert shapely.area(shape) == 160**2


def test_it_overwrites_nothing_and_says_what_it_can_write(tmp_path: Path) -> None:
    assert suggest(tmp_path).exit_code == 0
    first = (tmp_path / "p.gpkg").read_bytes()
    with pytest.raises(ValueError, match=r"p\.gpkg: exists; give another --out"):
        raise_of(suggest(tmp_path))
    assert (tmp_path / "p.gpkg").read_bytes() == first
    assert suggest(tmp_path, "--overwrite", "--count", "3").exit_code == 0
    assert len(read_features(tmp_path / "p.gpkg").shapes) == 3
    with pytest.raises(ValueError, match=r"ends in \.gpkg"):
        raise_of(suggest(tmp_path, out="p.shp"))
    with pytest.raises(ValueError, match="25 patches asked for, and 24 have"):
        raise_of(suggest(tmp_path, "--overwrite", "--count", "25"))


def raise_of(result: Result) -> None:
    assert result.exception is not None
    raise result.exception
