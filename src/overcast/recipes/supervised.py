"""Learn from the labels pixel by pixel, by cross-entropy or a loss for wrong labels.

    cross_entropy                  -log p_y
    generalised_cross_entropy      (1 - p_y^q) / q           Zhang and Sabuncu 2018
    symmetric_cross_entropy        a CE + b RCE              Wang 2019
    soft_, hard_bootstrapping      labels mixed with what the network says   Reed 2015
    label_smoothing_cross_entropy  labels mixed with all classes alike    Szegedy 2016

with p = softmax(logits) and y the label; a pixel of unknown class has no part in it.
Cross-entropy has no bound: a label that the network denies pulls the harder the surer it
is. The other losses suppose that labels are right more often than wrong whatever a pixel
looks like. Coarse labels are not, and `overcast.recipes.coarse` is for them.

Samples are turned, mirrored and shifted in brightness, and now and then lose a whole
sensor, so that the network also maps scenes where one is missing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal, get_args

from overcast.limits import SHARE, check_limits
from overcast.models.segmenter import Segmenter
from overcast.train import losses
from overcast.train.batch import Batch
from overcast.train.recipe import State, Terms
from overcast.train.samples import labelled_images

Loss = Literal[
    "cross_entropy",
    "generalised_cross_entropy",
    "symmetric_cross_entropy",
    "soft_bootstrapping",
    "hard_bootstrapping",
    "label_smoothing_cross_entropy",
]


@dataclass(frozen=True, slots=True)
class Supervised:
    """A loss of known pixels.

    Attributes
    ----------
    loss
        Name of a function in `overcast.train.losses`, with its published settings.
    augment
        Turn, mirror and jitter every sample.
    drop
        Chance of a sample to lose one of its sensors, 0 to 1.
    """

    streams: ClassVar[tuple[str, ...]] = ("labelled",)

    loss: Loss = "cross_entropy"
    augment: bool = True
    drop: float = 0.1

    def __post_init__(self) -> None:
        if self.loss not in get_args(Loss):
            raise ValueError(
                f"loss is {self.loss!r}, expected one of {', '.join(get_args(Loss))}"
            )
        check_limits(self, drop=SHARE)

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
        batch, labels = labelled_images(
            model, batches, augment=self.augment, drop=self.drop
        )
        loss = getattr(losses, self.loss)
        return Terms({"supervised": loss(model(batch), labels)})
