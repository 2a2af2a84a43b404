"""What a map is judged by: another raster, polygons, or points."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox

from overcast.accuracy.bootstrap import block_side
from overcast.accuracy.confusion import Confusion, compare_blocks, translation
from overcast.accuracy.sample_form import REFERENCE, is_form, refuse_moved
from overcast.geo.label_file import open_labels
from overcast.geo.layers import is_vector
from overcast.geo.legend import Legend, load_legend
from overcast.geo.location import FilePath
from overcast.geo.overlay import classes_under, lay, pixels_under
from overcast.geo.stack import LabelSource, notes_of
from overcast.geo.vectors import Features, read_features
from overcast.progress import Progress, quiet


class Reference(Protocol):
    """Known classes somewhere on the grid of a map."""

    @property
    def notes(self) -> tuple[str, ...]:
        """Return what was noticed of the file of the reference."""
        ...

    def against(
        self, source: LabelSource, progress: Progress = quiet
    ) -> Iterator[Confusion]:
        """Confusion of a class map with it, block by block of the map's grid."""
        ...


@dataclass(frozen=True, slots=True)
class ReferenceRaster:
    """Classes of pixels; polygons are burnt into such ones."""

    truth: LabelSource
    grid: GeoBox

    @property
    def notes(self) -> tuple[str, ...]:
        """Return what was noticed of the file of the reference."""
        return notes_of(self.truth)

    def against(
        self, source: LabelSource, progress: Progress = quiet
    ) -> Iterator[Confusion]:
        """Confusion of a class map with it, block by block of the map's grid."""
        side = block_side(self.grid)
        return compare_blocks(source, self.truth, side, self.grid, progress)


@dataclass(frozen=True, slots=True)
class ReferencePoints:
    """Points with class positions ``[N]`` of the map's legend."""

    points: Features
    classes: NDArray[np.uint8]
    grid: GeoBox

    @property
    def notes(self) -> tuple[str, ...]:
        """Return what was noticed of the file of the reference."""
        return self.points.notes

    def against(
        self, source: LabelSource, progress: Progress = quiet
    ) -> Iterator[Confusion]:
        """Confusion of a class map with it, block by block of the map's grid."""
        mapped = classes_under(source, self.points)
        places = np.stack(pixels_under(self.grid, self.points), 1)
        _, block = np.unique(
            places // block_side(self.grid), axis=0, return_inverse=True
        )
        for number in range(block.max() + 1):
            here = block == number
            yield Confusion.of(self.classes[here], mapped[here], len(source.legend))


@dataclass(frozen=True, slots=True)
class ReferenceFile:
    """A file of known classes: a filled sample, points, polygons or a raster.

    Attributes
    ----------
    path
        The file.
    legend
        Its own legend, a name or a CSV; None if it is the map's.
    nodata
        Codes of a raster for not known, beside that of its tag.
    column
        Of codes or names, in a vector file; if None, ``reference``.
    """

    path: FilePath
    legend: str | None = None
    nodata: int | tuple[int, ...] | None = None
    column: str | None = None

    def open(self, legend: Legend, grid: GeoBox, *others: GeoBox) -> Reference:
        """Open it to judge a map with this legend on this grid.

        Points of a sample may lie on `others`, of a map of several rasters.

        Raises
        ------
        ValueError
            If the file is refused, or there is no crosswalk between the legends.
        """
        own = legend if self.legend is None else load_legend(self.legend)
        translate = translation(own, legend)
        if not is_vector(self.path):
            if self.column is not None:
                raise ValueError(f"{self.path}: a raster has no column {self.column}")
            truth = open_labels(self.path, own, self.nodata, grid)
            return ReferenceRaster(truth, grid)
        if self.nodata is not None:
            raise ValueError(
                f"{self.path}: features have no nodata; leave classes empty"
            )
        column = self.column or REFERENCE
        features = read_features(self.path, column)
        classes = translate(features.classes(column, own))
        if features.are_points:
            if is_form(features):
                refuse_moved(features, grid, *others)
            return ReferencePoints(features, classes, grid)
        return ReferenceRaster(lay(features, classes, legend, grid), grid)

    def labels(self, legend: Legend, grid: GeoBox) -> LabelSource:
        """Open it as classes of pixels, which no sampling design speaks for.

        Raises
        ------
        ValueError
            As `open` does, or if the points are a sample that was drawn of a map.
        """
        truth = self.open(legend, grid)
        if isinstance(truth, ReferenceRaster):
            return truth.truth
        assert isinstance(truth, ReferencePoints)
        if is_form(truth.points):
            raise ValueError(
                f"{self.path}: a sample that overcast drew; give it to `overcast assess` "
                "once the map is there, which makes estimates for the whole map of it"
            )
        return lay(truth.points, truth.classes, legend, grid)
