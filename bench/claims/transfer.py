"""What other scenes teach: development worlds, and a forest used on worlds unseen."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from overcast.geo.arrays import ImageArray, LabelArray
from overcast.geo.probabilities import probability_sensor
from overcast.geo.raster import Image
from overcast.geo.stack import Stack
from overcast.geo.tiling import Window
from overcast.maps.predictor import Predictor
from overcast.methods.forest import Forest
from overcast.progress import quiet
from overcast.worlds.scene import SceneSpec, WorldScene, simulate

WORLDS = range(10, 58)
_SIZE = 256


@cache
def stacks_elsewhere() -> tuple[Stack, ...]:
    """Images and true labels of 48 small development worlds."""
    return tuple(_stack(simulate(w, _SIZE, wanted=SceneSpec(()))) for w in WORLDS)


@cache
def learned_elsewhere() -> Predictor:
    """Forest of the true labels of 48 small development worlds."""
    stacks = stacks_elsewhere()
    method = Forest(balanced=False, leaf=50)
    with tempfile.TemporaryDirectory() as folder:
        method.fit(stacks, Path(folder), 0, quiet)
        labels = stacks[0].labels
        assert labels is not None
        return method.load(Path(folder), labels.legend, stacks[0].sensors)


def _stack(scene: WorldScene) -> Stack:
    images = {name: ImageArray(scene.images[name]) for name in ("s1", "s2")}
    return Stack(grid=scene.grid, images=images, labels=LabelArray(scene.truth))


def probabilities(scene: WorldScene) -> Image:
    """Its class probabilities of a scene, as an image with a band for every class."""
    stack = _stack(scene)
    found = learned_elsewhere().predict(stack.read(Window(0, 0, *stack.shape)))
    return Image.of(found, scene.grid, probability_sensor(scene.truth.legend.names))


def classes(scene: WorldScene) -> NDArray[np.uint8]:
    """The map that it makes of a scene, without any label of that scene."""
    return probabilities(scene).values.argmax(0).astype(np.uint8)
