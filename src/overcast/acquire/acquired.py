"""Images of catalogues as sources: searched for, signed and read where they are asked for.

Such a source has no file. It goes to other machines as a few kilobytes, and each reads
what its own tile needs.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox
from scipy.ndimage import distance_transform_edt

from overcast.acquire.catalogue import offering
from overcast.acquire.origins import Origins
from overcast.acquire.reading import STORED_OFFSET, optical_window, radar_window
from overcast.acquire.squares import Choices, forget, reader_of
from overcast.acquire.survey import SENTINEL_1, SENTINEL_2, Survey
from overcast.geo import bands
from overcast.geo.bands import Encoding, Sensor
from overcast.geo.derived import Derived
from overcast.geo.lattice import cells_of, within
from overcast.geo.masks import CLOUDED
from overcast.geo.raster import Image
from overcast.geo.tiling import Window
from overcast.geo.warp import aligned, overlap, target_of, warp_values

SERIES = {SENTINEL_2: "s2", SENTINEL_1: "s1"}
"""Names of images by product."""
_SENSORS = {SENTINEL_2: bands.SENTINEL_2, SENTINEL_1: bands.SENTINEL_1}
_ENCODING = Encoding(bands.SENTINEL_2_SCALE, -STORED_OFFSET * bands.SENTINEL_2_SCALE)
Floats = NDArray[np.float32]
_AT_ONCE, _FIXED = 1024, 256
"""Pixels along what is read at once, of the same projection and of another one."""
_MOST = 8192
"""Pixels along what is read for a grid that does not lie on the lattice."""


@dataclass(frozen=True, slots=True)
class Acquired:
    """What catalogues have of one product and one part of a period.

    Attributes
    ----------
    squares
        Where, when, and what is read of each square.
    product
        ``sentinel-2`` or ``sentinel-1``.
    part
        Number of the part of the period.
    grid
        What may be read.
    """

    squares: Choices
    product: str
    part: int
    grid: GeoBox = field(repr=False)

    @property
    def sensor(self) -> Sensor:
        """Return the sensor."""
        return _SENSORS[self.product]

    @property
    def blocks(self) -> tuple[int, int]:
        """Rows and columns of what is read at once."""
        return _AT_ONCE // 2, _AT_ONCE // 2

    @property
    def what(self) -> str:
        """Words for it."""
        return self.squares.words(self.product, self.part)

    def origins(self) -> Origins:
        """Where it is read from, as far as that was chosen."""
        return self.squares.origins(self.product, self.part)

    def read(self, grid: GeoBox) -> Image:
        """Values on `grid`; unknown where nothing was seen, or cloud was."""
        if (window := self.window(grid)) is None:
            return self._warped(grid)
        try:
            return Image.of(self.decoded(self.stored(window)), grid, self.sensor)
        finally:
            forget()

    def stored(self, window: Window) -> NDArray[Any]:
        """What is stored of a window: uint16 with 0 for unseen, or dB with NaN."""
        radar = self.product == SENTINEL_1
        fill, kind = (np.nan, np.float32) if radar else (0, np.uint16)
        count = len(self.sensor.bands)
        out = np.full((count, window.h, window.w), fill, kind)
        for square in cells_of(window, self.squares.side):
            survey = self.squares.surveys(square)[self.part]
            if not survey.takes.get(self.product):
                continue
            for part, whole in self._pieces(square, survey):
                values = self._read(survey, whole)
                inner = Window(part.y - whole.y, part.x - whole.x, part.h, part.w)
                place = Window(part.y - window.y, part.x - window.x, part.h, part.w)
                out[(slice(None), *place.slices)] = values[(slice(None), *inner.slices)]
        return out

    def _pieces(
        self, window: Window, survey: Survey
    ) -> Iterator[tuple[Window, Window]]:
        """Parts of a window in a square, and what is read for each.

        A warp to another projection differs in the last bits with what is warped at
        once. So that is fixed by place, wherever an item is of another projection.
        """
        side, crs = self.squares.side, self.squares.lattice.grid(window).crs
        (take,) = survey.takes[self.product]
        assets = (asset for piece in take.pieces for asset in piece.assets.values())
        if all(asset.crs and crs == asset.crs for asset in assets):
            yield from ((part, part) for part in cells_of(window, _AT_ONCE))
            return
        y, x = window.y // side * side, window.x // side * side
        for part in cells_of(window, _FIXED):
            top, left = part.y // _FIXED * _FIXED, part.x // _FIXED * _FIXED
            whole = within(Window(top, left, _FIXED, _FIXED), Window(y, x, side, side))
            assert whole is not None
            yield part, whole

    def decoded(self, stored: NDArray[Any]) -> Floats:
        """Physical values ``[C, h, w]`` of stored ones, NaN where nothing was seen."""
        if self.product == SENTINEL_1:
            return np.asarray(stored, np.float32)
        values = _ENCODING.decode(stored)
        values[stored == 0] = np.nan
        return values

    def held(self, grid: GeoBox) -> Held:
        """The same source with what lies on `grid` in memory; the rest is unseen.

        Raises
        ------
        ValueError
            If `grid` does not lie on the lattice.
        """
        if (window := self.window(grid)) is None:
            raise ValueError(f"{self.what}: not on the lattice of the region")
        stored = self.stored(window)
        forget()
        return Held(self, stored, grid)

    def surveys(self, grid: GeoBox) -> Iterator[Survey]:
        """What is read for `grid`, which lies on the lattice, square by square."""
        window = self.window(grid)
        for square in cells_of(window, self.squares.side) if window else ():
            yield self.squares.surveys(square)[self.part]

    def window(self, grid: GeoBox) -> Window | None:
        """The window of a grid on the lattice; None if it does not lie there."""
        origin = self.squares.lattice.grid(Window(0, 0, 1, 1))
        offset = aligned(origin, grid)
        return None if offset is None else Window(*offset, *map(int, grid.shape))

    def _read(self, survey: Survey, window: Window) -> NDArray[Any]:
        search, grid = self.squares.search, self.squares.lattice.grid(window)
        source = offering(search.catalogues, self.product)
        reader, about = reader_of(source), source.products[self.product]
        (take,) = survey.takes[self.product]
        if self.product == SENTINEL_1:
            db = about.units == "db"
            return radar_window(reader, take.pieces, about.nodata, db, grid)
        pixels = search.dilation / self.squares.lattice.resolution
        reach = int(np.ceil(pixels)) if pixels >= 1 else 0
        around = grid.pad(reach) if reach else grid
        stored, classes = optical_window(reader, take.pieces, survey.offsets, around)
        hidden = np.isin(classes, list(CLOUDED))
        if reach and hidden.any():
            hidden = distance_transform_edt(~hidden) <= pixels
        stored[:, hidden] = 0
        return stored[:, reach : reach + window.h, reach : reach + window.w]

    def _warped(self, grid: GeoBox) -> Image:
        """Values on a grid that does not lie on the lattice."""
        around = overlap(self.grid, grid)
        if around is None:
            return Image.unseen(grid, self.sensor)
        own = self.grid[around]
        if max(own.shape) > _MOST:
            raise ValueError(
                f"{self.what}: {own.shape[1]} x {own.shape[0]} pixels at once are too "
                "many to be read from a catalogue"
            )
        return Image.of(
            warp_values(self.read(own).values, own, grid), grid, self.sensor
        )


@dataclass(frozen=True, slots=True)
class Held(Derived[Acquired]):
    """A part of an acquired image in memory; nothing is known beyond it.

    Attributes
    ----------
    stored
        What is stored ``[C, h, w]``, as `Acquired.stored` has it.
    part
        The grid of it.
    """

    stored: NDArray[Any] = field(repr=False)
    part: GeoBox = field(repr=False)

    @property
    def sensor(self) -> Sensor:
        """Return the sensor."""
        return self.source.sensor

    @property
    def what(self) -> str:
        """Words for it."""
        return self.source.what

    def read(self, grid: GeoBox) -> Image:
        """Values on `grid`, without a catalogue."""
        if (spans := overlap(self.part, grid)) is None:
            return Image.unseen(grid, self.sensor)
        values = self.source.decoded(self.stored[(slice(None), *spans)])
        if offset := aligned(self.part, grid):
            out = np.full((len(values), *grid.shape), np.nan, np.float32)
            out[(slice(None), *target_of(spans, offset))] = values
            return Image.of(out, grid, self.sensor)
        return Image.of(warp_values(values, self.part[spans], grid), grid, self.sensor)
