"""The one training loop, on Lightning Fabric.

Everything random in a step is a function of (seed, step, process), and so are the
batches; a run that was killed therefore goes on bit for bit from its checkpoint, which
holds weights, optimiser and step, as safetensors.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from overcast.learn.batch import Batch
from overcast.learn.checkpoint import load_checkpoint, save_checkpoint
from overcast.learn.recipe import Recipe, S, State, Terms
from overcast.learn.stream import Stream
from overcast.models.segmenter import Segmenter


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """How long and how fast to train.

    Attributes
    ----------
    steps
        Number of optimiser steps.
    peak
        Highest learning rate of AdamW; reached after `warmup` steps, then falling
        linearly to zero.
    clip
        Largest norm of the gradient.
    decay
        Weight decay.
    seed
        Decides every random draw.
    save_every
        Steps between checkpoints.
    """

    steps: int
    peak: float = 1e-3
    warmup: int = 50
    clip: float = 1.0
    decay: float = 0.01
    seed: int = 0
    save_every: int = 200

    def rate(self, step: int) -> float:
        """Linear warm-up, then linear cool-down.

        >>> [round(Schedule(steps=4, peak=1.0, warmup=2).rate(s), 2) for s in range(4)]
        [0.5, 1.0, 1.0, 0.5]
        """
        up = (step + 1) / max(self.warmup, 1)
        down = (self.steps - step) / max(self.steps - self.warmup, 1)
        return self.peak * min(up, down, 1.0)


class _Step(nn.Module):
    """Model, state and recipe as one module whose forward pass is a step's losses.

    Processes are kept in step by hooks on the forward pass of one module, so all that
    learns must be called through it.
    """

    def __init__(self, model: Segmenter, state: State, recipe: Recipe[Any]) -> None:
        super().__init__()
        self.model, self.state, self.recipe = model, state, recipe

    def forward(
        self, batches: Mapping[str, Batch]
    ) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        terms = self.recipe.terms(self.model, self.state, batches)
        return dict(terms.losses), dict(terms.gauges)


def default_fabric() -> Fabric:
    """One GPU with bfloat16 arithmetic if there is one, else the CPU."""
    if torch.cuda.is_available():
        return Fabric(accelerator="cuda", devices=1, precision="bf16-mixed")
    return Fabric(accelerator="cpu", devices=1)


def train(
    model: Segmenter,
    recipe: Recipe[S],
    streams: Mapping[str, Stream],
    schedule: Schedule,
    checkpoint: Path,
    fabric: Fabric | None = None,
) -> Iterator[tuple[int, Terms]]:
    """Train `model` in place, yielding each step's terms; resume from `checkpoint`.

    With several processes, each takes its share of every batch.

    Raises
    ------
    ValueError
        If `recipe` needs a stream that `streams` lacks, or the checkpoint is of
        another recipe, schedule or model.
    RuntimeError
        If a gradient is not finite.
    """
    missing = set(recipe.streams) - streams.keys()
    if missing:
        raise ValueError(
            f"{type(recipe).__name__} needs the streams {sorted(missing)}, got "
            f"{sorted(streams)}"
        )
    fabric = fabric or default_fabric()
    run = f"{recipe!r} {asdict(schedule)}"
    _seed(schedule.seed, -1, 0)
    whole = _Step(model, recipe.start(model), recipe).train()
    if fabric.device.type == "cuda":
        whole = whole.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    learned = [p for p in whole.parameters() if p.requires_grad]
    optimiser = torch.optim.AdamW(learned, weight_decay=schedule.decay)
    first = load_checkpoint(checkpoint, whole, optimiser, run)
    module, optimisers = fabric.setup(whole, optimiser)

    for step in range(first, schedule.steps):
        _seed(schedule.seed, step, fabric.global_rank)
        for group in optimisers.param_groups:
            group["lr"] = schedule.rate(step)
        batches = {
            name: shard(streams[name](step), fabric.global_rank, fabric.world_size).to(
                fabric.device
            )
            for name in recipe.streams
        }
        optimisers.zero_grad(set_to_none=True)
        terms = Terms(*module(batches))
        fabric.backward(terms.total)
        norm = nn.utils.clip_grad_norm_(learned, schedule.clip)
        if not norm.isfinite():
            raise RuntimeError(f"step {step}: the gradient is {norm.item()}")
        optimisers.step()
        whole.state.settle(model, step)
        last = step + 1 == schedule.steps
        if fabric.is_global_zero and ((step + 1) % schedule.save_every == 0 or last):
            save_checkpoint(checkpoint, whole, optimiser, step + 1, run)
        yield step, terms


def shard(batch: Batch, rank: int, processes: int) -> Batch:
    """Samples of a batch that process `rank` of `processes` takes.

    >>> import torch
    >>> images, valid = {"s1": torch.zeros(4, 1, 2, 2)}, {"s1": torch.ones(4, 2, 2)}
    >>> len(shard(Batch(images=images, valid=valid), 1, 2).images["s1"])
    2
    """
    return batch if processes == 1 else batch.map(lambda t: t[rank::processes])


def _seed(seed: int, step: int, rank: int) -> None:
    """Make every random draw of a step a function of seed, step and process."""
    torch.manual_seed(random.Random(f"{seed}/{step}/{rank}").getrandbits(63))
