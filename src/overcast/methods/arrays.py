"""What a method learned, as named arrays in a safetensors file; never a pickle."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file


def save_arrays(arrays: Mapping[str, NDArray[Any]], path: Path) -> None:
    """Write arrays; the file is whole or not there."""
    scratch = path.with_name(path.name + ".tmp")
    save_file(dict(arrays), scratch)
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
    try:
        return dict(load_file(path))
    except SafetensorError as error:
        raise ValueError(f"{path}: not a safetensors file: {error}") from error
