"""Class probabilities of a map beside the labels there, read band by band."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import rasterio
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox

from overcast.geo.raster import UNKNOWN
from overcast.geo.stack import LabelSource
from overcast.geo.tiling import pieces
from overcast.label_quality.cells import LabelCells, Numbers
from overcast.progress import Progress

_ROWS = 128
"""Rows of a band: at 10,000 columns and ten classes, 50 MB of probabilities."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RowBand:
    """A window of a labelled map.

    Attributes
    ----------
    window
        Rows and columns.
    probabilities
        ``[K, h, w]``, summing to 1 where anything was seen.
    labels
        Class positions ``[h, w]``.
    cell, block
        Numbers of a pixel's label cell and block ``[h, w]``, -1 outside the labels.
    known
        Where there are labels and probabilities.
    """

    window: tuple[slice, slice]
    probabilities: NDArray[np.float32]
    labels: NDArray[np.uint8]
    cell: Numbers
    block: Numbers
    known: NDArray[np.bool_]

    @property
    def labelled(self) -> NDArray[np.bool_]:
        """Return where there are labels ``[h, w]``, whether anything was seen or not."""
        return np.asarray((self.labels != UNKNOWN) & (self.cell >= 0), np.bool_)


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledMap:
    """A file of probabilities, as `overcast.product.rasters` writes it, and labels.

    Attributes
    ----------
    probabilities
        The file.
    grid
        Its grid.
    labels
        Labels, on whatever grid.
    cells
        Their cells on the map.
    """

    probabilities: Path
    grid: GeoBox
    labels: LabelSource
    cells: LabelCells

    def read(self, window: tuple[slice, slice]) -> RowBand:
        """Everything in a window."""
        with rasterio.open(self.probabilities) as dataset:
            place = rasterio.windows.Window.from_slices(*window)
            steps = dataset.read(window=place)
        seen = (steps[0] != UNKNOWN) & steps.any(0)
        probabilities = np.where(seen, steps, 0).astype(np.float32)
        # Rounded to steps, they don't quite sum to 1.
        probabilities /= np.maximum(probabilities.sum(0), 1)
        here = self.grid[window]
        labels = self.labels.read(here).values
        cell, block = self.cells.numbers(here)
        return RowBand(
            window=window,
            probabilities=probabilities,
            labels=labels,
            cell=cell,
            block=block,
            known=seen & (labels != UNKNOWN) & (cell >= 0),
        )

    def bands(self, stage: str, progress: Progress) -> Iterator[RowBand]:
        """The whole map, top down."""
        windows = pieces(self.grid, _ROWS)
        for done, window in enumerate(windows, 1):
            yield self.read(window)
            progress(stage, done, len(windows))
