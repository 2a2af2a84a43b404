"""A predictor that also asks where a label was given: labels as evidence of place.

A predictor says what a pixel looks like. Where class is land use (coffee under trees, a
meadow or a park), pixels of two classes look alike, and only the place tells them apart.
With P(c | x) the predictor's probability of class c, B(c | s) the share of labels c
around the place s, and w_l the share of labels l that are wrong,

    M(c | s)    = sum_l B(l | s) ((1 - w_l) N(l | c) + w_l / K) + 1/K (1 - sum_l B(l | s))
    q(c | x, s) ∝ P(c | x)^a M(c | s)^g

M is what the labels alone say of a pixel. Unless it is wrong, a label is that of the
pixel's own class, N(l | c) = 1 where l = c, or of a class whose cells such pixels lie in
(`overcast.methods.place.mixed_cells`). A wrong label is any of the K classes alike, and
an unknown one says nothing. Labels change from
cell to cell and land does not, so B is blurred by half a cell (`soft_labels`). The
exponent a counts the pixel and g, 0 to 1, the place. The limits: w = 0 with a = 0 are
the labels, w = 1 or g = 0 the predictor's own map. `overcast.methods.place.strength`
chooses w, a and g.

Several sources of labels multiply: a predictor with one source in it is the predictor of
the next, q ∝ P^a M_1^g_1 M_2^g_2 ... A source may never name a class that another one
does: a map with a least size of polygons has no ponds. It says nothing against that class,
which keeps P(c | x); the evidence moves probability among the other classes.

It is Bayes' rule where what a pixel shows and what is wrong with its label have nothing
to do with each other. They often do: a predictor that learned from wrong labels repeats
some of their mistakes, and the rule would count one mistake twice. That is what g is for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox
from pyproj import Transformer
from scipy.ndimage import correlate1d, uniform_filter1d

from overcast.geo.raster import UNKNOWN
from overcast.geo.stack import Chip, LabelSource
from overcast.maps.predictor import Wrapper

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
_LATTICE_PX = 32
"""Between these pixels, places in another projection are interpolated."""
_TINY = 1e-30


@dataclass(frozen=True, slots=True)
class Strength:
    """How much the labels count as evidence of place.

    Attributes
    ----------
    wrong
        w: share of the labels of each of the K classes that are wrong, 0 to 1.
    exponent
        a: how much the pixel counts.
    power
        g: how much the place counts, 0 to 1.
    silent
        Classes that the labels never name, though others do; none, if empty.
    temper
        T: power of the result, above 0; below 1, it is less sure of itself.
    named
        N: share of the pixels of class c that have right labels l, ``named[l][c]``; each
        class its own name, if empty.
    """

    wrong: tuple[float, ...]
    exponent: float = 1.0
    power: float = 1.0
    silent: tuple[bool, ...] = ()
    temper: float = 1.0
    named: tuple[tuple[float, ...], ...] = ()

    def __post_init__(self) -> None:
        if not all(0 <= w <= 1 for w in self.wrong):
            raise ValueError(f"wrong is {self.wrong}; expected shares from 0 to 1")
        if not (self.exponent >= 0 and 0 <= self.power <= 1):
            raise ValueError(
                f"exponent {self.exponent}, power {self.power}; expected 0 or more, "
                "and 0 to 1"
            )
        if not self.temper > 0:
            raise ValueError(f"temper {self.temper}; expected above 0")
        if self.named and not _are_shares(self.named, len(self.wrong)):
            raise ValueError("named is no table of shares whose columns have the sum 1")

    @classmethod
    def of_accuracy(
        cls,
        accuracy: Doubles,
        exponent: float = 1.0,
        power: float = 1.0,
        temper: float = 1.0,
    ) -> Strength:
        """Strength of labels whose classes are right on shares ``[K]`` of the pixels.

        A wrong label may name the right class by chance, 1 time in K: the share w that
        is drawn at random is K / (K - 1) times the share that is wrong.
        """
        count = len(accuracy)
        wrong = np.clip((1 - accuracy) * count / max(count - 1, 1), 0, 1)
        shares = tuple(float(w) for w in wrong)
        return cls(shares, exponent, power, temper=temper)


def combine(pixel: Floats, labels: Floats, strength: Strength) -> Floats:
    """Q ``[K, ...]`` of probabilities P and shares B of labels, both ``[K, ...]``.

    Where P is 0 for all classes, so is q.
    """
    wrong = np.array(strength.wrong, np.float32)
    known = labels.sum(0)
    by_chance = (np.tensordot(wrong, labels, 1) + 1 - known) / len(wrong)
    right = labels * (1 - wrong).reshape(-1, *[1] * (labels.ndim - 1))
    if strength.named:
        right = np.tensordot(np.array(strength.named, np.float32).T, right, 1)
    place = right + by_chance
    # Rounding may take 1 - known below 0.
    place = place.clip(_TINY)
    if strength.power != 1:
        place **= np.float32(strength.power)
    if strength.exponent != 1:
        # Where no label is known, the predictor's own probabilities stay.
        pixel = pixel ** (1 + np.float32(strength.exponent - 1) * known)
    joint = pixel * place
    if any(strength.silent):
        silent = np.array(strength.silent)
        mass = pixel[~silent].sum(0) / np.maximum(joint[~silent].sum(0), _TINY)
        joint = np.where(
            silent.reshape(-1, *[1] * (labels.ndim - 1)), pixel, joint * mass
        )
    joint = joint / np.maximum(joint.sum(0), _TINY)
    if strength.temper != 1:
        joint = joint ** (1 + np.float32(strength.temper - 1) * known)
        joint /= np.maximum(joint.sum(0), _TINY)
    return np.asarray(joint, np.float32)


def _are_shares(table: tuple[tuple[float, ...], ...], count: int) -> bool:
    """Return whether a table is ``[K, K]``, of shares, and its columns have the sum 1."""
    if len(table) != count or any(len(row) != count for row in table):
        return False
    values = np.array(table)
    # Files have six digits.
    return bool((values >= 0).all() and np.allclose(values.sum(0), 1, atol=1e-4))


@dataclass(frozen=True, slots=True)
class Placed(Wrapper):
    """A predictor with labels as evidence of place; elsewhere as it was.

    Attributes
    ----------
    predictor
        What a pixel looks like.
    labels
        Labels of the predictor's legend, on a grid of their own.
    side
        Pixels of that grid along a cell of the labels.
    strength
        How much labels count.
    above
        Labels that win over these: where one is known, these say nothing.
    """

    labels: LabelSource
    side: int
    strength: Strength
    above: tuple[LabelSource, ...] = ()

    def predict(self, chip: Chip) -> Floats:
        """Probabilities ``[K, h, w]`` of a chip's pixels."""
        around = soft_labels(self.labels, chip.grid, self.side)
        for other in self.above:
            around *= 1 - soft_labels(other, chip.grid, 1).sum(0)
        return combine(self.predictor.predict(chip), around, self.strength)


def soft_labels(source: LabelSource, grid: GeoBox, side: int) -> Floats:
    """Shares B ``[K, h, w]`` of the labels around every pixel of a grid.

    Labels are blurred by half a cell (the standard deviation), with cells of `side`
    pixels of the labels' own grid, and interpolated bilinearly. Shares sum to the share
    of known labels there: 0 where none are.
    """
    classes = len(source.legend)
    row, column = _places(source.grid, grid)
    height, width = source.grid.shape
    margin = 2 * side + 3
    spans = tuple(
        slice(max(int(at.min()) - margin, 0), min(int(at.max()) + margin, length))
        for at, length in ((row, height), (column, width))
    )
    if any(span.stop <= span.start for span in spans):
        return np.zeros((classes, *grid.shape), np.float32)
    values = source.read(source.grid[spans]).values
    blurred = _blurred(values, classes, side)
    out = _interpolated(blurred, row - spans[0].start, column - spans[1].start)
    outside = (row < 0) | (row >= height) | (column < 0) | (column >= width)
    out[:, outside] = 0
    return out


def _blurred(values: NDArray[np.uint8], classes: int, side: int) -> Floats:
    """Shares of classes ``[h, w, K]``, blurred so that interpolation does the rest.

    Bilinear interpolation blurs by a box of one pixel, of variance 1/12. Two boxes of b
    pixels have the variance (b^2 - 1) / 6; together they are to have side^2 / 4.
    """
    shares = np.zeros((*values.shape, classes + 1), np.float32)
    known = np.where(values == UNKNOWN, classes, values)
    np.put_along_axis(shares, known[..., None].astype(np.intp), 1, axis=2)
    shares = shares[..., :classes]
    for axis in (0, 1):
        if side == 1:
            kernel = np.array([1, 10, 1], np.float32) / 12
            shares = correlate1d(shares, kernel, axis=axis, mode="nearest")
            continue
        box = round((np.sqrt(1.5 * side**2 + 0.5) - 1) / 2) * 2 + 1
        for _ in range(2):
            shares = uniform_filter1d(shares, box, axis=axis, mode="nearest")
    return shares.clip(0, 1)


def _interpolated(shares: Floats, row: Doubles, column: Doubles) -> Floats:
    """Bilinear values ``[K, h, w]`` of ``[H, W, K]`` at places in pixels."""
    height, width, classes = shares.shape
    flat = shares.reshape(-1, classes)
    parts = []
    for at, length in ((row, height), (column, width)):
        inside = np.clip(at - 0.5, 0, length - 1)
        low = np.minimum(inside.astype(np.intp), max(length - 2, 0))
        high = np.minimum(low + 1, length - 1)
        parts.append((low, high, (inside - low).astype(np.float32)))
    (top, bottom, down), (left, right, across) = parts
    out = np.zeros((*row.shape, classes), np.float32)
    for y, x, weight in (
        (top, left, (1 - down) * (1 - across)),
        (top, right, (1 - down) * across),
        (bottom, left, down * (1 - across)),
        (bottom, right, down * across),
    ):
        out += flat[y * width + x] * weight[..., None]
    return np.ascontiguousarray(out.transpose(2, 0, 1))


def _places(source: GeoBox, grid: GeoBox) -> tuple[Doubles, Doubles]:
    """Row and column ``[h, w]`` in `source`, with fractions, of a grid's pixel centres."""
    h, w = grid.shape
    if source.crs == grid.crs:
        return _at(source, grid, _middles(h), _middles(w))
    # Another projection is all but a plane over some pixels; it is slow for every one.
    down, across = _nodes(h), _nodes(w)
    row, column = _at(source, grid, down, across)
    # Lines between the two nodes around each pixel.
    y, x = _hats(_middles(h), down), _hats(_middles(w), across)
    return y @ row @ x.T, y @ column @ x.T


def _middles(count: int) -> Doubles:
    return np.arange(count, dtype=np.float64) + 0.5


def _nodes(count: int) -> Doubles:
    """Places along `count` pixels, both ends among them."""
    parts = max(count // _LATTICE_PX, 1)
    return np.arange(parts + 1, dtype=np.float64) * (count / parts)


def _hats(at: Doubles, nodes: Doubles) -> Doubles:
    """Weights ``[N, M]`` of M evenly spaced nodes in a line between them, at N places."""
    step = nodes[1] - nodes[0]
    return np.asarray(np.maximum(1 - np.abs(at[:, None] - nodes) / step, 0))


def _at(
    source: GeoBox,
    grid: GeoBox,
    rows: Doubles,
    columns: Doubles,
) -> tuple[Doubles, Doubles]:
    """Places in `source` of rows and columns of a grid, exactly."""
    right, down = np.meshgrid(columns, rows)
    place: Any = grid.affine
    x, y = place @ (right, down)
    if source.crs != grid.crs:
        move = Transformer.from_crs(str(grid.crs), str(source.crs), always_xy=True)
        x, y = move.transform(x, y)
    column, row = ~source.affine @ (x, y)
    # What falls outside of the projection comes back as infinite.
    return np.nan_to_num(row, posinf=-1e9, neginf=-1e9), np.nan_to_num(
        column, posinf=-1e9, neginf=-1e9
    )
