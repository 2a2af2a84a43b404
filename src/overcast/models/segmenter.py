"""The interface every network implements, and that of networks which do more."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Protocol, runtime_checkable

from torch import Tensor, nn

from overcast.train.batch import Batch


class Segmenter(nn.Module, ABC):
    """Encode images to features, decode features to class logits.

    Works at any H and W. A pixel or a whole sensor that is not valid changes nothing,
    whatever value stands there, NaN included; a sensor that is absent from the batch
    counts as nowhere valid.

    Attributes
    ----------
    bands
        Sensor name to its number of bands.
    classes
        Number of classes, K.
    width
        Number of feature channels that `encode` gives.
    halo
        Pixels of context that a prediction draws on at each side (half the receptive
        field); an upper limit of what is useful where the field is very large.
    window
        Side in pixels of the windows to learn from, unless a run says otherwise.
    """

    bands: Mapping[str, int]
    classes: int
    width: int
    halo: int
    window: int = 64

    @abstractmethod
    def encode(self, batch: Batch) -> Tensor:
        """Features ``[B, width, H, W]``."""

    @abstractmethod
    def decode(self, features: Tensor) -> Tensor:
        """Logits ``[B, K, H, W]``."""

    def forward(self, batch: Batch) -> Tensor:
        """Logits ``[B, K, H, W]`` of a batch."""
        return self.decode(self.encode(batch))


@runtime_checkable
class Remover(Protocol):
    """A network that takes clouds away on its way to the classes."""

    optical: str
    """The image that it takes them from."""

    def restore(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Features ``[B, width, H, W]`` and the cloud-free image ``[B, C, H, W]``."""
        ...


@runtime_checkable
class Gated(Protocol):
    """A network with parts that shut out clouds."""

    def ungated(self) -> Segmenter:
        """Copy it without those parts, for images that have no clouds."""
        ...
