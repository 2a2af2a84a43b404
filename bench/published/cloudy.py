"""Clouds over a whole scene, as a source: a cloudy twin of an image that is clear.

Where `overcast.augment.clouds.add_clouds` draws a new sky for every sample of a batch, here
one sky lies fast over the pixels of an image, so that however it is read, a pixel is under
the same cloud.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from odc.geo.geobox import GeoBox

from overcast.augment.clouds import PIXEL_M, Drawn, Sky, draw, mix
from overcast.geo.bands import Band, Sensor
from overcast.geo.derived import Derived
from overcast.geo.extent import pixel_m
from overcast.geo.raster import Image
from overcast.geo.stack import ImageSource
from overcast.geo.warp import aligned
from overcast.worlds.clouds import CLEAR, classify
from overcast.worlds.noise import centres_of

MASK = Sensor("cloud mask", "optical", (Band("cloud", "share", 0.0, 1.0),))
"""1 under cloud and shadow, 0 elsewhere."""


@dataclass(frozen=True, slots=True)
class Cloudy(Derived[ImageSource]):
    """A clear optical image under drawn clouds and their shadows, as an `ImageSource`.

    Attributes
    ----------
    source
        What is seen without them.
    key
        Which sky; the same key is the same clouds.
    cover
        Least and largest mean cover, of which the sky has one.
    cirrus
        Chance of thin clouds alone, 0 to 1.
    """

    key: int
    cover: tuple[float, float] = (0.3, 0.7)
    cirrus: float = 0.2

    @property
    def sensor(self) -> Sensor:
        """That of the image."""
        return self.source.sensor

    @property
    def mask(self) -> CloudMask:
        """Where the clouds are."""
        return CloudMask(self)

    def read(self, grid: GeoBox) -> Image:
        """Values under clouds ``[C, H, W]``; not valid where the image is not.

        Raises
        ------
        ValueError
            If `grid` has other pixels than the image.
        """
        clear = self.source.read(grid)
        network = torch.from_numpy(self.sensor.to_network(clear.values))
        seen = mix(network[None], Sky.of(self.sensor), [self.drawn(grid)])[0].numpy()
        values = self.sensor.from_network(seen)
        values[:, ~clear.valid] = np.nan
        return Image.of(values, grid, self.sensor)

    def drawn(self, grid: GeoBox) -> Drawn:
        """Opacity, shadow and cloud over part of the image's pixels."""
        offset = aligned(self.grid, grid)
        if offset is None:
            raise ValueError("clouds lie on the pixels of their image; warp it after")
        scale = pixel_m(self.grid) / PIXEL_M
        places = tuple(
            centres_of(range(start, start + int(count))) * scale
            for start, count in zip(offset, grid.shape, strict=True)
        )
        return draw(self.key, places, Sky.of(self.sensor), self.cover, self.cirrus)


@dataclass(frozen=True, slots=True)
class CloudMask(Derived[Cloudy]):
    """Where a `Cloudy` image has clouds or shadows, as an `ImageSource` of `MASK`."""

    @property
    def sensor(self) -> Sensor:
        """`MASK`."""
        return MASK

    def read(self, grid: GeoBox) -> Image:
        """1 or 0 ``[1, H, W]``, everywhere known."""
        opacity, shadow, _ = self.source.drawn(grid)
        hidden = classify(opacity, shadow) != CLEAR
        return Image.of(hidden[None].astype(np.float32), grid, MASK)
