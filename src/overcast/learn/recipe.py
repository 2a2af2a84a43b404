"""What a training recipe is: a start, and the loss terms of a step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Protocol, TypeVar, runtime_checkable

import torch
from torch import Tensor, nn

from overcast.geo.bands import Sensor
from overcast.learn.batch import Batch
from overcast.models.segmenter import Segmenter


@dataclass(frozen=True, slots=True)
class Terms:
    """Weighted scalar losses, to be summed, and detached gauges, to be plotted."""

    losses: Mapping[str, Tensor]
    gauges: Mapping[str, Tensor] = field(default_factory=dict)

    @property
    def total(self) -> Tensor:
        """The scalar to minimise."""
        return torch.stack(list(self.losses.values())).sum()


class State(nn.Module):
    """What a recipe remembers between steps; by default nothing.

    Being a module, it moves between devices, is checkpointed, and has its weights
    learned, without the training loop knowing what it holds.
    """

    def settle(self, model: Segmenter, step: int) -> None:
        """React to an optimiser step."""


S = TypeVar("S", bound=State)


class Recipe(Protocol[S]):
    """How to learn: a frozen dataclass of hyper-parameters with two pure methods."""

    streams: ClassVar[tuple[str, ...]]
    """Names of the streams of batches that `terms` reads."""

    def start(self, model: Segmenter) -> S:
        """Build the state for training `model`."""
        ...

    def terms(self, model: Segmenter, state: S, batches: Mapping[str, Batch]) -> Terms:
        """Losses of one step; changes nothing, draws from torch's default generator."""
        ...


@runtime_checkable
class OfSensors(Protocol):
    """A recipe that asks what its images are of, since a Batch has no units."""

    def of_sensors(self, sensors: Mapping[str, Sensor]) -> Recipe[State]:
        """The recipe for images of these sensors, by name."""
        ...
