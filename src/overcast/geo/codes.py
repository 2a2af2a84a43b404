"""Arrays of whole numbers, and what every number stands for."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

_WIDEST = 1 << 16
"""Numbers that a table has an entry for; beyond, numbers are sorted."""
_NONE = -1
"""Entry of a number that stands for nothing."""
_WHOLE = float(1 << 53)
"""Up to here, floats tell whole numbers apart."""


def whole(
    values: NDArray[Any], unknown: Set[int]
) -> tuple[NDArray[Any], NDArray[np.bool_] | None]:
    """Whole numbers of an array of any type, and where it says nothing, if anywhere.

    Floats say nothing where they are NaN or one of `unknown`.

    Raises
    ------
    ValueError
        If a value is not a whole number.
    """
    if values.dtype.kind in "uib":
        return values, None
    if values.dtype.kind != "f":
        raise ValueError(f"{values.dtype} values; class codes are whole numbers")
    hidden = np.isnan(values)
    for code in unknown:
        hidden |= values == code
    numbers = np.where(hidden, 0, values)
    odd = (numbers != np.trunc(numbers)) | (np.abs(numbers) > _WHOLE)
    if odd.any():
        raise ValueError(
            f"value {numbers[odd][0]:g}; class codes are whole numbers, so give the "
            "class map, not probabilities or an image"
        )
    return numbers.astype(np.int64), hidden


def occurring(numbers: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """Every number in an array, in order, and how often it occurs.

    Numbers are int64, or uint64 where they are larger than that can hold.
    """
    if not numbers.size:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    low, high = _range(numbers)
    if high - low >= _WIDEST:
        distinct, often = np.unique(numbers, return_counts=True)
        return distinct.astype(_holding(high)), often.astype(np.int64)
    counts = np.bincount(_from(numbers, low).ravel())
    (distinct,) = np.nonzero(counts)
    return distinct.astype(_holding(high)) + _holding(high)(low), counts[distinct]


@dataclass(frozen=True, slots=True)
class Lookup:
    """The meaning of numbers from `low` on: a table, or a mapping if they are far apart.

    Attributes
    ----------
    low
        The number of the table's first entry.
    table
        int16 entries, `_NONE` where a number stands for nothing; None where the
        numbers are too far apart.
    meanings
        What every known number stands for.
    """

    low: int
    table: NDArray[np.int16] | None
    meanings: Mapping[int, int]

    @classmethod
    def of(cls, numbers: NDArray[Any], meanings: Mapping[int, int]) -> Lookup:
        """Lookup for the numbers of an array."""
        low, high = _range(numbers)
        if high - low >= _WIDEST:
            return cls(low, None, meanings)
        table = np.full(high - low + 1, _NONE, np.int16)
        for number, meaning in meanings.items():
            if low <= number <= high:
                table[number - low] = meaning
        return cls(low, table, meanings)

    def values(self, numbers: NDArray[Any], default: int) -> NDArray[np.uint8]:
        """Give the meaning of every number, in the same shape; `default` if it has none."""
        if self.table is None:
            distinct, inverse = np.unique(numbers, return_inverse=True)
            known = [self.meanings.get(int(n), default) for n in distinct]
            return np.array(known, np.uint8)[inverse].reshape(numbers.shape)
        table = np.where(self.table == _NONE, default, self.table).astype(np.uint8)
        return np.asarray(table[_from(numbers, self.low)], np.uint8)

    def missing(
        self, numbers: NDArray[Any], hidden: NDArray[np.bool_] | None
    ) -> list[int]:
        """Numbers of an array that stand for nothing, in order, where not `hidden`."""
        seen = numbers if hidden is None else numbers[~hidden]
        distinct, _ = occurring(seen)
        return [int(n) for n in distinct if int(n) not in self.meanings]


def _range(numbers: NDArray[Any]) -> tuple[int, int]:
    """Smallest and largest number, or those of the type where it has few."""
    if numbers.dtype.kind == "b":
        return 0, 1
    if numbers.dtype.itemsize == 1:
        limits = np.iinfo(numbers.dtype)
        return int(limits.min), int(limits.max)
    return (int(numbers.min()), int(numbers.max())) if numbers.size else (0, 0)


def _holding(number: int) -> type[np.int64] | type[np.uint64]:
    """A type of numbers up to this one."""
    return np.int64 if number <= np.iinfo(np.int64).max else np.uint64


def _from(numbers: NDArray[Any], low: int) -> NDArray[Any]:
    """Numbers counted from `low`, of a type that can index."""
    if numbers.dtype == np.uint64:
        return np.asarray(numbers - np.uint64(low)).astype(np.int64)
    if low == 0:
        return numbers if numbers.dtype.kind != "b" else numbers.astype(np.uint8)
    if numbers.dtype.kind == "u":
        return np.asarray(numbers - numbers.dtype.type(low))
    return numbers.astype(np.int64) - low
