"""The optical image without its clouds, as a trained network sees it.

A by-product of networks that take clouds away on their way to the classes, such as
`overcast.models.cloudseg`. It is a guess: good under thin cloud and shadow, and under
opaque cloud no more than what the other sensors let expect.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox

from overcast.geo.bands import Sensor
from overcast.geo.raster import Image
from overcast.geo.stack import Stack
from overcast.geo.tiling import Window
from overcast.geo.warp import aligned
from overcast.methods.network import TrainedNetwork

_BLOCK = 256


@dataclass(frozen=True, slots=True)
class Restored:
    """An `ImageSource` of the cloud-free image, made where it is read.

    It is made in blocks that lie fast on the grid of the stack, so that a pixel's value
    doesn't depend on how a window was cut.

    Attributes
    ----------
    network
        It must have learned to take clouds away, as the recipe `cloudseg` teaches
        `overcast.models.cloudseg.CloudSegNetwork`.
    stack
        The images that it reads.
    """

    network: TrainedNetwork
    stack: Stack

    def __post_init__(self) -> None:
        if not self.network.restores:
            raise ValueError(
                f"this {type(self.network.model).__name__} takes no clouds away; "
                "expected the network cloudseg, trained by the recipe cloudseg"
            )

    @property
    def grid(self) -> GeoBox:
        """The grid of the stack."""
        return self.stack.grid

    @property
    def blocks(self) -> tuple[int, int]:
        """Rows and columns that are made at once."""
        return _BLOCK, _BLOCK

    @property
    def sensor(self) -> Sensor:
        """The optical one."""
        return self.stack.sensors[str(self.network.model.optical)]

    def read(self, grid: GeoBox) -> Image:
        """Image on `grid`, part of the stack's own; NaN where no sensor saw anything.

        Raises
        ------
        ValueError
            If `grid` has other pixels than the stack.
        """
        offset = aligned(self.grid, grid)
        if offset is None:
            raise ValueError(
                "a restored image is read on the pixels of its stack; warp it after"
            )
        values = np.full((len(self.sensor.bands), *grid.shape), np.nan, np.float32)
        rows, columns = (
            range(max(start, 0), min(start + int(count), whole))
            for start, count, whole in zip(
                offset, grid.shape, self.stack.shape, strict=True
            )
        )
        for y, x in product(_starts(rows), _starts(columns)):
            made = self._make(y, x)
            down, across = _shared(rows, y), _shared(columns, x)
            target = _moved(down, offset[0]), _moved(across, offset[1])
            values[:, *target] = made[:, *(_moved(down, y), _moved(across, x))]
        return Image.of(values, grid, self.sensor)

    @torch.inference_mode()
    def _make(self, y: int, x: int) -> NDArray[np.float32]:
        """Physical values of the block that starts at a row and a column."""
        halo = self.network.halo
        height, width = self.stack.shape
        top, left = max(y - halo, 0), max(x - halo, 0)
        bottom, right = (
            min(start + _BLOCK + halo, whole)
            for start, whole in ((y, height), (x, width))
        )
        chip = self.stack.read(Window(top, left, bottom - top, right - left))
        model: Any = self.network.model
        # Spectral indices, the network's last bands, are no part of the image.
        restored = model.restore(self.network.batch_of(chip))[1][
            0, : len(self.sensor.bands)
        ]
        values = self.sensor.from_network(restored.float().cpu().numpy())
        seen = np.logical_or.reduce([image.valid for image in chip.images.values()])
        own = np.where(seen, values, np.float32(np.nan))[:, y - top :, x - left :]
        return np.asarray(own[:, :_BLOCK, :_BLOCK], np.float32)


def _starts(pixels: range) -> range:
    """Return where the blocks begin that hold some of `pixels`."""
    return range(pixels.start // _BLOCK * _BLOCK, pixels.stop, _BLOCK)


def _shared(pixels: range, start: int) -> slice:
    """Return those of `pixels` that a block holds."""
    return slice(max(pixels.start, start), min(pixels.stop, start + _BLOCK))


def _moved(pixels: slice, origin: int) -> slice:
    return slice(pixels.start - origin, pixels.stop - origin)
