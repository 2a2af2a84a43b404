"""Learn a SAR network from pseudo-labels that an optical network gave, errors and all.

    L = c CE + g GCE + s (a CE + b RCE) + l Lovasz

    GCE = (1 - p_y^q) / q          generalised cross-entropy, Zhang and Sabuncu 2018
    RCE = 9.21 (1 - p_y)           reverse cross-entropy of a hard label, Wang 2019

The default is cross-entropy alone. GCE and RCE are bounded, so that what a wrong label can
do is bounded too: they are for networks that learn wrong labels by heart, from few labels
in many steps. No table here shows that they help. On many labels RCE cost one or two
points, because it learns rare classes late; and in one run in which three of four wrong
labels were learned by heart, GCE was below cross-entropy (docs/lab/sar-only.md).

What b means: RCE is 9.21 times 1 - p_y, so that a = 1, b = 2 is one part of cross-entropy
and eighteen of a mean absolute error. Wang has a = .1, b = 1 for 10 classes, which is the
default here, and a = 6, b = .1 for 100.

`published` gives the losses of Liu 2025 under their names. ``liu2025`` is the paper's
CE + SCE with a = 1, b = 2. ``liu2025-code`` is what its public code computes: there "RCE"
is cross-entropy once more, so that the whole is three times cross-entropy. AdamW divides by
the size of the gradient, and can hardly tell that from cross-entropy. The code that won the
IEEE GRSS Data Fusion Contest 2025 adds Lovasz: set ``lovasz: 1``. Not built: its auxiliary
head.

The pseudo-labels are the labels of the stack, or soft: a target image of class
probabilities, as `overcast pseudo` writes it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import ClassVar, Literal, get_args

import torch
from torch import Tensor

from overcast.augment.speckle import check_radar, speckle
from overcast.augment.views import dihedral, drop_sensor, jitter
from overcast.geo.bands import Sensor
from overcast.limits import SHARE, WEIGHT, check_limits
from overcast.models.segmenter import Segmenter
from overcast.train.batch import IGNORE, Batch
from overcast.train.losses import (
    cross_entropy,
    generalised_cross_entropy,
    lovasz_softmax,
    symmetric_cross_entropy,
)
from overcast.train.recipe import State, Terms, TrainingContext
from overcast.train.teacher import seen

Published = Literal["", "liu2025", "liu2025-code"]


@dataclass(frozen=True, slots=True)
class Noisy:
    """Cross-entropy, or losses that bound what a wrong label can do.

    Attributes
    ----------
    cross_entropy, generalised, symmetric, lovasz
        Factors of the four losses: c, g, s and l.
    q
        Of generalised cross-entropy, above 0 and at most 1: near 0 it is cross-entropy,
        at 1 a mean absolute error.
    alpha, beta
        Factors of cross-entropy and its reverse inside the symmetric one: a and b.
    published
        ``liu2025`` or ``liu2025-code``: `cross_entropy`, `symmetric`, `alpha` and `beta`
        are then those of the paper or of its public code, and what is given of them is
        not read.
    probabilities
        Name of the target image that holds a probability for every class; empty if
        there is none.
    soft
        Learn from these probabilities instead of the labels. Lovasz, which is not
        defined for them, learns from their likeliest class.
    confident
        Let a pixel count by the probability of its label.
    looks
        Multiply every radar image with speckle of that many looks; 0 leaves them as
        they are.
    augment
        Turn, mirror and jitter every sample.
    drop
        Chance of a sample to lose one of its sensors, 0 to 1.
    radar
        Radar images by name, for speckle; `configure` fills it in.
    """

    streams: ClassVar[tuple[str, ...]] = ("labelled",)

    cross_entropy: float = 1.0
    generalised: float = 0.0
    symmetric: float = 0.0
    lovasz: float = 0.0
    q: float = 0.7
    alpha: float = 0.1
    beta: float = 1.0
    published: Published = ""
    probabilities: str = ""
    soft: bool = False
    confident: bool = False
    looks: int = 0
    augment: bool = True
    drop: float = 0.1
    radar: Mapping[str, Sensor] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_limits(self, cross_entropy=WEIGHT, generalised=WEIGHT, symmetric=WEIGHT)
        check_limits(self, lovasz=WEIGHT, q=(1e-3, 1), alpha=WEIGHT, beta=WEIGHT)
        check_limits(self, looks=(0, 10_000), drop=SHARE)
        if self.published not in get_args(Published):
            names = ", ".join(name for name in get_args(Published) if name)
            raise ValueError(
                f"published is {self.published!r}; expected {names}, or nothing"
            )
        made = self._as_published()
        if not any((made.cross_entropy, made.generalised, made.symmetric, made.lovasz)):
            raise ValueError(
                "cross_entropy, generalised, symmetric and lovasz are 0; expected one "
                "above"
            )
        if (self.soft or self.confident) and not self.probabilities:
            raise ValueError(
                "soft and confident need probabilities: the name of a target image"
            )

    def _as_published(self) -> Noisy:
        """The recipe with the factors that `published` stands for."""
        if self.published == "liu2025":
            plain = replace(self, published="", cross_entropy=1.0, symmetric=1.0)
            return replace(plain, alpha=1.0, beta=2.0)
        if self.published == "liu2025-code":
            return replace(self, cross_entropy=3.0, symmetric=0.0, published="")
        return self

    def configure(self, setting: TrainingContext) -> Noisy:
        """The recipe for its images: told what speckle does to each.

        Raises
        ------
        ValueError
            If `looks` is set and no image is a radar's, or one is in a unit in which
            speckle is not known.
        """
        if not self.looks:
            return self
        radar = {name: s for name, s in setting.sensors.items() if s.kind == "sar"}
        if not radar:
            raise ValueError(
                f"looks is {self.looks}, but no image is a radar's: "
                f"{', '.join(setting.sensors)}; set looks: 0"
            )
        for name, sensor in radar.items():
            check_radar(name, sensor)
        return replace(self, radar=radar)

    def start(self, model: Segmenter) -> State:
        """Nothing to remember."""
        return State()

    def terms(
        self, model: Segmenter, state: State, batches: Mapping[str, Batch]
    ) -> Terms:
        """Up to four losses of one batch.

        Raises
        ------
        ValueError
            If the stream gives no labels, or no image called `probabilities`; or looks
            are set and `radar` is not.
        """
        batch = batches["labelled"]
        if self.augment:
            batch = dihedral(batch)
        if batch.labels is None:
            raise ValueError("stream 'labelled' gave a batch without labels")
        # Optical pseudo-labels go on where a radar's footprint ends.
        observed = seen(batch, model.bands)
        labels = torch.where(observed, batch.labels, IGNORE)
        batch, soft = self._divided(batch, model)
        if soft is not None:
            soft = torch.where(observed[:, None], soft, 0)
        if self.augment:
            batch = jitter(batch)
        if self.looks:
            batch = self._speckled(batch)
        logits = model(drop_sensor(batch, self.drop))
        if soft is None:
            return Terms(self._losses(logits, labels, labels))
        labels = _likeliest(soft) if self.soft else labels
        trust = _of_label(soft, labels) if self.confident else None
        target = soft if self.soft else labels
        return Terms(self._losses(logits, target, labels, trust))

    def _speckled(self, batch: Batch) -> Batch:
        if not self.radar:
            raise ValueError("looks are set, but not what the images are: configure")
        for name, sensor in self.radar.items():
            batch = speckle(batch, name, self.looks, sensor)
        return batch

    def _divided(self, batch: Batch, model: Segmenter) -> tuple[Batch, Tensor | None]:
        """Return what `model` sees, and probabilities ``[B, K, H, W]``; zero if unknown."""
        images, valid = batch.images, batch.valid
        seen, name = batch.only(model.bands), self.probabilities
        if not name:
            return seen, None
        if name not in images:
            raise ValueError(
                f"no target image {name!r} of class probabilities; there are "
                f"{', '.join(images)}"
            )
        amounts = torch.where(valid[name][:, None], images[name], 0).clamp_min(0)
        total = amounts.sum(1, keepdim=True)
        return seen, amounts / torch.where(total > 0, total, 1)

    def _losses(
        self,
        logits: Tensor,
        target: Tensor,
        labels: Tensor,
        trust: Tensor | None = None,
    ) -> dict[str, Tensor]:
        """Weighted losses of `target`, hard or soft, and of hard `labels`."""
        own, losses = self._as_published(), {}
        if own.cross_entropy:
            plain = cross_entropy(logits, target, confidence=trust)
            losses["cross_entropy"] = own.cross_entropy * plain
        if own.generalised:
            bounded = generalised_cross_entropy(logits, target, own.q, confidence=trust)
            losses["generalised"] = own.generalised * bounded
        if own.symmetric:
            both = symmetric_cross_entropy(
                logits, target, own.alpha, own.beta, confidence=trust
            )
            losses["symmetric"] = own.symmetric * both
        if own.lovasz:
            losses["lovasz"] = own.lovasz * lovasz_softmax(logits, labels, trust)
        return losses


def _likeliest(soft: Tensor) -> Tensor:
    """Hard labels ``[B, H, W]`` of soft ones; unknown where those are all zero."""
    highest, labels = soft.max(1)
    return torch.where(highest > 0, labels, IGNORE)


def _of_label(soft: Tensor, labels: Tensor) -> Tensor:
    """Probability ``[B, H, W]`` of the label; 0 where it is unknown."""
    known = labels != IGNORE
    chosen = soft.gather(1, torch.where(known, labels, 0)[:, None])[:, 0]
    return torch.where(known, chosen, 0)
