"""Arrays, sensors and legends that Python hands over, by the names in a plan.

A plan names all that is read. What lies in no file has a path such as ``ARRAY:s2``; the
array itself is in an `InMemory` that goes along.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from odc.geo.geobox import GeoBox

from overcast.geo.bands import Sensor
from overcast.geo.dataset import read_grid
from overcast.geo.legend import Legend, load_legend
from overcast.geo.location import ARRAY, Location

if TYPE_CHECKING:  # importing it takes long, and files need none of it
    import xarray


@dataclass(frozen=True, slots=True)
class InMemory:
    """The parts of a plan that are in no file.

    Attributes
    ----------
    arrays
        Path, as the plan has it, to array.
    sensors
        Name of a sensor to the sensor.
    legends
        Name of a legend to the legend.
    grids
        Path, as the plan has it, to grid.
    """

    arrays: Mapping[str, xarray.DataArray] = field(default_factory=dict)
    sensors: Mapping[str, Sensor] = field(default_factory=dict)
    legends: Mapping[str, Legend] = field(default_factory=dict)
    grids: Mapping[str, GeoBox] = field(default_factory=dict)

    def legend(self, name: str) -> Legend:
        """Return the legend of a name, from here or as `load_legend` finds it."""
        return self.legends[name] if name in self.legends else load_legend(name)

    def grid(self, path: str) -> GeoBox:
        """Return the grid of a path, from here or of the file."""
        return self.grids[path] if path in self.grids else read_grid(Location.of(path))

    def __or__(self, other: InMemory) -> InMemory:
        """Return both together."""
        return InMemory(
            {**self.arrays, **other.arrays},
            {**self.sensors, **other.sensors},
            {**self.legends, **other.legends},
            {**self.grids, **other.grids},
        )


def path_of(name: str) -> str:
    """Return the path that a plan has for an array."""
    return f"{ARRAY}{name}"
