"""Learn from few labels and from a teacher that is the mean of one's own past.

    L = CE(labelled) + w r mean over seen pixels of |softmax(s) - softmax(t)|^2

(mean teacher, Tarvainen and Valpola 2017). s are the logits of the network on one view
of unlabelled images, t those of the moving average of its weights on another one; r
grows from 0 to 1 in the first steps. Views share their geometry and differ in
radiometry, and now and then the network's loses a whole sensor.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from overcast.augment.views import drop_sensor, jitter
from overcast.limits import DECAY, SHARE, WEIGHT, check_limits
from overcast.models.segmenter import Segmenter
from overcast.recipes.supervised import Supervised
from overcast.train.batch import Batch
from overcast.train.losses import masked_mean
from overcast.train.recipe import Terms
from overcast.train.samples import unlabelled_images
from overcast.train.teacher import Teacher, seen


@dataclass(frozen=True, slots=True)
class MeanTeacher:
    """Agree with the moving average of one's own weights.

    Attributes
    ----------
    decay
        Of the teacher, see `Teacher`.
    weight
        w above.
    ramp
        Steps until the teacher is trusted fully.
    drop
        Chance of a sample to lose one of its sensors, 0 to 1.
    """

    streams: ClassVar[tuple[str, ...]] = ("labelled", "unlabelled")

    decay: float = 0.99
    weight: float = 10.0
    ramp: int = 200
    drop: float = 0.1

    def __post_init__(self) -> None:
        check_limits(self, decay=DECAY, weight=WEIGHT, ramp=(0, 10**9), drop=SHARE)

    def start(self, model: Segmenter) -> Teacher:
        """Make the teacher, as yet the network itself."""
        return Teacher(model, self.decay)

    def terms(
        self, model: Segmenter, state: Teacher, batches: Mapping[str, Batch]
    ) -> Terms:
        """Cross-entropy of labelled pixels, squared distance of unlabelled ones.

        Raises
        ------
        ValueError
            If stream 'labelled' gives no labels.
        """
        known = Supervised(drop=self.drop).terms(model, state, batches)
        images = unlabelled_images(model, batches)
        target = state.probabilities(jitter(images))
        own = model(drop_sensor(jitter(images), self.drop)).float().softmax(1)
        distance = masked_mean(
            (own - target).square().mean(1), seen(images, model.bands)
        )
        trust = state.ramp(self.ramp)
        losses = {**known.losses, "consistency": self.weight * trust * distance}
        return Terms(losses, {"trust": trust})
