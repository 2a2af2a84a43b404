"""Means over boxes around every pixel, of which only valid pixels count.

Sums are made by doubling: of 2, 4, 8 … neighbours, and a box of 9 is one of 8 and one
of 1. Eight additions of whole lines make a box of 9 x 9, and each sum depends on its own
box alone. A sliding sum would carry the rounding errors of all pixels before, and would
depend on where a window begins.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
_STRIP = 1 << 16
"""Numbers that are summed at once, so that all stay in the processor's cache."""


class Boxes:
    """Boxes of 2 r + 1 pixels around every pixel ``[h, w]``, whose valid pixels count.

    One thread at a time may use it, since it keeps arrays to work with.
    """

    def __init__(self, valid: NDArray[np.bool_], radius: int) -> None:
        h, w = valid.shape
        self.radius, self.across = radius, w + 2 * radius
        self.valid = None if valid.all() else valid
        self._padded = np.zeros((h + 2 * radius, self.across), np.float32)
        self._rows = min(max(_STRIP // self.across, 8 * radius, 1), h)
        longest = (self._rows + 2 * radius) * self.across
        self._scratch = np.empty((4, longest), np.float32)
        self.weight = np.ones((h, w), np.float32)
        count = self.mean(valid.astype(np.float32))
        self.weight = np.reciprocal(np.maximum(count, 1))

    def known(self, values: Floats) -> Floats:
        """`values` ``[h, w]`` with 0 where they are not valid."""
        if self.valid is None:
            return values
        return np.where(self.valid, values, np.float32(0))

    def mean(self, values: Floats, out: Floats | None = None) -> Floats:
        """Mean of the values ``[h, w]``, which must be 0 where they are not valid.

        It is 0 where no pixel of a box is valid.
        """
        (h, w), r = values.shape, self.radius
        self._padded[r : r + h, r : r + w] = values
        means = np.empty((h, w), np.float32) if out is None else out
        for y in range(0, h, self._rows):
            end = min(y + self._rows, h)
            sums = self._sums(self._padded[y : end + 2 * r].ravel(), end - y)
            np.multiply(sums[:, :w], self.weight[y:end], out=means[y:end])
        return means

    def _sums(self, padded: Floats, rows: int) -> Floats:
        """Sums over boxes ``[rows, across]`` of a strip; of use but for its padding."""
        first, second, *spare = self._scratch
        side, size = 2 * self.radius + 1, rows * self.across
        if side > 1:
            # A strip is one line of numbers: what a sum takes of the next row is padding.
            down = _along(padded, self.across, side, first, spare)
            _along(down, 1, side, second, spare)
            padded = second
        return padded[:size].reshape(rows, self.across)


def _along(
    values: Floats, step: int, side: int, out: Floats, spare: list[Floats]
) -> Floats:
    """Sums, in `out`, of `side` values that are `step` apart: 3 or more, and odd."""
    size = len(values) - (side - 1) * step
    total, power, width, at = values[:size], values, 1, step
    while (width := 2 * width) <= side:
        apart = width // 2 * step
        both = spare[0][: len(power) - apart]
        power = np.add(power[:-apart], power[apart:], out=both)
        spare = spare[::-1]
        if side & width:
            total = np.add(total, power[at : at + size], out=out[:size])
            at += width * step
    return total
