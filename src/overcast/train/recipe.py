"""What a training recipe is: a start, and the loss terms of a step."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol, TypeVar, runtime_checkable

import torch
from torch import Tensor, nn

from overcast.geo.bands import Sensor
from overcast.geo.extent import pixel_m
from overcast.geo.stack import Stack
from overcast.models.segmenter import Segmenter
from overcast.train.batch import Batch


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

    def after_step(self, model: Segmenter, step: int) -> None:
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


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingContext:
    """The data and length of a run, of which a Batch says nothing.

    Attributes
    ----------
    sensors
        Of the images that maps are made from, by name.
    targets
        Names of the images that are to be learned from alone.
    steps
        Length of the training.
    pixel_m
        Side of a pixel in metres.
    started
        Names of the network's weights that are not random at first.
    """

    sensors: Mapping[str, Sensor]
    targets: frozenset[str] = frozenset()
    steps: int
    pixel_m: float = 10.0
    started: frozenset[str] = frozenset()

    @classmethod
    def of(
        cls, stacks: Sequence[Stack], steps: int, started: Collection[str] = ()
    ) -> TrainingContext:
        """Return the setting of stacks of the same sensors, with pixels of the first."""
        return cls(
            sensors=stacks[0].sensors,
            targets=frozenset().union(*(stack.targets for stack in stacks)),
            steps=steps,
            pixel_m=pixel_m(stacks[0].grid),
            started=frozenset(started),
        )


@runtime_checkable
class Configurable(Protocol):
    """A recipe that asks for the setting, for units, names or numbers of steps."""

    def configure(self, setting: TrainingContext) -> Recipe[State]:
        """The recipe for this setting.

        Raises
        ------
        ValueError
            If it can't learn there what it shall.
        """
        ...


@runtime_checkable
class Restoring(Protocol):
    """A recipe that can teach a network to make an image without clouds."""

    @property
    def restores(self) -> bool:
        """Whether it does so with its settings."""
        ...


@runtime_checkable
class OfSuperpixels(Protocol):
    """A recipe that learns from superpixels of whole scenes."""

    @property
    def superpixel_target(self) -> str | None:
        """Name of the target image that holds their numbers; None without them."""
        ...


def configured(recipe: Recipe[S], setting: TrainingContext) -> Recipe[Any]:
    """The recipe for a setting, if it asks for one, or as it is."""
    return recipe.configure(setting) if isinstance(recipe, Configurable) else recipe
