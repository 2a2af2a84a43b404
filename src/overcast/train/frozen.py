"""A network of which some weights stay as they are, such as those of its encoder."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Self

from torch import Tensor, nn

from overcast.models.segmenter import Segmenter
from overcast.train.batch import Batch


class Frozen(Segmenter):
    """A `Segmenter` that learns but for some of its weights.

    What learns is the network itself, not a copy. Parts of which all weights are frozen
    stay in evaluation mode, where statistics of batch normalisation don't move.

    Parameters
    ----------
    model
        The network, changed in place.
    frozen
        Names of its weights that don't learn.
    """

    def __init__(self, model: Segmenter, frozen: Collection[str]) -> None:
        super().__init__()
        self.bands, self.classes = model.bands, model.classes
        self.width, self.halo = model.width, model.halo
        self.model, self._frozen = model, frozenset(frozen)
        for name, weight in model.named_parameters():
            weight.requires_grad_(name not in self._frozen)

    def train(self, mode: bool = True) -> Self:
        """Set the mode of all parts that learn."""
        super().train(mode)
        for part in self.model.modules():
            if _own(part) and not any(weight.requires_grad for weight in _own(part)):
                part.eval()
        return self

    def __getattr__(self, name: str) -> Any:
        """Offer what else the network can do, such as removing clouds."""
        try:
            return super().__getattr__(name)
        except AttributeError:
            if name == "model":
                raise
            return getattr(self.model, name)

    def encode(self, batch: Batch) -> Tensor:
        """Features ``[B, width, H, W]``."""
        return self.model.encode(batch)

    def decode(self, features: Tensor) -> Tensor:
        """Logits ``[B, K, H, W]``."""
        return self.model.decode(features)


def _own(part: nn.Module) -> list[nn.Parameter]:
    return list(part.parameters(recurse=False))
