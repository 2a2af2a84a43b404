"""The one training loop, on Lightning Fabric: devices, precision, several processes.

A run is a function of its model, recipe, streams and schedule. Random draws of a step
follow from (seed, step, process) alone, and batches from (seed, step), so a run that
was killed goes on bit for bit from weights, optimiser and step.
"""

from __future__ import annotations

import atexit
import math
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import torch
import torch.distributed as dist
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.optim import AdamW

from overcast.limits import LARGEST_SEED, check_limits
from overcast.models.segmenter import Segmenter
from overcast.train.batch import Batch
from overcast.train.checkpoint import load_checkpoint, save_checkpoint
from overcast.train.recipe import Recipe, S, Terms
from overcast.train.stream import Stream

_PEAK_RATE = 3e-3


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """The length and rate of training.

    Attributes
    ----------
    steps
        Number of optimiser steps.
    peak_rate
        Highest learning rate of AdamW; None is what suits what is learned, or 3e-3.
    warmup
        Steps until the learning rate is highest.
    clip
        Largest norm of the gradient; longer ones are shortened to it.
    weight_decay
        Of convolutions and other matrices; biases and norms are left alone.
    seed
        Of everything random.
    save_every
        Steps between checkpoints.
    """

    steps: int
    peak_rate: float | None = None
    warmup: int = 50
    clip: float = 1.0
    weight_decay: float = 0.01
    seed: int = 0
    save_every: int = 200

    def __post_init__(self) -> None:
        lowest = {"steps": 1, "warmup": 0, "weight_decay": 0, "save_every": 1}
        for name, low in lowest.items():
            if not getattr(self, name) >= low:
                raise ValueError(f"{name} must be {low} or more, got {self}")
        for name in ("highest_rate", "clip"):
            if not 0 < getattr(self, name) < math.inf:
                raise ValueError(f"peak_rate and clip must be positive, got {self}")
        check_limits(self, steps=(1, 10**9), peak_rate=(0, 10), weight_decay=(0, 1e3))
        check_limits(self, warmup=(0, 10**9), seed=(0, LARGEST_SEED))

    @property
    def highest_rate(self) -> float:
        """`peak_rate`, or the usual one."""
        return _PEAK_RATE if self.peak_rate is None else self.peak_rate

    def rate(self, step: int) -> float:
        """Learning rate: linear warm-up, then linear cool-down.

        Examples
        --------
        >>> schedule = Schedule(steps=4, peak_rate=1.0, warmup=2)
        >>> [schedule.rate(step) for step in range(4)]
        [0.5, 1.0, 1.0, 0.5]
        """
        up = (step + 1) / max(self.warmup, 1)
        down = (self.steps - step) / max(self.steps - self.warmup, 1)
        return self.highest_rate * min(up, down, 1.0)


def default_fabric() -> Fabric:
    """One accelerator of CUDA in bfloat16 where there is one, else the CPU."""
    if torch.cuda.is_available():
        return Fabric(accelerator="cuda", devices=1, precision="bf16-mixed")
    return Fabric(accelerator="cpu", devices=1, precision="32-true")


def shard(batch: Batch, rank: int, world_size: int) -> Batch:
    """Return the samples of `batch` that process `rank` of `world_size` learns from.

    Raises
    ------
    ValueError
        If there are fewer samples than processes.
    """
    samples = len(next(iter(batch.valid.values())))
    if samples < world_size:
        raise ValueError(
            f"a batch of {samples} can't be shared by {world_size} processes; use "
            f"batches of {world_size} or more"
        )
    return batch.map(lambda tensor: tensor[rank::world_size])


def train(
    model: Segmenter,
    recipe: Recipe[S],
    streams: Mapping[str, Stream],
    schedule: Schedule,
    checkpoint: Path,
    fabric: Fabric | None = None,
) -> Iterator[tuple[int, Terms]]:
    """Train `model` in place, yielding each step and its terms.

    The loop is the caller's: it may log, evaluate, or stop early between steps. Where
    `checkpoint` exists, training goes on from it, bit for bit on the CPU. Seeds
    torch's default generator at every step.

    Parameters
    ----------
    model
        The network; it ends on the device of `fabric`, in training mode.
    recipe
        What to learn.
    streams
        Batches by name; each process takes its share of every one.
    schedule
        How long and how fast.
    checkpoint
        A safetensors file; written every ``save_every`` steps and after the last.
    fabric
        Device, precision and processes, launched where there are several;
        `default_fabric` if None.

    Yields
    ------
    tuple[int, Terms]
        Step, from 0, and its detached losses and gauges, averaged over processes.

    Raises
    ------
    ValueError
        If a stream is missing, or the checkpoint belongs to another run.
    RuntimeError
        If a gradient is not finite; weights are then those before that step.
    """
    missing = [repr(name) for name in recipe.streams if name not in streams]
    if missing:
        raise ValueError(
            f"{type(recipe).__name__} needs stream {', '.join(missing)}; got "
            f"{', '.join(map(repr, streams)) or 'none'}"
        )
    fabric = fabric or default_fabric()
    return _steps(model, recipe, streams, schedule, checkpoint, fabric)


def _steps(
    model: Segmenter,
    recipe: Recipe[S],
    streams: Mapping[str, Stream],
    schedule: Schedule,
    checkpoint: Path,
    fabric: Fabric,
) -> Iterator[tuple[int, Terms]]:
    _seed(schedule.seed, -1, 0)  # the same start in every process
    state = recipe.start(model)
    parts = _Parts(model, state, recipe)
    if fabric.device.type == "cuda":
        # What tensor cores read without reordering.
        parts.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimiser = _optimiser(parts, schedule)
    learner, stepper = fabric.setup(parts, optimiser)
    if fabric.world_size > 1:
        atexit.register(_leave_group)
    made_with = _made_with(recipe, schedule)
    first = 0
    if checkpoint.exists():
        first = load_checkpoint(checkpoint, parts, optimiser, made_with)

    for step in range(first, schedule.steps):
        _seed(schedule.seed, step, fabric.global_rank)
        batches = {name: _share(streams[name](step), fabric) for name in recipe.streams}
        learner.train()  # the caller may have evaluated since
        terms = _learn(fabric, learner, stepper, batches, (schedule, step))
        state.after_step(model, step)
        # The caller's log has a step before the checkpoint does: none is ever missing.
        yield step, terms
        if (step + 1) % schedule.save_every == 0 or step + 1 == schedule.steps:
            if fabric.is_global_zero:
                save_checkpoint(checkpoint, parts, optimiser, step + 1, made_with)
            fabric.barrier()


class _Parts(nn.Module):
    """Model and state as one module, whose forward pass is the recipe's terms.

    Fabric and its strategies hook into that pass: it runs in the chosen precision, and
    gradients of all that it uses are averaged over processes.
    """

    def __init__(self, model: Segmenter, state: nn.Module, recipe: Recipe[Any]) -> None:
        super().__init__()
        self.model = model
        self.state = state
        self._recipe = recipe

    def forward(
        self, give: Callable[[], Mapping[str, Batch]]
    ) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        # Batches come through a function, since Fabric takes arguments apart to
        # convert tensors and refuses frozen dataclasses.
        terms = self._recipe.terms(self.model, self.state, give())
        return dict(terms.losses), dict(terms.gauges)


def _learn(
    fabric: Fabric,
    learner: nn.Module,
    stepper: Any,
    batches: Mapping[str, Batch],
    when: tuple[Schedule, int],
) -> Terms:
    """Take one step of the optimiser, in place."""
    schedule, step = when
    for group in stepper.param_groups:
        group["lr"] = schedule.rate(step)
    stepper.zero_grad(set_to_none=True)
    losses, gauges = learner(lambda: batches)
    fabric.backward(Terms(losses).total)
    norm = fabric.clip_gradients(
        learner, stepper, max_norm=schedule.clip, error_if_nonfinite=False
    )
    terms = Terms(_mean(losses, fabric), _mean(gauges, fabric))
    if not torch.as_tensor(norm).isfinite():
        values = ", ".join(f"{k} {v.item():.4g}" for k, v in terms.losses.items())
        raise RuntimeError(
            f"the gradient of step {step} is not finite (losses: {values}); look for "
            "bad values in the images, or lower peak_rate"
        )
    stepper.step()
    return terms


def _leave_group() -> None:
    """End what processes talk over, while the interpreter is whole.

    Threads of gloo hold tensors; one that frees them while Python goes aborts the
    process (pytorch/pytorch#179291). Fabric does so for NCCL alone.
    """
    if dist.is_initialized():
        dist.destroy_process_group()


def _mean(values: Mapping[str, Tensor], fabric: Fabric) -> dict[str, Tensor]:
    """Mean over processes; copies, because reducing writes in place."""
    copies = {name: value.detach().clone() for name, value in values.items()}
    return cast(dict[str, Tensor], fabric.all_reduce(copies, reduce_op="mean"))


def _share(batch: Batch, fabric: Fabric) -> Batch:
    return shard(batch, fabric.global_rank, fabric.world_size).to(fabric.device)


def _optimiser(parts: nn.Module, schedule: Schedule) -> AdamW:
    learned = [p for p in parts.parameters() if p.requires_grad]
    groups = [
        {
            "params": [p for p in learned if p.ndim > 1],
            "weight_decay": schedule.weight_decay,
        },
        {"params": [p for p in learned if p.ndim <= 1], "weight_decay": 0.0},
    ]
    return AdamW(groups, lr=schedule.highest_rate)


def _seed(seed: int, step: int, rank: int) -> None:
    """Make every draw of a step a function of seed, step and process alone."""
    torch.manual_seed(random.Random(f"{seed}/{step}/{rank}").getrandbits(63))


def _made_with(recipe: Recipe[S], schedule: Schedule) -> dict[str, str]:
    # How often a checkpoint is written does not change what is learned.
    return {
        "recipe": repr(recipe),
        "schedule": repr(replace(schedule, save_every=1)),
    }
