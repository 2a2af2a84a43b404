"""Count agreement between a map and a reference; every score is a function of counts.

Conventions, since the field has several: producer's accuracy is recall, user's accuracy
is precision; average accuracy and mean IoU are means over the classes that occur in the
reference. `mean_iou_all_classes` also counts classes that don't (as 0), as some papers
do (Chen and Bruzzone 2022); it is there to compare with them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox

from overcast.geo.legend import Legend, has_crosswalk, load_crosswalk, normal_name
from overcast.geo.raster import UNKNOWN
from overcast.geo.stack import LabelSource
from overcast.progress import Progress, quiet

Counts = NDArray[np.int64]
Shares = NDArray[np.float64]

_BLOCK = 1024


@dataclass(frozen=True, slots=True)
class Confusion:
    """Pixel counts; adds up over windows, scenes and processes.

    Attributes
    ----------
    counts
        int64 ``[K, K]``, rows reference, columns map.
    unmapped
        int64 ``[K]``, reference pixels that the map leaves without a class. They are
        in no score, and are stated beside them.
    """

    counts: Counts
    unmapped: Counts

    @classmethod
    def of(
        cls, reference: NDArray[np.uint8], mapped: NDArray[np.uint8], classes: int
    ) -> Confusion:
        """Count class indices of one shape; pixels unknown in the reference don't."""
        if reference.shape != mapped.shape:
            raise ValueError(
                f"reference is {reference.shape}, map is {mapped.shape}; put both on "
                "one grid"
            )
        for name, values in (("reference", reference), ("map", mapped)):
            stray = values[(values >= classes) & (values != UNKNOWN)]
            if stray.size:
                raise ValueError(
                    f"{name} has class index {stray[0]}, expected below {classes}"
                )
        known = reference != UNKNOWN
        both = known & (mapped != UNKNOWN)
        index = reference[both].astype(np.int64) * classes + mapped[both]
        counts = np.bincount(index, minlength=classes**2).reshape(classes, classes)
        left = np.bincount(reference[known & ~both], minlength=classes)
        return cls(counts.astype(np.int64), left.astype(np.int64))

    @classmethod
    def none(cls, classes: int) -> Confusion:
        """Nothing counted yet."""
        return cls(np.zeros((classes,) * 2, np.int64), np.zeros(classes, np.int64))

    def __add__(self, other: Confusion) -> Confusion:
        return Confusion(self.counts + other.counts, self.unmapped + other.unmapped)

    @property
    def support(self) -> Counts:
        """Reference pixels of every class."""
        return np.asarray(self.counts.sum(1), np.int64)

    @property
    def mapped(self) -> Counts:
        """Mapped pixels of every class."""
        return np.asarray(self.counts.sum(0), np.int64)

    @property
    def hits(self) -> Counts:
        """Pixels of every class on which map and reference agree."""
        return np.diag(self.counts).astype(np.int64)

    @property
    def producers_accuracy(self) -> Shares:
        """Share of a class's reference pixels that the map has so; NaN if none."""
        return _ratio(self.hits, self.support)

    @property
    def users_accuracy(self) -> Shares:
        """Share of a class's mapped pixels that are so; NaN if none."""
        return _ratio(self.hits, self.mapped)

    @property
    def iou(self) -> Shares:
        """Intersection over union of every class; NaN where it never occurs."""
        return _ratio(self.hits, self.support + self.mapped - self.hits)

    @property
    def f1(self) -> Shares:
        """Harmonic mean of user's and producer's accuracy; NaN where neither is."""
        return _ratio(2 * self.hits, self.support + self.mapped)

    @property
    def overall_accuracy(self) -> float:
        """Share of pixels on which map and reference agree."""
        return float(_ratio(self.hits.sum(), self.counts.sum()))

    @property
    def average_accuracy(self) -> float:
        """Mean producer's accuracy over the classes in the reference."""
        return _mean(self.producers_accuracy[self.support > 0])

    @property
    def mean_iou(self) -> float:
        """Mean IoU over the classes in the reference."""
        return _mean(self.iou[self.support > 0])

    @property
    def mean_iou_all_classes(self) -> float:
        """Mean IoU over the whole legend, classes that never occur counting as 0."""
        return _mean(np.nan_to_num(self.iou)) if self.counts.any() else float("nan")

    @property
    def kappa(self) -> float:
        """Cohen's kappa: agreement beyond what the class shares alone would give."""
        shares = (_ratio(n, self.counts.sum()) for n in (self.support, self.mapped))
        chance = float(np.prod(list(shares), 0).sum())
        return (
            float("nan")
            if chance == 1
            else (self.overall_accuracy - chance) / (1 - chance)
        )


def _ratio(part: Any, whole: Any) -> Shares:
    above, below = np.asarray(part, np.float64), np.asarray(whole, np.float64)
    safe = np.where(below > 0, below, 1)
    return np.asarray(np.where(below > 0, above / safe, np.nan), np.float64)


def _mean(values: Shares) -> float:
    return float(values.mean()) if values.size else float("nan")


def scores(confusion: Confusion, legend: Legend) -> dict[str, Any]:
    """Every score as plain values for JSON; what is undefined is None."""
    columns = {
        "support": confusion.support,
        "mapped": confusion.mapped,
        "producers_accuracy": confusion.producers_accuracy,
        "users_accuracy": confusion.users_accuracy,
        "iou": confusion.iou,
        "f1": confusion.f1,
    }
    per_class = {
        c.name: {"code": c.code, **{n: plain(v[k]) for n, v in columns.items()}}
        for k, c in enumerate(legend.classes)
    }
    present = confusion.support > 0
    return {
        "average_accuracy": plain(confusion.average_accuracy),
        "mean_iou": plain(confusion.mean_iou),
        "overall_accuracy": plain(confusion.overall_accuracy),
        "kappa": plain(confusion.kappa),
        "mean_iou_all_classes": plain(confusion.mean_iou_all_classes),
        "pixels": int(confusion.counts.sum()),
        "unmapped_pixels": int(confusion.unmapped.sum()),
        "classes_present": [n for n, p in zip(legend.names, present, strict=True) if p],
        "per_class": per_class,
        "confusion": confusion.counts.tolist(),
    }


def plain(value: Any) -> float | int | None:
    """Return a number as JSON has it: rounded to six decimals, None where undefined."""
    number = value.item() if isinstance(value, np.generic) else value
    if isinstance(number, float):
        return None if np.isnan(number) else round(number, 6)
    return int(number)


def compare(
    mapped: LabelSource,
    reference: LabelSource,
    grid: GeoBox | None = None,
    progress: Progress = quiet,
) -> Confusion:
    """Confusion of two label sources on `grid` (the map's own), window by window.

    Raises
    ------
    ValueError
        If their legends differ and there is no crosswalk, or nowhere both are known.
    """
    total = Confusion.none(len(mapped.legend))
    for block in compare_blocks(mapped, reference, _BLOCK, grid, progress):
        total += block
    if total.counts.sum() == 0:
        raise ValueError("map and reference have no pixel in common; do they overlap?")
    return total


def compare_blocks(
    mapped: LabelSource,
    reference: LabelSource,
    side: int,
    grid: GeoBox | None = None,
    progress: Progress = quiet,
) -> Iterator[Confusion]:
    """Confusion of every square block of `side` pixels, in reading order.

    Raises
    ------
    ValueError
        If their legends differ and there is no crosswalk.
    """
    to_map = translation(reference.legend, mapped.legend)
    grid = mapped.grid if grid is None else grid
    # Several small blocks are read at once: reading has a price of its own.
    windows = list(_blocks(grid, side * max(_BLOCK // side, 1)))
    for done, window in enumerate(windows, 1):
        mapped_codes = mapped.read(grid[window]).values
        truth = to_map(reference.read(grid[window]).values)
        for block in _blocks(grid[window], side):
            yield Confusion.of(truth[block], mapped_codes[block], len(mapped.legend))
        progress("scoring", done, len(windows))


def translation(
    source: Legend, target: Legend
) -> Callable[[NDArray[np.uint8]], NDArray[np.uint8]]:
    """Return how class positions of a legend become those of another.

    Legends are the same if their codes and names agree. Else a crosswalk translates, or
    names do, where the other legend has all of them.

    Raises
    ------
    ValueError
        If they are not the same, there is no crosswalk, and a name is in one alone.
    """
    if source.same_as(target):
        return lambda indices: indices
    if has_crosswalk(source, target):
        return load_crosswalk(source, target).indices
    position = {normal_name(name): k for k, name in enumerate(target.names)}
    table = np.full(256, UNKNOWN, np.uint8)
    for k, name in enumerate(source.names):
        if normal_name(name) not in position:
            raise ValueError(_apart(source, target, name))
        table[k] = position[normal_name(name)]
    return lambda indices: table[indices]


def _apart(source: Legend, target: Legend, name: str) -> str:
    """Say that two legends can't be compared; `name` is in the first alone."""
    code = source.codes[source.names.index(name)]
    other = dict(zip(target.codes, target.names, strict=True)).get(code)
    also = "" if other is None else f", and {code} is {other} in the other"
    return (
        f"legends {source.name} and {target.name} are not the same: {name} ({code}) is in "
        f"one alone{also}. There is no crosswalk between them: give the legend that the "
        "reference has (--reference-legend), with the names of the map's legend, or "
        "leave the option out if it is the map's"
    )


def _blocks(grid: GeoBox, side: int) -> Iterator[tuple[slice, slice]]:
    height, width = grid.shape
    for y in range(0, height, side):
        for x in range(0, width, side):
            yield slice(y, min(y + side, height)), slice(x, min(x + side, width))
