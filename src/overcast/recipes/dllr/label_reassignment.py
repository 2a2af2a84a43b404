"""Label reassignment: pixels to classes by optimal transport, with costs of some levels.

    C = -(w_p log p + w_s log s + w_r log S + w_q log q) / (w_p + w_s + w_r + w_q)

p is the prediction of the pixel, s how near its features are to the mean ones of the
classes (prototypes m_k), ``s_k = softmax of cos(features, m_k) / temperature``, and S
the mean of s over the pixel's superpixel. Few labels bias p towards classes of which
there are many, and their means less so; p is therefore the lightest part. q, where it is
given, is what the whole scene says, of which a network sees a window at a time.

`Transport` then draws the shares of the classes of each image to expected ones, as far as
those can be trusted:

- Where q is given, they are the means of q over the image, and are held exactly. A pixel
  of which q knows nothing counts as it is predicted.
- Else they are those of the labels, which say little about the shares of one window. The
  transport is unbalanced then: each class is pulled ``penalty / (penalty + epsilon)`` of
  the way, in logarithms; 9 % by default.

After the abstract of Han 2025, which says "multi-level label reassignment" and "optimal
transport"; which levels, their costs, the unbalanced form and the source of the shares are
ours.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import Tensor, nn

from overcast.limits import DECAY, WEIGHT, check_limits
from overcast.train.batch import IGNORE, Batch
from overcast.train.sinkhorn import Transport
from overcast.train.superpixels import region_mean

_LOWEST = 1e-6
"""Probability below which a class costs no more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reassignment:
    """How pseudo-labels are reassigned.

    Attributes
    ----------
    pixel, prototype, region, scene
        Weights of the levels, w_p, w_s, w_r and w_q; 0 leaves one out.
    pitch, compactness, rounds
        Of `superpixels`; the pitch is about the side of one, in pixels.
    temperature
        Of the softmax over cosines.
    epsilon
        Entropy's weight in the transport.
    penalty
        Of shares of classes in an image other than those of the labels; 0 lets every
        pixel go where it costs least, inf enforces the shares.
    scene_penalty
        The same for the shares that the scene says, where it says any. What holding them
        exactly gains over .1 was not measured.
    exponent
        Of expected shares: 1 takes those of the labels, 0 makes all classes that they
        have alike, as labels of few places say little about shares elsewhere.
    iterations, tolerance
        Most repetitions of Sinkhorn, and the change at which they end before.
    prototype_decay, share_decay
        Of the moving averages of `Prototypes` and of the labels' `Marginal`.
    """

    pixel: float = 0.25
    prototype: float = 1.0
    region: float = 1.0
    scene: float = 4.0
    pitch: int = 6
    temperature: float = 0.05
    epsilon: float = 1.0
    penalty: float = 0.1
    scene_penalty: float = math.inf
    exponent: float = 0.5
    iterations: int = 30
    tolerance: float = 1e-3
    compactness: float = 1.0
    rounds: int = 4
    prototype_decay: float = 0.98
    share_decay: float = 0.99

    def __post_init__(self) -> None:
        check_limits(self, pixel=WEIGHT, prototype=WEIGHT, region=WEIGHT, scene=WEIGHT)
        check_limits(self, pitch=(1, 4096), temperature=(1e-4, 1e4), exponent=(0, 100))
        check_limits(self, epsilon=(1e-4, 1e4), iterations=(1, 10_000))
        check_limits(self, tolerance=(0, 1), compactness=(0, 1e6), rounds=(1, 1000))
        check_limits(self, prototype_decay=DECAY, share_decay=DECAY)
        levels = (self.pixel, self.prototype, self.region)
        if not sum(levels) > 0:
            raise ValueError("pixel, prototype and region are 0; expected one above")
        if not self.scene_penalty >= 0:
            raise ValueError(f"scene_penalty must be 0 or more, got {self}")
        _ = self.transport(self.penalty)  # refuses what it can't do

    def transport(self, penalty: float) -> Transport:
        """Return how pixels are assigned at a cost, with this penalty of shares."""
        return Transport(
            epsilon=self.epsilon,
            class_penalty=penalty,
            iterations=self.iterations,
            tolerance=self.tolerance,
        )

    @torch.no_grad()
    def shares(
        self,
        p: Tensor,
        likeness: Tensor,
        ids: Tensor,
        where: Tensor,
        classes: Tensor,
        scene: Tensor | None = None,
    ) -> Tensor:
        """Return which class each pixel goes to, as a distribution; zero where not `where`.

        Parameters
        ----------
        p
            ``[B, K, H, W]``, predicted probabilities.
        likeness
            ``[B, K, H, W]``, cosines between features and prototypes, see
            `Prototypes.likeness`.
        ids
            int64 ``[B, H, W]``, the superpixel of each pixel.
        where
            bool ``[B, H, W]``, pixels to assign.
        classes
            ``[K]``, shares of the classes among labels.
        scene
            ``[B, K, H, W]``, probabilities by the whole scene, all alike where not
            known; or None.

        Returns
        -------
        Tensor
            ``[B, K, H, W]``.
        """
        cost, penalty = self._cost(p, likeness, ids, where, scene), self.scene_penalty
        if scene is None:
            wanted = torch.where(classes > 0, classes**self.exponent, 0)[None]
            penalty = self.penalty
        else:
            # Alike for all classes where nothing is known: the prediction stands then.
            known = scene.amax(1, True) - scene.amin(1, True) > _LOWEST
            said = torch.where(known, scene, p)
            wanted = torch.where(where[:, None], said, 0).sum((2, 3))
        total = wanted.sum(1, keepdim=True)
        # Of an image without any pixel nothing is asked.
        wanted = torch.where(total > 0, wanted / total, 1 / len(classes))
        transport = self.transport(penalty)
        flat = transport.shares(cost.flatten(2), where.flatten(1), wanted)
        return flat.view_as(p)

    def _cost(
        self, p: Tensor, likeness: Tensor, ids: Tensor, where: Tensor, q: Tensor | None
    ) -> Tensor:
        """C above."""
        near = (likeness / self.temperature).softmax(1)
        smooth = region_mean(near, ids, where)
        levels = [(self.pixel, p), (self.prototype, near), (self.region, smooth)]
        if q is not None:
            levels.append((self.scene, q))
        cost = torch.zeros_like(p)
        for weight, level in levels:
            cost = cost - weight * level.clamp(min=_LOWEST).log()
        return cost / sum(weight for weight, _ in levels)


class Prototypes(nn.Module):
    """Mean direction of the features of each class, as a moving average.

    Parameters
    ----------
    classes, width
        Number of classes, K, and of feature channels, C.
    decay
        Share of what was that remains in an update. Sums of features decay, not their
        means, so a batch counts by its pixels and a class it lacks stays as it is.
    """

    sums: Tensor

    def __init__(self, classes: int, width: int, decay: float = 0.98) -> None:
        super().__init__()
        self.decay = decay
        self.register_buffer("sums", torch.zeros(classes, width))

    @torch.no_grad()
    def update(self, sums: Tensor) -> None:
        """Take in sums of unit features ``[K, C]``, of all processes together."""
        sums = sums.clone()
        if dist.is_available() and dist.is_initialized():
            dist.all_reduce(sums)
        occurring = sums.any(1, keepdim=True)
        self.sums.copy_(
            torch.where(occurring, self.decay * self.sums + sums, self.sums)
        )

    def likeness(self, features: Tensor) -> Tensor:
        """Cosines ``[B, K, H, W]`` with features ``[B, C, H, W]``.

        It is -1, as unlike as can be, for a class that was never seen.
        """
        means = F.normalize(self.sums, dim=1)
        directions = F.normalize(features.float(), dim=1)
        # Bfloat16 can't tell cosines apart that a low temperature can.
        with torch.autocast(features.device.type, enabled=False):
            cosines = torch.einsum("bchw,kc->bkhw", directions, means)
        return torch.where(self.sums.any(1)[:, None, None], cosines, -1.0)


@torch.no_grad()
def class_sums(features: Tensor, labels: Tensor, classes: int) -> tuple[Tensor, Tensor]:
    """Sums of unit features ``[K, C]`` over the pixels of each class, and counts ``[K]``.

    Parameters
    ----------
    features
        ``[B, C, H, W]``.
    labels
        int64 ``[B, H, W]``, `IGNORE` where unknown.
    classes
        Number of classes, K.
    """
    known = labels != IGNORE
    hot = F.one_hot(labels[known], classes).float()
    directions = F.normalize(features.float(), dim=1).movedim(1, -1)[known]
    with torch.autocast(features.device.type, enabled=False):
        return hot.T @ directions, hot.sum(0)


def split_probabilities(
    batch: Batch, name: str, classes: int
) -> tuple[Batch, Tensor | None]:
    """The batch without target `name`, and the probabilities ``[B, K, H, W]`` it holds.

    They sum to 1, and are all alike where not known; None if `name` is empty.

    Raises
    ------
    ValueError
        If the batch has no such image, or one of another number of bands.
    """
    if not name:
        return batch, None
    if name not in batch.images or batch.images[name].shape[1] != classes:
        raise ValueError(
            f"no target image {name!r} of {classes} class probabilities; there are "
            f"{', '.join(f'{n} of {i.shape[1]}' for n, i in batch.images.items())}"
        )
    known = batch.valid[name][:, None]
    probabilities = torch.where(known, batch.images[name], 1).clamp_min(_LOWEST)
    return (
        batch.only(batch.images.keys() - {name}),
        probabilities / probabilities.sum(1, keepdim=True),
    )
