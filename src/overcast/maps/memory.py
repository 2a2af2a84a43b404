"""Arrays in files, with their space on the disk taken before they are used."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from overcast.errors import writing


def memory_map(path: Path, dtype: DTypeLike, shape: tuple[int, ...]) -> NDArray[Any]:
    """Array of zeros in a new file.

    Without space of its own, a full disk would end the process with a signal.

    Raises
    ------
    MachineError
        If the disk has no space for it.
    """
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    with writing(path), path.open("wb") as file:
        if hasattr(os, "posix_fallocate") and size:
            os.posix_fallocate(file.fileno(), 0, size)
        else:
            file.truncate(size)
    return np.memmap(path, dtype, "r+", shape=shape)
