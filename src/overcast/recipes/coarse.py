"""Learn from coarse labels by what they say of areas, not of their pixels.

Of the area of a label c, a share m_ck is of class k, give or take s_ck; of the pixels of
class k, a share T_kc has label c. With p the prediction of a pixel labelled y:

    forward            -log sum_k p_k T_ky                      Patrini et al. 2017
    noise_layer        the same with T learned, + f trace(T)    Sukhbaatar et al. 2015
    shares             KL of m_c and the mean of p over the pixels labelled c
    super_resolution   how far that mean is from m_c, in s_c    Malkin et al. 2019
    qr, rq             p and its posterior under the prior m_y  Rolf et al. 2022

`overcast.train.losses` has their formulas. The area of a label is that part of a window
which carries it: some cells of it, as a rule. What is not given is taken to be right in
a share of the pixels and to be anything else alike.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal, get_args

import torch
from torch import Tensor

from overcast.limits import SHARE, WEIGHT, check_limits
from overcast.models.segmenter import Segmenter
from overcast.train.batch import IGNORE, Batch
from overcast.train.losses import (
    OUTSIDE,
    NoiseLayer,
    forward_correction,
    label_super_resolution,
    qr_loss,
    rq_loss,
    share_divergence,
)
from overcast.train.recipe import State, Terms
from overcast.train.samples import labelled_images

Loss = Literal["forward", "noise_layer", "shares", "super_resolution", "qr", "rq"]
Table = tuple[tuple[float, ...], ...]


class Known(State):
    """What is known of labels: tables, of which the transition may be learned."""

    mean: Tensor
    spread: Tensor
    transition: Tensor

    def __init__(self, recipe: Coarse, classes: int) -> None:
        super().__init__()
        right = torch.full((classes, classes), (1 - recipe.right) / max(classes - 1, 1))
        right.fill_diagonal_(recipe.right)
        even = torch.full((classes, classes), recipe.give_or_take)
        start = {"mean": right, "spread": even, "transition": right}
        for name, default in start.items():
            table = torch.tensor(getattr(recipe, name) or default.tolist())
            if table.shape != (classes, classes):
                raise ValueError(
                    f"{name} is {list(table.shape)}, expected {[classes, classes]}: "
                    "a row and a column for every class of the legend"
                )
            self.register_buffer(name, table)
        learned = recipe.loss == "noise_layer"
        self.noise = NoiseLayer(classes, recipe.right) if learned else None


@dataclass(frozen=True, slots=True)
class Coarse:
    """A loss of areas, and what is known of them.

    Attributes
    ----------
    loss
        Which one, see above.
    mean, spread
        m and s, ``[C, C]``: a row for every label, a column for every class.
    transition
        T, ``[C, C]``: a row for every class, a column for every label.
    right
        Share of its area that a label is right in, and the start of a noise layer:
        where no tables are given.
    give_or_take
        s, likewise.
    trace
        f, that draws a learned transition away from identity.
    augment
        Turn, mirror and jitter every sample.
    drop
        Chance of a sample to lose one of its sensors, 0 to 1.
    """

    streams: ClassVar[tuple[str, ...]] = ("labelled",)

    loss: Loss = "forward"
    mean: Table = ()
    spread: Table = ()
    transition: Table = ()
    right: float = 0.5
    give_or_take: float = 0.25
    trace: float = 0.01
    augment: bool = True
    drop: float = 0.1

    def __post_init__(self) -> None:
        check_limits(self, give_or_take=WEIGHT, trace=WEIGHT, drop=SHARE)
        if self.loss not in get_args(Loss):
            raise ValueError(
                f"loss is {self.loss!r}, expected one of {', '.join(get_args(Loss))}"
            )
        if not 0 < self.right < 1:
            raise ValueError(f"right is a share above 0 and below 1, got {self.right}")

    def start(self, model: Segmenter) -> Known:
        """Tables for the classes of `model`.

        Raises
        ------
        ValueError
            If a table has another size.
        """
        return Known(self, model.classes)

    def terms(
        self, model: Segmenter, state: Known, batches: Mapping[str, Batch]
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
        return Terms(self._losses(model(batch), labels, state))

    def _losses(
        self, logits: Tensor, labels: Tensor, state: Known
    ) -> dict[str, Tensor]:
        known = labels != IGNORE
        index = torch.where(known, labels, 0)
        if state.noise is not None:
            transition = state.noise()
            return {
                "noise_layer": forward_correction(logits, labels, transition),
                "trace": self.trace * transition.trace(),
            }
        if self.loss == "forward":
            loss = forward_correction(logits, labels, state.transition)
        elif self.loss == "super_resolution":
            loss = label_super_resolution(logits, labels, state.mean, state.spread)
        elif self.loss == "shares":
            areas = torch.where(known, labels, OUTSIDE)
            shares = state.mean.expand(len(labels), -1, -1)
            loss = share_divergence(logits, areas, shares)
        else:
            prior = state.mean[index].movedim(-1, 1) * known[:, None]
            loss = (qr_loss if self.loss == "qr" else rq_loss)(logits, prior)
        return {self.loss: loss}
