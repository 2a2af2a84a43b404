"""A small output folder, as `overcast map` leaves it: a map and what it was made from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox
from pyproj import Transformer

from overcast.geo.legend import LandClass, Legend, legend_to_csv
from overcast.plan import Data, ImageInput, LabelInput, Plan, write_plan
from tests.rasters import backscatter, reflectance, utm, write

GRID = utm((96, 128))
LEGEND = Legend(
    "three",
    (
        LandClass(3, "Forest", "009900"),
        LandClass(10, "Water", "1c0dff"),
        LandClass(42, "Bare <b>rock</b>", "f9ffa4"),
    ),
)
NODATA = 255


def codes() -> NDArray[np.uint8]:
    """Forest in the west, water in the east, rock in the south, a hole in a corner."""
    values = np.full(GRID.shape, 3, np.uint8)
    values[:, 64:] = 10
    values[64:] = 42
    values[:8, :8] = NODATA
    return values


def write_classes(path: Path, values: NDArray[np.uint8], grid: GeoBox) -> Path:
    """Write a class map with its legend in its tags."""
    write(path, values, grid, nodata=NODATA)
    with rasterio.open(path, "r+") as dataset:
        dataset.update_tags(LEGEND="three", LEGEND_CLASSES=legend_to_csv(LEGEND))
    return path


def write_probabilities(path: Path) -> Path:
    """A half for the first class, a quarter for the others; unknown in the hole."""
    values = np.empty((3, *GRID.shape), np.uint8)
    values[:] = np.array([100, 50, 50])[:, None, None]
    values[:, :8, :8] = NODATA
    write(path, values, GRID, nodata=NODATA)
    with rasterio.open(path, "r+") as dataset:
        dataset.scales = [1 / 200] * 3
    return path


def make(root: Path) -> Path:
    """Write data and an output folder beside each other; returns the latter."""
    given, out = root / "given", root / "out"
    (out / "run").mkdir(parents=True)
    given.mkdir()
    write_classes(out / "map.tif", codes(), GRID)
    confidence = np.full(GRID.shape, 0.75, np.float32)
    confidence[:8, :8] = np.nan
    write(out / "confidence.tif", confidence, GRID, nodata=np.nan)
    (out / "report.html").write_text("<!doctype html><title>report</title>")
    shape = (96, 128)
    write(given / "s1.tif", backscatter(shape), GRID, names=("VV", "VH"))
    write(given / "s2.tif", reflectance(shape), GRID)
    write_classes(
        given / "labels.tif", np.full((2, 2), 10, np.uint8), utm((2, 2), size=900)
    )
    (given / "three.csv").write_text(legend_to_csv(LEGEND))
    images = {
        "s1": ImageInput(path=str(given / "s1.tif"), sensor="sentinel-1"),
        "s2": ImageInput(path=str(given / "s2.tif"), sensor="sentinel-2"),
    }
    labels = LabelInput(path=str(given / "labels.tif"), legend=str(given / "three.csv"))
    write_plan(Plan(data=Data(images=images, labels=labels)), out / "run" / "plan.yaml")
    return out


def place(row: float, column: float, grid: GeoBox = GRID) -> tuple[float, float]:
    """Longitude and latitude of a place in a grid's pixels."""
    return degrees(grid, *(grid.affine @ (column, row)))


def degrees(grid: GeoBox, x: Any, y: Any) -> tuple[float, float]:
    """Longitude and latitude of coordinates in a grid's own system."""
    there = Transformer.from_crs(str(grid.crs), "EPSG:4326", always_xy=True)
    lon, lat = there.transform(x, y)
    return lon, lat
