"""Networks trained on whole patches, kept after every epoch, to be chosen among later.

Which epoch is best on the data that it is tested on, nobody knows who maps an unlabelled
place; which one is best on held-out scenes, anybody can know.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from bench.published.patches import INPUTS, NINE, SENSORS, Epochs, read_chip

from overcast.datasets.dataset import Patch
from overcast.methods.network import TrainedNetwork
from overcast.models.segmenter import Segmenter
from overcast.plan import choose
from overcast.progress import Progress
from overcast.train.checkpoint import load_weights, save_weights
from overcast.train.loop import Schedule, train
from overcast.train.stream import ahead

_RECIPE = {"name": "supervised", "augment": False, "drop": 0.0}
"""Cross-entropy on known pixels and nothing else, as in the paper."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """How a network is trained.

    Attributes
    ----------
    network
        ``name`` of a file in `overcast.models`, and that network's options.
    inputs
        A key of `INPUTS`.
    epochs, batch, peak_rate
        Times that every patch is seen, patches in a step, highest learning rate.
    seed
        Of weights and of the order of patches.
    """

    network: Mapping[str, Any]
    inputs: str
    epochs: int
    batch: int
    peak_rate: float
    seed: int

    def weights(self, folder: Path) -> list[Path]:
        """Files of the weights after every epoch."""
        return [folder / f"epoch-{n:02}.safetensors" for n in range(1, self.epochs + 1)]

    def train(
        self, patches: Sequence[Patch], folder: Path, progress: Progress
    ) -> list[Path]:
        """Train on coarse labels, or go on, or do nothing; return files of weights."""
        files = self.weights(folder)
        if all(file.exists() for file in files):
            return files
        epochs = Epochs(
            patches,
            lambda patch: read_chip(patch, self.inputs, "coarse"),
            self.batch,
            self.seed,
        )
        schedule = Schedule(
            steps=self.epochs * epochs.length,
            peak_rate=self.peak_rate,
            seed=self.seed,
            save_every=epochs.length,
        )
        model, recipe = self._model(), choose("recipes", _RECIPE)
        checkpoint = folder / "checkpoint.safetensors"
        with ahead(epochs, 0, schedule.steps) as upcoming:
            streams = {"labelled": upcoming}
            for step, terms in train(model, recipe, streams, schedule, checkpoint):
                loss = f"loss {float(terms.total):.3f}"
                progress("training", step + 1, schedule.steps, loss)
                epoch, rest = divmod(step + 1, epochs.length)
                if rest == 0:
                    save_weights(model, files[epoch - 1])
        lost = [file for file in files if not file.exists()]
        if lost:  # stopped between the checkpoint of an epoch and its weights
            raise ValueError(f"{lost[0]}: lost; start again with --overwrite")
        checkpoint.unlink(missing_ok=True)
        return files

    def load(self, file: Path) -> TrainedNetwork:
        """The network as it was after an epoch, on the GPU if there is one."""
        model = self._model()
        load_weights(model, file)
        device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        sensors = {name: SENSORS[name] for name in INPUTS[self.inputs]}
        return TrainedNetwork(model.to(device).eval(), NINE, sensors, device)

    def _model(self) -> Segmenter:
        torch.manual_seed(self.seed)
        bands = {name: len(SENSORS[name].bands) for name in INPUTS[self.inputs]}
        model = choose("models", self.network, bands, len(NINE))
        assert isinstance(model, Segmenter)
        return model
