"""An array, its validity and its place on the ground, never apart.

`Image` holds physical values, `Labels` holds classes. They are different types
because reflectances can be averaged and class codes can't.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox

from overcast.geo.bands import Sensor
from overcast.geo.legend import Legend

UNKNOWN = 255
"""Class index of a pixel whose class is not known; also nodata of every class map."""


def _check_shape(what: str, shape: tuple[int, ...], expected: tuple[int, ...]) -> None:
    if shape != expected:
        raise ValueError(f"{what} has shape {shape}, expected {expected} of its grid")


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """An image of one sensor.

    Attributes
    ----------
    values
        float32 ``[C, H, W]`` in the physical units of `sensor`; NaN where invalid.
    valid
        bool ``[H, W]``: every band was observed here.
    grid
        Where the pixels lie.
    sensor
        Which bands these are.
    """

    values: NDArray[np.float32]
    valid: NDArray[np.bool_]
    grid: GeoBox
    sensor: Sensor

    def __post_init__(self) -> None:
        if len(self.values) != len(self.sensor.bands):
            raise ValueError(
                f"{self.sensor.name} has bands {', '.join(self.sensor.names)}, "
                f"the image has {len(self.values)}"
            )
        shape = tuple(self.grid.shape)
        _check_shape("image", self.values.shape, (len(self.values), *shape))
        _check_shape("validity", self.valid.shape, shape)

    @classmethod
    def of(cls, values: NDArray[np.float32], grid: GeoBox, sensor: Sensor) -> Image:
        """Image of `values`, valid where every band is finite."""
        valid = np.asarray(np.isfinite(values).all(0), np.bool_)
        return cls(
            values=np.where(valid, values, np.float32(np.nan)),
            valid=valid,
            grid=grid,
            sensor=sensor,
        )

    @classmethod
    def unseen(cls, grid: GeoBox, sensor: Sensor) -> Image:
        """Image of which nothing was observed."""
        shape = len(sensor.bands), *grid.shape
        return cls.of(np.full(shape, np.nan, np.float32), grid, sensor)


@dataclass(frozen=True, slots=True, kw_only=True)
class Labels:
    """Classes of pixels, as positions in a legend.

    Attributes
    ----------
    values
        uint8 ``[H, W]``, index into ``legend.classes``; `UNKNOWN` where not known.
    grid
        Where the pixels lie.
    legend
        What the classes are.
    """

    values: NDArray[np.uint8]
    grid: GeoBox
    legend: Legend

    def __post_init__(self) -> None:
        _check_shape("labels", self.values.shape, tuple(self.grid.shape))

    @property
    def valid(self) -> NDArray[np.bool_]:
        """Bool ``[H, W]``: the class is known."""
        return np.asarray(self.values != UNKNOWN, np.bool_)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fractions:
    """Share of the area of every pixel that each class of a coarser map takes.

    Attributes
    ----------
    values
        float32 ``[K, H, W]``; sums to the known share of a pixel, at most 1.
    """

    values: NDArray[np.float32]
    grid: GeoBox
    legend: Legend

    def __post_init__(self) -> None:
        expected = (len(self.legend), *self.grid.shape)
        _check_shape("fractions", self.values.shape, expected)
