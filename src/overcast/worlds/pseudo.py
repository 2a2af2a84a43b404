"""Labels that a classifier gives which learned on optical images of another region."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from sklearn.ensemble import RandomForestClassifier

from overcast.geo.tiling import Window
from overcast.worlds.optical import SCALE, see_optical
from overcast.worlds.world import WorldView, make_world

_FURTHER, _DEVELOPMENT = 37, 100
"""The classifier of world s comes from the development world (s + 37) mod 100."""
_SIDE = 384
_TREES, _DEPTH, _SAMPLES = 30, 14, 20_000


@dataclass(frozen=True)
class Foreign:
    """A forest that learned on another region's clear image and true classes."""

    forest: RandomForestClassifier

    def label(self, view: WorldView) -> NDArray[np.uint8]:
        """Classes ``[H, W]`` that it sees in the clear optical image."""
        features = _features(_reflectance(_wider(view)))
        features = features[:, 2:-2, 2:-2]
        flat = features.reshape(len(features), -1).T
        predicted = self.forest.predict(flat).astype(np.uint8)
        return np.asarray(predicted.reshape(features.shape[1:]), np.uint8)


def pseudo_labels(view: WorldView) -> NDArray[np.uint8]:
    """Classes ``[H, W]`` that a classifier from another region gives the window."""
    return learn_elsewhere(view.world.seed).label(view)


@lru_cache(2)
def learn_elsewhere(seed: int) -> Foreign:
    """Classifier for the world of `seed`, from another region."""
    world = make_world((seed + _FURTHER) % _DEVELOPMENT, _SIDE)
    view = WorldView.of(world, Window(0, 0, _SIDE, _SIDE))
    x = _features(_reflectance(view))
    x = x.reshape(len(x), -1).T
    y = view.land.truth[view.inner].ravel()
    chosen = np.random.default_rng(seed).choice(len(y), _SAMPLES, replace=False)
    forest = RandomForestClassifier(
        _TREES, max_depth=_DEPTH, min_samples_leaf=3, random_state=seed
    )
    return Foreign(forest.fit(x[chosen], y[chosen]))


def _wider(view: WorldView) -> WorldView:
    """The same land, two pixels more of it called the window."""
    y, x, h, w = view.window
    return WorldView.of(view.world, Window(y - 2, x - 2, h + 4, w + 4))


def _reflectance(view: WorldView) -> NDArray[np.float32]:
    return see_optical(view).astype(np.float32) * np.float32(1 / SCALE)


def _features(image: NDArray[np.float32]) -> NDArray[np.float32]:
    """Bands and their means over 3 by 3 pixels."""
    # Not a box: its running sum would depend on where the window begins.
    smooth = [gaussian_filter(band, 0.8, radius=1) for band in image]
    return np.concatenate([image, np.stack(smooth)])
