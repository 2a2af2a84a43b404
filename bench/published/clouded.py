"""Maps under cloud, scored over all, clear and cloudy pixels apart.

What a map is worth under cloud says little of what it is worth beside it, and their mean
nothing at all: it depends on the weather of the day.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np

from overcast.accuracy.confusion import Confusion
from overcast.geo.raster import UNKNOWN
from overcast.geo.stack import Stack
from overcast.geo.tiling import Tiling
from overcast.maps.predict import probabilities
from overcast.maps.predictor import Predictor

PARTS = ("all", "clear", "cloudy")
"""What is scored: all pixels, those without cloud, those under it."""


def assess(
    predictor: Predictor, stacks: Iterable[Stack], cloud: str, tiling: Tiling
) -> Mapping[str, Confusion]:
    """Confusions of all pixels of all stacks together, by `PARTS`.

    Parameters
    ----------
    predictor
        Reads its own images of a stack, and no targets.
    stacks
        What is mapped, with labels.
    cloud
        Image of a stack whose first band is above .5 under cloud. Pixels of which it
        says nothing are in `all` alone.
    tiling
        How a stack is cut.
    """
    classes = len(predictor.legend)
    total = {part: Confusion.none(classes) for part in PARTS}
    for stack in stacks:
        own = {name: stack.images[name] for name in predictor.sensors}
        seen = replace(stack, images=own, labels=None, targets=frozenset())
        for window, band in probabilities(predictor, seen, tiling):
            assert stack.labels is not None
            grid = stack.grid[window.slices]
            truth, mask = stack.labels.read(grid), stack.images[cloud].read(grid)
            mapped = np.where(band.sum(0) > 0, band.argmax(0), UNKNOWN)
            cloudy = mask.values[0] > 0.5
            parts = {
                "all": np.ones_like(cloudy),
                "clear": mask.valid & ~cloudy,
                "cloudy": mask.valid & cloudy,
            }
            for part, where in parts.items():
                known = np.where(where, truth.values, np.uint8(UNKNOWN))
                total[part] += Confusion.of(known, mapped.astype(np.uint8), classes)
    return total
