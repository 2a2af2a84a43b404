"""A small world as a region of nine tiles, and a run that has learned from it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pyogrio
import pytest
import shapely
import yaml
from odc.geo.geobox import GeoBox

from overcast.geo.dataset import read_grid
from overcast.geo.lattice import Lattice
from overcast.geo.location import Location
from overcast.geo.tiling import Window
from overcast.region.description import Region, read_region
from overcast.region.engine import InTurn
from overcast.region.events import Events
from overcast.region.job import RegionOutput, map_region
from overcast.worlds.files import write_world

SIDE = 64


@dataclass(frozen=True)
class Small:
    """A region of 3 x 3 tiles inside a world, its file, and its map made in turn."""

    folder: Path
    file: Path
    region: Region
    window: Window
    lattice: Lattice

    @property
    def run(self) -> Path:
        return self.folder / "out" / "run"

    @property
    def out(self) -> Path:
        return self.folder / "out"


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Small:
    folder = tmp_path_factory.mktemp("region")
    write_world(seed=5, size=4 * SIDE, folder=folder / "w")
    grid = read_grid(Location.of(folder / "w" / "s2.tif"))
    lattice = Lattice.along(grid)
    window = _inside(lattice, grid)
    _write_outline(lattice.grid(window), folder / "outline.geojson")
    file = folder / "region.yaml"
    file.write_text(yaml.safe_dump(tree_of_small()), encoding="utf-8")
    region = read_region(file)
    map_region(region, RegionOutput(folder / "out"), InTurn(), Events())
    return Small(folder, file, region, window, lattice)


def tree_of_small() -> dict[str, object]:
    images = {
        "s2": {"path": "w/s2*.tif", "sensor": "sentinel-2"},
        "s1": {"path": "w/s1.tif", "sensor": "sentinel-1"},
    }
    labels = {"path": "w/labels.tif", "legend": "simplified-igbp"}
    return {
        "tiles": SIDE,
        "outline": "outline.geojson",
        "data": {"images": images, "labels": labels},
        "method": {"name": "weak", "clusters": [24, 24], "samples": 3000},
    }


def _inside(lattice: Lattice, grid: GeoBox) -> Window:
    """Nine whole tiles of a world of 4 x 4."""
    box = grid.boundingbox
    all_of_it = lattice.around((box.left, box.bottom, box.right, box.top))
    first = [-(-n // SIDE) * SIDE for n in (all_of_it.y, all_of_it.x)]
    return Window(*first, 3 * SIDE, 3 * SIDE)


def _write_outline(grid: GeoBox, path: Path) -> None:
    box = grid.boundingbox
    shape = shapely.box(box.left + 99, box.bottom + 99, box.right - 99, box.top - 99)
    pyogrio.raw.write(
        path,
        geometry=shapely.to_wkb([shape]),
        field_data=[],
        fields=[],
        crs=str(grid.crs),
        geometry_type="Polygon",
        driver="GeoJSON",
    )
