"""What the labels of a split say, before anything is learned.

Only pixels whose class is known count.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from overcast.accuracy.confusion import Confusion
from overcast.datasets.dataset import Patch
from overcast.geo.raster import UNKNOWN
from overcast.progress import Progress, quiet

Counts = NDArray[np.int64]
Shares = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ClassCounts:
    """Which classes a split has, and how many of them a patch has.

    Attributes
    ----------
    pixels
        int64 ``[K]``, pixels of every class.
    unknown
        Pixels of no known class; in no share.
    patches_with
        int64 ``[K + 1]``, patches in which so many classes occur.
    """

    pixels: Counts
    unknown: int
    patches_with: Counts

    @property
    def shares(self) -> Shares:
        """Share of the known pixels that each class takes ``[K]``; NaN if none is."""
        return row_shares(self.pixels)


def row_shares(counts: Counts) -> Shares:
    """Counts over the sum of their last axis; NaN where that is 0.

    Examples
    --------
    >>> row_shares(np.array([[1, 3], [0, 0]])).tolist()
    [[0.25, 0.75], [nan, nan]]
    """
    total = counts.sum(-1, keepdims=True)
    shares = counts / np.where(total > 0, total, 1)
    return np.asarray(np.where(total > 0, shares, np.nan), np.float64)


def count_classes(
    patches: Sequence[Patch], labels: str, progress: Progress = quiet
) -> ClassCounts:
    """Count the classes of patches by one of their labels (``coarse`` or ``fine``).

    Raises
    ------
    ValueError
        If there are no patches, or they have no such labels.
    """
    classes = _classes(patches, labels)
    pixels, unknown = np.zeros(classes, np.int64), 0
    patches_with = np.zeros(classes + 1, np.int64)
    for done, patch in enumerate(patches, 1):
        source = patch.labels(labels)
        counts = np.bincount(source.read(source.grid).values.ravel(), minlength=256)
        known = counts[:classes]
        pixels += known
        unknown += int(counts[UNKNOWN])
        patches_with[np.count_nonzero(known)] += 1
        progress("counting classes", done, len(patches))
    return ClassCounts(pixels, unknown, patches_with)


def compare_labels(
    patches: Sequence[Patch], mapped: str, reference: str, progress: Progress = quiet
) -> Confusion:
    """Confusion of two labels of the same patches, on the grid of the reference.

    Raises
    ------
    ValueError
        If there are no patches, or they lack one of the labels.
    """
    classes = _classes(patches, reference)
    total = Confusion.none(classes)
    for done, patch in enumerate(patches, 1):
        truth = patch.labels(reference)
        there = patch.labels(mapped).read(truth.grid).values
        total += Confusion.of(truth.read(truth.grid).values, there, classes)
        progress("comparing labels", done, len(patches))
    return total


def _classes(patches: Sequence[Patch], labels: str) -> int:
    if not patches:
        raise ValueError("no patches to count; give a split that has some")
    return len(patches[0].labels(labels).legend)
