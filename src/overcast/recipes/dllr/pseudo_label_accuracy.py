"""How right pseudo-labels are: overall, near edges and by class, as gauges.

The truth of unlabelled images is known in simulations and benches alone. It comes as a
target image of class numbers: `split_truth` takes it out of a batch before anything
else is done with it, and nothing but `accuracy_gauges`, without gradient, reads it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch
import torch.nn.functional as F
from odc.geo.geobox import GeoBox
from torch import Tensor

from overcast.geo.bands import Band, Sensor
from overcast.geo.derived import Derived
from overcast.geo.raster import UNKNOWN, Image
from overcast.geo.stack import LabelSource, Stack
from overcast.train.batch import IGNORE, Batch
from overcast.train.losses import masked_mean

CLASS_NUMBERS = Sensor(
    "class numbers", "optical", (Band("class", "index", 0.0, float(IGNORE)),)
)
"""Sensor of an image that holds the number of the true class of every pixel."""
EDGE = 3
"""Pixels, in rows and columns, from another class within which an edge is near."""


@dataclass(frozen=True, slots=True)
class _Numbers(Derived[LabelSource]):
    """Labels as an `ImageSource` of class numbers."""

    sensor: Sensor = CLASS_NUMBERS

    def read(self, grid: GeoBox) -> Image:
        classes = self.source.read(grid).values
        known = np.where(classes == UNKNOWN, np.nan, classes).astype(np.float32)
        return Image.of(known[None], grid, CLASS_NUMBERS)


def with_truth(stack: Stack, truth: LabelSource, name: str) -> Stack:
    """The stack with the true classes of its pixels as target image `name`."""
    images = {**stack.images, name: _Numbers(truth)}
    return replace(stack, images=images, targets=stack.targets | {name})


def split_truth(batch: Batch, name: str) -> tuple[Batch, Tensor | None]:
    """The batch without target `name`, and the classes int64 ``[B, H, W]`` it holds.

    The truth is None if `name` is empty.

    Raises
    ------
    ValueError
        If the batch has no such image, or one of several bands.
    """
    if not name:
        return batch, None
    if name not in batch.images or batch.images[name].shape[1] != 1:
        raise ValueError(
            f"truth {name!r} must be an image of one band; there are "
            f"{', '.join(f'{n} of {i.shape[1]}' for n, i in batch.images.items())}"
        )
    classes = (batch.images[name][:, 0].nan_to_num() * IGNORE).round().long()
    truth = torch.where(batch.valid[name], classes, IGNORE)
    return batch.only(batch.images.keys() - {name}), truth


@torch.no_grad()
def accuracy_gauges(
    named: Mapping[str, Tensor], truth: Tensor, classes: int
) -> dict[str, Tensor]:
    """Accuracy of several sets of labels on the pixels that all of them label.

    Parameters
    ----------
    named
        Name (``before``, ``after``) to labels, int64 ``[B, H, W]``.
    truth
        int64 ``[B, H, W]``, `IGNORE` where unknown.
    classes
        Number of classes.

    Returns
    -------
    dict
        ``right NAME``, ``right NAME edge`` (within `EDGE` pixels of another true class)
        and ``right NAME of K`` for every class, each with its share of the pixels,
        ``pixels edge`` and ``pixels of K``: without pixels, an accuracy of 0 says
        nothing.
    """
    known = truth != IGNORE
    for labels in named.values():
        known = known & (labels != IGNORE)
    groups = {"": known, " edge": known & near_edges(truth)}
    groups |= {f" of {k}": known & (truth == k) for k in range(classes)}
    gauges = {}
    for group, where in groups.items():
        if group:
            gauges[f"pixels{group}"] = masked_mean(where.float(), known)
        for name, labels in named.items():
            right = (labels == truth).float()
            gauges[f"right {name}{group}"] = masked_mean(right, where)
    return gauges


def near_edges(truth: Tensor, distance: int = EDGE) -> Tensor:
    """Known pixels with another known class within `distance`: bool ``[B, H, W]``.

    Distances are the larger one of rows and columns.
    """
    known = truth != IGNORE
    side = 2 * distance + 1
    # Unknown pixels are neither the highest nor the lowest class around.
    high, low = (
        F.max_pool2d(
            torch.where(known, sign * truth, -IGNORE).float(), side, 1, distance
        )
        for sign in (1, -1)
    )
    return known & (high != -low)
