"""Whether what the image shows contradicts what labels are called."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from overcast.geo.meanings import meanings
from overcast.geo.raster import UNKNOWN
from overcast.geo.stack import ImageSource, Stack

_ACROSS, _SIDE = 4, 128
"""Windows along a scene that are looked at, and pixels along the side of one."""
_ENOUGH = 100
"""Labelled pixels from which the median of a class is believed."""
_BRIGHT = -0.2
"""NDWI (McFeeters 1996) that no water has."""
_WETTEST = 90
"""Percent: rivers are narrow, and a product's water is often a bank, but not all of it."""
_BANDS = (("B03", "B04", "B08"), ("green", "red", "nir"))
Floats = NDArray[np.float64]


def contradictions(stack: Stack) -> list[str]:
    """Say where labels of water are bright in the near infrared, or trees are not green.

    Looks at some windows of the first image with green, red and near infrared.
    """
    if stack.labels is None or (seen := _spectral(stack)) is None:
        return []
    source, bands = seen
    labels, values = _pixels(stack, source, bands)
    legend = stack.labels.legend
    kinds = [meanings(name) for name in legend.names]
    with np.errstate(divide="ignore", invalid="ignore"):
        green, red, nir = values
        ndwi, ndvi = (green - nir) / (green + nir), (nir - red) / (nir + red)
    wet = _of_each(labels, ndwi, len(legend), _WETTEST)
    lush = _of_each(labels, ndvi, len(legend), 50)
    notes = [
        f"labels called {legend.names[k]} are bright in the near infrared (NDWI of at most "
        f"{wet[k]:.2f} in 90 % of them), which water is not; is --legend right?"
        for k, kind in enumerate(kinds)
        if kind == {"water"} and wet[k] < _BRIGHT
    ]
    trees = [k for k, kind in enumerate(kinds) if kind == {"trees"}]
    bare = [k for k, kind in enumerate(kinds) if kind and kind <= {"bare", "built"}]
    for k in trees:
        greener = [other for other in bare if lush[k] < lush[other]]
        if greener:
            names = " and ".join(legend.names[other] for other in greener)
            notes.append(
                f"labels called {legend.names[k]} are less green than those called "
                f"{names} (median NDVI {lush[k]:.2f} and {lush[greener[0]]:.2f}); is "
                "--legend right?"
            )
    return notes


def _spectral(stack: Stack) -> tuple[ImageSource, tuple[int, ...]] | None:
    """The first image that has green, red and near infrared, and where it has them."""
    for name, source in stack.images.items():
        names = source.sensor.names
        for bands in _BANDS:
            if name not in stack.targets and set(bands) <= set(names):
                return source, tuple(names.index(band) for band in bands)
    return None


def _pixels(
    stack: Stack, source: ImageSource, bands: tuple[int, ...]
) -> tuple[NDArray[np.uint8], Floats]:
    """Class positions ``[N]`` and values ``[3, N]`` of labelled pixels that were seen."""
    assert stack.labels is not None
    classes, values = [np.empty(0, np.uint8)], [np.empty((len(bands), 0))]
    for rows in _spans(stack.shape[0]):
        for columns in _spans(stack.shape[1]):
            grid = stack.grid[rows, columns]
            labels = stack.labels.read(grid).values
            if (labels == UNKNOWN).all():
                continue
            image = source.read(grid)
            here = (labels != UNKNOWN) & image.valid
            classes.append(labels[here])
            values.append(image.values[list(bands)][:, here].astype(np.float64))
    return np.concatenate(classes), np.concatenate(values, 1)


def _spans(length: int) -> list[slice]:
    """Evenly spaced pieces of an axis."""
    last = max(length - _SIDE, 0)
    starts = np.unique(np.linspace(0, last, _ACROSS).astype(int)).tolist()
    if length <= _ACROSS * _SIDE:
        starts = list(range(0, length, _SIDE))
    return [slice(start, min(start + _SIDE, length)) for start in starts]


def _of_each(
    labels: NDArray[np.uint8], index: Floats, classes: int, percent: float
) -> Floats:
    """Percentile of an index for every class; NaN where few pixels have it."""
    medians = np.full(classes, np.nan)
    for k in range(classes):
        own = index[(labels == k) & np.isfinite(index)]
        if len(own) >= _ENOUGH:
            medians[k] = np.percentile(own, percent)
    return medians
