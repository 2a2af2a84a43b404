"""A teacher: the moving average of a network, which labels what nobody has labelled.

    t <- a t + (1 - a) w,    a = min(decay, n / (n + 1))  after step n = 0, 1, ...

(mean teacher, Tarvainen and Valpola 2017). w are the weights of the network that
learns; t is their plain mean at first, and then forgets those older than about
1 / (1 - decay) steps. The teacher gets no gradient, and is always in evaluation mode:
statistics of batch normalisation are averaged as weights are.
"""

from __future__ import annotations

from collections.abc import Iterable
from copy import deepcopy
from typing import Self

import torch
from torch import Tensor

from overcast.models.segmenter import Segmenter
from overcast.train.batch import IGNORE, Batch
from overcast.train.recipe import State

_MEMORIES = 8
"""Lengths of a teacher's memory, 1 / (1 - decay) steps, in a training: long enough to
forget the random start, and short enough to smooth."""


class Teacher(State):
    """Moving average of a `Segmenter`: a recipe's state, or a part of one.

    A state that holds a teacher calls its `after_step` from its own.

    Parameters
    ----------
    model
        What it starts as a copy of.
    decay
        Share of itself that it keeps in a step, 0 to below 1; with 0 it is the network
        as it was after the last step.

    Raises
    ------
    ValueError
        If `decay` is out of its range.
    """

    age: Tensor

    def __init__(self, model: Segmenter, decay: float = 0.99) -> None:
        super().__init__()
        if not 0 <= decay < 1:
            raise ValueError(f"decay is {decay}, expected 0 to below 1")
        self.decay = decay
        self.network = deepcopy(model).requires_grad_(False).eval()
        self.register_buffer("age", torch.zeros((), dtype=torch.int64))

    def train(self, mode: bool = True) -> Self:
        """Set the mode of this module; the teacher's network stays in evaluation."""
        super().train(mode)
        self.network.eval()
        return self

    @torch.no_grad()
    def after_step(self, model: Segmenter, step: int) -> None:
        """Move towards `model`, which has taken step number `step`."""
        decay = min(self.decay, step / (step + 1))
        own = self.network.state_dict()
        for name, new in model.state_dict().items():
            if own[name].is_floating_point():
                own[name].lerp_(new, 1 - decay)
            else:
                own[name].copy_(new)
        self.age.fill_(step + 1)

    @torch.no_grad()
    def probabilities(self, batch: Batch) -> Tensor:
        """Class probabilities ``[B, K, H, W]``, float32, without gradient."""
        logits: Tensor = self.network(batch)
        return logits.float().softmax(1)

    def ramp(self, steps: int) -> Tensor:
        """Trust in the teacher, growing to 1 in `steps`: ``exp(-5 m^2)``, a scalar.

        m is the share of `steps` still missing (Laine and Aila 2017).
        """
        missing = (steps - self.age).clamp(min=0) / max(steps, 1)
        return torch.exp(-5 * missing**2)


def scaled_decay(steps: int) -> float:
    """Decay of a teacher whose memory is an eighth of a training of so many steps.

    Examples
    --------
    >>> scaled_decay(800)
    0.99
    >>> scaled_decay(4)
    0.0
    """
    return max(0.0, 1 - _MEMORIES / steps)


def confident_labels(probabilities: Tensor, threshold: float, where: Tensor) -> Tensor:
    """Likeliest class, `IGNORE` where it is less likely than `threshold`.

    Parameters
    ----------
    probabilities
        ``[B, K, H, W]``.
    threshold
        Lowest probability that is trusted (FixMatch, Sohn 2020); 0 trusts all.
    where
        bool ``[B, H, W]``, pixels that may get a label, see `seen`.

    Returns
    -------
    Tensor
        int64 ``[B, H, W]``.

    Examples
    --------
    >>> p = torch.tensor([[[[0.9, 0.6]], [[0.1, 0.4]]]])
    >>> confident_labels(p, 0.8, torch.tensor([[[True, True]]])).tolist()
    [[[0, 255]]]
    """
    highest, labels = probabilities.detach().max(1)
    return torch.where((highest >= threshold) & where, labels, IGNORE)


def seen(batch: Batch, sensors: Iterable[str]) -> Tensor:
    """Pixels that one of `sensors` observed: bool ``[B, H, W]``.

    Sensors that the batch lacks saw nothing.
    """
    observed = torch.zeros_like(next(iter(batch.valid.values())))
    for name in batch.valid.keys() & set(sensors):
        observed = observed | batch.valid[name]
    return observed
