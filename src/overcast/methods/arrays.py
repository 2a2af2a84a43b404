"""What a method learned, as named arrays in a safetensors file; never a pickle."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file, save

from overcast.errors import AGAIN, reading, writing


def save_arrays(arrays: Mapping[str, NDArray[Any]], path: Path) -> None:
    """Write arrays; the file is whole or not there."""
    scratch = path.with_name(path.name + ".tmp")
    with writing(path):
        # Not `save_file`: if it is killed, a file stays whose name nobody knows.
        scratch.write_bytes(save(dict(arrays)))
        scratch.replace(path)


def load_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """Read arrays that `save_arrays` wrote.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is not a safetensors file.
    """
    if not path.is_file():
        raise FileNotFoundError(path)
    with reading(path, AGAIN, "safetensors file"):
        return dict(load_file(path))


def check_array(
    arrays: Mapping[str, NDArray[Any]],
    name: str,
    shape: tuple[int | None, ...],
    limits: tuple[float, float] = (-math.inf, math.inf),
    whole: bool = False,
) -> NDArray[Any]:
    """Return an array by name, after a look at its shape and its values.

    Parameters
    ----------
    shape
        Length of every axis; None where any will do.
    limits
        Smallest and largest value. Whatever they are, values must be finite.
    whole
        Whether it holds whole numbers; else it holds floats.

    Raises
    ------
    ValueError
        If it is missing or another one; the message begins with its name.
    """
    if name not in arrays:
        raise ValueError(f"array {name} is missing")
    array = arrays[name]
    wanted = tuple(n if m is None else m for n, m in zip(array.shape, shape))  # noqa: B905
    if len(array.shape) != len(shape) or array.shape != wanted:
        raise ValueError(f"array {name} is {array.shape}; expected {shape}")
    if array.dtype.kind not in ("iu" if whole else "f"):
        kind = "whole numbers" if whole else "floats"
        raise ValueError(f"array {name} holds {array.dtype}; expected {kind}")
    low, high = limits
    if not (np.isfinite(array) & (array >= low) & (array <= high)).all():
        raise ValueError(
            f"array {name} holds values that are not finite, or not in {low:g} to "
            f"{high:g}"
        )
    return array
