"""What labels call the classes of the ground, estimated from class probabilities.

With p_a(x) the probability of class a at pixel x, and b(x) the label there,

    J[a, b] = sum_x q_a(x) [b(x) = b]        q_a = p_a^g / sum_c p_c^g
    T[a, b] = J[a, b] / sum_c J[a, c]        P(label b | class a)
    R[a, b] = J[a, b] / sum_c J[c, b]        P(class a | label b)

as in confident learning (Northcutt et al. 2021, J. Artif. Intell. Res. 70, 1373-1411),
which counts with g = infinity: the likeliest class. With g = 1, the rows of T are mixed
with those of the classes that p can't tell apart, and lie too close to each other; with
g = infinity, unsure pixels count as if they were sure. On simulated scenes errors against
the true T hardly differ from g = 2 on, a third below those of g = 1; at g = 2 class
shares and coarse labels come out best. Unmixing the rows instead, exactly or by
expectation maximisation, was two to four times worse: it takes labels to be wrong at
random, while they are wrong where land looks alike. `bench/audit.py` measures it.

Intervals say how far an entry would move on other ground of the same kind (a bootstrap
of blocks, Efron 1979) and how far with g: they reach from the lowest 2.5th to the highest
97.5th percentile over g = 1, 2 and infinity. An error that the probabilities make
everywhere alike is in no interval.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from overcast.accuracy.bootstrap import FEWEST

Floats = NDArray[np.float64]

POWERS = (1.0, 2.0, np.inf)
"""Powers g that probabilities are counted with; the one in the middle is the estimate."""
_MIDDLE = 1
_DRAWS = 1000


@dataclass(frozen=True, slots=True)
class Matrix:
    """Shares with intervals of 95 %; NaN where a class or a label doesn't occur.

    Attributes
    ----------
    value
        ``[K, K]``, rows for classes, columns for labels.
    low, high
        Ends of the intervals; NaN where there are too few blocks.
    """

    value: Floats
    low: Floats
    high: Floats


class Tables:
    """J of every block, which adds up over windows: memory grows with blocks alone.

    Parameters
    ----------
    blocks
        Number of blocks, pieces of ground that the bootstrap draws.
    classes
        K.
    """

    def __init__(self, blocks: int, classes: int) -> None:
        self.weights = np.zeros((len(POWERS), blocks, classes, classes))

    def add(
        self,
        probabilities: NDArray[np.float32],
        labels: NDArray[np.integer],
        blocks: NDArray[np.integer],
    ) -> None:
        """Count N pixels.

        Parameters
        ----------
        probabilities
            ``[K, N]``, of some class above 0 at every pixel.
        labels, blocks
            Label below K and number of the block of every pixel ``[N]``.
        """
        _, count, classes, _ = self.weights.shape
        place = blocks.astype(np.int64) * classes + labels
        for table, power in zip(self.weights, POWERS, strict=True):
            for k, weight in enumerate(sharpened(probabilities, power)):
                sums = np.bincount(place, weight, minlength=count * classes)
                table[:, k] += sums.reshape(count, classes)

    @property
    def pixels(self) -> float:
        """Pixels counted."""
        return float(self.weights[_MIDDLE].sum())

    @property
    def blocks(self) -> int:
        """Blocks that have pixels."""
        return int(self._seen.sum())

    @property
    def class_shares(self) -> Floats:
        """Estimated share of the ground of every class ``[K]``."""
        return np.asarray(self.weights[_MIDDLE].sum((0, 2)) / self.pixels)

    @property
    def label_shares(self) -> Floats:
        """Share of the pixels of every label ``[K]``."""
        return np.asarray(self.weights[_MIDDLE].sum((0, 1)) / self.pixels)

    def labels_of_classes(self, seed: int = 0) -> Matrix:
        """T: what a class is called; rows sum to 1."""
        return self._matrix(2, seed)

    def classes_of_labels(self, seed: int = 0) -> Matrix:
        """R: what a label stands for; columns sum to 1."""
        return self._matrix(1, seed)

    @property
    def _seen(self) -> NDArray[np.bool_]:
        return np.asarray(self.weights[_MIDDLE].any((1, 2)), np.bool_)

    def _matrix(self, along: int, seed: int) -> Matrix:
        """Shares that sum to 1 along an axis of a table ``[B, K, K]``."""
        value = _shares(self.weights[_MIDDLE].sum(0, keepdims=True), along)[0]
        seen, count = self._seen, self.blocks
        if count < FEWEST:
            return Matrix(value, *np.full((2, *value.shape), np.nan))
        # Every power sees the same draws, so that only it makes them differ.
        even = np.full(count, 1 / count)
        often = np.random.default_rng(seed).multinomial(count, even, _DRAWS)
        ends = [_ends(table[seen], often, along) for table in self.weights]
        low, high = (np.stack(end) for end in zip(*ends, strict=True))
        return Matrix(value, low.min(0), high.max(0))


def sharpened(probabilities: NDArray[np.float32], power: float) -> NDArray[np.floating]:
    """Probabilities ``[K, N]`` to a power, summing to 1; to infinity: the likeliest.

    Examples
    --------
    >>> [f"{share:.2f}" for share in sharpened(np.float32([[0.25], [0.75]]), 2)[:, 0]]
    ['0.10', '0.90']
    """
    if np.isinf(power):
        classes = np.arange(len(probabilities))[:, None]
        return np.asarray(probabilities.argmax(0) == classes, np.float32)
    raised = probabilities**power
    return np.asarray(raised / raised.sum(0))


def _shares(tables: Floats, along: int) -> Floats:
    """Tables ``[..., K, K]`` divided by their sums along axis 1 or 2; NaN for 0 / 0."""
    whole = tables.sum(along, keepdims=True)
    return np.asarray(
        np.where(whole > 0, tables / np.where(whole > 0, whole, 1), np.nan)
    )


def _ends(
    tables: Floats, often: NDArray[np.int64], along: int
) -> tuple[Floats, Floats]:
    """Percentiles of resamples, in which block b is taken ``often[draw, b]`` times."""
    draws = _shares(np.tensordot(often, tables, 1), along)
    with warnings.catch_warnings():
        # A class that no draw has is undefined in all of them.
        warnings.filterwarnings("ignore", "All-NaN slice", RuntimeWarning)
        low, high = np.nanpercentile(draws, (2.5, 97.5), axis=0)
    return low, high
