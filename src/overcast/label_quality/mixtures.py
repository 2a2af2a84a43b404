"""Classes that exist at 500 m only, and what their pixels are."""

from __future__ import annotations

from collections.abc import Mapping

from overcast.geo.legend import Legend

MIXTURES = {
    "Savanna": {"Forest": 0.35, "Shrubland": 0.3, "Grassland": 0.35},
    "Savannas": {"Forest": 0.2, "Shrubland": 0.3, "Grassland": 0.5},
    "Woody savannas": {"Forest": 0.6, "Shrubland": 0.2, "Grassland": 0.2},
}
"""Name of a mixture to the shares of classes in it."""


def mixtures_of(legend: Legend) -> dict[int, Mapping[int, float]]:
    """Positions of the mixtures of a legend to shares of positions.

    A mixture is one where the legend has all that it is made of.
    """
    position = {name: k for k, name in enumerate(legend.names)}
    return {
        position[name]: {position[part]: share for part, share in parts.items()}
        for name, parts in MIXTURES.items()
        if name in position and parts.keys() <= position.keys()
    }
