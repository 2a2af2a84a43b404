"""A cloud-free image of a season from many dates, tile by tile in constant memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from overcast import __version__
from overcast.geo.composite import WAYS, mean_power
from overcast.geo.raster import Image
from overcast.geo.series import spread
from overcast.geo.stack import Stack
from overcast.geo.tiling import Window
from overcast.inputs import Inputs, open_inputs
from overcast.jobs.mapping import JobResult
from overcast.output import Output, refuse_inputs
from overcast.plan import Data, files_of, fingerprint
from overcast.product.rasters import Bands, write_bands
from overcast.progress import Progress
from overcast.trees import to_tree

COUNT = "clear_count"
"""Name of the band that says how many dates saw a pixel."""
_SIDE = 512


def make_composites(
    data: Data,
    out: Path,
    how: str,
    period: tuple[date | None, date | None],
    overwrite: bool,
    progress: Progress,
) -> JobResult:
    """Write one image of every sensor, ``SERIES.tif`` in the folder `out`.

    Its bands are those of the sensor in physical units, and `COUNT`. Optical dates are
    joined as `how` says (`overcast.geo.composite`), SAR dates by their mean in power.

    Raises
    ------
    ValueError
        If an image is refused, no date of it lies in the period, or `out` has such files.
    """
    inputs = open_inputs(data)
    series = {name: _within(name, inputs, period) for name in inputs.stack.sensors}
    names = tuple(f"{name}.tif" for name in series)
    days = [str(day) for day in period]
    key = fingerprint([inputs.fingerprint, to_tree(data), how, days, names])
    refuse_inputs(out, names, files_of(data))
    output = Output.begin(out, names, key, overwrite)
    notes = [*output.notes, *inputs.notes]
    summary = {name: str(out / f"{name}.tif") for name in series}
    if output.finished:
        return JobResult(summary, tuple(notes))
    with output:
        for name, stack in series.items():
            path = output.work / f"{name}.tif"
            notes.append(_write(stack, name, how, path, progress))
    return JobResult(summary, tuple(notes))


def _within(
    name: str, inputs: Inputs, period: tuple[date | None, date | None]
) -> Stack:
    """The observations of a series that lie in a period."""
    stack = inputs.stack.only([name])
    first, last = period[0] or date.min, period[1] or date.max
    own = {n: m for n, m in stack.moments.items() if first <= m.day <= last}
    chosen = [n for n in stack.images if n in own or n not in stack.moments]
    if not chosen:
        raise ValueError(
            f"{name}: none of its {len(stack.images)} dates lies from {first} to {last}; "
            "give another --from or --to"
        )
    return replace(stack, images={n: stack.images[n] for n in chosen}, moments=own)


def _write(stack: Stack, name: str, how: str, path: Path, progress: Progress) -> str:
    """Write the composite of a series; a sentence on it."""
    sensor = stack.sensors[name]
    radar = sensor.kind == "sar"
    way = mean_power if radar else WAYS[how]
    counts = np.zeros(2, np.int64)

    def rows() -> Iterator[tuple[int, NDArray[np.float32]]]:
        height, width = stack.shape
        for y in range(0, height, _SIDE):
            high = min(_SIDE, height - y)
            strip = np.empty((len(sensor.bands) + 1, high, width), np.float32)
            for x in range(0, width, _SIDE):
                window = Window(y, x, high, min(_SIDE, width - x))
                chip = stack.read(window)
                values = _stacked(list(chip.images.values()))
                seen = np.isfinite(values).all(1).sum(0)
                tile = strip[:, :, x : x + window.w]
                tile[:-1], tile[-1] = way(values), seen
                counts[:] += (seen.size, int((seen > 0).sum()))
            progress(f"composite of {name}", y + high, height)
            yield y, np.round(strip, 4)

    bands = Bands(names=(*sensor.names, COUNT), dtype="float32", nodata=np.nan)
    statistic = "mean in power" if radar else how
    days = sorted(m.day for m in stack.moments.values())
    when = spread(days) if days else "1 image"
    tags = {
        "OVERCAST_VERSION": __version__,
        "OVERCAST_COMPOSITE": f"{statistic}, {when}",
    }
    write_bands(rows(), stack.grid, bands, path, tags)
    share = counts[1] / max(counts[0], 1)
    pixels = f"{share:.1%} of the pixels were seen at least once"
    return f"{name}: {statistic} of {when}; {pixels}"


def _stacked(images: list[Image]) -> NDArray[np.float32]:
    """Values ``[T, C, H, W]``; NaN where a date did not see a pixel."""
    return np.stack([np.where(i.valid, i.values, np.float32(np.nan)) for i in images])
