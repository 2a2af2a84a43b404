"""Whether pixels changed, from the classes and from the images of both dates.

Two scores speak of a pixel's change. One is of its classes: the logarithm of the odds of
change by the transitions of the scene (`overcast.maps.joint`). The other is of its bands:
how surprising the second image is for land that looked so on the first
(`overcast.maps.pairs`). The first knows what counts as change, and errs where a map errs.
The second needs no labels, and knows nothing of classes. What both are worth together, and
how much of the land changed, is learned from the scene (`overcast.maps.odds`)::

    log P / (1 - P) = β_1 log odds_classes + β_2 s_images + b + log ρ / (1 - ρ)

Where an image was not seen, the classes alone decide.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import logit

from overcast.maps.joint import Joint, estimate_joint
from overcast.maps.odds import Odds, estimate_odds
from overcast.maps.pairs import CrossPairs, estimate_cross_pairs

Floats = NDArray[np.float32]

_LOWEST, _HIGHEST = -10.0, 20.0
"""Scores beyond say no more, and would rule what is learned of the others."""
_FEWEST = 1000
"""Pixels with images at least, for what they are worth to be learned."""
_SHUFFLES = 2
_TURNS = 3


@dataclass(frozen=True, slots=True)
class PixelPairs:
    """Pixels as they are on both dates.

    Attributes
    ----------
    first, second
        Class probabilities ``[N, K]``.
    images
        Bands ``[N, C]`` of either date, with NaN where they were not seen; None where
        there are no images.
    groups
        Group of blocks ``[N]`` (`overcast.maps.pairs.groups_of`).
    """

    first: Floats
    second: Floats
    images: tuple[Floats, Floats] | None
    groups: NDArray[np.uint8]

    @property
    def seen(self) -> NDArray[np.bool_]:
        """Whether both dates' images show a pixel ``[N]``."""
        if self.images is None:
            return np.zeros(len(self.first), bool)
        x, y = self.images
        return np.asarray(np.isfinite(x).all(1) & np.isfinite(y).all(1))

    @classmethod
    def joined(cls, parts: Sequence[PixelPairs]) -> PixelPairs:
        """All pixels of several parts."""
        images = None
        pairs = [part.images for part in parts if part.images is not None]
        if len(pairs) == len(parts):
            x, y = zip(*pairs, strict=True)
            images = np.concatenate(x), np.concatenate(y)
        return cls(
            np.concatenate([part.first for part in parts]),
            np.concatenate([part.second for part in parts]),
            images,
            np.concatenate([part.groups for part in parts]),
        )

    def part(self, chosen: NDArray[np.bool_]) -> PixelPairs:
        """Some of the pixels."""
        return self.paired(np.flatnonzero(chosen), np.flatnonzero(chosen))

    def paired(self, at: NDArray[np.int64], then: NDArray[np.int64]) -> PixelPairs:
        """Pixels ``at`` of the first date with those `then` of the second date."""
        images = self.images
        if images is not None:
            images = images[0][at], images[1][then]
        return PixelPairs(self.first[at], self.second[then], images, self.groups[at])


@dataclass(frozen=True, slots=True)
class ChangeModel:
    """What speaks of change in a scene; without `pairs` and `odds`, the classes alone."""

    joint: Joint
    pairs: CrossPairs | None = None
    odds: Odds | None = None

    def changed(self, pixels: PixelPairs) -> Floats:
        """Probability ``[N]`` that the class has changed."""
        share: Floats = self.joint.changed(pixels.first, pixels.second)
        seen = pixels.seen
        if self.odds is not None and seen.any():
            share[seen] = self.odds.probability(self.scores(pixels.part(seen)))
        return share

    def scores(self, pixels: PixelPairs) -> Floats:
        """What classes and images say ``[N, 2]``; needs both dates' images.

        Raises
        ------
        ValueError
            If the model was learned without images, or there are none.
        """
        if self.pairs is None or pixels.images is None:
            raise ValueError("these scores need the images of both dates")
        surprise = self.pairs.surprise(*pixels.images, pixels.groups)
        return _scores(self.joint, pixels, surprise)


def estimate_change_model(pixels: PixelPairs, seed: int = 0) -> ChangeModel:
    """Learn what speaks of change from pixels of the whole scene.

    What scores are worth and the transitions follow from each other, and are found in
    turn, beginning with the transitions that the classes alone tell.
    """
    joint = estimate_joint(pixels.first, pixels.second)
    seen = pixels.part(pixels.seen)
    count = len(seen.first)
    if seen.images is None or count < _FEWEST:
        return ChangeModel(joint)
    pairs = estimate_cross_pairs(*seen.images, seen.groups)
    random = np.random.default_rng(seed)
    at = np.tile(np.arange(count), _SHUFFLES)
    shuffled = seen.paired(at, random.integers(0, count, len(at)))
    surprises = [ChangeModel(joint, pairs).scores(p)[:, 1] for p in (seen, shuffled)]
    for _ in range(_TURNS):
        here, apart = (
            _scores(joint, part, surprise)
            for part, surprise in zip((seen, shuffled), surprises, strict=True)
        )
        odds = estimate_odds(here, apart, joint.moved(shuffled.first, shuffled.second))
        changed = odds.probability(here)
        joint = joint.renewed(seen.first, seen.second, changed)
    return ChangeModel(joint, pairs, odds)


def _scores(joint: Joint, pixels: PixelPairs, surprise: Floats) -> Floats:
    of_classes = joint.changed(pixels.first, pixels.second).astype(np.float64)
    both = np.stack([logit(np.clip(of_classes, 1e-6, 1 - 1e-6)), surprise], 1)
    return np.asarray(np.clip(both, _LOWEST, _HIGHEST), np.float32)
