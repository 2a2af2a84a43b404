"""What numbers of arrays stand for, however far apart they are."""

from __future__ import annotations

import numpy as np
import pytest

from overcast.geo.codes import Lookup, occurring, whole

MEANINGS = {-9999: 7, 3: 1, 200: 2, 2**40: 4}


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint16, np.int32, np.int64])
def test_a_table_says_what_a_search_says(dtype: type) -> None:
    numbers = np.random.default_rng(0).integers(0, 127, (7, 5)).astype(dtype)
    numbers[0, 0] = 3
    found = Lookup.of(numbers, MEANINGS).values(numbers, 255)
    expected = [[MEANINGS.get(int(n), 255) for n in row] for row in numbers]
    assert found.tolist() == expected


def test_numbers_far_apart_and_below_zero() -> None:
    numbers = np.array([3, 2**40, -9999, 200, 5], np.int64)
    lookup = Lookup.of(numbers, MEANINGS)
    assert lookup.table is None
    assert lookup.values(numbers, 255).tolist() == [1, 4, 7, 2, 255]
    assert lookup.missing(numbers, None) == [5]
    near = np.array([-9999, -9998], np.int16)
    assert Lookup.of(near, MEANINGS).values(near, 255).tolist() == [7, 255]
    huge = np.array([2**63 + 1, 2**63 + 2], np.uint64)
    assert Lookup.of(huge, {2**63 + 1: 3}).values(huge, 255).tolist() == [3, 255]


@pytest.mark.parametrize("numbers", [[1, 1, -3], [1, 1, -(10**9)]])
def test_what_occurs_is_counted(numbers: list[int]) -> None:
    found, often = occurring(np.array(numbers))
    assert (found.tolist(), often.tolist()) == ([numbers[2], 1], [1, 2])
    assert occurring(np.empty(0, np.int32))[0].size == 0


def test_floats_are_whole_or_refused() -> None:
    numbers, hidden = whole(np.array([1.0, np.nan, -9999.0]), {-9999})
    assert numbers.tolist() == [1, 0, 0]
    assert hidden is not None
    assert hidden.tolist() == [False, True, True]
    with pytest.raises(ValueError, match=r"value 0\.25; class codes are whole"):
        whole(np.array([1, 0.25]), set())
    with pytest.raises(ValueError, match="complex128 values"):
        whole(np.array([1j]), set())


@pytest.mark.parametrize("numbers", [[2**63 + 2, 2**63, 2**63], [1, 2**63, 2**63]])
def test_numbers_above_those_with_a_sign_are_counted(numbers: list[int]) -> None:
    found, often = occurring(np.array(numbers, np.uint64))
    assert found.tolist() == sorted(set(numbers))
    assert dict(zip(found.tolist(), often.tolist(), strict=True))[2**63] == 2


def test_small_numbers_of_64_bits_are_counted() -> None:
    values = np.array([3, 1, 1], np.uint64)
    assert [part.tolist() for part in occurring(values)] == [[1, 3], [2, 1]]
    found = Lookup.of(np.array([0, 3], np.uint64), MEANINGS)
    assert found.values(np.array([0, 3], np.uint64), 255).tolist() == [255, 1]
