"""Networks trained on random windows of patches that are opened when they are read.

Thousands of large patches don't fit into memory as the stacks of
`overcast.methods.network` do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from overcast.datasets.dataset import Patch
from overcast.geo.bands import Sensor
from overcast.geo.stack import Chip, Stack
from overcast.geo.tiling import Window
from overcast.methods.network import TrainedNetwork
from overcast.models.segmenter import Segmenter
from overcast.plan import choose
from overcast.progress import Progress
from overcast.train.batch import Batch
from overcast.train.checkpoint import load_weights, save_weights
from overcast.train.loop import Schedule, train
from overcast.train.recipe import TrainingContext, configured
from overcast.train.stream import ahead

_DRAWS = 8
"""Windows drawn, at most, until one has a labelled pixel that a sensor saw."""


@dataclass(frozen=True, slots=True)
class Windows:
    """Random windows of random patches, as a `Stream`.

    Parameters
    ----------
    patches
        Where windows are cut, each as often as any other.
    open
        A patch to a stack with labels.
    size
        Side of a window in pixels; along an axis that is shorter, the whole axis.
    batch
        Windows in a batch.
    seed
        Together with the step it decides everything.
    """

    patches: Sequence[Patch]
    open: Callable[[Patch], Stack]
    size: int
    batch: int
    seed: int

    def __call__(self, step: int) -> Batch:
        """Batch of a step, whatever came before."""
        random = np.random.default_rng((self.seed, step))
        return Batch.of([self._draw(random) for _ in range(self.batch)])

    def _draw(self, random: np.random.Generator) -> Chip:
        for _ in range(_DRAWS):
            patch = self.patches[int(random.integers(len(self.patches)))]
            chip = _cut(self.open(patch), self.size, random)
            assert chip.labels is not None
            seen = np.logical_or.reduce([i.valid for i in chip.images.values()])
            if (chip.labels.valid & seen).any():
                break
        return chip


def _cut(stack: Stack, size: int, random: np.random.Generator) -> Chip:
    sides = [min(size, length) for length in stack.shape]
    places = [
        int(random.integers(length - side + 1))
        for length, side in zip(stack.shape, sides, strict=True)
    ]
    return stack.read(Window(*places, *sides))


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """How a network is trained.

    Attributes
    ----------
    model, recipe
        ``name`` of a file in `overcast.models`, in `overcast.recipes`, and its options.
    schedule
        How long and how fast, and the seed.
    window, batch
        Side of a window in pixels, windows in a step.
    """

    model: Mapping[str, Any]
    recipe: Mapping[str, Any]
    schedule: Schedule
    window: int
    batch: int

    def train(
        self,
        patches: Sequence[Patch],
        open_stack: Callable[[Patch], Stack],
        folder: Path,
        progress: Progress,
    ) -> TrainedNetwork:
        """Train in `folder`, go on there, or do nothing; return what was trained."""
        stack = open_stack(patches[0])
        assert stack.labels is not None
        legend, weights = stack.labels.legend, folder / "model.safetensors"
        model = self._model(stack.sensors, len(legend))
        if not weights.exists():
            folder.mkdir(parents=True, exist_ok=True)
            self._learn(model, patches, open_stack, folder, progress)
            save_weights(model, weights)
        load_weights(model, weights)
        device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        return TrainedNetwork(model.to(device).eval(), legend, stack.sensors, device)

    def _learn(
        self,
        model: Segmenter,
        patches: Sequence[Patch],
        open_stack: Callable[[Patch], Stack],
        folder: Path,
        progress: Progress,
    ) -> None:
        seed, total = self.schedule.seed, self.schedule.steps
        setting = TrainingContext.of([open_stack(patches[0])], total)
        recipe = configured(choose("recipes", self.recipe), setting)
        windows = Windows(patches, open_stack, self.window, self.batch, seed)
        checkpoint = folder / "checkpoint.safetensors"
        with ahead(windows, 0, total) as upcoming:
            streams = {"labelled": upcoming}
            steps = train(model, recipe, streams, self.schedule, checkpoint)
            for step, terms in steps:
                loss = f"loss {float(terms.total):.3f}"
                progress("training", step + 1, total, loss)

    def _model(self, sensors: Mapping[str, Sensor], classes: int) -> Segmenter:
        torch.manual_seed(self.schedule.seed)
        bands = {name: len(sensor.bands) for name, sensor in sensors.items()}
        model = choose("models", self.model, bands, classes)
        assert isinstance(model, Segmenter)
        return model
