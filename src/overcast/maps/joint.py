"""Two dates as one: which classes a pixel had then and has now, given both images.

Two maps made apart differ wherever one of them errs, and errors are more common than
change. Here the classes of both dates are one unknown. With p the probabilities of the
classes that each date's image gives, π their means over the scene, and J the share of
every transition::

    P(a, b | both images) ∝ p_A(a) / π_A(a) · p_B(b) / π_B(b) · J_ab

J is what the two rasters together make most likely. Expectation-maximisation finds it
(Dempster, Laird and Rubin 1977; for two dates Bruzzone and Serpico 1997, IEEE Trans.
Geosci. Remote Sens. 35, 858-867): J becomes the mean of P over the pixels, again and
again. Where land persists, J lies on its diagonal, and a change has to be plain in both
images. Images are taken to be independent given the classes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Probabilities = NDArray[np.float32]

_ROUNDS = 500
_ENOUGH = 1e-7
_LEAST = 1e-4
"""Probability below which a class is not ruled out: files hold steps of 1/254."""
_LIKELY = 0.05
"""A class that is nowhere so probable is not on the map, whatever rounding leaves of it."""
_PERSISTS = 0.95
"""Share of the land that keeps its class in the first J."""
_BLOCK = 20_000
_RENEWALS = 30
_PRIOR_SHARE = 0.005
_TINY = 1e-300


@dataclass(frozen=True, slots=True)
class Joint:
    """Transitions of a scene.

    Attributes
    ----------
    shares
        J ``[K, K]``: share of the land by class before (rows) and after; sums to 1.
    before, after
        π ``[K]`` of both dates.
    """

    shares: Floats
    before: Floats
    after: Floats

    def changed(self, first: Probabilities, second: Probabilities) -> Probabilities:
        """Probability ``[N]`` that the class has changed, from those ``[N, K]``."""
        a, b = self._likelihoods(first, second)
        total = ((a @ self.shares) * b).sum(1)
        same = (a * b) @ np.diag(self.shares)
        share: Probabilities = np.clip(1 - same / total, 0, 1).astype(np.float32)
        return share

    def persistent(
        self, first: Probabilities, second: Probabilities
    ) -> NDArray[np.uint8]:
        """The most probable class ``[N]`` of pixels that have not changed."""
        a, b = self._likelihoods(first, second)
        best: NDArray[np.intp] = (a * b * np.diag(self.shares)).argmax(1)
        return best.astype(np.uint8)

    def transition(
        self, first: Probabilities, second: Probabilities
    ) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """The most probable classes ``[N]`` before and after of changed pixels."""
        a, b = self._likelihoods(first, second)
        off = self.shares * (1 - np.eye(len(self.shares)))
        best = np.empty(len(a), np.intp)
        for start in range(0, len(a), _BLOCK):
            part = slice(start, start + _BLOCK)
            whole = a[part, :, None] * off * b[part, None, :]
            best[part] = whole.reshape(len(whole), -1).argmax(1)
        old, new = np.divmod(best, len(self.shares))
        return old.astype(np.uint8), new.astype(np.uint8)

    def renewed(
        self, first: Probabilities, second: Probabilities, changed: Probabilities
    ) -> Joint:
        """The transitions, where something else says how probable any change is.

        Maximisation and expectation with `changed` ``[N]`` given, so that only pixels that
        probably changed speak of transitions. These begin as if classes were drawn apart,
        and keep that as a prior: it is worth half a per cent of the pixels.
        """
        a, b = self._likelihoods(first, second)
        prior = np.outer(self.before, self.after) * (1 - np.eye(len(a.T)))
        prior *= _occur(first, second)
        if not prior.any():
            return self
        prior /= prior.sum()
        weight = _PRIOR_SHARE * len(a)
        moves, stays = prior, np.diag(self.shares) / np.trace(self.shares)
        for _ in range(_RENEWALS):
            moved, stayed = _split(a, b, moves, stays, changed)
            moves = (moved + weight * prior) / (moved.sum() + weight)
            stays = stayed / stayed.sum()
        share = float(changed.mean())
        shares = share * moves + (1 - share) * np.diag(stays)
        return Joint(shares, self.before, self.after)

    def moved(self, first: Probabilities, second: Probabilities) -> Floats:
        """Likelihood ratio ``[N]`` of these transitions against classes drawn apart."""
        a, b = self._likelihoods(first, second)
        off = self.shares * (1 - np.eye(len(self.shares)))
        return np.asarray(((a @ off) * b).sum(1) / max(float(off.sum()), _TINY))

    def expected(
        self, first: Probabilities, second: Probabilities, changed: Probabilities
    ) -> Floats:
        """Sums ``[K, K]`` of the probabilities of transitions, over pixels ``[N]``.

        `changed` ``[N]`` is how probable any change is; which one, this model says.
        """
        a, b = self._likelihoods(first, second)
        stays = np.diag(self.shares)
        moved, stayed = _split(a, b, self.shares - np.diag(stays), stays, changed)
        return moved + np.diag(stayed)

    def _likelihoods(
        self, first: Probabilities, second: Probabilities
    ) -> tuple[Floats, Floats]:
        return _over(first, self.before), _over(second, self.after)


def estimate_joint(first: Probabilities, second: Probabilities) -> Joint:
    """Find J from class probabilities ``[N, K]`` of the same pixels at two dates."""
    a, b = (_floored(p) for p in (first, second))
    before, after = a.mean(0), b.mean(0)
    a, b = a / before, b / after
    both = (before + after) / 2
    shares = _PERSISTS * np.diag(both) + (1 - _PERSISTS) * np.outer(before, after)
    shares = np.where(_occur(first, second), shares, 0)
    shares /= shares.sum()
    for _ in range(_ROUNDS):
        total = ((a @ shares) * b).sum(1, keepdims=True)
        renewed = shares * (a.T @ (b / total)) / len(a)
        renewed /= renewed.sum()
        moved = float(np.abs(renewed - shares).max())
        shares = renewed
        if moved < _ENOUGH:
            break
    return Joint(shares, before, after)


def spread_out(
    classes: NDArray[np.uint8], confidence: Probabilities, count: int
) -> Probabilities:
    """Probabilities ``[N, count]`` of a class and its confidence ``[N]`` alone.

    What is left of the confidence is spread evenly over the other classes.
    """
    sure = np.clip(confidence, 1 / count, 1)[:, None]
    rest = (1 - sure) / max(count - 1, 1)
    out = np.repeat(rest, count, 1).astype(np.float32)
    np.put_along_axis(out, classes[:, None].astype(np.intp), sure, 1)
    return out


def _split(
    a: Floats, b: Floats, moves: Floats, stays: Floats, changed: Probabilities
) -> tuple[Floats, Floats]:
    """Sums of transitions ``[K, K]`` and of classes that stay ``[K]`` over pixels.

    `a` and `b` are likelihoods ``[N, K]``; a pixel counts as changed by its probability.
    """
    any_move = np.maximum(((a @ moves) * b).sum(1), _TINY)
    moved = moves * ((a * (changed / any_move)[:, None]).T @ b)
    any_stay = np.maximum((a * b) @ stays, _TINY)
    return moved, stays * ((a * b).T @ ((1 - changed) / any_stay))


def _occur(first: Probabilities, second: Probabilities) -> NDArray[np.bool_]:
    """Which transitions ``[K, K]`` are of classes that are likely anywhere."""
    return np.outer(first.max(0) >= _LIKELY, second.max(0) >= _LIKELY)


def _floored(p: Probabilities) -> Floats:
    raised = np.maximum(p.astype(np.float64), _LEAST)
    return np.asarray(raised / raised.sum(1, keepdims=True))


def _over(p: Probabilities, mean: Floats) -> Floats:
    return _floored(p) / mean
