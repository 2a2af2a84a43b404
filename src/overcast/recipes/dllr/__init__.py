"""Difference-complementary learning and label reassignment, for few labels (Han 2025).

    L = CE(labelled) + r (d D + c X)

One `Segmenter` predicts three times: from the optical image (o) and from the radar one
(s), the other sensor being made invalid, and from both, fused (f). On unlabelled images,

1. asymmetric masking hides blocks of both sensors, in different places and unequal
   shares, from the network that learns;
2. D, difference-guided complementary learning, is the mean of J CE(z, p): J is the
   Jensen-Shannon divergence of p_o and p_s over log 2, p the surer one of the two at
   that pixel, without gradient, and z the logits of the less sure one;
3. reassignment: a teacher predicts o, s and f of unmasked images, and `Reassignment`
   assigns pixels to classes by optimal transport, at costs of three levels, or four;
4. X, multimodal consistency cross pseudo-supervision: each of o, s and f learns the
   reassigned labels of the other two where those are sure, and its own times `own`.

r grows from 0 to 1 in the first half of the steps. Labelled samples now and then lose a
sensor (`drop`), so that each of the three predictions learns from labels.

Pseudo-labels count from a share of .9 on, nobody learns its own, and radar alone names
none. On world 1 a quick network of 1,200 steps made an mIoU of .548 so, .547 of the labels
alone, and .510 where every pseudo-label counted, its own included (one seed). So the
recipe gains nothing over the labels alone where both sensors are there. What it is good at
is a map from one sensor of the two (docs/few-labels.md).

Published is an abstract that names the four parts; no code, and no detail that can be
had. All else is ours, and a hyper-parameter where there was a choice:

- One network makes all three predictions, so that any `Segmenter` will do, a map can be
  made with a sensor missing, and what is learned from pseudo-labels is in the network that
  makes the map. The paper has a branch per sensor: choose a model that has, `fcn` with
  ``branches: true`` or `unet` with ``fusion: late`` (not measured).
- Block masks; J as weight and the surer as teacher; a moving average that names
  pseudo-labels, with a memory of an eighth of the steps; threshold, ramp and weights; and
  all of `Reassignment`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import ClassVar

import torch
from torch import Tensor

from overcast.augment.masking import Masking
from overcast.augment.views import dihedral, jitter
from overcast.limits import DECAY, SHARE, WEIGHT, check_limits
from overcast.models.segmenter import Segmenter
from overcast.recipes.dllr.cross_supervision import (
    complementary_loss,
    cross_pseudo_loss,
)
from overcast.recipes.dllr.label_reassignment import (
    Prototypes,
    Reassignment,
    class_sums,
    split_probabilities,
)
from overcast.recipes.dllr.pseudo_label_accuracy import accuracy_gauges, split_truth
from overcast.train.batch import IGNORE, Batch, join
from overcast.train.losses import cross_entropy
from overcast.train.recipe import State, Terms, TrainingContext
from overcast.train.samples import labelled_images
from overcast.train.sinkhorn import Marginal
from overcast.train.superpixels import superpixels
from overcast.train.teacher import Teacher, scaled_decay, seen

VIEWS = ("fused", "optical", "radar")
"""Order of the three predictions, V of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cross:
    """Cross pseudo-supervision.

    Attributes
    ----------
    weight
        c above.
    fused, optical, radar
        How much the labels of each prediction count. Radar alone is wrong too often
        to teach the others.
    threshold
        Lowest share of a pixel that its class must have for it to be learned from.
    own
        Factor of a prediction's own labels, beside those of another one.
    """

    weight: float = 1.0
    fused: float = 1.0
    optical: float = 0.5
    radar: float = 0.0
    threshold: float = 0.9
    own: float = 0.0

    def __post_init__(self) -> None:
        check_limits(self, weight=WEIGHT, fused=WEIGHT, optical=WEIGHT, radar=WEIGHT)
        check_limits(self, own=WEIGHT, threshold=SHARE)

    @property
    def namers(self) -> tuple[float, float, float]:
        """Weights of the three predictions in the order of `VIEWS`."""
        return self.fused, self.optical, self.radar

    def loss(self, logits: Tensor, shares: Tensor, where: Tensor) -> Tensor:
        """Weighted `cross_pseudo_loss` of the three predictions."""
        loss = cross_pseudo_loss(
            logits, shares, where, self.namers, self.threshold, self.own
        )
        return self.weight * loss


class Memory(State):
    """Teacher, class shares and prototypes of a run of `DLLR`."""

    def __init__(
        self, model: Segmenter, decay: float, reassignment: Reassignment
    ) -> None:
        super().__init__()
        self.teacher = Teacher(model, decay)
        self.marginal = Marginal(model.classes, reassignment.share_decay)
        width, slow = model.width, reassignment.prototype_decay
        self.prototypes = Prototypes(model.classes, width, slow)
        self._noted: tuple[Tensor, Tensor] | None = None

    def note(self, sums: Tensor, counts: Tensor) -> None:
        """Keep a step's class sums until it is taken, when they count."""
        self._noted = sums, counts

    def after_step(self, model: Segmenter, step: int) -> None:
        """Take in the weights after a step, and what was noted in it."""
        self.teacher.after_step(model, step)
        if self._noted is not None:
            sums, counts = self._noted
            self.prototypes.update(sums)
            self.marginal.update(counts)
            self._noted = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DLLR:
    """Optical, radar and fused predictions that teach each other.

    Each of the four parts is left out by None, or a weight of 0.

    Attributes
    ----------
    masking
        Asymmetric masking.
    complementary
        Weight of difference-guided complementary learning: d.
    reassignment
        How pseudo-labels are reassigned; without, they are the teacher's own.
    cross
        Cross pseudo-supervision, which alone learns from pseudo-labels.
    optical, radar
        Names of the two images.
    decay
        Of the teacher, see `Teacher`; `configure` makes None 1 - 8 / steps.
    ramp
        Steps until pseudo-labels are trusted fully; `configure` makes None half of all.
    drop
        Chance of a labelled sample to lose one of its sensors, 0 to 1.
    gain, bias
        Strength of the jitter of unlabelled images, see `jitter`.
    scene
        Name of a target image with a probability for every class, as ``overcast
        predict --probabilities`` makes with a run of `weak` from the same labels: one
        more level of `Reassignment`, which is ours; empty for none.
    truth
        Name of a target image of true class numbers; accuracies of the fused
        prediction's pseudo-labels before and after reassignment are then among the
        gauges. It is for benches: nothing is learned from it.
    """

    streams: ClassVar[tuple[str, ...]] = ("labelled", "unlabelled")

    masking: Masking | None = field(default_factory=Masking)
    complementary: float = 0.3
    reassignment: Reassignment | None = field(default_factory=Reassignment)
    cross: Cross | None = field(default_factory=Cross)
    optical: str = "s2"
    radar: str = "s1"
    decay: float | None = None
    ramp: int | None = None
    drop: float = 0.1
    gain: float = 0.1
    bias: float = 0.01
    scene: str = ""
    truth: str = ""

    def __post_init__(self) -> None:
        check_limits(self, complementary=WEIGHT, decay=DECAY, ramp=(0, 10**9))
        check_limits(self, gain=(0, 10), bias=(0, 10), drop=SHARE)
        if self.optical == self.radar:
            raise ValueError(f"optical and radar are both called {self.optical!r}")
        if self.scene and (self.reassignment is None or self.cross is None):
            raise ValueError(
                f"scene {self.scene!r} is a cost of the reassignment of cross's labels; "
                "without reassignment or cross nothing reads it: leave it out"
            )

    def configure(self, setting: TrainingContext) -> DLLR:
        """The recipe for its number of steps: memory of the teacher, and ramp."""
        decay, ramp = self.decay, self.ramp
        return replace(
            self,
            decay=scaled_decay(setting.steps) if decay is None else decay,
            ramp=setting.steps // 2 if ramp is None else ramp,
        )

    def start(self, model: Segmenter) -> Memory:
        """Nothing known, and the teacher as yet the network itself.

        Raises
        ------
        ValueError
            If the network doesn't read the two images, or `decay` or `ramp` is not known.
        """
        if self.decay is None or self.ramp is None:
            raise ValueError(
                "decay and ramp follow the number of steps, which is not known; call "
                "configure"
            )
        missing = {self.optical, self.radar} - model.bands.keys()
        if missing:
            raise ValueError(
                f"no image {', '.join(sorted(missing))}; there are "
                f"{', '.join(model.bands)}; set optical and radar"
            )
        return Memory(model, self.decay, self.reassignment or Reassignment())

    def terms(
        self, model: Segmenter, state: Memory, batches: Mapping[str, Batch]
    ) -> Terms:
        """Cross-entropy of labelled pixels; cross and complementary losses of others.

        Raises
        ------
        ValueError
            If stream 'labelled' gives no labels.
        """
        losses = {"supervised": self._supervised(model, state, batches)}
        images = dihedral(replace(batches["unlabelled"], labels=None))
        clean, truth = split_truth(images, self.truth)
        clean, scene = split_probabilities(clean, self.scene, model.classes)
        own = [clean.valid[name] for name in (self.optical, self.radar)]
        where = torch.stack([seen(clean, model.bands), *own])
        before, after = self._named(state, clean, where, scene)

        masked = jitter(clean, self.gain, self.bias)
        if self.masking is not None:
            masked = self.masking.hide(masked, self.optical, self.radar)
        logits = _by_view(model(self._views(masked)))
        assert self.ramp is not None
        trust = state.teacher.ramp(self.ramp)
        if self.cross is not None:
            losses["cross"] = trust * self.cross.loss(logits, after, where)
        if self.complementary:
            learned = complementary_loss(logits[1], logits[2], where[1] & where[2])
            losses["complementary"] = self.complementary * trust * learned
        if truth is None:
            return Terms(losses)
        # Of the fused prediction alone: that is the one that makes maps.
        named = {
            when: torch.where(where[0], shares[0].argmax(1), IGNORE)
            for when, shares in (("before", before), ("after", after))
        }
        return Terms(losses, accuracy_gauges(named, truth, model.classes))

    def _supervised(
        self, model: Segmenter, state: Memory, batches: Mapping[str, Batch]
    ) -> Tensor:
        """Cross-entropy; also notes what classes look like, and how many there are."""
        batch, labels = labelled_images(model, batches, augment=True, drop=self.drop)
        features = model.encode(batch)
        state.note(*class_sums(features, labels, model.classes))
        return cross_entropy(model.decode(features), labels)

    @torch.no_grad()
    def _named(
        self, state: Memory, clean: Batch, where: Tensor, scene: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """The teacher's probabilities ``[V, B, K, H, W]``, and what they become."""
        network = state.teacher.network
        features = network.encode(self._views(clean))
        p = network.decode(features).float().softmax(1)
        if self.reassignment is None:
            return _by_view(p), _by_view(p)
        ids = superpixels(
            clean.images[self.optical],
            clean.valid[self.optical],
            self.reassignment.pitch,
            self.reassignment.compactness,
            self.reassignment.rounds,
        )
        shares = self.reassignment.shares(
            p,
            state.prototypes.likeness(features),
            ids.repeat(len(VIEWS), 1, 1),
            where.flatten(0, 1),
            state.marginal.shares,
            None if scene is None else scene.repeat(len(VIEWS), 1, 1, 1),
        )
        return _by_view(p), _by_view(shares)

    def _views(self, batch: Batch) -> Batch:
        """The batch as it is, and with all but the optical or radar image unseen."""
        unseen = {n: torch.zeros_like(v) for n, v in batch.valid.items()}
        alone = (
            replace(batch, valid={**unseen, name: batch.valid[name]})
            for name in (self.optical, self.radar)
        )
        return join([batch, *alone])


def _by_view(joined: Tensor) -> Tensor:
    """``[V, B, ...]`` of ``[V * B, ...]``."""
    return joined.view(len(VIEWS), -1, *joined.shape[1:])
