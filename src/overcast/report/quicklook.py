"""Small pictures of images, classes and confidence, for people to look at.

Files are read at about the size of the picture, from their overviews where they have
them, so that a picture of a 10980 x 10980 scene takes little more memory than itself.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox
from rasterio.errors import NotGeoreferencedWarning

from overcast.geo.bands import Sensor
from overcast.geo.dataset import dataset_of
from overcast.geo.image_file import ImageFile
from overcast.geo.label_file import LabelFile
from overcast.geo.raster import UNKNOWN, Image, Labels
from overcast.geo.stack import ImageSource, LabelSource
from overcast.geo.tiling import pieces
from overcast.geo.warp import overlap, warp_classes, warp_values

Picture = NDArray[np.uint8]

_TRUE_COLOUR = ("B04", "B03", "B02")
_RAMP = np.array(  # viridis at five places: even to the eye, and to the colour-blind
    [(68, 1, 84), (59, 82, 139), (33, 145, 140), (94, 201, 98), (253, 231, 37)],
    np.float32,
)


def overview(grid: GeoBox, longest: int = 700) -> GeoBox:
    """The same area with at most `longest` pixels a side, so that reading is cheap."""
    factor = max(grid.shape) / longest
    return grid if factor <= 1 else grid.zoom_out(factor)


def look_at_image(source: ImageSource, grid: GeoBox) -> Image:
    """Physical values ``[C, H, W]`` on a grid that may be much coarser, roughly.

    Of a file, only the bands that `rgb` shows are read, and pixels in between are left
    out, or are what its overviews make of them: good for looking at, and for nothing
    else.
    """
    spans = overlap(source.grid, grid)
    if not isinstance(source, ImageFile) or spans is None:
        return source.read(grid)
    source = _shown_of(source)
    part = source.grid[spans]
    shape = _thinned(part, grid)
    values = source.read_part(spans, shape)
    values = warp_values(values, part.zoom_to(shape), grid)
    return Image.of(values, grid, source.sensor)


def look_at_classes(source: LabelSource, grid: GeoBox) -> Labels:
    """Class positions ``[H, W]`` on a grid that may be much coarser, roughly.

    Overviews are not used: those of class codes are often averages of them.
    """
    spans = overlap(source.grid, grid)
    if not isinstance(source, LabelFile) or spans is None:
        return source.read(grid)
    part = source.grid[spans]
    shape = _thinned(part, grid)
    rows, columns = (
        (np.arange(n) + 0.5) * whole // n
        for n, whole in zip(shape, part.shape, strict=True)
    )
    classes = np.empty(shape, np.uint8)
    for piece in pieces(part):
        here = (rows >= piece[0].start) & (rows < piece[0].stop)
        if here.any():
            wanted = (rows[here] - piece[0].start).astype(int)
            values = source.read(part[piece]).values
            classes[here] = values[wanted][:, columns.astype(int)]
    values = warp_classes(classes, part.zoom_to(shape), grid)
    return Labels(values=values, grid=grid, legend=source.legend)


def look_at_values(path: Path, grid: GeoBox) -> NDArray[np.float32]:
    """First band ``[H, W]`` of a file that covers the same ground as `grid`."""
    return np.asarray(dataset_of(path).read(1, out_shape=grid.shape), np.float32)


def _thinned(source: GeoBox, grid: GeoBox) -> tuple[int, int]:
    """Shape of `source` with about two of its pixels along every pixel of `grid`."""
    scale = min(n / m for n, m in zip(source.shape, grid.shape, strict=True)) / 2
    height, width = (max(1, round(n / max(scale, 1))) for n in source.shape)
    return height, width


def rgb(image: Image) -> Picture:
    """Picture ``[H, W, 4]`` of an image; transparent where it is not valid.

    Optical images in true colour where they have it, SAR as VV, VH and their ratio;
    every band stretched between the 2nd and 98th percentile of its valid pixels.
    """
    bands = image.values[list(_shown(image.sensor))]
    if len(bands) == 2:
        bands = np.stack([*bands, bands[0] - bands[1]])
    out = np.zeros((*image.valid.shape, 4), np.uint8)
    if image.valid.any():
        shades = [_stretch(band, image.valid) for band in bands]
        out[..., :3] = np.stack(shades if len(shades) == 3 else shades * 3, -1)
    out[..., 3] = np.where(image.valid, 255, 0)
    return out


def _shown(sensor: Sensor) -> tuple[int, ...]:
    """Positions of the bands that a picture shows: two of SAR, otherwise one or three."""
    count = len(sensor.bands)
    if sensor.kind == "sar" and count >= 2:
        return 0, 1
    first = (0, 1, 2) if count >= 3 else (0,)
    return sensor.index(*_TRUE_COLOUR) or first


def _shown_of(source: ImageFile) -> ImageFile:
    """The same file with the bands alone that a picture shows."""
    places = sorted(_shown(source.sensor))
    return source.select(tuple(source.sensor.names[place] for place in places))


def _stretch(band: NDArray[np.float32], valid: NDArray[np.bool_]) -> Picture:
    low, high = np.percentile(band[valid], (2, 98))
    scaled = (np.where(valid, band, low) - low) / max(high - low, 1e-6)
    return np.asarray(255 * np.clip(scaled, 0, 1) ** 0.8, np.uint8)


def class_picture(labels: Labels) -> Picture:
    """Picture ``[H, W, 4]`` in the legend's colours; transparent where unknown."""
    table = np.zeros((256, 4), np.uint8)
    table[: len(labels.legend)] = [(*c.rgb, 255) for c in labels.legend.classes]
    table[UNKNOWN] = 0
    return table[labels.values]


def confidence_picture(confidence: NDArray[np.float32]) -> Picture:
    """Picture ``[H, W, 4]``, dark where unsure, bright where sure; NaN transparent."""
    known = np.isfinite(confidence)
    place = np.clip(np.where(known, confidence, 0), 0, 1) * (len(_RAMP) - 1)
    low = np.minimum(place.astype(int), len(_RAMP) - 2)
    part = (place - low)[..., None]
    colour = _RAMP[low] * (1 - part) + _RAMP[low + 1] * part
    alpha = np.where(known, 255, 0)[..., None]
    return np.concatenate([colour, alpha], -1).astype(np.uint8)


def png(picture: Picture) -> bytes:
    """PNG file of a picture ``[H, W, 3 or 4]``: exact, for areas of one colour."""
    return _encoded(picture, "PNG")


def jpeg(picture: Picture) -> bytes:
    """JPEG file of a picture ``[H, W, 4]``, on white: small, for photographs."""
    alpha = picture[..., 3:].astype(np.float32) / 255
    on_white = picture[..., :3] * alpha + 255 * (1 - alpha)
    return _encoded(np.rint(on_white).astype(np.uint8), "JPEG", quality=85)


def _encoded(picture: Picture, driver: str, **options: Any) -> bytes:
    bands = np.moveaxis(picture, -1, 0)
    form = {"count": len(bands), "height": bands.shape[1], "width": bands.shape[2]}
    with rasterio.MemoryFile() as memory, warnings.catch_warnings():
        # A picture has no place on the ground, and needs none.
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        with memory.open(driver=driver, dtype="uint8", **form, **options) as dataset:
            dataset.write(bands)
        return bytes(memory.read())
