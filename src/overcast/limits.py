"""Limits of settings, checked where a dataclass of them is made."""

from __future__ import annotations

import math
from collections.abc import Iterable

Limits = tuple[float, float]
MOST = math.inf
"""No upper limit; infinity itself is refused all the same."""
SHARE: Limits = (0, 1)
WEIGHT: Limits = (0, 1e6)
DECAY: Limits = (0, 0.999_999_9)
"""Of a moving average; at 1 it would never learn."""
LARGEST_SEED = 4_000_000_000
"""Libraries take 32 bits, and parts of a run add a little to the seed."""


def check_limits(settings: object, **limits: Limits) -> None:
    """Refuse a setting that is not a number within its limits; None stays.

    Parameters
    ----------
    settings
        A dataclass; those of its settings that hold several numbers are checked one
        by one.
    limits
        Smallest and largest value by the name of the setting.

    Raises
    ------
    ValueError
        If one is outside; it begins with its name.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> check_limits(SimpleNamespace(trees=0), trees=(1, 10))
    Traceback (most recent call last):
    ...
    ValueError: trees is 0; expected 1 to 10
    """
    for name, (low, high) in limits.items():
        value = getattr(settings, name)
        for number in value if isinstance(value, (tuple, list)) else (value,):
            if number is not None and not _is_within(number, low, high):
                to = f"{low:g} or more" if high == MOST else f"{low:g} to {high:.10g}"
                raise ValueError(f"{name} is {number!r}; expected {to}")


def check_some(settings: object, names: Iterable[str]) -> None:
    """Refuse settings of several values that have none.

    Raises
    ------
    ValueError
        If one is empty; it begins with its name.
    """
    for name in names:
        if not len(getattr(settings, name)):
            raise ValueError(f"{name} is empty; expected one value or more")


def _is_within(number: object, low: float, high: float) -> bool:
    if isinstance(number, bool) or not isinstance(number, (int, float)):
        return False
    return bool(low <= number <= high and abs(number) != math.inf)
