"""Learn from few labels and from sure predictions of unlabelled images.

    L = CE(labelled) + w [ (1 - f) mean_j CE(s_j, y) + f CE(d, y) ],
    y = argmax p where max p >= t, p the prediction of a weak view

FixMatch (Sohn 2020) as UniMatch (Yang 2023) has it for segmentation: s_j are two strong
views of the same images, each with boxes of another sample pasted in (CutMix) and its
labels with them; d decodes features of the weak view of which half the channels were
dropped. Means are over all seen pixels, the unsure among them counting nothing.

Their strong view distorts colours. Ours, of several sensors, shifts the radiometry of
every band, hides blocks of pixels, and takes away whole sensors. p is of a `Teacher`;
with a decay of 0, as in both papers, it is the network itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from overcast.augment.mixing import box_mask, paste, rolled
from overcast.augment.views import drop_sensor, hide, jitter
from overcast.limits import DECAY, SHARE, WEIGHT, check_limits
from overcast.models.segmenter import Segmenter
from overcast.recipes.supervised import Supervised
from overcast.train.batch import Batch
from overcast.train.losses import cross_entropy, masked_mean
from overcast.train.recipe import Terms
from overcast.train.samples import unlabelled_images
from overcast.train.teacher import Teacher, confident_labels, seen


@dataclass(frozen=True, slots=True)
class FixMatch:
    """Find in disturbed images what is sure in the undisturbed ones.

    Attributes
    ----------
    decay
        Of the teacher, see `Teacher`; 0 is the network itself.
    threshold
        Lowest probability of a class that is learned from: t.
    weight
        Factor of all that is unlabelled: w.
    features
        Share of the view with dropped features in it, 0 to 1: f.
    gain, bias
        Strength of the jitter of strong views, see `jitter`.
    hidden
        Share of blocks that a strong view hides, of every sensor.
    drop
        Chance of a labelled sample to lose one of its sensors, 0 to 1.
    strong_drop
        The same of a strong view.
    """

    streams: ClassVar[tuple[str, ...]] = ("labelled", "unlabelled")

    decay: float = 0.0
    threshold: float = 0.95
    weight: float = 1.0
    features: float = 0.5
    gain: float = 0.1
    bias: float = 0.01
    hidden: float = 0.1
    drop: float = 0.1
    strong_drop: float = 0.2

    def __post_init__(self) -> None:
        check_limits(self, decay=DECAY, weight=WEIGHT, gain=(0, 10), bias=(0, 10))
        check_limits(self, threshold=SHARE, features=SHARE, hidden=SHARE)
        check_limits(self, drop=SHARE, strong_drop=SHARE)

    def start(self, model: Segmenter) -> Teacher:
        """Make the teacher, as yet the network itself."""
        return Teacher(model, self.decay)

    def terms(
        self, model: Segmenter, state: Teacher, batches: Mapping[str, Batch]
    ) -> Terms:
        """Cross-entropy of labelled pixels, and of sure ones in three other views.

        Raises
        ------
        ValueError
            If stream 'labelled' gives no labels.
        """
        known = Supervised(drop=self.drop).terms(model, state, batches)
        weak = unlabelled_images(model, batches)
        p = state.probabilities(weak)
        where = seen(weak, model.bands)
        weak = replace(weak, labels=confident_labels(p, 0.0, where))
        sure = (p.amax(1) >= self.threshold).to(p.dtype)

        strong = [self._strong(model, weak, sure) for _ in range(2)]
        dropped = model.decode(F.dropout2d(model.encode(weak)))
        assert weak.labels is not None
        hard = cross_entropy(dropped, weak.labels, confidence=sure)
        consistency = (1 - self.features) * torch.stack(strong).mean()
        losses = {
            **known.losses,
            "strong": self.weight * consistency,
            "features": self.weight * self.features * hard,
        }
        return Terms(losses, {"sure": masked_mean(sure, where)})

    def _strong(self, model: Segmenter, weak: Batch, sure: Tensor) -> Tensor:
        """Loss of a strong view with boxes of the next sample in it."""
        view = jitter(weak, self.gain, self.bias)
        for name in model.bands:
            view = hide(view, name, self.hidden)
        view = drop_sensor(view, self.strong_drop)
        box = box_mask(sure.shape).to(sure.device)
        mixed = paste(rolled(view), view, box)
        assert mixed.labels is not None
        sure = torch.where(box, sure.roll(1, 0), sure)
        return cross_entropy(model(mixed), mixed.labels, confidence=sure)
