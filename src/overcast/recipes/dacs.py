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
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, Literal

import torch
from torch import Tensor

from overcast.learn.augment import dihedral, jitter
from overcast.learn.batch import Batch
from overcast.learn.losses import cross_entropy
from overcast.learn.mixing import class_mask, paste
from overcast.learn.recipe import Terms
from overcast.learn.resolution import align_resolution, blur
from overcast.learn.style import restyle
from overcast.learn.teacher import Teacher, confident_labels, seen
from overcast.models.segmenter import Segmenter

Weighting = Literal["share", "mean", "pixel"]


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
        Share of itself that the teacher keeps in a step; less during its first steps.
    alignment
        Chance of a source image to be shown as a coarser sensor would.
    down, up
        Lowest and highest scale down and then up, see `align_resolution`.
    restyle
        Chance of a source image to take over the mean and spread of every band of a
        target image, see `restyle`. Ours; DACS has none.
    gain, bias
        Strength of the jitter of all images, see `jitter`.
    """

    streams: ClassVar[tuple[str, ...]] = ("labelled", "unlabelled")

    weighting: Weighting = "mean"
    threshold: float = 0.968
    decay: float = 0.999
    alignment: float = 0.2
    down: tuple[float, float] = (0.1, 0.35)
    up: tuple[float, float] = (1.0, 3.0)
    restyle: float = 0.0
    gain: float = 0.1
    bias: float = 0.05

    def __post_init__(self) -> None:
        if not 0 <= self.threshold <= 1:
            raise ValueError(f"threshold is {self.threshold}, expected 0 to 1")

    def start(self, model: Segmenter) -> Teacher:
        """Make the teacher, as yet the network itself."""
        return Teacher(model, self.decay)

    def terms(
        self, model: Segmenter, state: Teacher, batches: Mapping[str, Batch]
    ) -> Terms:
        """Losses of source and mixed images, and the mean trust in the teacher.

        Raises
        ------
        ValueError
            If stream 'labelled' gives no labels.
        """
        source = batches["labelled"].only(model.bands)
        if source.labels is None:
            raise ValueError("stream 'labelled' gave a batch without labels")
        target = dihedral(replace(batches["unlabelled"].only(model.bands), labels=None))
        source = restyle(source, target, self.restyle)
        source = align_resolution(source, self.alignment, self.down, self.up)
        source = jitter(dihedral(source), self.gain, self.bias)
        labels = source.labels
        assert labels is not None
        where = seen(target, model.bands)
        taught = state.probabilities(target)
        trust = self._trust(taught, where)

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

    def _trust(self, taught: Tensor, where: Tensor) -> Tensor:
        """Factor ``[B, 1, 1]`` of images or ``[B, H, W]`` of pixels, 0 to 1."""
        highest = taught.amax(1)
        if self.weighting == "pixel":
            return highest
        if self.weighting == "share":
            highest = (highest >= self.threshold).to(highest.dtype)
        count = where.sum((1, 2), keepdim=True).clamp_min(1)
        return torch.where(where, highest, 0).sum((1, 2), keepdim=True) / count
