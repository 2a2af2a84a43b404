"""What mapping needs of a method: a window in, class probabilities out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from overcast.geo.bands import Sensor
from overcast.geo.legend import Legend
from overcast.geo.stack import Chip


class Predictor(Protocol):
    """A trained network, a forest, a cluster model, or an ensemble of them.

    One with an attribute ``threaded`` that is true is asked for several windows at once,
    by threads; a network uses all cores for one window, and has none.
    """

    @property
    def legend(self) -> Legend:
        """The K classes of the probabilities."""
        ...

    @property
    def sensors(self) -> Mapping[str, Sensor]:
        """The images it reads, by name."""
        ...

    @property
    def halo(self) -> int:
        """Pixels of context it draws on around a pixel."""
        ...

    def predict(self, chip: Chip) -> NDArray[np.float32]:
        """Probabilities ``[K, h, w]`` of a chip's pixels; a pure function."""
        ...


def is_threaded(predictor: Predictor) -> bool:
    """Return whether threads may ask a predictor, and those it is made of, at once."""
    inner = [*getattr(predictor, "members", ()), getattr(predictor, "predictor", None)]
    parts = [part for part in inner if part is not None]
    if parts:
        return all(map(is_threaded, parts))
    return bool(getattr(predictor, "threaded", False))
