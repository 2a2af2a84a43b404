"""A network, trained by a recipe on windows of the stack."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray

from overcast import runtimes
from overcast.geo.bands import Sensor
from overcast.geo.legend import Legend
from overcast.geo.stack import Chip, Stack, agree
from overcast.label_quality.support import taught_classes
from overcast.limits import check_limits
from overcast.methods import compiled
from overcast.methods.arrays import check_array, load_arrays, save_arrays
from overcast.methods.start import (
    alike,
    check_frozen,
    start_from,
    write_sensors,
)
from overcast.models.segmenter import Remover, Segmenter
from overcast.output import write_whole
from overcast.plan import choose
from overcast.progress import Progress
from overcast.run_folder import RunFolder
from overcast.threads import chosen
from overcast.train.batch import Batch
from overcast.train.checkpoint import load_weights, save_weights
from overcast.train.frozen import Frozen
from overcast.train.indices import chip_with_indices, indexed, stack_with_indices
from overcast.train.loop import Schedule, train
from overcast.train.recipe import Restoring, Terms, TrainingContext, configured
from overcast.train.stream import Stream, ahead, crops_of
from overcast.train.transfer import encoder_weights

_CHECKPOINT = "checkpoint.safetensors"
_ABSENT = "absent.safetensors"
"""Positions of the classes that nothing taught, if there are any."""
_CLASSIFIER_RATE = 0.3
"""Chosen on development world 1; `linear` of ``bench.claims patches10`` learns at it."""
_PIXELS = 8 * 64 * 64
"""Of all windows in a step."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """Settings of a training run.

    Attributes
    ----------
    model
        ``name`` of a file in `overcast.models`, and that network's options.
    recipe
        ``name`` of a file in `overcast.recipes`, and its hyper-parameters.
    schedule
        How long and how fast to train.
    window
        Side of the training windows in pixels; if None, what suits the model.
    batch
        Windows in a step; if None, as many as have 32768 pixels together.
    balance
        0 draws windows by area, 1 makes all classes alike.
    indices
        Spectral indices, by their names in spyndex, that join the bands.
    start
        Where first weights come from: the folder of a run, or weights that
        `overcast.models.pretrained` knows by name; if None, they are random.
    frozen
        Leave the weights from `start` as they are, and learn the others alone.
    """

    model: Mapping[str, Any] = field(default_factory=lambda: {"name": "fcn"})
    recipe: Mapping[str, Any] = field(default_factory=lambda: {"name": "supervised"})
    schedule: Schedule = field(default_factory=lambda: Schedule(steps=800))
    window: int | None = None
    batch: int | None = None
    balance: float = 0.5
    indices: Sequence[str] = ()
    start: str | None = None
    frozen: bool = False
    shares_dates: ClassVar[bool] = True
    """One network learns from all dates (`overcast.methods.by_date`)."""

    def __post_init__(self) -> None:
        check_limits(self, window=(1, 8192), batch=(1, 65_536), balance=(0, 1))
        if self.frozen and self.start is None:
            raise ValueError(
                "frozen, but random: give start, a run or published weights"
            )
        if self.schedule.seed:
            raise ValueError(
                f"schedule: seed is {self.schedule.seed}, and is not read here; the "
                "plan's own seed (--seed) decides, so leave it out"
            )

    def fit(
        self, stacks: Sequence[Stack], folder: Path, seed: int, progress: Progress
    ) -> None:
        """Train, going on from the checkpoint in `folder` if there is one."""
        stacks = [stack_with_indices(stack, self.indices) for stack in stacks]
        first = agree(stacks)
        assert first.labels is not None
        torch.manual_seed(seed)
        _limit_torch()
        model = self._model(len(first.labels.legend), first.sensors)
        self._learn(model, stacks, first.sensors, (folder, seed, progress))
        save_weights(model, RunFolder(folder).weights)
        classes = len(first.labels.legend)
        taught = taught_classes(stacks, classes)
        (folder / _ABSENT).unlink(missing_ok=True)
        if absent := sorted(set(range(classes)) - set(taught)):
            save_arrays({"classes": np.array(absent)}, folder / _ABSENT)
        (folder / _CHECKPOINT).unlink(missing_ok=True)

    def pretrain(
        self, stacks: Sequence[Stack], folder: Path, seed: int, progress: Progress
    ) -> None:
        """Learn an encoder from images alone, to be the `start` of other networks.

        Goes on from the checkpoint in `folder` if there is one.

        Raises
        ------
        ValueError
            If the recipe learns from labels, or the stacks differ in sensors.
        """
        streams = choose("recipes", self.recipe).streams
        if streams != ("unlabelled",):
            raise ValueError(
                f"recipe {self.recipe['name']} learns from stream "
                f"{' and '.join(streams)}; without labels, take one that learns from "
                "unlabelled windows alone, such as contrast"
            )
        stacks = [stack_with_indices(stack, self.indices) for stack in stacks]
        sensors = alike(stacks)
        write_sensors(sensors, folder)
        torch.manual_seed(seed)
        _limit_torch()
        model = self._model(1, sensors)
        self._learn(model, stacks, sensors, (folder, seed, progress))
        save_weights(model, RunFolder(folder).encoder)
        (folder / _CHECKPOINT).unlink(missing_ok=True)

    def _learn(
        self,
        model: Segmenter,
        stacks: Sequence[Stack],
        sensors: Mapping[str, Sensor],
        run: tuple[Path, int, Progress],
    ) -> None:
        """Train `model` in place; `run` is where, with which seed, and who is told."""
        folder, seed, progress = run
        size = model.window if self.window is None else self.window
        steps = self.schedule.steps
        started: list[str] = []
        if self.start is not None:
            started = start_from(self.start, model, self.model, sensors, progress)
            if self.frozen:
                check_frozen(model, self.model, sensors)
                model = Frozen(model, started)
                started = [f"model.{name}" for name in started]
        setting = TrainingContext.of(stacks, steps, started)
        recipe = configured(choose("recipes", self.recipe), setting)
        with ExitStack() as open_streams:
            streams = {
                name: open_streams.enter_context(
                    ahead(self._stream(name, stacks, size, seed), 0, steps)
                )
                for name in recipe.streams
            }
            schedule = replace(self._schedule(model), seed=seed)
            taken = train(model, recipe, streams, schedule, folder / _CHECKPOINT)
            _follow(taken, RunFolder(folder).log, steps, progress)

    def _schedule(self, model: Segmenter) -> Schedule:
        """The schedule; a classifier of frozen features takes, and needs, large steps."""
        if not self.frozen or self.schedule.peak_rate is not None:
            return self.schedule
        learned = {n for n, p in model.named_parameters() if p.requires_grad}
        if not learned.isdisjoint(encoder_weights(model)):
            return self.schedule
        return replace(self.schedule, peak_rate=_CLASSIFIER_RATE)

    def _stream(
        self, name: str, stacks: Sequence[Stack], size: int, seed: int
    ) -> Stream:
        """Return what a recipe calls `name`: windows with labels, or of images alone.

        Unlabelled windows are of the stacks without labels; where every stack has
        some, they are of all of them, drawn by area, without their labels.
        """
        batch = self.batch
        if batch is None:
            batch = max(1, _PIXELS // max(size, 1) ** 2)
        if name == "labelled":
            chosen = [s for s in stacks if s.labels is not None]
            return crops_of(chosen, size, batch, seed, self.balance)
        if name == "unlabelled":
            bare = [s for s in stacks if s.labels is None]
            bare = bare or [replace(s, labels=None) for s in stacks]
            return crops_of(bare, size, batch, seed + 1)
        raise ValueError(f"no stream {name!r}; there are 'labelled' and 'unlabelled'")

    def _teaches_restoring(self) -> bool:
        recipe = choose("recipes", self.recipe)
        return isinstance(recipe, Restoring) and recipe.restores

    def load(
        self, folder: Path, legend: Legend, sensors: Mapping[str, Sensor]
    ) -> TrainedNetwork:
        """Return the trained network, on the GPU if there is one."""
        _limit_torch()
        model = self._model(len(legend), indexed(sensors, self.indices))
        load_weights(model, RunFolder(folder).weights)
        device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        model = model.to(device).eval()
        # The recipe may be in a file of its own, which mapping does without.
        restores = isinstance(model, Remover) and self._teaches_restoring()
        indices = tuple(self.indices)
        absent: tuple[int, ...] = ()
        if (folder / _ABSENT).is_file():
            arrays = load_arrays(folder / _ABSENT)
            classes = check_array(
                arrays, "classes", (None,), (0, len(legend) - 1), True
            )
            absent = tuple(int(k) for k in classes)
        return TrainedNetwork(model, legend, sensors, device, indices, restores, absent)

    def _model(self, classes: int, sensors: Mapping[str, Sensor]) -> Segmenter:
        bands = {name: len(sensor.bands) for name, sensor in sensors.items()}
        model = choose("models", self.model, bands, classes)
        assert isinstance(model, Segmenter)
        return model


@dataclass(frozen=True, slots=True)
class TrainedNetwork:
    """A `Segmenter` as a `Predictor`; `indices` join the bands of `sensors`.

    `restores` tells whether it has learned to take clouds away; `absent` are positions
    of classes that nothing taught, which are not mapped.
    """

    model: Segmenter
    legend: Legend
    sensors: Mapping[str, Sensor]
    device: torch.device
    indices: tuple[str, ...] = ()
    restores: bool = False
    absent: tuple[int, ...] = ()

    @property
    def halo(self) -> int:
        """Pixels of context that the network draws on."""
        return self.model.halo

    @torch.inference_mode()
    def predict(self, chip: Chip) -> NDArray[np.float32]:
        """Softmax probabilities ``[K, h, w]``."""
        batch = self.batch_of(chip)
        runtime = runtimes.current()
        if self.device.type == "cpu" and runtime != "torch":
            try:
                return compiled.probabilities(self.model, batch, self.absent, runtime)
            except ValueError as error:
                if runtimes.asked():
                    raise
                runtimes.fall_back(str(error))
        half = torch.autocast("cuda", torch.bfloat16, self.device.type == "cuda")
        with half:
            logits = self.model(batch)
        scores = logits[0].float()
        scores[list(self.absent)] = -torch.inf
        probabilities = scores.softmax(0).cpu().numpy()
        return np.asarray(probabilities, np.float32)

    def batch_of(self, chip: Chip) -> Batch:
        """A chip as the network sees it."""
        return Batch.of([chip_with_indices(chip, self.indices)]).to(self.device)


def _limit_torch() -> None:
    """Let torch use as many threads as were chosen, if any were."""
    if (threads := chosen()) is not None:
        torch.set_num_threads(threads)


def _follow(
    steps: Iterator[tuple[int, Terms]], log: Path, total: int, progress: Progress
) -> None:
    """Write every step's losses to the log, and show the loss.

    A resumed run repeats the steps since its checkpoint, so the lines that an earlier
    attempt wrote for them are dropped first. If none is left, the log stays as it is.
    """
    first = True
    with ExitStack() as stack:
        for step, terms in steps:
            if first:
                _drop_from(log, step)
                file = stack.enter_context(log.open("a", encoding="utf-8"))
                first = False
            losses = {k: float(v.detach()) for k, v in terms.losses.items()}
            gauges = {k: float(v.detach()) for k, v in terms.gauges.items()}
            loss = sum(losses.values())
            record = {"step": step, "loss": loss, **losses, **gauges}
            file.write(json.dumps(record) + "\n")
            file.flush()
            progress("training", step + 1, total, f"loss {loss:.3f}")


def _drop_from(log: Path, step: int) -> None:
    """Drop the lines of a step and of those after it; the others are never lost."""
    lines = log.read_text(encoding="utf-8").splitlines() if log.exists() else []
    write_whole(log, "".join(f"{line}\n" for line in _before(lines, step)))


def _before(lines: list[str], step: int) -> list[str]:
    """Whole lines of earlier steps; a line cut short by a kill is no JSON."""
    whole = []
    for line in lines:
        try:
            if json.loads(line)["step"] < step:
                whole.append(line)
        except json.JSONDecodeError:
            continue
    return whole
