"""What the labels of a split say: figures 2 and 3 of Schmitt 2020.

Counts are of pixels whose class is known. Transitions are counted where both labels
are known: ``counts[i, j]`` pixels are class i of the coarse map and class j of the
fine one, so that row i over its sum estimates P(fine = j | coarse = i).

Schmitt, Prexl, Ebel, Liebel, Zhu: Weakly supervised semantic segmentation of satellite
images for land cover mapping, 2020.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from overcast.datasets.dataset import Patch
from overcast.geo.legend import Legend
from overcast.geo.raster import UNKNOWN
from overcast.progress import Progress, quiet

Counts = NDArray[np.int64]
Shares = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ClassCounts:
    """Which classes a split has, and how many of them a patch has (figure 2).

    Attributes
    ----------
    pixels
        int64 ``[K]``, pixels of every class.
    unknown
        Pixels of no known class; in no share.
    patches_with
        int64 ``[K + 1]``, patches in which so many classes occur.
    """

    legend: Legend
    pixels: Counts
    unknown: int
    patches_with: Counts

    @property
    def shares(self) -> Shares:
        """Share of the known pixels that each class takes ``[K]``; NaN if none is."""
        return _shares(self.pixels)


@dataclass(frozen=True, slots=True)
class Transitions:
    """Which classes of the fine map pixels of a coarse class have (figure 3).

    Attributes
    ----------
    counts
        int64 ``[K, K]``, rows coarse, columns fine.
    """

    legend: Legend
    counts: Counts

    @property
    def matrix(self) -> Shares:
        """P(fine | coarse) ``[K, K]``; NaN in rows of classes the coarse map lacks."""
        return _shares(self.counts)

    @property
    def producers_accuracy(self) -> Shares:
        """Share of a fine class that the coarse map has so ``[K]``; NaN if none."""
        return np.asarray(np.diag(_shares(self.counts.T)), np.float64)


def _shares(counts: Counts) -> Shares:
    total = counts.sum(-1, keepdims=True)
    shares = counts / np.where(total > 0, total, 1)
    return np.asarray(np.where(total > 0, shares, np.nan), np.float64)


def count_classes(
    patches: Sequence[Patch], labels: str, progress: Progress = quiet
) -> ClassCounts:
    """Count the classes of a split by one of its labels (``coarse`` or ``fine``).

    Raises
    ------
    ValueError
        If there are no patches, or they have no such labels.
    """
    legend = _legend_of(patches, labels)
    pixels, unknown = np.zeros(len(legend), np.int64), 0
    patches_with = np.zeros(len(legend) + 1, np.int64)
    for done, patch in enumerate(patches, 1):
        source = patch.labels(labels)
        counts = np.bincount(source.read(source.grid).values.ravel(), minlength=256)
        known = counts[: len(legend)]
        pixels += known
        unknown += int(counts[UNKNOWN])
        patches_with[np.count_nonzero(known)] += 1
        progress("counting classes", done, len(patches))
    return ClassCounts(legend, pixels, unknown, patches_with)


def count_transitions(
    patches: Sequence[Patch],
    coarse: str = "coarse",
    fine: str = "fine",
    progress: Progress = quiet,
) -> Transitions:
    """Count pairs of classes of two labels over a split, on the grid of the fine ones.

    Raises
    ------
    ValueError
        If there are no patches, or they lack one of the labels.
    """
    legend = _legend_of(patches, fine)
    k = len(legend)
    total = np.zeros(k * k, np.int64)
    for done, patch in enumerate(patches, 1):
        reference = patch.labels(fine)
        there = reference.read(reference.grid).values.astype(np.int64)
        here = patch.labels(coarse).read(reference.grid).values
        both = (there != UNKNOWN) & (here != UNKNOWN)
        total += np.bincount(here[both] * k + there[both], minlength=k * k)
        progress("counting transitions", done, len(patches))
    return Transitions(legend, total.reshape(k, k))


def _legend_of(patches: Sequence[Patch], labels: str) -> Legend:
    if not patches:
        raise ValueError("no patches to count; give a split that has some")
    return patches[0].labels(labels).legend
