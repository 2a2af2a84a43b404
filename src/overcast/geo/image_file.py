"""GeoTIFFs, and whatever else GDAL reads, as sources of images.

Opening a file refuses what can't be placed or understood, in one sentence that names
the file, what was found and what to do. Reading warps at most once.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox

from overcast.geo.bands import Encoding, Sensor
from overcast.geo.dataset import dataset_of, placed
from overcast.geo.gate import Admitted, match
from overcast.geo.location import FilePath
from overcast.geo.raster import Image
from overcast.geo.stored import FileBands, Masks, Spans, file_bands, read_file
from overcast.geo.validity import Validity, decode
from overcast.geo.warp import aligned, overlap, target_of, warp_values


@dataclass(frozen=True, slots=True)
class ImageFile:
    """A raster file that holds bands of one sensor; make it with `open_image`."""

    path: FilePath
    sensor: Sensor
    encoding: Encoding
    indexes: tuple[int, ...]
    """Positions of the sensor's bands in the file, from 1."""
    grid: GeoBox = field(repr=False)
    blocks: tuple[int, int] = (1, 1)
    validity: Validity = field(default_factory=Validity)
    masks: Masks = field(default_factory=Masks)

    def read(self, grid: GeoBox) -> Image:
        """Physical values ``[C, H, W]`` on `grid`; NaN where there are none."""
        values = np.full((len(self.indexes), *grid.shape), np.nan, np.float32)
        if spans := overlap(self.grid, grid):
            part = self.read_part(spans)
            if offset := aligned(self.grid, grid):
                values[(slice(None), *target_of(spans, offset))] = part
            else:
                values = warp_values(part, self.grid[spans], grid)
        return Image.of(values, grid, self.sensor)

    def read_part(
        self, spans: Spans, shape: tuple[int, int] | None = None
    ) -> NDArray[np.float32]:
        """Physical values ``[C, h, w]`` of a part of the file; NaN where not seen.

        With `shape`, so many rows and columns of it, the ones between left out.
        """
        stored, hidden = read_file(self.path, self.indexes, self.masks, spans, shape)
        return self.physical(stored, hidden)

    def physical(
        self, stored: NDArray[Any], hidden: NDArray[np.bool_] | None = None
    ) -> NDArray[np.float32]:
        """Values ``[C, ...]`` as stored, decoded; NaN where a pixel was not seen.

        `hidden` says where a mask hides the pixel.
        """
        return decode(stored, self.encoding, self.validity, hidden)

    def select(self, names: tuple[str, ...]) -> ImageFile:
        """Return the same file with only these bands, in this order."""
        places = tuple(self.sensor.names.index(name) for name in names)
        return replace(
            self,
            sensor=self.sensor.select(names),
            encoding=self.encoding.select(places),
            indexes=tuple(self.indexes[place] for place in places),
            validity=self.validity.select(places),
        )


def open_image(
    path: FilePath,
    sensor: Sensor,
    encoding: Encoding | None = None,
    bands: tuple[str, ...] | None = None,
) -> ImageFile:
    """Open a raster as bands of `sensor`, whatever its values are.

    Parameters
    ----------
    path
        Any raster that GDAL reads.
    sensor
        What it measures. Bands are found by the names in the file, else by `bands`,
        else by the number of bands (`Sensor.layouts`).
    encoding
        How values are stored; by default they are physical.
    bands
        Names of the file's bands in order, where the file does not say.

    Raises
    ------
    ValueError
        If the file is missing, broken, can't be placed, or its bands are not the
        sensor's.
    """
    stored = file_bands(path, sensor)
    admitted = match(stored, sensor, bands)
    rule = replace(
        admitted.validity,
        dark_zero=sensor.kind == "optical" and (encoding or Encoding()).nodata == 0,
    )
    coded = encoding or Encoding()
    return image_file(stored, replace(admitted, encoding=coded, validity=rule))


def image_file(stored: FileBands, admitted: Admitted) -> ImageFile:
    """Return the source of a file as the gate admitted it."""
    dataset = dataset_of(stored.path)
    indexes = tuple(stored.indexes[place] for place in admitted.places)
    return ImageFile(
        stored.path,
        admitted.sensor,
        admitted.encoding,
        indexes,
        placed(stored.path, dataset),
        dataset.block_shapes[0],
        admitted.validity,
        stored.masks,
    )
