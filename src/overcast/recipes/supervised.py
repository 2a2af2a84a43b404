"""Learn from labels as they are: cross-entropy that ignores unknown pixels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from overcast.learn.augment import dihedral, drop_sensor, jitter
from overcast.learn.batch import Batch
from overcast.learn.losses import cross_entropy
from overcast.learn.recipe import State, Terms
from overcast.models.segmenter import Segmenter


@dataclass(frozen=True, slots=True)
class Supervised:
    """Cross-entropy on turned, mirrored and slightly re-lit windows.

    Attributes
    ----------
    jitter
        Standard deviation of the random gain and offset of every band.
    drop
        Probability that a sample loses one of its sensors, so that the network
        still works where one is missing.
    """

    streams: ClassVar[tuple[str, ...]] = ("labelled",)

    jitter: float = 0.05
    drop: float = 0.1

    def start(self, model: Segmenter) -> State:
        """Remember nothing."""
        return State()

    def terms(
        self, model: Segmenter, state: State, batches: Mapping[str, Batch]
    ) -> Terms:
        """Cross-entropy over the known pixels of stream ``labelled``."""
        batch = drop_sensor(
            jitter(dihedral(batches["labelled"]), self.jitter), self.drop
        )
        if batch.labels is None:
            raise ValueError("the stream 'labelled' gave a batch without labels")
        return Terms({"supervised": cross_entropy(model(batch), batch.labels)})
