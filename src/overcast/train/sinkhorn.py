"""Entropic optimal transport between pixels and classes, by Sinkhorn in log space.

With mass a_i of pixel i, b_k of class k, and the cost C_ki of giving pixel i to class k,
the plan P >= 0 minimises

    sum C P + e KL(P | 1 a') + p KL(P' 1 | a) + q KL(P 1 | b)

p = inf keeps a exactly, q = inf keeps b exactly: both are balanced transport (Cuturi
2013), finite ones unbalanced (Chizat 2018), for images that lack classes. Then

    P_ki = a_i exp(f_i + g_k - C_ki / e),
    f_i = -p / (p + e) log sum_k exp(g_k - C_ki / e),
    g_k = q / (q + e) (log b_k - log sum_i a_i exp(f_i - C_ki / e))

and the two lines are repeated in turn. Exponentials of a whole cost are slow, sums are
not, so E = exp(f0 + g0 - C / e) is kept until g has left g0 by more than `_FAR`
(absorption, Schmitzer 2019), which changes no value.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import Tensor, nn

_FAR = 10.0
"""exp(10) leaves room for sums in float32."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Transport:
    """How pixels are assigned to classes.

    Attributes
    ----------
    epsilon
        Entropy's weight, in units of the cost: as it falls, plans become hard.
    pixel_penalty
        p above; inf assigns every pixel wholly.
    class_penalty
        q above; inf gives every class its exact share, 0 leaves it what it attracts:
        of costs -log p that is p, if epsilon is 1.
    iterations
        Most repetitions.
    tolerance
        Repetition ends when no g changes by more than this.

    Raises
    ------
    ValueError
        If a number is out of its range.
    """

    epsilon: float
    pixel_penalty: float = math.inf
    class_penalty: float = math.inf
    iterations: int = 100
    tolerance: float = 1e-5

    def __post_init__(self) -> None:
        if not 0 < self.epsilon < math.inf or self.iterations < 1:
            raise ValueError(
                f"epsilon must be positive and iterations 1 or more, got {self}"
            )
        for name in ("pixel_penalty", "class_penalty", "tolerance"):
            if not getattr(self, name) >= 0:
                raise ValueError(f"{name} must be 0 or more, got {self}")

    @torch.no_grad()
    def plan(self, cost: Tensor, pixels: Tensor, classes: Tensor) -> Tensor:
        """Mass that goes from pixels to classes.

        Parameters
        ----------
        cost
            ``[B, K, N]``, finite, of B problems.
        pixels
            ``[B, N]``, mass of pixels; 0 leaves one out.
        classes
            ``[B, K]``, mass of classes; the same sum if both penalties are infinite.

        Returns
        -------
        Tensor
            ``[B, K, N]``; float32, or float64 if the cost is.

        Raises
        ------
        ValueError
            If the shapes don't fit.
        """
        pixels, classes = _checked(cost, pixels, classes)
        kernel = cost.to(pixels.dtype) / -self.epsilon
        log_a, log_b = _log(pixels)[:, None, :], _log(classes)[:, :, None]
        f, g = self._potentials(kernel, log_a, log_b)
        return (kernel + (f + log_a) + g).exp()

    def shares(self, cost: Tensor, where: Tensor, classes: Tensor) -> Tensor:
        """Return which class each pixel goes to, as a distribution; zero where not `where`.

        Parameters
        ----------
        cost
            ``[B, K, N]``; anything, NaN included, where not `where`.
        where
            bool ``[B, N]``, pixels that are assigned, all of one mass.
        classes
            ``[B, K]`` shares of the classes among them, or ``[1, K]`` of all problems.
        """
        cost = torch.where(where[:, None], cost, 0)
        count = where.sum(1, keepdim=True).clamp(min=1)
        plan = self.plan(cost, where / count, classes.expand(len(cost), -1))
        total = plan.sum(1, keepdim=True)
        good = where[:, None] & (total > 0)
        return torch.where(good, plan / torch.where(good, total, 1), 0)

    def _potentials(
        self, kernel: Tensor, log_a: Tensor, log_b: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Potentials f ``[B, 1, N]`` and g ``[B, K, 1]``."""
        held = [
            _held(p, self.epsilon) for p in (self.pixel_penalty, self.class_penalty)
        ]
        g = g0 = torch.zeros_like(log_b)
        f0, absorbed = _absorb(kernel, g0)
        for _ in range(self.iterations):
            if (g - g0).abs().max() > _FAR:
                g0 = g
                f0, absorbed = _absorb(kernel, g0)
            f = held[0] * (f0 - _log_sum(absorbed, g - g0, 1))
            before = g
            g = held[1] * (log_b + g0 - _log_sum(absorbed, log_a + f - f0, 2))
            if (g - before).abs().max() <= self.tolerance:
                break
        f = held[0] * -(kernel + g).logsumexp(1, keepdim=True)
        return f, g


class Marginal(nn.Module):
    """Shares of the classes, kept as a moving average of what batches hold.

    Parameters
    ----------
    classes
        Number of classes, K; at first all have the same share.
    decay
        Share of itself that the average keeps in an update, 0 to below 1; less in the
        first ones, so that the start is soon forgotten: update n keeps at most
        n / (n + 1).
    """

    shares: Tensor
    updates: Tensor

    def __init__(self, classes: int, decay: float = 0.99) -> None:
        super().__init__()
        if not 0 <= decay < 1:
            raise ValueError(f"decay is {decay}, expected 0 to below 1")
        self.decay = decay
        self.register_buffer("shares", torch.full((classes,), 1 / classes))
        self.register_buffer("updates", torch.zeros(()))

    @torch.no_grad()
    def update(self, amounts: Tensor) -> None:
        """Take in amounts ``[K]`` of the classes in a batch, of all processes together.

        A batch that holds nothing changes nothing.
        """
        amounts = amounts.to(self.shares).clone()
        if dist.is_available() and dist.is_initialized():
            dist.all_reduce(amounts)
        total = amounts.sum()
        decay = (self.updates / (self.updates + 1)).clamp(max=self.decay)
        shares = amounts / torch.where(total > 0, total, 1)
        mixed = decay * self.shares + (1 - decay) * shares
        self.shares.copy_(torch.where(total > 0, mixed, self.shares))
        self.updates += total > 0


def _absorb(kernel: Tensor, g0: Tensor) -> tuple[Tensor, Tensor]:
    """f0 that makes every pixel's sum one, and E = exp(f0 + g0 - C / e)."""
    inner = kernel + g0
    f0 = -inner.logsumexp(1, keepdim=True)
    return f0, inner.add_(f0).exp_()


def _log_sum(factors: Tensor, logs: Tensor, axis: int) -> Tensor:
    """``log(sum of factors * exp(logs))`` over classes (axis 1) or pixels (axis 2)."""
    highest = logs.amax(axis, keepdim=True)
    # Not a matrix product, which takes five times as long for so few classes.
    total = (factors * (logs - highest).exp()).sum(axis, keepdim=True)
    return total.clamp(min=torch.finfo(total.dtype).tiny).log() + highest


def _held(penalty: float, epsilon: float) -> float:
    return 1.0 if math.isinf(penalty) else penalty / (penalty + epsilon)


def _log(mass: Tensor) -> Tensor:
    """Logarithm; of nothing, one so low that it never counts, and yet finite."""
    return mass.clamp(min=torch.finfo(mass.dtype).tiny).log()


def _checked(cost: Tensor, pixels: Tensor, classes: Tensor) -> tuple[Tensor, Tensor]:
    sizes = tuple(cost.shape)
    if len(sizes) != 3 or (pixels.shape, classes.shape) != (
        (sizes[0], sizes[2]),
        sizes[:2],
    ):
        raise ValueError(
            f"cost is {sizes}, pixels {tuple(pixels.shape)}, classes "
            f"{tuple(classes.shape)}; expected [B, K, N], [B, N] and [B, K]"
        )
    wide = torch.promote_types(cost.dtype, torch.float32)
    return pixels.to(wide), classes.to(wide)
