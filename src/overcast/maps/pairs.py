"""How land that stays looks on both dates, learned from the images of one scene.

A field that was not changed looks different on another day: other light, other season.
What it looks like then follows from what it looked like before, and the scene itself
shows how, since most of its land stays. Let x and y be the bands of a pixel on both
dates. Over a scene of which little changed, a mixture of Gaussians describes them
together::

    p(x, y) = Σ_c w_c N((x, y); μ_c, Σ_c)

Its components are kinds of land, finer than classes and found without labels. Of land
that changed, y says nothing of x, and its density is p(x) p(y). Both factors are margins
of the same mixture. The logarithm of the ratio is how much likelier change makes the
pair::

    s(x, y) = log p(x) + log p(y) - log p(x, y)

This is the pointwise mutual information of both dates, with its sign turned. With one
component it is the statistic of multivariate alteration detection up to a constant
(Nielsen 2007, IEEE Trans. Image Process. 16, 463-478), since that is invariant under the
same linear changes of either date. The mixture adds what is not linear: crops turn from
green to bare while woods stay. The likelihood ratio of pairs is that of Bruzzone and
Prieto 2000 (IEEE Trans. Geosci. Remote Sens. 38, 1171-1182), of both dates' bands
instead of their difference.

A mixture that is flexible enough describes changed pixels too, as a kind of their own, and
takes their change for how land stays. So components are few, and a pixel is judged by a
mixture that did not see its block of ground: `CrossPairs` has a mixture for each of four
interleaved groups of blocks, learned from the other three (cross-fitting).
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import PCA
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

Floats = NDArray[np.float32]

_KINDS = 12
_LEAST_OF_A_KIND = 150
"""Pixels for each component at least: a covariance of both dates is learned from them."""
_MOST_AXES = 12
"""Principal components of each date that are kept, of series of many bands."""
_RIDGE = 1e-3
_ROUNDS = 60
_MOST = 12_000
_PART = 20_000
_BLOCK = 32
"""Pixels along a block of ground that is judged without itself."""
_GROUPS = 4


@dataclass(frozen=True, slots=True)
class Pairs:
    """A mixture of Gaussians over the bands of both dates.

    Attributes
    ----------
    first, second
        What standardises the bands of either date, and turns them to main axes.
    log_weights
        ``[M]``.
    means
        ``[M, D1 + D2]``.
    covariances
        ``[M, D1 + D2, D1 + D2]``.
    """

    first: Pipeline
    second: Pipeline
    log_weights: NDArray[np.float64]
    means: NDArray[np.float64]
    covariances: NDArray[np.float64]

    def surprise(self, first: Floats, second: Floats) -> Floats:
        """Logarithm of the likelihood ratio s ``[N]`` of change against none.

        Parameters
        ----------
        first, second
            Bands ``[N, C]`` of both dates, as they were when it was learned.
        """
        ratio = np.empty(len(first), np.float32)
        for start in range(0, len(first), _PART):
            part = slice(start, start + _PART)
            x = self.first.transform(first[part])
            y = self.second.transform(second[part])
            cut = x.shape[1]
            ratio[part] = (
                self._log_density(x, slice(None, cut))
                + self._log_density(y, slice(cut, None))
                - self._log_density(np.concatenate([x, y], 1), slice(None))
            )
        return ratio

    def _log_density(
        self, values: NDArray[np.float64], axes: slice
    ) -> NDArray[np.float64]:
        """Log density ``[N]`` of the margin of some axes, up to a constant of each axis."""
        logs = np.empty((len(self.means), len(values)))
        for k, (mean, whole) in enumerate(
            zip(self.means, self.covariances, strict=True)
        ):
            root = np.linalg.cholesky(whole[axes, axes])
            inverse = np.linalg.inv(root)
            away = (values - mean[axes]) @ inverse.T
            logs[k] = np.log(np.diag(inverse)).sum() - 0.5 * (away**2).sum(1)
        logs += self.log_weights[:, None]
        total: NDArray[np.float64] = np.logaddexp.reduce(logs, 0)
        return total


@dataclass(frozen=True, slots=True)
class CrossPairs:
    """A mixture for each group of blocks, which did not see them."""

    models: tuple[Pairs, ...]

    def surprise(
        self, first: Floats, second: Floats, groups: NDArray[np.uint8]
    ) -> Floats:
        """Logarithm of the likelihood ratio ``[N]`` of pixels of some `groups` ``[N]``."""
        ratio = np.zeros(len(first), np.float32)
        for group, model in enumerate(self.models):
            part = groups == group
            if part.any():
                ratio[part] = model.surprise(first[part], second[part])
        return ratio


def groups_of(rows: NDArray[np.int64], columns: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Group of blocks, 0 to 3, that pixels lie in."""
    across = 2 * (rows // _BLOCK % 2) + columns // _BLOCK % 2
    return np.asarray(across, np.uint8)


def estimate_cross_pairs(
    first: Floats, second: Floats, groups: NDArray[np.uint8]
) -> CrossPairs:
    """Learn a mixture for each group of blocks from the pixels of the others.

    Where the others hold too few pixels, all are learned from.
    """
    models = []
    for group in range(_GROUPS):
        part = groups != group
        if part.sum() < _LEAST_OF_A_KIND:
            part[:] = True
        models.append(estimate_pairs(first[part], second[part], group))
    return CrossPairs(tuple(models))


def estimate_pairs(first: Floats, second: Floats, seed: int = 0) -> Pairs:
    """Learn how land looks on both dates from bands ``[N, C]`` of the same pixels.

    The numbers of bands may differ, as may the sensors.

    Raises
    ------
    ValueError
        If there are fewer pixels than one kind of land needs.
    """
    if len(first) < _LEAST_OF_A_KIND:
        raise ValueError(
            f"{len(first)} pixels were seen on both dates, fewer than the "
            f"{_LEAST_OF_A_KIND} from which change can be learned"
        )
    random = np.random.default_rng(seed)
    if len(first) > _MOST:
        chosen = random.choice(len(first), _MOST, replace=False)
        first, second = first[chosen], second[chosen]
    axes = _axes(first), _axes(second)
    both = np.concatenate(
        [a.transform(values) for a, values in zip(axes, (first, second), strict=True)],
        1,
    )
    mixture = GaussianMixture(
        min(_KINDS, len(first) // _LEAST_OF_A_KIND),
        reg_covar=_RIDGE,
        max_iter=_ROUNDS,
        random_state=seed,
    )
    with warnings.catch_warnings():
        # Rounds are limited on purpose: the last ones change no likelihood ratio.
        warnings.simplefilter("ignore", ConvergenceWarning)
        mixture.fit(both)
    return Pairs(*axes, np.log(mixture.weights_), mixture.means_, mixture.covariances_)


def _axes(values: Floats) -> Pipeline:
    count = min(_MOST_AXES, values.shape[1])
    return make_pipeline(StandardScaler(), PCA(count)).fit(values)
