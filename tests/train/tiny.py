"""A network, batches and a stream small enough to train in a test."""

from __future__ import annotations

import atexit
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
import torch.distributed as dist
from lightning_fabric import Fabric
from numpy.typing import NDArray
from torch import Tensor, nn

from overcast.models.segmenter import Segmenter
from overcast.recipes.supervised import Supervised
from overcast.train.batch import IGNORE, Batch
from overcast.train.checkpoint import save_weights
from overcast.train.loop import Schedule, train

BANDS = {"s1": 2, "s2": 3}
CLASSES = 3
LONG = Schedule(steps=300, warmup=1, peak_rate=1e-2, save_every=20)


class Tiny(Segmenter):
    """Two convolutions over all sensors side by side; without batch statistics."""

    def __init__(self) -> None:
        super().__init__()
        self.bands, self.classes, self.width, self.halo = BANDS, CLASSES, 8, 2
        self.body = nn.Conv2d(sum(BANDS.values()), 8, 3, padding=1)
        self.head = nn.Conv2d(8, CLASSES, 3, padding=1)

    def encode(self, batch: Batch) -> Tensor:
        seen = [self._seen(batch, name) for name in self.bands]
        return torch.relu(self.body(torch.cat(seen, 1)))

    def decode(self, features: Tensor) -> Tensor:
        return self.head(features)

    def _seen(self, batch: Batch, name: str) -> Tensor:
        return torch.where(batch.valid[name].unsqueeze(1), batch.images[name], 0)


def tiny() -> Tiny:
    """The same network every time."""
    torch.manual_seed(7)
    return Tiny()


def batch_of(step: int, samples: int = 4, size: int = 8) -> Batch:
    """Images whose first bands tell the class; some pixels and labels are missing."""
    draw = torch.Generator().manual_seed(step)
    shape = (samples, size, size)
    labels = torch.randint(CLASSES, shape, generator=draw)
    images, valid = {}, {}
    for name, bands in BANDS.items():
        image = torch.randn(samples, bands, size, size, generator=draw)
        image[:, 0] += 2 * labels
        valid[name] = torch.rand(shape, generator=draw) > 0.1
        images[name] = torch.where(valid[name].unsqueeze(1), image, torch.nan)
    labels[torch.rand(shape, generator=draw) < 0.2] = IGNORE
    return Batch(images=images, valid=valid, labels=labels)


def uneven(step: int) -> Batch:
    """Odd samples, the second process's share, know hardly a pixel."""
    batch = batch_of(step)
    assert batch.labels is not None
    batch.labels[1::2, 1:] = IGNORE
    return batch


def gradients(fabric: Fabric, folder: Path) -> Mapping[str, NDArray[np.float32]]:
    """Gradients of the second step, and the weights after it."""
    torch.set_num_threads(1)
    if fabric.world_size > 1:  # registered before others, so called after them
        atexit.register(_note_left, folder.with_suffix(f".{fabric.global_rank}"))
    model, schedule = tiny(), Schedule(steps=2, warmup=1, clip=1e6)
    recipe = Supervised(augment=False, drop=0.0)
    steps = train(
        model, recipe, {"labelled": uneven}, schedule, folder / "c.safetensors", fabric
    )
    loss = [terms.total for _, terms in steps][-1]
    named = dict(model.named_parameters())
    found = {f"weight {k}": v.detach() for k, v in named.items()}
    found |= {f"gradient {k}": v.grad for k, v in named.items() if v.grad is not None}
    # Not tensors: those of a process that has ended can't be received.
    return {k: v.numpy() for k, v in {**found, "loss": loss}.items()}


def _note_left(path: Path) -> None:
    if not dist.is_initialized():
        path.write_text("left")


def main(folder: Path) -> None:
    """Train as the kill test does, telling every step."""
    torch.set_num_threads(1)
    model = tiny()
    streams = {"labelled": batch_of}
    for step, _ in train(
        model, Supervised(), streams, LONG, folder / "checkpoint.safetensors"
    ):
        print(step, flush=True)
    save_weights(model, folder / "model.safetensors")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
