"""The images that a map was made of, as what change is judged by."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox

from overcast.geo.raster import Image
from overcast.geo.stack import ImageSource, Stack
from overcast.inputs import open_inputs
from overcast.methods.boxes import Boxes
from overcast.plan import read_plan
from overcast.run_folder import plan_of_map

Floats = NDArray[np.float32]

_RADIUS = {"optical": 1, "sar": 2}
"""Means over 3 x 3 and 5 x 5 pixels: of noise, and of speckle."""
_MARGIN = max(_RADIUS.values())


@dataclass(frozen=True, slots=True)
class DatedImages:
    """Images that the map of one date was made from, and a fingerprint of the files."""

    stack: Stack
    fingerprint: str

    @property
    def shown(self) -> ImageSource:
        """The image for pictures: the optical one, where there is one."""
        images = self.stack.images
        return images.get("s2") or next(iter(images.values()))

    def read(self, grid: GeoBox) -> Floats:
        """Bands ``[N, C]`` of the pixels of a grid, averaged a little.

        They are NaN where any image of the date was not seen.
        """
        wide = grid.pad(_MARGIN)
        names = self.stack.images.keys() - self.stack.targets
        images = [self.stack.images[name].read(wide) for name in sorted(names)]
        return _stacked(images)


def _stacked(images: Iterable[Image]) -> Floats:
    parts = []
    for image in images:
        boxes = Boxes(image.valid, _RADIUS[image.sensor.kind])
        for band in image.values:
            mean = boxes.mean(boxes.known(band.astype(np.float32)))
            mean[~image.valid] = np.nan
            parts.append(mean[_MARGIN:-_MARGIN, _MARGIN:-_MARGIN].ravel())
    return np.stack(parts, 1)


def open_images_of(mapped: Path) -> DatedImages | None:
    """Images that a map was made from, if its files are where they were."""
    plan = plan_of_map(mapped.parent)
    if plan is None:
        return None
    try:
        data = replace(read_plan(plan).data, labels=None)
        inputs = open_inputs(data)
    except (ValueError, OSError):
        return None  # the maps alone are judged then, and a note says so
    return DatedImages(inputs.stack, inputs.fingerprint)
