"""Take a network to images that look different: self-training on mixed images.

    L = CE(f(x_s), y_s) + CE(f(x_m), y_m; q)
    x_m = x_s where a half of its classes lie, else x_t
    y_m = y_s there, else the teacher's class of x_t
    q   = 1 there, else how far the teacher is to be trusted

DACS (Tranheden 2021) as Liu 2025 uses it: s is the labelled source, t the unlabelled
target, the teacher a moving average of the network f. Pasted true labels keep the
teacher's errors from feeding on themselves. What q is, is a switch: DACS takes, for a
whole image, the share of its pixels that the teacher is sure of; the mean confidence of
the image and the confidence of the pixel do without a threshold.

Two settings follow the length of the training, so that short ones work as long ones do:

- The teacher's memory: a decay of 1 - 8 / steps, and at most the paper's .999. With .999
  and some hundred steps, the teacher would be the plain mean of all weights since the
  random start.
- Trust grows from 0 to q in the first quarter of the steps, as exp(-5 m^2) with m the
  share of them that is missing. A fresh teacher has a mean confidence of .3 to .5 and knows
  nothing; the share of sure pixels in the paper is about 0 then, and so a ramp by itself.

A teacher that a new season confuses calls most of the target by a few classes, and a
student of such labels more of it still. So its probabilities t are first changed to

    t'[k] ~ t[k] (s[k] / m[k])^a

with s the shares of the classes in labelled windows and m their mean in t (distribution
alignment, ReMixMatch, Berthelot 2020). It supposes that the target has about the classes
that the source has; a = 0 leaves it out, as DACS does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, Literal

import torch
from torch import Tensor

from overcast.augment.mixing import class_mask, paste
from overcast.augment.resolution import align_resolution, blur
from overcast.augment.style import restyle
from overcast.augment.views import dihedral, jitter
from overcast.limits import DECAY, SHARE, check_limits
from overcast.models.segmenter import Segmenter
from overcast.train.batch import IGNORE, Batch
from overcast.train.losses import cross_entropy
from overcast.train.recipe import State, Terms, TrainingContext
from overcast.train.sinkhorn import Marginal
from overcast.train.teacher import (
    Teacher,
    confident_labels,
    scaled_decay,
    seen,
)

Weighting = Literal["share", "mean", "pixel"]
_LONGEST = 0.999
"""Decay of the paper's teacher, for tens of thousands of steps."""
_MEMORY = 0.95
"""Share of itself that the mean of class shares keeps in a step."""
_LEAST = 1e-3
"""Share of a class, at least: what was never predicted is not raised without end."""


class Adapting(State):
    """The teacher, and the shares of classes in source labels and in what it says."""

    def __init__(self, model: Segmenter, decay: float) -> None:
        super().__init__()
        self.teacher = Teacher(model, decay)
        self.labelled = Marginal(model.classes, _MEMORY)
        self.taught = Marginal(model.classes, _MEMORY)
        self._noted: tuple[Tensor, Tensor] | None = None

    def aligned(self, taught: Tensor, power: float) -> Tensor:
        """Probabilities ``[B, K, H, W]`` with class shares drawn to those of labels."""
        if not power:
            return taught
        ratio = self.labelled.shares.clamp_min(_LEAST) / self.taught.shares.clamp_min(
            _LEAST
        )
        raised = taught * (ratio**power)[:, None, None]
        return raised / raised.sum(1, keepdim=True)

    def note(self, labelled: Tensor, taught: Tensor) -> None:
        """Keep a step's amounts of the classes ``[K]`` until it is taken."""
        self._noted = labelled, taught

    def after_step(self, model: Segmenter, step: int) -> None:
        """Take in the weights after a step, and what was noted in it."""
        self.teacher.after_step(model, step)
        if self._noted is not None:
            labelled, taught = self._noted
            self.labelled.update(labelled)
            self.taught.update(taught)
            self._noted = None


@dataclass(frozen=True, slots=True)
class Dacs:
    """Cross-entropy on source images, and on target images with source pasted over.

    Attributes
    ----------
    weighting
        How far the teacher is trusted: ``share`` of an image's pixels with confidence
        of at least `threshold`; ``mean`` confidence of the image; confidence of the
        ``pixel``.
    threshold
        Of ``share``.
    decay
        Share of itself that the teacher keeps in a step, less during its first steps;
        `configure` makes None 1 - 8 / steps, and .999 at most.
    ramp
        Steps until the teacher is trusted as far as `weighting` says; `configure` makes
        None a quarter of all.
    shares
        How far class shares of the teacher are drawn to those of the labels, see
        above: 0 not at all, 1 wholly.
    alignment
        Chance of a source image to be shown as a coarser sensor would.
    down, up
        Lowest and highest scale down and then up, see `align_resolution`.
    restyle
        Chance of a source image to take over the mean and spread of every band of the
        target images of its batch, see `restyle`. Ours; DACS has none.
    gain, bias
        Strength of the jitter of all images, see `jitter`.
    """

    streams: ClassVar[tuple[str, ...]] = ("labelled", "unlabelled")

    weighting: Weighting = "mean"
    threshold: float = 0.968
    decay: float | None = None
    ramp: int | None = None
    shares: float = 1.0
    alignment: float = 0.2
    down: tuple[float, float] = (0.1, 0.35)
    up: tuple[float, float] = (1.0, 3.0)
    restyle: float = 1.0
    gain: float = 0.1
    bias: float = 0.05

    def __post_init__(self) -> None:
        check_limits(self, threshold=SHARE, shares=SHARE, decay=DECAY)
        check_limits(self, ramp=(0, 10**9))
        check_limits(self, alignment=SHARE, restyle=SHARE, gain=(0, 10), bias=(0, 10))
        check_limits(self, down=(0.01, 1), up=(1, 100))

    def configure(self, setting: TrainingContext) -> Dacs:
        """The recipe for its number of steps: how long the teacher remembers."""
        decay, ramp = self.decay, self.ramp
        if decay is None:
            decay = min(_LONGEST, scaled_decay(setting.steps))
        return replace(
            self, decay=decay, ramp=setting.steps // 4 if ramp is None else ramp
        )

    def start(self, model: Segmenter) -> Adapting:
        """Make the teacher, as yet the network itself.

        Raises
        ------
        ValueError
            If `decay` or `ramp` is not known.
        """
        if self.decay is None or self.ramp is None:
            raise ValueError(
                "decay and ramp follow the number of steps, which is not known; call "
                "configure"
            )
        return Adapting(model, self.decay)

    def terms(
        self, model: Segmenter, state: Adapting, batches: Mapping[str, Batch]
    ) -> Terms:
        """Losses of source and mixed images, and the mean trust in the teacher.

        Raises
        ------
        ValueError
            If stream 'labelled' gives no labels.
        """
        source, target = self._seen(model, batches)
        labels = source.labels
        assert labels is not None
        where = seen(target, model.bands)
        taught = state.teacher.probabilities(target)
        state.note(
            _amounts(labels, model.classes), (taught * where[:, None]).sum((0, 2, 3))
        )
        taught = state.aligned(taught, self.shares)
        assert self.ramp is not None
        trust = state.teacher.ramp(self.ramp) * self._trust(taught, where)

        pasted = class_mask(labels)
        target = replace(target, labels=confident_labels(taught, 0.0, where))
        mixed = blur(jitter(paste(source, target, pasted), self.gain, self.bias))
        assert mixed.labels is not None
        factor = torch.where(pasted, 1.0, trust)
        losses = {
            "source": cross_entropy(model(source), labels),
            "mixed": cross_entropy(model(mixed), mixed.labels, confidence=factor),
        }
        return Terms(losses, {"trust": trust.mean()})

    def _seen(
        self, model: Segmenter, batches: Mapping[str, Batch]
    ) -> tuple[Batch, Batch]:
        """Source as it is to be learned from, and target as the teacher is shown it."""
        source = batches["labelled"].only(model.bands)
        if source.labels is None:
            raise ValueError("stream 'labelled' gave a batch without labels")
        known = torch.where(seen(source, model.bands), source.labels, IGNORE)
        source = replace(source, labels=known)
        target = dihedral(replace(batches["unlabelled"].only(model.bands), labels=None))
        source = restyle(source, target, self.restyle, whole=True)
        source = align_resolution(source, self.alignment, self.down, self.up)
        return jitter(dihedral(source), self.gain, self.bias), target

    def _trust(self, taught: Tensor, where: Tensor) -> Tensor:
        """Factor ``[B, 1, 1]`` of images or ``[B, H, W]`` of pixels, 0 to 1."""
        highest = taught.amax(1)
        if self.weighting == "pixel":
            return highest
        if self.weighting == "share":
            highest = (highest >= self.threshold).to(highest.dtype)
        count = where.sum((1, 2), keepdim=True).clamp_min(1)
        return torch.where(where, highest, 0).sum((1, 2), keepdim=True) / count


def _amounts(labels: Tensor, classes: int) -> Tensor:
    """Known pixels of every class ``[K]``."""
    known = labels[labels != IGNORE]
    return torch.bincount(known, minlength=classes).to(torch.float32)
