"""The tiles of ../shared/tiles: images, and what is known of the ground."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import rasterio
from odc.geo.geobox import GeoBox

from overcast.geo.arrays import ImageArray
from overcast.geo.check import open_checked, open_sentinel_1, open_sentinel_2
from overcast.geo.image_file import ImageFile
from overcast.geo.label_file import open_labels
from overcast.geo.legend import load_legend
from overcast.geo.raster import UNKNOWN, Labels
from overcast.geo.sensor_file import load_sensor

FOLDER = Path(__file__).parents[3] / "shared" / "tiles"
_DATE = "20190824"
"""Of Flanders, the date that tells most."""
_CROPS = (1110, 1200, 1510, 9120)
"""Codes of Flanders' four classes, in the order of their legend."""


@dataclass(frozen=True, slots=True)
class Tile:
    """Images in memory and the reference on their grid.

    Attributes
    ----------
    sizes
        Cell sizes of majority labels in metres.
    """

    name: str
    images: Mapping[str, ImageArray]
    truth: Labels
    sizes: tuple[int, ...]

    @property
    def grid(self) -> GeoBox:
        """The grid of everything."""
        return self.truth.grid


def _sentinel(folder: str) -> Callable[[str], Tile]:
    def read(name: str) -> Tile:
        place = FOLDER / folder
        images = {
            "s1": open_sentinel_1(place / "s1_rtc.tif", "auto", False).image,
            "s2": open_sentinel_2(place / "s2_l2a.tif", None, None, False).image,
        }
        reference = place / "land_cover_esri.tif", FOLDER / "legend.csv"
        return _tile(name, images, reference, (100, 300, 500))

    return read


def _gewata(name: str) -> Tile:
    place = FOLDER / "gewata"
    sensor = load_sensor(place / "etm.toml")
    images = {"etm": open_checked(place / "etm.tif", *sensor).image}
    reference = place / "land_use.tif", place / "legend.csv"
    return _tile(name, images, reference, (300, 900, 1500))


def _flanders(name: str) -> Tile:
    place = FOLDER / "flanders"
    image = open_sentinel_2(place / f"s2_{_DATE}.tif", None, None, False).image
    legend = load_legend(str(place / "crop_legend.csv"))
    with rasterio.open(place / "crop.tif") as dataset:
        codes = dataset.read(1)
    values = np.full(codes.shape, UNKNOWN, np.uint8)
    for k, code in enumerate(_CROPS):
        values[codes == code] = k
    truth = Labels(values=values, grid=image.grid, legend=legend)
    return Tile(name, {"s2": ImageArray(image.read(image.grid))}, truth, (80,))


def _tile(
    name: str,
    images: Mapping[str, ImageFile],
    reference: tuple[Path, Path],
    sizes: tuple[int, ...],
) -> Tile:
    grid = images["s2" if "s2" in images else next(iter(images))].grid
    path, legend = reference
    truth = open_labels(path, load_legend(str(legend)), 0).read(grid)
    arrays = {key: ImageArray(image.read(grid)) for key, image in images.items()}
    return Tile(name, arrays, truth, sizes)


TILES: dict[str, Callable[[str], Tile]] = {
    "282D": _sentinel("282D_485L_3_3"),
    "433D": _sentinel("433D_629L_3_1"),
    "gewata": _gewata,
    "flanders": _flanders,
}


def read_tile(name: str) -> Tile:
    """One of `TILES` in memory."""
    return TILES[name](name)
