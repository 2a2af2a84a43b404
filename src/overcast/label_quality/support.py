"""How many cells of the labels say that a class is there: what it can be learned from.

In simulated scenes with 500 m labels, a class that fewer than 6 cells name rightly was
not found again, and one with more was. About half of the coarse labels are right, so a
class wants twice as many.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox

from overcast.accuracy.design import count_classes
from overcast.geo.legend import Legend
from overcast.geo.probabilities import SENSOR as PROBABILITIES
from overcast.geo.raster import UNKNOWN
from overcast.geo.stack import LabelSource, Stack, label_names
from overcast.geo.tiling import pieces
from overcast.geo.warp import pixel_of
from overcast.label_quality.mixtures import mixtures_of
from overcast.report.quicklook import look_at_classes, overview

ENOUGH = 12
_LONGEST_PX = 1000


def support(labels: LabelSource, grid: GeoBox) -> NDArray[np.int64]:
    """Label pixels ``[K]`` that a grid shows of every class.

    Where label pixels are large, not all pixels of a large grid are looked at; where
    they are small, all are, since a few of them may be all there is of a class.
    """
    seen = overview(grid, _LONGEST_PX)
    row, column = pixel_of(labels.grid, seen)
    across = int(np.ptp(row)) + 1, int(np.ptp(column)) + 1
    if max(across) > max(seen.shape):
        pixels = count_classes(labels, grid=grid)
        size = grid.shape[0] * grid.shape[1] / (across[0] * across[1])
        cells: NDArray[np.int64] = np.ceil(pixels / max(size, 1)).astype(np.int64)
        return cells
    classes = look_at_classes(labels, seen).values
    cell = row.astype(np.int64) * labels.grid.shape[1] + column
    known = classes != UNKNOWN
    pairs = np.unique(np.stack([classes[known].astype(np.int64), cell[known]]), axis=1)
    return np.bincount(pairs[0], minlength=len(labels.legend))


def remarks(stack: Stack, method: Mapping[str, Any] | None = None) -> list[str]:
    """Return which classes of the legend can hardly, or not at all, be learned of a stack.

    `method` is that of the plan: its ``name``, and whether it has a ``prior``.
    """
    if stack.labels is None:
        return []
    legend = stack.labels.legend
    every = (stack.labels, *stack.others)
    cells = np.sum([support(labels, stack.grid) for labels in every], axis=0)
    weak = method is None or method.get("name", "weak") == "weak"
    mixed = mixtures_of(legend) if weak else {}
    labelled = {k for k in mixed if cells[k]}
    parts = {part for k in labelled for part in mixed[k]}
    thin = [k for k, n in enumerate(cells) if 0 < n < ENOUGH]
    absent = [k for k, n in enumerate(cells) if n == 0]
    by_prior = weak and bool((method or {}).get("prior"))
    never = [k for k in absent if k in mixed or not (by_prior or k in parts)]
    shown = {
        f"too few label cells to learn a class reliably (fewer than {ENOUGH})": [
            f"{legend.names[k]} ({cells[k]})" for k in thin
        ],
        "nowhere in the labels, so nowhere in the map": _names(legend, never),
        "nowhere in the labels, and in the map only as a part of "
        + " and ".join(_names(legend, sorted(labelled))): _names(
            legend, [k for k in absent if k not in never and k in parts]
        ),
        "nowhere in the labels, and in the map only where the prior has them": _names(
            legend, [k for k in absent if k not in never and k not in parts]
        ),
    }
    return [f"{what}: {', '.join(names)}" for what, names in shown.items() if names]


def refuse_one_class(stacks: Sequence[Stack]) -> None:
    """Refuse labels of one class alone.

    Scenes with class probabilities know others as well, and are let pass.

    Raises
    ------
    ValueError
        If all stacks together have labels of one class, and nothing else that tells
        classes apart.
    """
    legend = next(s.labels.legend for s in stacks if s.labels is not None)
    if len(taught := taught_classes(stacks, min(len(legend), 2))) == 1:
        raise ValueError(
            f"{label_names(stacks)}: all labels are of one class, "
            f"{legend.names[taught[0]]}; one class teaches nothing: give labels of the "
            "other classes that are to be mapped"
        )


def taught_classes(stacks: Sequence[Stack], most: int) -> list[int]:
    """Positions of the classes that have labels, in order; `most` of them will do.

    Where a stack has class probabilities to learn from, those are all classes.
    """
    labelled: set[int] = set()
    for stack in stacks:
        if stack.labels is None:
            continue
        if any(stack.images[n].sensor.name == PROBABILITIES for n in stack.targets):
            return list(range(len(stack.labels.legend)))
        for spans in pieces(stack.grid):
            values = stack.labels.read(stack.grid[spans]).values
            counts = np.bincount(values.ravel(), minlength=UNKNOWN + 1)
            labelled |= set(np.flatnonzero(counts[:UNKNOWN]).tolist())
            if len(labelled) >= most:
                break
    return sorted(labelled)


def _names(legend: Legend, positions: Sequence[int]) -> list[str]:
    return [legend.names[k] for k in positions]
