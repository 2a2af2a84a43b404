"""What mapping needs of a method: a window in, class probabilities out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from overcast.geo.bands import Sensor
from overcast.geo.legend import Legend
from overcast.geo.stack import Chip


class Predictor(Protocol):
    """A trained network, a forest, a cluster model, or an ensemble of them."""

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


@runtime_checkable
class Threaded(Protocol):
    """A predictor that says whether threads may ask it for several windows at once.

    A network uses all cores for one window, and doesn't say so.
    """

    @property
    def threaded(self) -> bool:
        """Whether threads may ask at once."""
        ...


@runtime_checkable
class Restorer(Protocol):
    """A predictor that can make the optical image without clouds."""

    @property
    def restores(self) -> bool:
        """Whether it has learned to."""
        ...


@runtime_checkable
class Composed(Protocol):
    """A predictor that is made of others."""

    @property
    def parts(self) -> tuple[Predictor, ...]:
        """The predictors that it asks."""
        ...


@dataclass(frozen=True, slots=True)
class Wrapper:
    """What a predictor that asks another one has of it, unless it says otherwise.

    Attributes
    ----------
    predictor
        The other one.
    """

    predictor: Predictor

    @property
    def parts(self) -> tuple[Predictor, ...]:
        """The predictors that it asks."""
        return (self.predictor,)

    @property
    def legend(self) -> Legend:
        """The K classes of the probabilities."""
        return self.predictor.legend

    @property
    def sensors(self) -> Mapping[str, Sensor]:
        """The images it reads, by name."""
        return self.predictor.sensors

    @property
    def halo(self) -> int:
        """Pixels of context it draws on around a pixel."""
        return self.predictor.halo


def every_part(predictor: Predictor) -> Iterator[Predictor]:
    """Yield a predictor, and all those that it is made of."""
    yield predictor
    if isinstance(predictor, Composed):
        for part in predictor.parts:
            yield from every_part(part)


def is_threaded(predictor: Predictor) -> bool:
    """Return whether threads may ask a predictor, and those it is made of, at once."""
    simple = [p for p in every_part(predictor) if not isinstance(p, Composed)]
    return all(isinstance(part, Threaded) and part.threaded for part in simple)
