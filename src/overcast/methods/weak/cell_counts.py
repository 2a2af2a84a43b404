"""What label cells hold: pixels of every cluster, counted window by window.

Cells are those of `overcast.geo.label_cells`. They don't count alike:

- One at the border of the scene is known in part, and counts in part.
- With r the share of a label among all, a cell so labelled weighs r^(-balance).
- Labels with a minimum mapping unit were drawn as polygons, which are right or wrong as
  a whole: the cells of one have the weight of a single cell together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from overcast.geo.label_cells import CellNumbers, labels_of
from overcast.geo.legend import Legend
from overcast.geo.raster import UNKNOWN
from overcast.geo.stack import Chip, Stack, agree, label_names
from overcast.geo.tiling import Window
from overcast.methods.features import halo_of
from overcast.methods.over import Chosen, Piece, batches
from overcast.methods.sampling import has_labels, whole_windows
from overcast.methods.weak.proportions import Cells
from overcast.progress import Progress

Floats = NDArray[np.float64]
_MOST_WINDOWS = 400
"""Of large stacks only so many windows are counted: 26 million pixels are plenty."""
_MOST_CELLS = 12_000
_BATCH = 8
"""Windows that are counted as one task."""


@dataclass(frozen=True, slots=True)
class Counting:
    """How to count.

    Attributes
    ----------
    clusters
        Cluster of every pixel of a chip ``[h * w]``, for every clustering; below 0 in
        all of them for a pixel that doesn't count.
    widths
        Number of clusters of every clustering.
    least
        Pixels along the side of a cell, at least: finer labels are taken together.
    balance
        0 counts all cells alike, 1 gives every label as much weight in all.
    prior
        Name of a target image of class probabilities, or empty.
    seed
        Of the choice of windows and cells in large stacks.
    """

    clusters: Callable[[Chip], list[NDArray[np.intp]]]
    widths: Sequence[int]
    least: int
    balance: float
    prior: str
    seed: int


def count_cells(
    stacks: Sequence[Stack],
    counting: Counting,
    progress: Progress,
    over: Chosen | None = None,
) -> list[Cells]:
    """Cells of every clustering; stacks without labels are passed over.

    Windows that were chosen, if `over` has some, are counted each by itself, and cells
    weigh as classes are distributed in all of the ground.

    Raises
    ------
    ValueError
        If no stack has labels, none is known, or one lacks the prior.
    """
    labelled = [stack for stack in stacks if stack.labels is not None]
    legend = labels_of(agree(labelled)).legend
    tally = Tally(legend, CellNumbers(labelled, counting.least), counting)
    if over is None:
        for index, chip, inside, done in _chips(labelled, counting):
            tally.add(index, chip, inside)
            progress("counting", *done)
        return tally.cells(label_names(labelled))
    pieces = list(over.pieces(labelled, halo_of(labelled[0].sensors)))
    for part in over.each(tally.counted, batches(pieces, _BATCH), "counting"):
        tally.merge(part)
    return tally.cells(label_names(labelled), over.totals)


@dataclass(frozen=True, slots=True)
class _Pairs:
    """The pairs of cell and column that occur, and their pixel counts.

    `pair` is cell times width plus column.
    """

    pair: NDArray[np.int64]
    often: NDArray[np.int64]

    @classmethod
    def of(cls, parts: Sequence[_Pairs]) -> _Pairs:
        """Return the counts of several windows."""
        return cls(
            np.concatenate([p.pair for p in parts]),
            np.concatenate([p.often for p in parts]),
        )

    def table(self, numbers: NDArray[np.int64], width: int) -> csr_matrix:
        """Counts ``[J, width]`` of the cells with these numbers, in their order."""
        cell, column = np.divmod(self.pair, width)
        row = np.minimum(np.searchsorted(numbers, cell), len(numbers) - 1)
        mine = numbers[row] == cell
        values = self.often[mine].astype(np.float64)
        return csr_matrix((values, (row[mine], column[mine])), (len(numbers), width))


class Tally:
    """Counts so far: sums over windows, which may be made apart and merged.

    Counts are whole numbers, so their order does not matter. Sums of a prior are not,
    and are merged in the order of the windows.
    """

    def __init__(self, legend: Legend, places: CellNumbers, counting: Counting) -> None:
        self.legend, self.places, self.counting = legend, places, counting
        self.widths = [*counting.widths, len(legend)]
        self.pairs: list[list[_Pairs]] = [[] for _ in self.widths]
        self.before = [np.zeros((w, len(self.legend))) for w in counting.widths]

    def counted(self, pieces: Sequence[Piece]) -> Tally:
        """Counts of some windows alone, whatever was counted here before."""
        own = Tally(self.legend, self.places, self.counting)
        for piece in pieces:
            own.add(piece.index, piece.stack.read(piece.wide), piece.inside)
        return own

    def merge(self, other: Tally) -> None:
        """Add what was counted elsewhere, of other windows."""
        for mine, more in zip(self.pairs, other.pairs, strict=True):
            mine.extend(more)
        pairs = zip(self.before, other.before, strict=True)
        self.before = [before + more for before, more in pairs]

    def add(self, index: int, chip: Chip, inside: tuple[slice, slice]) -> None:
        """Count the inner part of a chip of stack `index`."""
        assert chip.labels is not None
        labels = chip.labels.values[inside].ravel()
        shape = chip.labels.values.shape
        images = chip.images.values()
        seen = np.logical_or.reduce([image.valid for image in images])[inside].ravel()
        columns = [
            c.reshape(shape)[inside].ravel() for c in self.counting.clusters(chip)
        ]
        if self.counting.prior:
            self._add_prior(chip, inside, columns, seen)
        cell = self.places.of(index, chip.grid)[inside].ravel()
        known = seen & (labels != UNKNOWN) & (cell >= 0) & (columns[0] >= 0)
        columns.append(labels.astype(np.intp))
        for pairs, column, width in zip(self.pairs, columns, self.widths, strict=True):
            pair = cell[known] * width + column[known]
            pairs.append(_Pairs(*np.unique(pair, return_counts=True)))

    def _add_prior(
        self,
        chip: Chip,
        inside: tuple[slice, slice],
        columns: list[NDArray[np.intp]],
        seen: NDArray[np.bool_],
    ) -> None:
        image = chip.images.get(self.counting.prior)
        names = None if image is None else image.sensor.names
        if image is None or names != self.legend.names:
            raise ValueError(
                f"prior {self.counting.prior!r} must be an image with a band for each of "
                f"{', '.join(self.legend.names)}; got {', '.join(names or ('none',))}"
            )
        values = image.values[(slice(None), *inside)].reshape(len(self.legend), -1)
        known = seen & image.valid[inside].ravel() & (columns[0] >= 0)
        for before, column in zip(self.before, columns, strict=False):
            for c, value in enumerate(values):
                before[:, c] += np.bincount(column[known], value[known], len(before))

    def cells(self, names: str, totals: Floats | None = None) -> list[Cells]:
        """All that was counted.

        `totals` are label pixels of every class in all of the ground ``[K]``. With it,
        every class gives about as many cells, and each class has the weight that it has
        there (poststratification; Cochran, Sampling Techniques, 1977, ch. 5A.9).
        """
        if not all(any(len(part.pair) for part in parts) for parts in self.pairs):
            raise ValueError(f"{names}: no pixel of the grid has a known label")
        pairs = [_Pairs.of(parts) for parts in self.pairs]
        numbers = self._chosen(pairs[-1], evenly=totals is not None)
        tables = [
            pair.table(numbers, width)
            for pair, width in zip(pairs, self.widths, strict=True)
        ]
        called = np.asarray(tables[-1].toarray())
        pixels = called.sum(1)
        labels = called / pixels[:, None]
        weight = np.minimum(pixels / np.median(pixels), 1.0) / self.places.size(numbers)
        if totals is not None:
            weight *= _poststratified(weight @ labels, totals)[called.argmax(1)]
        decisions = float(weight.sum())
        share = weight @ labels / weight.sum()
        weight *= labels @ np.maximum(share, 1e-9) ** -self.counting.balance
        weight /= weight.mean()
        counted = [
            Cells(
                csr_matrix(table.multiply(1 / pixels[:, None])),
                labels,
                weight,
                decisions=decisions,
            )
            for table in tables[:-1]
        ]
        if not self.counting.prior:
            return counted
        return [
            replace(
                cells, before=before / np.maximum(before.sum(1, keepdims=True), 1e-9)
            )
            for cells, before in zip(counted, self.before, strict=True)
        ]

    def _chosen(self, labels: _Pairs, *, evenly: bool) -> NDArray[np.int64]:
        """Numbers of the cells that count: all, or as many as are plenty."""
        width = self.widths[-1]
        numbers = np.unique(labels.pair // width)
        if len(numbers) <= _MOST_CELLS:
            return numbers
        random = np.random.default_rng((self.counting.seed, 6))
        if not evenly:
            return np.sort(random.choice(numbers, _MOST_CELLS, replace=False))
        of_class = np.asarray(labels.table(numbers, width).argmax(1)).ravel()
        shuffled = random.permutation(len(numbers))
        # The first cell of every class, then the second of every class, and so on.
        turn = np.empty(len(numbers), np.intp)
        for c in range(width):
            own = shuffled[of_class[shuffled] == c]
            turn[own] = np.arange(len(own))
        first = shuffled[np.argsort(turn[shuffled], kind="stable")][:_MOST_CELLS]
        return np.sort(numbers[first])


def _poststratified(shown: Floats, totals: Floats) -> Floats:
    """Factors ``[K]`` by which what was `shown` of a class has its share of all."""
    shares = shown / max(shown.sum(), 1e-9), totals / max(totals.sum(), 1e-9)
    known = (shares[0] > 0) & (shares[1] > 0)
    return np.where(known, shares[1] / np.maximum(shares[0], 1e-9), 1.0)


def _chips(
    stacks: Sequence[Stack], counting: Counting
) -> Iterator[tuple[int, Chip, tuple[slice, slice], tuple[int, int]]]:
    """Windows of stacks, all or many, and where their own pixels lie in them.

    Those without labels say something of a prior alone.
    """
    windows: list[tuple[int, Window, tuple[slice, slice]]] = [
        (index, wide, inside)
        for index, stack in enumerate(stacks)
        for wide, inside in whole_windows(stack.shape, halo_of(stack.sensors))
    ]
    known = [has_labels(stacks[index], wide) for index, wide, _ in windows]
    wanted = np.flatnonzero(np.array(known) | bool(counting.prior))
    if len(wanted) > _MOST_WINDOWS:
        shuffled = np.random.default_rng((counting.seed, 5)).permutation(wanted)
        labelled_first = sorted(shuffled, key=lambda i: not known[i])
        wanted = np.sort(labelled_first[:_MOST_WINDOWS])
    windows = [windows[i] for i in wanted]
    for done, (index, wide, inside) in enumerate(windows, 1):
        yield index, stacks[index].read(wide), inside, (done, len(windows))
