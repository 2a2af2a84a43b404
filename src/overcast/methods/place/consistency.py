"""How much labels count as evidence of place where nothing is known of them.

With P the predictor's probabilities, the labels are expected to be right on a share
e = mean P(label | x) of the pixels, the best labels that cells of their size can have on
a share b = mean over cells of max_c mean P(c | x). Labels that lose to the best ones,
e / b low, have errors that images contradict, but only a map that is sure of itself can
contradict. With s = mean max_c P(c | x), and t the share of pixels on which the map
without place has the class of the label,

    u = r(e / b; 0.80, 0.90)
    v = r(t; 0.46, 0.53) (1 - r(s; 0.72, 0.76))
    g = max(1 - (1 - u) (1 - v), 1/2 r(t; 0.65, 0.75))

where r rises from 0 to 1 between its limits: labels count where images bear them out
(u), where the map is unsure and yet mostly agrees (v), and by half where it agrees
often. Poor labels of land that images tell well, such as 500 m cells over small
fields, don't count.

Labels that images bear out, or that the map is too unsure to contradict, are wrong only
where cells are mixed, and others are right on t and a third of the rest. With p the
purity of cells, the share of the map's most frequent class in a cell of the labels,

    A = h p + (1 - h) (t + (1 - t) / 3),    h = 1 - (1 - u) (1 - v),

with h = 0 for labels as fine as the images, whose mistakes are no mixed cells;
at most what is published for the legend.

Polygons of a map with a minimum size, as CORINE's, are few and right or wrong as a
whole; a predictor learns them by heart, e / b and t say nothing, and g is 0.15: enough
to decide where images leave a class open, and too little to overrule them.

The limits were chosen on development worlds 1, 2 and 4 and two tiles of `bench.real`
(docs/real.md); its Landsat scene was not used.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox

from overcast.accuracy.independence import are_fine
from overcast.geo.label_cells import are_polygons, cell_sides, labels_of
from overcast.geo.legend import Legend
from overcast.geo.raster import UNKNOWN
from overcast.geo.stack import Chip, Stack
from overcast.geo.tiling import Window
from overcast.geo.warp import pixel_of
from overcast.label_quality.kind import are_drawn
from overcast.label_quality.place_file import KeptPlace
from overcast.label_quality.published import published
from overcast.maps.placed import Strength, combine, soft_labels
from overcast.maps.predictor import Predictor
from overcast.methods.place.beside import View, beside_land
from overcast.methods.place.mixed_cells import MixedCells
from overcast.methods.place.strength import DRAWN, TEMPER, rise, strength_of
from overcast.methods.sampling import has_labels, whole_windows, widen
from overcast.progress import Progress, quiet

Floats = NDArray[np.float64]
NONE, FULL = 0.80, 0.90
"""e / b up to which labels do not count for place, and from which they count fully."""
SURE, UNSURE = 0.76, 0.72
"""Mean confidence of the map without place, likewise, if it mostly agrees."""
_MOSTLY = 0.46, 0.53
"""Shares of agreement between which a map is taken to mostly agree with the labels."""
_OFTEN = 0.65, 0.75
"""Shares of agreement between which labels come to count by half."""
_POLYGONS = 0.15
"""g of polygons with a minimum size."""
_REST = 1 / 3
"""Of the pixels on which labels and map disagree, the labels are right on so many."""
_HALF = 0.5
"""f of the classes that are named in the notes."""
_SQUARE_PX = 4
"""Fine labels are compared with the best by squares of so many image pixels."""
_WINDOWS, _MOST_WINDOWS = 4, 16
"""Windows of 256 pixels that are looked at: a twentieth of a large scene, within these."""


def place_by_consistency(
    predictor: Predictor, stack: Stack, seed: int, progress: Progress = quiet
) -> KeptPlace:
    """Cautious place of labels of which nothing is known."""
    side, labels = cell_sides(stack, 1)[0], labels_of(stack)
    if are_drawn(labels, stack.grid):
        right = np.full(len(labels.legend), DRAWN)
        return KeptPlace(Strength.of_accuracy(right), side, ())
    seen = seen_by_images(predictor, stack, seed, progress)
    strength = (
        strength_of(seen.accuracy, seen.power, seen.mixed) if seen.power else None
    )
    if strength and seen.polygons:
        # Learned by heart, they leave a map that is too sure as it is.
        strength = replace(strength, temper=TEMPER)
    return KeptPlace(strength, side, (note_of(seen, labels.legend),))


def power_of(consistency: float, sure: float, agreed: float) -> float:
    """Return g by e / b, and by confidence and agreement of the map without place."""
    either = _uncontradicted(consistency, sure, agreed)
    return max(either, rise(agreed, *_OFTEN) / 2)


def _uncontradicted(consistency: float, sure: float, agreed: float) -> float:
    """Return h: labels are borne out, or the map is unsure and mostly agrees."""
    borne_out = rise(consistency, NONE, FULL)
    unsure = rise(agreed, *_MOSTLY) * (1 - rise(sure, UNSURE, SURE))
    return 1 - (1 - borne_out) * (1 - unsure)


def note_of(seen: LabelsSeen, legend: Legend) -> str:
    """Say how much labels count by default, why, and what would decide it better."""
    counts = {0.0: "do not count", 1.0: "count fully"}.get(
        seen.power, f"count by {seen.power:.2f}"
    )
    reason = (
        "polygons with a minimum size are right or wrong as a whole"
        if seen.polygons
        else f"consistency {seen.consistency:.2f}, counted from {NONE:.2f}, fully from "
        f"{FULL:.2f}; the map without place has the class of the label on "
        f"{seen.agreed:.0%} of the pixels, with a mean confidence of {seen.sure:.2f}"
    )
    if seen.power and seen.small:
        names = ", ".join(legend.names[k] for k in seen.small)
        reason += (
            ". The cells are so large that they say what most of them is, and nothing "
            f"against small patches of {names}"
        )
    if seen.beside:
        reason += (
            f". The labels agree better with that map if they lie {seen.beside} of where "
            "they belong: check their projection, move the file, and map again"
        )
    return (
        f"place: by default the labels {counts} as evidence of place. This decides the "
        f"class of {seen.changed:.0%} of the pixels. The reason: {reason}"
        + _ask(legend.name)
    )


def _ask(legend: str) -> str:
    """Say what would settle how far labels are trusted."""
    known = published().get(legend)
    figure = "" if known is None else f"; published for {legend}: {known:g}"
    return (
        ". To decide it better, give 20 to 200 points of known class (`overcast sample "
        "MAP --for anchors`, then `overcast map --anchors`), or the accuracy of the "
        f"labels (--labels-accuracy{figure})"
    )


@dataclass(frozen=True, slots=True)
class LabelsSeen:
    """What labels and a map without place say of each other.

    Attributes
    ----------
    accuracy
        Of the classes of the labels ``[K]``, as it is taken to be.
    power
        How much labels count, g.
    mixed
        How cells divide the pixels of that map, and f ``[K]``, how far this explains
        where it disagrees with the labels; None for polygons.
    consistency
        Expected accuracy of the labels over that of the best labels, e / b.
    sure
        Mean confidence of the map without place, s.
    agreed
        Share of pixels on which that map has the class of the label, t.
    changed
        Share of pixels whose class place changes at full power.
    beside
        Where the labels lie beside where they belong, in words; empty if they don't.
    """

    accuracy: Floats
    power: float
    mixed: tuple[MixedCells, Floats] | None
    consistency: float
    sure: float
    agreed: float
    changed: float
    beside: str = ""

    @property
    def small(self) -> list[int]:
        """Classes of which labels say nothing against small patches, mostly."""
        if self.mixed is None:
            return []
        return [int(k) for k in np.flatnonzero(self.mixed[1] > _HALF)]

    @property
    def polygons(self) -> bool:
        """Whether labels are polygons with a minimum size."""
        return self.mixed is None


@dataclass(slots=True)
class _Sums:
    """Sums over pixels with labels: of what agrees, is expected, could be, and is sure."""

    cells: MixedCells
    agreed: float = 0.0
    expected: float = 0.0
    best: float = 0.0
    sure: float = 0.0
    pixels: int = 0

    def add(
        self,
        own: NDArray[np.float32],
        labels: NDArray[np.uint8],
        squares: NDArray[np.int64],
        cells: NDArray[np.int64],
    ) -> None:
        """Add pixels by probabilities ``[K, N]``, labels, squares and cells ``[N]``."""
        mapped = own.argmax(0)
        self.agreed += int((mapped == labels).sum())
        self.expected += float(own[labels, np.arange(len(labels))].sum())
        self.sure += float(own.max(0).sum())
        self.best += float(_sums(own, squares).max(0).sum())
        self.cells += MixedCells.of(mapped, labels, cells, len(own))
        self.pixels += len(labels)

    @property
    def rates(self) -> tuple[float, float, float]:
        """Return e / b, s and t."""
        pixels = max(self.pixels, 1)
        return (
            self.expected / max(self.best, 1e-9),
            self.sure / pixels,
            self.agreed / pixels,
        )


def seen_by_images(
    predictor: Predictor, stack: Stack, seed: int, progress: Progress = quiet
) -> LabelsSeen:
    """Compare the labels of a stack, which nobody drew, with what images show.

    `seed` draws the windows of a large stack.
    """
    labels, sides = labels_of(stack), cell_sides(stack, _SQUARE_PX)
    count = len(labels.legend)
    sums, parts, views = _looked_at(predictor, stack, sides, seed, progress)
    fine = sides[0] == 1 and are_fine(labels.grid, stack.grid)
    accuracy = _assumed(sums.rates, None if fine else sums.cells.pure)
    right = np.full(count, min(accuracy, published().get(labels.legend.name, 1.0)))
    mixed, power = None, _POLYGONS
    if not are_polygons(stack, sides[0]):
        explained = sums.cells.explained(sums.rates[2]) * (not fine)
        mixed, power = (sums.cells, explained), power_of(*sums.rates)
    full = strength_of(right, mixed=mixed)
    changed = sum(
        int((combine(own, around, full).argmax(0) != own.argmax(0)).sum())
        for own, around in parts
    )
    shift = beside_land(labels, views, (sums.pixels / max(sums.cells.cells, 1)) ** 0.5)
    beside = shift.words(stack.grid) if shift else ""
    return LabelsSeen(
        right, power, mixed, *sums.rates, changed / max(sums.pixels, 1), beside
    )


def _looked_at(
    predictor: Predictor,
    stack: Stack,
    sides: tuple[int, int],
    seed: int,
    progress: Progress,
) -> tuple[_Sums, list[tuple[NDArray[np.float32], NDArray[np.float32]]], list[View]]:
    """Sums over some windows of a stack, P and B of their pixels, and some views."""
    labels = labels_of(stack)
    sums, parts = _Sums(MixedCells.none(len(labels.legend))), []
    views: list[View] = []
    windows = _windows(stack, seed)
    for n, (window, values) in enumerate(predicted(predictor, stack, windows)):
        progress("place", n, len(windows))
        grid = stack.grid[window.slices]
        given = labels.read(grid).values
        known = (given != UNKNOWN) & (values.sum(0) > 0)
        if not known.any():
            continue
        views += [(grid, values)][: _WINDOWS - len(views)]
        own = values[:, known]
        squares, cells = (
            _cells(labels.grid, grid, side)[known] for side in sides[::-1]
        )
        sums.add(own, given[known], squares, cells)
        parts.append((own, soft_labels(labels, grid, sides[0])[:, known]))
    progress("place", len(windows), len(windows))
    return sums, parts, views


def _assumed(rates: tuple[float, float, float], pure: float | None) -> float:
    """Return A by e / b, s and t, and the purity of cells; None if none is mixed."""
    *_, agreed = rates
    doubtful = agreed + _REST * (1 - agreed)
    if pure is None:
        return doubtful
    trusted = _uncontradicted(*rates)
    return trusted * pure + (1 - trusted) * doubtful


def _sums(values: NDArray[Any], cells: NDArray[np.int64]) -> Floats:
    """Sums ``[K, J]`` of ``[K, N]`` over the pixels of every cell."""
    _, place = np.unique(cells, return_inverse=True)
    return np.stack([np.bincount(place, weights=row) for row in values])


def _cells(labels: GeoBox, grid: GeoBox, side: int) -> NDArray[np.int64]:
    """Number of the square of `side` label pixels that each pixel of a grid lies in."""
    row, column = pixel_of(labels, grid)
    across = int(labels.shape[1]) // side + 2
    return np.asarray((row // side + 1) * across + column // side + 1)


def _windows(stack: Stack, seed: int) -> list[Window]:
    """Windows to look at: all of a small stack, some with labels of a large one."""
    every = [window for window, _ in whole_windows(stack.shape)]
    count = int(np.clip(len(every) // 20, _WINDOWS, _MOST_WINDOWS))
    if len(every) <= count:
        return every
    shuffled = np.random.default_rng((seed, 21)).permutation(len(every))
    labelled = (every[i] for i in shuffled if has_labels(stack, every[i]))
    return [window for window, _ in zip(labelled, range(count), strict=False)]


def predicted(
    predictor: Predictor, stack: Stack, windows: list[Window]
) -> Iterator[tuple[Window, NDArray[np.float32]]]:
    """Return probabilities of windows, 0 where no sensor saw the ground."""
    bare = stack.only(predictor.sensors)
    for window in windows:
        wide = widen(window, predictor.halo, stack.shape)
        chip: Chip = bare.read(wide)
        seen = np.logical_or.reduce([image.valid for image in chip.images.values()])
        inside = Window(window.y - wide.y, window.x - wide.x, window.h, window.w)
        values = np.where(seen, predictor.predict(chip), np.float32(0))
        yield window, values[:, *inside.slices]
