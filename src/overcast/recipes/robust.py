"""Learn from labels of which some are wrong, by a loss that bounds what one can do.

    generalised_cross_entropy      (1 - p_y^q) / q           Zhang and Sabuncu 2018
    symmetric_cross_entropy        a CE + b RCE              Wang 2019
    soft_, hard_bootstrapping      labels mixed with what the network says   Reed 2015
    label_smoothing_cross_entropy  labels mixed with all classes alike    Szegedy 2016

Cross-entropy has no bound: a label that the network denies pulls the harder the surer
it is. These losses suppose that labels are right more often than wrong whatever a pixel
looks like. Coarse labels are not, and `overcast.recipes.coarse` is for them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal, get_args

from overcast.learn import losses
from overcast.learn.augment import dihedral, drop_sensor, jitter
from overcast.learn.batch import Batch
from overcast.learn.recipe import State, Terms
from overcast.models.segmenter import Segmenter

Loss = Literal[
    "generalised_cross_entropy",
    "symmetric_cross_entropy",
    "soft_bootstrapping",
    "hard_bootstrapping",
    "label_smoothing_cross_entropy",
]


@dataclass(frozen=True, slots=True)
class Robust:
    """One of the losses for wrong labels, with its published settings.

    Attributes
    ----------
    loss
        Name of a function in `overcast.learn.losses`.
    augment
        Turn, mirror and jitter every sample.
    drop
        Chance of a sample to lose one of its sensors, 0 to 1.
    """

    streams: ClassVar[tuple[str, ...]] = ("labelled",)

    loss: Loss = "generalised_cross_entropy"
    augment: bool = True
    drop: float = 0.1

    def __post_init__(self) -> None:
        if self.loss not in get_args(Loss):
            raise ValueError(
                f"loss is {self.loss!r}, expected one of {', '.join(get_args(Loss))}"
            )
        if not 0 <= self.drop <= 1:
            raise ValueError(f"drop is a probability, 0 to 1, got {self.drop}")

    def start(self, model: Segmenter) -> State:
        """Nothing to remember."""
        return State()

    def terms(
        self, model: Segmenter, state: State, batches: Mapping[str, Batch]
    ) -> Terms:
        """The loss of one batch.

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
        loss = getattr(losses, self.loss)
        return Terms({self.loss: loss(model(batch), batch.labels)})
