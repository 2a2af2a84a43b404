"""How far scores would move on other ground of the same kind: a bootstrap of blocks.

Neighbouring pixels are right or wrong together, so resampling pixels gives intervals
that are far too short. Whole blocks of the map are resampled with replacement instead,
and scores computed of every resample; their 2.5th and 97.5th percentiles are the
interval (Efron 1979; Hall 1985, Stoch. Process. Appl. 20, 231-246, for blocks). Blocks
must be longer than errors are alike, and there must be enough of them to resample.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from odc.geo.geobox import GeoBox

from overcast.accuracy.confusion import Confusion, plain
from overcast.geo.legend import Legend

FEWEST = 10
"""Blocks below which there is no interval: percentiles of so few resamples mislead."""
_DRAWS = 1000
_SCORES = ("average_accuracy", "mean_iou", "overall_accuracy", "kappa")
_BY_CLASS = ("producers_accuracy", "users_accuracy", "iou", "f1")


def block_side(grid: GeoBox) -> int:
    """Pixels along a block: a tenth of the longer side, between 16 and 1024."""
    return int(np.clip(max(grid.shape) // 10, 16, 1024))


def intervals(
    blocks: Sequence[Confusion], legend: Legend, seed: int = 0
) -> dict[str, Any] | None:
    """Intervals of 95 % ``[low, high]`` by score, and by class and score.

    Blocks without a reference pixel don't count. None if fewer than `FEWEST` are left;
    a score that some resample does not define is taken over the others.
    """
    seen = [block for block in blocks if block.support.any()]
    if len(seen) < FEWEST:
        return None
    counts = np.stack([block.counts.ravel() for block in seen])
    often = np.random.default_rng(seed).multinomial(
        len(seen), np.full(len(seen), 1 / len(seen)), _DRAWS
    )
    size = len(legend)
    nothing = np.zeros(size, np.int64)
    draws = [Confusion(c.reshape(size, size), nothing) for c in often @ counts]
    by_class = {name: _ends([getattr(d, name) for d in draws]) for name in _BY_CLASS}
    return {
        "blocks": len(seen),
        **{name: _ends([getattr(d, name) for d in draws]) for name in _SCORES},
        "per_class": {
            class_name: {name: ends[k] for name, ends in by_class.items()}
            for k, class_name in enumerate(legend.names)
        },
    }


def _ends(values: Sequence[Any]) -> Any:
    """Percentiles of draws ``[R]`` or ``[R, K]``, as a pair or a list of pairs."""
    with warnings.catch_warnings():
        # A class that no draw has is undefined in all of them.
        warnings.filterwarnings("ignore", "All-NaN slice", RuntimeWarning)
        percentiles = np.nanpercentile(
            np.asarray(values, np.float64), (2.5, 97.5), axis=0
        )
    if percentiles.ndim == 1:
        return [plain(end) for end in percentiles]
    return [[plain(end) for end in ends] for ends in percentiles.T]
