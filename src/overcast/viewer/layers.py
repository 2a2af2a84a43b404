"""What the viewer can show of a place: images, classes, confidence, probabilities.

A layer paints tiles and says what is at a point. It is opened once, and from then on
only reads; several threads may use it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from overcast.geo.bands import Sensor
from overcast.geo.dataset import dataset_of, open_raster
from overcast.geo.image_file import ImageFile
from overcast.geo.legend import LandClass, Legend
from overcast.geo.location import FilePath
from overcast.geo.raster import UNKNOWN
from overcast.report.quicklook import Picture, confidence_picture
from overcast.viewer.tiles import WebTile, read_point, read_tile

_TRUE_COLOUR = ("B04", "B03", "B02")
_PREVIEW_PX = 512
_GAMMA = 0.8

Kind = Literal["classes", "confidence", "values", "optical", "sar"]


class Layer(Protocol):
    """One thing to see."""

    @property
    def title(self) -> str:
        """Name for people."""

    @property
    def kind(self) -> Kind:
        """Return the kind of the layer."""

    @property
    def path(self) -> FilePath:
        """File that it is read from."""

    def picture(self, tile: WebTile) -> Picture | None:
        """Tile ``[256, 256, 4]``, transparent where nothing is; None: all of it."""


@dataclass(frozen=True, slots=True)
class ClassLayer:
    """Classes in the colours of their legend."""

    title: str
    path: FilePath
    legend: Legend
    nodata: int | None
    present: frozenset[int] | None = None
    """Codes that occur; None where nobody looked."""
    kind: Kind = field(default="classes", init=False)

    def picture(self, tile: WebTile) -> Picture | None:
        """Tile ``[256, 256, 4]``; None where there is none."""
        tile_values = read_tile(self.path, (1,), tile, "nearest")
        if tile_values is None:
            return None
        codes, seen = tile_values[0][0], tile_values[1]
        indices = np.full(codes.shape, UNKNOWN, np.uint8)
        indices[seen] = self._indices(codes[seen])
        return _colours(self.legend)[indices]

    def at(self, lon: float, lat: float) -> LandClass | None:
        """Class at a place in degrees; None where none is known."""
        codes = read_point(self.path, (1,), lon, lat)
        if codes is None:
            return None
        index = int(self._indices(codes)[0])
        return None if index == UNKNOWN else self.legend.classes[index]

    def _indices(self, codes: NDArray[Any]) -> NDArray[np.uint8]:
        try:
            return self.legend.to_indices(codes, self.nodata)
        except ValueError as error:
            raise ValueError(f"{self.path}: {error}") from error


@dataclass(frozen=True, slots=True)
class ConfidenceLayer:
    """How sure a map is, from 0 to 1, dark to bright."""

    title: str
    path: FilePath
    kind: Kind = field(default="confidence", init=False)

    def picture(self, tile: WebTile) -> Picture | None:
        """Tile ``[256, 256, 4]``; None where there is none."""
        tile_values = read_tile(self.path, (1,), tile, "nearest")
        if tile_values is None:
            return None
        return confidence_picture(np.where(tile_values[1], tile_values[0][0], np.nan))

    def at(self, lon: float, lat: float) -> float | None:
        """Confidence at a place in degrees; None where there is none."""
        values = read_point(self.path, (1,), lon, lat)
        return None if values is None or np.isnan(values[0]) else float(values[0])


@dataclass(frozen=True, slots=True)
class ValueLayer:
    """A number of every pixel, from dark to bright.

    Attributes
    ----------
    ends
        Stored values that are darkest and brightest.
    words
        What the two are called.
    scale
        From a stored value to the one that is said.
    """

    title: str
    path: FilePath
    ends: tuple[float, float]
    words: tuple[str, str]
    scale: float
    kind: Kind = field(default="values", init=False)

    def picture(self, tile: WebTile) -> Picture | None:
        """Tile ``[256, 256, 4]``; None where there is none."""
        tile_values = read_tile(self.path, (1,), tile, "nearest")
        if tile_values is None:
            return None
        low, high = self.ends
        place = (tile_values[0][0].astype(np.float32) - low) / (high - low)
        return confidence_picture(np.where(tile_values[1], place, np.nan))

    def at(self, lon: float, lat: float) -> float | None:
        """Value at a place in degrees; None where there is none."""
        values = read_point(self.path, (1,), lon, lat)
        if values is None or values[0] == dataset_of(self.path).nodata:
            return None
        return float(values[0]) * self.scale


@dataclass(frozen=True, slots=True)
class ImageLayer:
    """An image in three colours, stretched alike in every tile; see `open_picture`."""

    title: str
    image: ImageFile
    limits: NDArray[np.float32]
    """Darkest and brightest value ``[2, 3]`` of red, green and blue."""

    @property
    def kind(self) -> Kind:
        """Optical or SAR."""
        return self.image.sensor.kind

    @property
    def path(self) -> FilePath:
        """The image's file."""
        return self.image.path

    def picture(self, tile: WebTile) -> Picture | None:
        """Tile ``[256, 256, 4]``; None where there is none."""
        tile_values = read_tile(self.path, self.image.indexes, tile, "bilinear")
        if tile_values is None:
            return None
        values = self.image.physical(tile_values[0])
        seen = np.isfinite(values).all(0) & tile_values[1]
        colours = composite(np.where(seen, values, 0), self.image.sensor)
        low, high = (limit[:, None, None] for limit in self.limits)
        scaled = np.clip((colours - low) / (high - low), 0, 1) ** _GAMMA
        bands = np.concatenate([255 * scaled * seen, 255 * seen[None]])
        return np.moveaxis(bands, 0, -1).astype(np.uint8)


@dataclass(frozen=True, slots=True)
class Probabilities:
    """Probability of every class of a legend: a raster with a band per class."""

    path: FilePath
    legend: Legend

    def at(self, lon: float, lat: float) -> list[float] | None:
        """Probabilities at a place in degrees, in the legend's order."""
        bands = tuple(range(1, len(self.legend) + 1))
        stored = read_point(self.path, bands, lon, lat)
        if stored is None:
            return None
        dataset = dataset_of(self.path)
        if not (np.isfinite(stored) & (stored != dataset.nodata)).all():
            return None
        scales, offsets = np.array(dataset.scales), np.array(dataset.offsets)
        return [float(p) for p in stored * scales + offsets]


def open_probabilities(path: FilePath, legend: Legend) -> Probabilities:
    """Open a raster of class probabilities.

    Raises
    ------
    ValueError
        If it has not a band for every class.
    """
    bands = open_raster(path).count
    if bands != len(legend):
        raise ValueError(
            f"{path}: {bands} bands, expected one for each of the {len(legend)} "
            "classes of the map"
        )
    return Probabilities(path, legend)


def open_picture(title: str, image: ImageFile) -> ImageLayer:
    """Choose an image's colours, and stretch them by what is seen in all of it.

    From the 2nd to the 98th percentile of a sample of its valid pixels.
    """
    shown = _shown(image)
    rows, columns = dataset_of(shown.path).shape
    shape = min(rows, _PREVIEW_PX), min(columns, _PREVIEW_PX)
    values = shown.read_part((slice(0, rows), slice(0, columns)), shape)
    colours = composite(values[:, np.isfinite(values).all(0)], shown.sensor)
    low, high = np.percentile(colours, (2, 98), axis=1).astype(np.float32)
    # A band that is the same everywhere has nothing to stretch.
    return ImageLayer(
        title, shown, np.stack([low, np.where(high > low, high, low + 1)])
    )


def composite(values: NDArray[np.float32], sensor: Sensor) -> NDArray[np.float32]:
    """Red, green and blue ``[3, ...]`` of an image's bands ``[C, ...]``.

    SAR as its first two bands and their ratio, which is a difference in dB.
    """
    if sensor.kind == "sar" and len(values) >= 2:
        return np.stack([values[0], values[1], values[0] - values[1]])
    return values[[0, 1, 2]] if len(values) >= 3 else values[[0, 0, 0]]


def _shown(image: ImageFile) -> ImageFile:
    """The image with only the bands that colours are made of."""
    sensor = image.sensor
    names = sensor.names[: 2 if sensor.kind == "sar" else 3]
    if sensor.index(*_TRUE_COLOUR):
        names = _TRUE_COLOUR
    return image.select(names)


def _colours(legend: Legend) -> Picture:
    """Colour ``[256, 4]`` of every class position; unknown is transparent."""
    table = np.zeros((256, 4), np.uint8)
    table[: len(legend)] = [(*c.rgb, 255) for c in legend.classes]
    return table
