"""Learn from the labels as they are.

    L = mean over known pixels of  -log softmax(logits)[label]

A pixel of unknown class has no part in it. Samples are turned, mirrored and shifted
in brightness, and now and then lose a whole sensor, so that the network also maps
scenes where one is missing.
"""

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
    """Cross-entropy on known pixels.

    Attributes
    ----------
    augment
        Turn, mirror and jitter every sample.
    drop
        Chance of a sample to lose one of its sensors, 0 to 1.
    """

    streams: ClassVar[tuple[str, ...]] = ("labelled",)

    augment: bool = True
    drop: float = 0.1

    def __post_init__(self) -> None:
        if not 0 <= self.drop <= 1:
            raise ValueError(f"drop is a probability, 0 to 1, got {self.drop}")

    def start(self, model: Segmenter) -> State:
        """Nothing to remember."""
        return State()

    def terms(
        self, model: Segmenter, state: State, batches: Mapping[str, Batch]
    ) -> Terms:
        """Cross-entropy of one batch.

        Raises
        ------
        ValueError
            If the stream gives no labels.
        """
        batch = batches["labelled"].only(model.bands)
        if self.augment:
            batch = jitter(dihedral(batch))
        batch = drop_sensor(batch, self.drop)
        if batch.labels is None:
            raise ValueError("stream 'labelled' gave a batch without labels")
        return Terms({"supervised": cross_entropy(model(batch), batch.labels)})
