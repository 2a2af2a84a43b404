"""An image that lies beside the others, moved to where it belongs."""

from __future__ import annotations

from dataclasses import dataclass

from odc.geo.geobox import GeoBox
from rasterio.transform import Affine

from overcast.geo.bands import Sensor
from overcast.geo.derived import Derived
from overcast.geo.raster import Image
from overcast.geo.stack import ImageSource


@dataclass(frozen=True, slots=True)
class Moved(Derived[ImageSource]):
    """An image as an `ImageSource`, moved over the grids on which it is read.

    Moves by whole pixels of a grid that the image is on change no value.

    Attributes
    ----------
    source
        The image that is moved.
    down, right
        Pixels of the grids that it is read on.
    """

    down: int
    right: int

    @property
    def sensor(self) -> Sensor:
        """Return the sensor of the image."""
        return self.source.sensor

    @property
    def reads(self) -> tuple[ImageSource]:
        """The image that is moved."""
        return (self.source,)

    def read(self, grid: GeoBox) -> Image:
        """The image on `grid`; NaN where it had to be known beyond its edge."""
        affine = grid.affine * Affine.translation(-self.right, -self.down)
        image = self.source.read(GeoBox(grid.shape, affine, grid.crs))
        return Image.of(image.values, grid, image.sensor)
