"""Class codes of a raster, wherever it lies, as a source of labels."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox

from overcast.geo.codes import occurring
from overcast.geo.legend import Legend
from overcast.geo.raster import UNKNOWN, Fractions, Labels
from overcast.geo.tiling import pieces
from overcast.geo.warp import (
    aligned,
    class_fractions,
    overlap,
    reaches,
    target_of,
    warp_classes,
)

Spans = tuple[slice, slice]


class CodedLabels(ABC):
    """A raster of class codes, read by window.

    Attributes
    ----------
    legend
        What the codes mean.
    nodata
        Codes that say nothing of a pixel.
    grid
        Where the pixels lie.
    blocks
        Rows and columns of the pieces that are read at once; (1, 1) in memory.
    notes
        What was noticed of the codes, a sentence each.
    """

    __slots__ = ()
    legend: Legend
    nodata: tuple[int, ...]
    grid: GeoBox
    blocks: tuple[int, int]
    notes: tuple[str, ...]

    @property
    @abstractmethod
    def what(self) -> str:
        """The file or the array, as messages name it."""

    @property
    def short(self) -> str:
        """The same in short, for notes."""
        return self.what

    @abstractmethod
    def codes(self, spans: Spans) -> tuple[NDArray[Any], NDArray[np.bool_] | None]:
        """Whole codes of a window, and where it says nothing whatever the code.

        Raises
        ------
        ValueError
            If a value is not a whole number.
        """

    def read(self, grid: GeoBox) -> Labels:
        """Class positions ``[H, W]`` on `grid`; unknown where there are none.

        Raises
        ------
        ValueError
            If a code on `grid` is neither of the legend nor no data.
        """
        values = np.full(grid.shape, UNKNOWN, np.uint8)
        if spans := overlap(self.grid, grid):
            indices = self._indices(spans, grid)
            if offset := aligned(self.grid, grid):
                values[target_of(spans, offset)] = indices
            else:
                values = warp_classes(indices, self.grid[spans], grid)
        return Labels(values=values, grid=grid, legend=self.legend)

    def read_fractions(self, grid: GeoBox) -> Fractions:
        """Share of every pixel's area that each class takes ``[K, H, W]``."""
        values = np.zeros((len(self.legend), *grid.shape), np.float32)
        if spans := overlap(self.grid, grid):
            indices, source = self._indices(spans, grid), self.grid[spans]
            values = class_fractions(indices, len(self.legend), source, grid)
        return Fractions(values=values, grid=grid, legend=self.legend)

    def _indices(self, spans: Spans, grid: GeoBox) -> NDArray[np.uint8]:
        codes, hidden = self.codes(spans)
        indices, stray = self.legend.find(codes, self.nodata)
        if hidden is not None:
            indices[hidden] = UNKNOWN
        self._refuse(stray, (codes, hidden), spans, grid)
        return indices

    def _refuse(
        self,
        stray: list[int],
        read: tuple[NDArray[Any], NDArray[np.bool_] | None],
        spans: Spans,
        grid: GeoBox,
    ) -> None:
        """Refuse codes without a class that lie on `grid`, not only beside it."""
        if not stray:
            return
        codes, hidden = read
        odd = np.isin(codes, stray)
        if hidden is not None:
            odd &= ~hidden
        if reaches(odd, self.grid[spans], grid):
            text = self.legend.stray(np.unique(codes[odd]).tolist(), self.nodata)
            raise ValueError(f"{self.what}: {text}")

    def count(self, grid: GeoBox) -> Counter[int]:
        """Pixels of every code that lie on `grid` or next to it, codes of no data too.

        Raises
        ------
        ValueError
            If a code on `grid` is neither of the legend nor no data.
        """
        counts: Counter[int] = Counter()
        if (spans := overlap(self.grid, grid)) is None:
            return counts
        known = {*self.legend.codes, *self.legend.other_codes, *self.nodata}
        top, left = (s.start for s in spans)
        for rows, columns in pieces(self.grid[spans]):
            here = (
                slice(rows.start + top, rows.stop + top),
                slice(columns.start + left, columns.stop + left),
            )
            codes, hidden = self.codes(here)
            seen = codes if hidden is None else codes[~hidden]
            numbers, often = (values.tolist() for values in occurring(seen))
            stray = [number for number in numbers if number not in known]
            self._refuse(stray, (codes, hidden), here, grid)
            counts.update(dict(zip(numbers, often, strict=True)))
        return counts

    def known(self, counts: Mapping[int, int], *, everywhere: bool) -> dict[int, int]:
        """Pixels of the codes that stand for a class, of all that were counted.

        Raises
        ------
        ValueError
            If there are none; `everywhere` says whether all codes were counted.
        """
        codes = {*self.legend.codes, *self.legend.other_codes} - set(self.nodata)
        known = {code: n for code, n in counts.items() if code in codes}
        if not known:
            where = "" if everywhere else " where the images are"
            nodata = ", ".join(map(str, self.nodata)) or "by its mask"
            raise ValueError(
                f"{self.what}: every pixel{where} is nodata ({nodata}); give a map "
                "with labels"
            )
        return known

    def taken(
        self, given: Sequence[int], counts: Mapping[int, int]
    ) -> Iterator[tuple[int, str]]:
        """Codes and names of classes that a nodata tag takes away; `given` are meant."""
        classes = dict(zip(self.legend.codes, self.legend.names, strict=True))
        for code in set(self.nodata) - set(given):
            if code in classes and counts.get(code):
                yield code, classes[code]
