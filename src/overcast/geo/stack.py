"""Sensors and labels on one grid, read by window."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, TypeVar

from odc.geo.geobox import GeoBox
from odc.geo.overlap import compute_reproject_roi

from overcast.geo.bands import Sensor
from overcast.geo.legend import Legend
from overcast.geo.raster import Image, Labels
from overcast.geo.tiling import Window
from overcast.geo.warp import aligned

Read_co = TypeVar("Read_co", Image, Labels, covariant=True)


class Source(Protocol[Read_co]):
    """Anything that can be read onto a grid: a GeoTIFF, an array, a world."""

    @property
    def grid(self) -> GeoBox:
        """The grid that the source comes on."""
        ...

    @property
    def blocks(self) -> tuple[int, int]:
        """Rows and columns of the pieces it reads at once; (1, 1) in memory."""
        ...

    def read(self, grid: GeoBox) -> Read_co:
        """Values on `grid`, warped at most once; unknown where there are none."""
        ...


class ImageSource(Source[Image], Protocol):
    """A source of images of one sensor."""

    @property
    def sensor(self) -> Sensor:
        """Which bands it gives."""
        ...


class LabelSource(Source[Labels], Protocol):
    """A source of classes of one legend."""

    @property
    def legend(self) -> Legend:
        """Which classes it gives."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Chip:
    """A window of a stack: every sensor and the labels on one small grid."""

    images: Mapping[str, Image]
    labels: Labels | None
    grid: GeoBox


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """Images of several sensors, and labels or none, to be read on one grid.

    Attributes
    ----------
    grid
        The grid of everything that is read.
    images
        Name (``s1``, ``s2``, ...) to source.
    labels
        Source of classes, or None.
    """

    grid: GeoBox
    images: Mapping[str, ImageSource]
    labels: LabelSource | None = None

    def __post_init__(self) -> None:
        if not self.images:
            raise ValueError("a stack needs at least one image")

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        h, w = self.grid.shape
        return int(h), int(w)

    @property
    def sensors(self) -> dict[str, Sensor]:
        """Name of every image to its sensor."""
        return {name: source.sensor for name, source in self.images.items()}

    def read(self, window: Window) -> Chip:
        """Everything in `window`, which must lie inside the grid."""
        grid = self.grid[window.slices]
        return Chip(
            images={name: source.read(grid) for name, source in self.images.items()},
            labels=None if self.labels is None else self.labels.read(grid),
            grid=grid,
        )


def common_grid(reference: GeoBox, others: Mapping[str, GeoBox]) -> GeoBox:
    """Part of `reference` that every one of `others` covers, on its very pixels.

    `others` are named, so that the error can say which one lies elsewhere. Outlines
    that are not parallel to the grid are covered by their bounding box.

    Raises
    ------
    ValueError
        If an input does not overlap the part that is left.
    """
    rows, columns = (slice(0, n) for n in reference.shape)
    for name, grid in others.items():
        there = _covered(reference, grid)
        rows, columns = (
            slice(max(a.start, b.start), min(a.stop, b.stop))
            for a, b in zip((rows, columns), there, strict=True)
        )
        if rows.stop <= rows.start or columns.stop <= columns.start:
            raise ValueError(
                f"{name}: no overlap with the other inputs; it covers {_extent(grid)}, "
                f"the grid {_extent(reference)}"
            )
    return reference[rows, columns]


def _covered(reference: GeoBox, grid: GeoBox) -> tuple[slice, slice]:
    if (offset := aligned(reference, grid)) is not None:
        y, x = (
            slice(max(o, 0), min(o + n, m))
            for o, n, m in zip(offset, grid.shape, reference.shape, strict=True)
        )
        return y, x
    found = compute_reproject_roi(grid, reference)
    y, x = (slice(s.start, s.stop) for s in found.roi_dst)
    return y, x


def _extent(grid: GeoBox) -> str:
    box = grid.geographic_extent.boundingbox
    return f"{box.left:.3f}..{box.right:.3f} E, {box.bottom:.3f}..{box.top:.3f} N"
