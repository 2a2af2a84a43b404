"""What a file's values say about their units, and what looks wrong in them.

Products are often stored otherwise than their users think: backscatter as linear
power, Sentinel-2 with the offset of -1000 not applied, everything nodata. A sample of
the values gives it away. What was only assumed is corrected and said; what the user
said and the values contradict is refused.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import rasterio
from numpy.typing import NDArray

from overcast.geo.bands import (
    SENTINEL_1,
    SENTINEL_2,
    SENTINEL_2_ENCODING,
    SENTINEL_2_L1C,
    SENTINEL_2_OFFSET,
    Encoding,
    Sensor,
    canonical,
)
from overcast.geo.dataset import dataset_of, open_raster
from overcast.geo.image_file import ImageFile, open_image
from overcast.geo.location import FilePath
from overcast.geo.products import LEVEL, STATED
from overcast.geo.tiling import pieces

Units = Literal["auto", "db", "linear"]

_SAMPLE_PX = 512
_LARGE_PX, _PLACES = 4096, 8
"""Of files above it, windows at 8 x 8 places are read, not every block of the file."""
_OFFSET_FLOOR = 0.09
"""Without the offset of 0.1, some pixel of a scene is darker than this in a band."""
_LARGEST_POWER = 100.0
"""20 dB; brighter than anything but a few corner reflectors."""
_LARGEST_REFLECTANCE = 3.0


@dataclass(frozen=True, slots=True)
class Checked:
    """An opened image, and what was noticed about it, a sentence each."""

    image: ImageFile
    notes: tuple[str, ...] = ()


def open_sentinel_1(
    path: FilePath, units: Units = "auto", trust: bool = False
) -> Checked:
    """Open Sentinel-1 backscatter, in dB or as linear power.

    Raises
    ------
    ValueError
        If `units` are said and the values are not in them (unless `trust`), if the
        values are neither, or if `open_image` refuses the file.
    """
    stored = Encoding(nodata=0.0)
    image = open_image(path, SENTINEL_1, stored)
    found = _units_of(path, sample(image))
    if units == "auto" and found == "linear":
        note = f"{path}: linear power, converted to dB (values are never negative)"
        return Checked(replace(image, encoding=replace(stored, power=True)), (note,))
    if units not in ("auto", found) and not trust:
        names = {"db": "dB", "linear": "linear power"}
        raise ValueError(
            f"{path}: said to be {names[units]}, but its values look like "
            f"{names[found]}; give --s1-units {found}, or --trust if it is really so"
        )
    return Checked(replace(image, encoding=replace(stored, power=units == "linear")))


def _units_of(path: FilePath, values: NDArray[np.float32]) -> Literal["db", "linear"]:
    if (values < 0).mean() > 0.2:
        return "db"
    if np.percentile(values, 99) <= _LARGEST_POWER:
        return "linear"
    raise ValueError(
        f"{path}: backscatter from {values.min():g} to {values.max():g} is neither dB "
        "nor linear power; calibrate it (digital numbers and amplitudes are not placed "
        "on any scale)"
    )


def open_sentinel_2(
    path: FilePath,
    offset: int | None = None,
    bands: tuple[str, ...] | None = None,
    trust: bool = False,
) -> Checked:
    """Open Sentinel-2 reflectance, L2A or L1C, stored as reflectance x 10,000 or as is.

    Parameters
    ----------
    path
        A raster of at least one surface band.
    offset
        Offset of the product in digital numbers: 0, or -1000 since processing
        baseline 04.00. None: taken from the file's scale and offset tags, else
        noticed by its values.
    bands
        Names of the bands in order, where the file does not say.
    trust
        Take `offset` as said, whatever the values look like.

    Raises
    ------
    ValueError
        If an offset of 0 is said and the values look as if it was not applied, or if
        `open_image` refuses the file.
    """
    sensor = _level(path)
    image, notes = open_image(path, sensor, SENTINEL_2_ENCODING, bands), []
    raw = sample(replace(image, encoding=Encoding(nodata=image.encoding.nodata)))
    stored = _stored_encoding(image, raw)
    floor = _floor(raw, stored)
    if stored.offset != 0 and STATED not in dataset_of(path).tags():
        notes.append(f"{path}: offset {stored.offset:g} taken from the file's tags")
    image = replace(image, encoding=stored)
    stated = STATED in dataset_of(path).tags()
    unapplied = not stated and stored.offset == 0 and floor > _OFFSET_FLOOR
    if offset is not None:
        if stated and not trust and abs(offset * 1e-4 - stored.offset) > 1e-6:
            raise ValueError(
                f"{path}: said to have offset {offset}, but its own metadata says "
                f"{stored.offset / stored.scale:g}; leave --s2-offset out, or give "
                "--trust if it is really so"
            )
        if offset == 0 and unapplied and not trust:
            raise ValueError(
                f"{path}: said to have offset 0, but no pixel is darker than "
                f"{floor:.3f} in every band, as if the offset of -1000 was not "
                "applied; give --s2-offset -1000, or --trust if it is really so"
            )
        return Checked(replace(image, encoding=replace(stored, offset=offset * 1e-4)))
    if unapplied:
        notes.append(
            f"{path}: the product's offset of -1000 was not applied in the file (no "
            f"pixel is darker than {floor:.3f}); overcast applies it; say "
            "--s2-offset 0 if that is wrong"
        )
        encoding = replace(stored, offset=SENTINEL_2_OFFSET)
        image = replace(image, encoding=encoding)
    return Checked(image, tuple(notes))


def _level(path: FilePath) -> Sensor:
    """L1C has thirteen bands, one of which (B10) L2A lacks."""
    dataset = open_raster(path)
    names = {canonical(text or "") for text in dataset.descriptions}
    if level := dataset.tags().get(LEVEL):
        return SENTINEL_2_L1C if level == "Level-1C" else SENTINEL_2
    return SENTINEL_2_L1C if dataset.count == 13 or "B10" in names else SENTINEL_2


def _stored_encoding(image: ImageFile, raw: NDArray[np.float32]) -> Encoding:
    """Scale and offset from the file's tags, else by whether values are fractions."""
    dataset = dataset_of(image.path)
    first = image.indexes[0] - 1
    scale, offset = dataset.scales[first], dataset.offsets[first]
    if scale != 1:
        return replace(image.encoding, scale=scale, offset=offset)
    if np.percentile(raw, 99) <= _LARGEST_REFLECTANCE:
        return replace(image.encoding, scale=1.0)
    return image.encoding


def _floor(raw: NDArray[np.float32], stored: Encoding) -> float:
    """Darkest band of the darkest pixels: the 0.1 % quantile of the bands' minimum."""
    return float(np.percentile(stored.decode(raw).min(0), 0.1))


def open_checked(path: FilePath, sensor: Sensor, encoding: Encoding) -> Checked:
    """Open a user's own sensor; values far outside its bands' range are said.

    Raises
    ------
    ValueError
        If `open_image` refuses the file, or every pixel is nodata.
    """
    image = open_image(path, sensor, encoding)
    notes = []
    for band, values in zip(image.sensor.bands, sample(image), strict=True):
        middle = float(np.median(values))
        reach = band.high - band.low
        if not band.low - reach <= middle <= band.high + reach:
            notes.append(
                f"{path}: band {band.name} has a median of {middle:g} {band.unit}, "
                f"expected {band.low:g} to {band.high:g}; is the scale right?"
            )
    return Checked(image, tuple(notes))


def sample(image: ImageFile) -> NDArray[np.float32]:
    """Physical values ``[C, N]`` of up to 512 x 512 valid pixels all over the file.

    Raises
    ------
    ValueError
        If no pixel of the whole file is valid.
    """
    values = image.physical(_stored_sample(image))
    if not (valid := np.isfinite(values).all(0)).any():
        for spans in pieces(image.grid):
            values = image.read(image.grid[spans]).values
            if (valid := np.isfinite(values).all(0)).any():
                break
        else:
            raise ValueError(
                f"{image.path}: every pixel is nodata (tag "
                f"{dataset_of(image.path).nodata}); give an image with observations"
            )
    return np.asarray(values[:, valid], np.float32)


def _stored_sample(image: ImageFile) -> NDArray[Any]:
    dataset, bands = dataset_of(image.path), list(image.indexes)
    if max(dataset.shape) <= _LARGE_PX or dataset.overviews(1):
        shape = tuple(min(n, _SAMPLE_PX) for n in dataset.shape)
        return np.asarray(dataset.read(bands, out_shape=(len(bands), *shape)))
    side = _SAMPLE_PX // _PLACES
    rows, columns = (
        np.linspace(0, max(n - side, 0), _PLACES).astype(int).tolist()
        for n in dataset.shape
    )
    windows = [
        rasterio.windows.Window(column, row, side, side)
        for row in rows
        for column in columns
    ]
    # A window that reaches over the edge of a narrow file is cut there.
    found = [dataset.read(bands, window=window) for window in windows]
    return np.concatenate(found, axis=2)
