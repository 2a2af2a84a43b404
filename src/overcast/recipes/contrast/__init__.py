"""Features without labels: a place looks like itself, and unlike other places.

    L = w_i C(image features) + w_s C(superpixel features)

(Chen and Bruzzone 2022). C is the debiased contrastive loss with hard negatives of
`overcast.train.losses.contrast`, between two views of the same images, or of the same
superpixels, all others being negatives. Features are those of `Segmenter.encode`,
averaged over an image or a superpixel and sent through a small head that is thrown away
afterwards. A place's copy is shifted, turned and mirrored. Of a superpixel's copy one
pixel alone is taken: a mean over a hundred pixels is free of noise whatever the encoder
does, and a map is made of single pixels. Views differ by `fusion`:

    early     place and copy, with all sensors, at both levels
    middle    images: one sensor and the copy of another; superpixels: place and copy
    late      one sensor of a place and the copy of another, at both levels

Where in a network its sensors meet is the network's own affair: the paper's three are
this setting together with a `UNet` of the same. Superpixels are read from a target image
(`overcast.train.felzenszwalb` makes it), or found in the batch where there is none.

What it needs to be worth something, after the paper, is scale: a U-Net of ResNet-18 that
sees whole superpixels, 256 features, 1,000 crops a step and thousands of superpixels in it.
The default network sees 9 x 9 pixels of superpixels of 30 and more, in 16 to 32 windows a
step. What that costs was not measured. ``python -m bench.published dfc2020-ssl`` has the
paper's network with batches of 64 and a memory of 1,024, for a GPU. On a CPU, give a wider
view: ``model={name: fcn, dilations: [1, 2, 4, 8]}`` sees 33 x 33 pixels.

Ours: the one pixel, crops of a window for the shift, radiometric jitter and the loss of a
sensor in views, heads that see features standardised over the batch, and the memory of
negatives. The paper has both levels, means of superpixels, and `fusion` middle:
``image: 1, pixel: false, fusion: middle, temperature: 0.5, dimensions: 256, drop: 0``.
The defaults are what a linear classifier of the features did well with on development
worlds, for half of the time (docs/pretraining.md). Gauges are the effective ranks of
features and of their projections: the latter fall to 1 where learning collapses, and both
tell how many things features say of a place.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import combinations
from typing import ClassVar

import torch
from torch import Tensor, nn

from overcast.augment.views import dihedral, drop_sensor, jitter
from overcast.limits import SHARE, WEIGHT, check_limits
from overcast.models.fusion import Fusion
from overcast.models.segmenter import Segmenter
from overcast.recipes.contrast.effective_rank import effective_rank
from overcast.train.batch import Batch, join
from overcast.train.felzenszwalb import NUMBERS
from overcast.train.losses.contrast import contrastive_loss
from overcast.train.recipe import State, Terms
from overcast.train.superpixels import (
    NOWHERE,
    numbered,
    one_of_each,
    region_means,
    superpixels,
)
from overcast.train.teacher import seen

IMAGE, SUPERPIXEL = "image", "superpixel"


@dataclass(frozen=True, slots=True)
class _Pair:
    """Two views of the same places, and the levels that contrast them."""

    levels: tuple[str, ...]
    one: Batch
    two: Batch


class Heads(State):
    """Projection heads and remembered negatives of every level."""

    def __init__(
        self, width: int, levels: Iterable[str], dimensions: int, memory: int
    ) -> None:
        super().__init__()
        self.heads = nn.ModuleDict(
            {level: _head(width, dimensions) for level in levels}
        )
        self.memory = memory
        if memory:
            for level in self.heads:
                self.register_buffer(level, torch.zeros(memory, dimensions))
        self._noted: dict[str, Tensor] = {}

    def project(
        self, level: str, one: Tensor, two: Tensor
    ) -> tuple[Tensor, Tensor, Tensor | None]:
        """Project ``[N, width]`` of two views; with what is remembered, if anything."""
        first, second = self.heads[level](_standard(torch.cat([one, two]))).chunk(2)
        if not self.memory:
            return first, second, None
        remembered = self.get_buffer(level)
        self._noted[level] = first.detach().to(remembered.dtype)
        return first, second, remembered

    @torch.no_grad()
    def after_step(self, model: Segmenter, step: int) -> None:
        """Remember the step's projections, forgetting the oldest."""
        for level, new in self._noted.items():
            own = self.get_buffer(level)
            own.copy_(torch.cat([new, own])[: self.memory])
        self._noted = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Contrast:
    """Contrast of images and of superpixels.

    Attributes
    ----------
    image, superpixel
        Weights of the two levels: w_i and w_s; a level of 0 is left out.
    fusion
        Which views are contrasted: early, middle or late.
    temperature, prior, hardness
        Of the loss, see `contrastive_loss`: t, tau and beta.
    memory
        Number of past projections that are negatives too, where a large batch does not
        fit into memory; 0 is none.
    dimensions
        Channels of the projections.
    shift
        Share of the side of a window by which two crops of it may differ, below 1.
    gain, bias
        Strength of the jitter of views, see `jitter`. What is jittered away can't be
        told by: it is for encoders of scenes that others follow, of other seasons.
    drop
        Chance of a view with all sensors to lose one of them, 0 to 1.
    superpixels
        Name of the target image of superpixel numbers.
    pixel
        Contrast a superpixel with one pixel of its copy, not with the copy's mean.
    least
        Pixels of a superpixel that its first view must show.
    most
        Superpixels of a batch that are contrasted, drawn at random.
    """

    streams: ClassVar[tuple[str, ...]] = ("unlabelled",)

    image: float = 0.0
    superpixel: float = 1.0
    fusion: Fusion = "early"
    temperature: float = 0.2
    prior: float = 0.1
    hardness: float = 1.0
    memory: int = 0
    dimensions: int = 128
    shift: float = 0.25
    gain: float = 0.0
    bias: float = 0.0
    drop: float = 0.1
    superpixels: str = "superpixels"
    pixel: bool = True
    least: int = 4
    most: int = 512

    def __post_init__(self) -> None:
        check_limits(self, image=WEIGHT, superpixel=WEIGHT, memory=(0, 10**6))
        check_limits(self, temperature=(1e-3, 1e3), prior=(0, 0.99), hardness=(0, 1e3))
        check_limits(self, dimensions=(1, 4096), least=(1, 10**6), most=(2, 10**6))
        check_limits(self, gain=(0, 10), bias=(0, 10), drop=SHARE, shift=(0, 0.99))
        if not self._levels:
            raise ValueError("image and superpixel are 0; expected one above")

    @property
    def _levels(self) -> dict[str, float]:
        weights = {IMAGE: self.image, SUPERPIXEL: self.superpixel}
        return {level: weight for level, weight in weights.items() if weight}

    @property
    def superpixel_target(self) -> str | None:
        """Name of the target image of superpixel numbers, if they are contrasted."""
        return self.superpixels if self.superpixel else None

    def start(self, model: Segmenter) -> Heads:
        """Heads for the network's features, and nothing to remember."""
        return Heads(model.width, self._levels, self.dimensions, self.memory)

    def terms(
        self, model: Segmenter, state: Heads, batches: Mapping[str, Batch]
    ) -> Terms:
        """Contrast of every level; effective ranks, of the last contrast, as gauges."""
        pairs = self._pairs(self._images(model, batches["unlabelled"]))
        sides = join([p.one for p in pairs]), join([p.two for p in pairs])
        encoded = model.encode(join(sides)).chunk(2)
        features = zip(*(side.chunk(len(pairs)) for side in encoded), strict=True)
        losses: dict[str, list[Tensor]] = {level: [] for level in self._levels}
        gauges = {}
        for pair, (one, two) in zip(pairs, features, strict=True):
            for level in pair.levels:
                means = self._means(model, level, pair, (one, two))
                first, second, memory = state.project(level, *means)
                loss = contrastive_loss(
                    first,
                    second,
                    memory,
                    temperature=self.temperature,
                    prior=self.prior,
                    hardness=self.hardness,
                )
                losses[level].append(loss)
                gauges = {
                    "rank": effective_rank(means[0]),
                    "projected rank": effective_rank(first),
                }
        return Terms(
            {n: w * torch.stack(losses[n]).mean() for n, w in self._levels.items()},
            gauges,
        )

    def _images(self, model: Segmenter, batch: Batch) -> Batch:
        """The network's images, the number of each pixel's superpixel as its label.

        As labels, numbers are cropped and turned with the images.
        """
        images = batch.only(model.bands)
        if self.superpixels in batch.images:
            stored = batch.images[self.superpixels][:, 0]
            where = batch.valid[self.superpixels]
            ids = (torch.where(where, stored, 0).double() * NUMBERS).round().long()
        else:
            clearest = max(images.images, key=lambda name: images.images[name].shape[1])
            ids = superpixels(images.images[clearest], images.valid[clearest])
            where = torch.ones_like(images.valid[clearest])
        return replace(images, labels=numbered(ids, where))

    def _pairs(self, images: Batch) -> list[_Pair]:
        """Draw two views of a batch for every contrast."""
        place, copy = self._crop(images), dihedral(self._crop(images))
        place, copy = (jitter(view, self.gain, self.bias) for view in (place, copy))
        names = sorted(images.images)
        alone = [(_only(place, a), _only(copy, b)) for a, b in combinations(names, 2)]
        crossed = {"early": (), "middle": (IMAGE,), "late": (IMAGE, SUPERPIXEL)}
        across = tuple(n for n in self._levels if alone and n in crossed[self.fusion])
        whole = tuple(n for n in self._levels if n not in across)
        one, two = (drop_sensor(view, self.drop) for view in (place, copy))
        pairs = [_Pair(across, *views) for views in alone]
        return [p for p in (*pairs, _Pair(whole, one, two)) if p.levels]

    def _crop(self, images: Batch) -> Batch:
        """The same random part of every sample."""
        sides = [side - int(self.shift * side) for side in images.extent]
        starts = [
            int(torch.randint(whole - side + 1, ()))
            for whole, side in zip(images.extent, sides, strict=True)
        ]
        rows, columns = (slice(at, at + n) for at, n in zip(starts, sides, strict=True))
        return images.map(lambda tensor: tensor[..., rows, columns])

    def _means(
        self, model: Segmenter, level: str, pair: _Pair, features: tuple[Tensor, Tensor]
    ) -> tuple[Tensor, Tensor]:
        """Mean features ``[N, width]`` of what both views show, image or superpixel."""
        first, second = (self._regions(model, level, v) for v in (pair.one, pair.two))
        count = 1 + max(int(first.max()), int(second.max()))
        if level == SUPERPIXEL and self.pixel:
            second = one_of_each(second, count)
        one, pixels = region_means(features[0], first, count)
        two, others = region_means(features[1], second, count)
        least = self.least if level == SUPERPIXEL else 1
        shown = ((pixels >= least) & (others > 0)).nonzero()[:, 0]
        if len(shown) > self.most:
            shown = shown[torch.randperm(len(shown))[: self.most].to(shown.device)]
        return one[shown], two[shown]

    def _regions(self, model: Segmenter, level: str, view: Batch) -> Tensor:
        """Number of each pixel's superpixel, or image, where a sensor saw it."""
        where = seen(view, model.bands)
        assert view.labels is not None
        if level == SUPERPIXEL:
            return torch.where(where, view.labels, NOWHERE)
        sample = torch.arange(len(where), device=where.device)[:, None, None]
        return torch.where(where, sample, NOWHERE)


def _head(width: int, dimensions: int) -> nn.Module:
    return nn.Sequential(
        nn.Linear(width, dimensions), nn.GELU(), nn.Linear(dimensions, dimensions)
    )


def _standard(vectors: Tensor) -> Tensor:
    """Channels of zero mean and unit variance over ``[N, width]``.

    Features of a fresh network are nearly one and the same for all places; heads that
    saw them so would begin, and stay, where nothing can be told apart.
    """
    vectors = vectors.float()
    if len(vectors) < 2:
        return vectors
    spread, mean = torch.var_mean(vectors, 0, correction=0)
    return (vectors - mean) * torch.rsqrt(spread + 1e-5)


def _only(batch: Batch, name: str) -> Batch:
    """The batch with all sensors but one unseen."""
    valid = {n: v if n == name else torch.zeros_like(v) for n, v in batch.valid.items()}
    return replace(batch, valid=valid)
