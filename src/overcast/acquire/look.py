"""What overviews tell before anything is read whole: clear shares, and offsets."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox

from overcast.acquire.asset import Reader, grid_of, read_codes, read_thinned
from overcast.acquire.http import GoneError
from overcast.acquire.place import Area
from overcast.acquire.scenes import ScenePiece, Take
from overcast.geo.bands import SENTINEL_2, SENTINEL_2_SCALE
from overcast.geo.gate_optical import offset_of
from overcast.geo.masks import CLOUDED
from overcast.progress import Progress

_LOOK_PX = 256
"""Longest side of what is looked at."""
_FEW = 100
"""Pixels below which values tell nothing of an offset."""
THREADS = 8
"""Requests at a time: waiting costs no processor."""


@dataclass(frozen=True, slots=True)
class SceneLook:
    """What an overpass saw of an area, as shares of its pixels.

    `problem` says why it can't be used, if so.
    """

    clear: float
    covered: float
    problem: str = ""


def coarse(area: Area) -> GeoBox:
    """The grid of an area, so coarse that looking costs little."""
    step = max(max(area.grid.shape) / _LOOK_PX, 1.0)
    return area.grid if step == 1 else area.grid.zoom_out(step)


def look_all(
    reader: Reader, takes: Sequence[Take], area: Area, progress: Progress
) -> list[SceneLook]:
    """Return what every overpass saw of the area, by its scene classification (SCL)."""
    grid = coarse(area)
    inside = area.inside(grid)
    seen: list[SceneLook] = []
    with ThreadPoolExecutor(THREADS) as pool:
        each = pool.map(lambda take: _look(reader, take, grid, inside), takes)
        try:
            for number, one in enumerate(each, 1):
                seen.append(one)
                read = f"{reader.traffic.bytes / 1e6:.1f} MB"
                progress("look", number, len(takes), read)
        except BaseException:
            # A server that is gone is not asked for all the others.
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    reader.forget()
    return seen


def _look(
    reader: Reader, take: Take, grid: GeoBox, inside: NDArray[np.bool_]
) -> SceneLook:
    if take.missing:
        return SceneLook(0.0, 0.0, f"has no {', '.join(take.missing)}")
    classes = np.zeros(grid.shape, np.uint8)
    for piece in take.pieces:
        try:
            with reader.open(piece.assets["SCL"]) as dataset:
                source = grid_of(dataset, piece.assets["SCL"])
                codes = read_codes(dataset, source, grid, 0)
        except GoneError as error:
            return SceneLook(0.0, 0.0, str(error))
        classes = np.where(classes == 0, codes, classes)
        if (classes[inside] != 0).all():
            break
    hidden = np.isin(classes[inside], list(CLOUDED))
    return SceneLook(float(1 - hidden.mean()), float((classes[inside] != 0).mean()))


@dataclass(frozen=True, slots=True)
class Offset:
    """Offset of an item's pixels in digital numbers, and what is to be said of it."""

    value: int
    note: str = ""


def offset_in(reader: Reader, piece: ScenePiece, area: Area) -> Offset:
    """Offset that pixels show; what metadata claim, where pixels don't tell."""
    names = SENTINEL_2.names
    grid = coarse(area)

    def thinned(name: str) -> NDArray[np.float32]:
        asset = piece.assets[name]
        with reader.open(asset) as dataset:
            values = read_thinned(dataset, grid_of(dataset, asset), grid)
        return values.astype(np.float32)

    with ThreadPoolExecutor(THREADS) as pool:
        bands = list(pool.map(thinned, names))
    rows = min(band.shape[0] for band in bands)
    columns = min(band.shape[1] for band in bands)
    # Bands of 10 m and 20 m: as many rows of each, about at the same places.
    stack = np.stack([_nearest(band, rows, columns) for band in bands])
    values = stack.reshape(len(names), -1)
    values = values[:, (values > 1).all(0)]
    claim = piece.offset
    shown = None
    if values.shape[1] >= _FEW:
        shown = offset_of(values * np.float32(SENTINEL_2_SCALE), names)
    if shown is None:
        if claim is None:
            return Offset(
                0,
                f"{piece.ident}: neither its pixels nor its metadata say whether the "
                "offset of -1000 was applied; taken as applied",
            )
        return Offset(claim)
    value = round(shown / SENTINEL_2_SCALE)
    if claim is not None and claim != value:
        said = "still to be applied" if claim else "applied already, or none"
        return Offset(
            value,
            f"{piece.ident}: its metadata say the offset is {said}; its pixels say "
            f"{value}, which counts",
        )
    return Offset(value)


def _nearest(band: NDArray[np.float32], rows: int, columns: int) -> NDArray[np.float32]:
    y, x = (
        ((np.arange(n) + 0.5) * whole / max(n, 1)).astype(int)
        for n, whole in ((rows, band.shape[0]), (columns, band.shape[1]))
    )
    return band[np.ix_(y, x)]
