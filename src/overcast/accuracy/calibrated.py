"""A predictor whose probabilities were calibrated, and what calibration learns from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from overcast.accuracy.curve import Scaling
from overcast.geo.stack import Chip, Stack
from overcast.geo.tiling import Tiling
from overcast.maps.predict import probabilities
from overcast.maps.predictor import Predictor, Wrapper
from overcast.progress import Progress, quiet


@dataclass(frozen=True, slots=True)
class Calibrated(Wrapper):
    """A predictor with what it says scaled: the same classes, another confidence."""

    scaling: Scaling

    def predict(self, chip: Chip) -> NDArray[np.float32]:
        """Probabilities ``[K, h, w]`` of a chip's pixels, calibrated."""
        return self.scaling.of(self.predictor.predict(chip))


def probabilities_of(
    predictor: Predictor,
    stack: Stack,
    tiling: Tiling,
    places: tuple[NDArray[np.int64], NDArray[np.int64]],
    progress: Progress = quiet,
) -> NDArray[np.float32]:
    """Probabilities ``[K, N]`` of the pixels in these rows and columns.

    Exactly those that a map of the stack is made from, in the memory that making it
    takes, and in its time. Pixels outside the stack, and those that no sensor saw, have
    probability 0 of every class.
    """
    rows, columns = places
    long = int(stack.shape[1] > stack.shape[0])
    sampled = np.zeros((len(predictor.legend), len(rows)), np.float32)
    for window, band in probabilities(predictor, stack, tiling):
        down, right = rows - window.y, columns - window.x
        here = (down >= 0) & (down < window.h) & (right >= 0) & (right < window.w)
        sampled[:, here] = band[:, down[here], right[here]]
        ends = window.y + window.h, window.x + window.w
        progress("looking", ends[long], stack.shape[long])
    return sampled
