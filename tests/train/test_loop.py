"""The loop: resuming, refusing, several processes, and being killed."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from overcast.recipes.supervised import Supervised
from overcast.train.batch import Batch
from overcast.train.loop import Schedule, default_fabric, shard, train
from overcast.train.recipe import State, Terms
from tests.train.tiny import Tiny, batch_of, gradients, main, tiny

ROOT = Path(__file__).parents[2]
SHORT = Schedule(steps=8, warmup=1, save_every=4)
STREAMS: dict[str, Callable[[int], Batch]] = {"labelled": batch_of}


def weights(model: nn.Module) -> Tensor:
    return torch.cat([p.detach().flatten() for p in model.parameters()])


def test_schedule_warms_up_and_cools_down() -> None:
    schedule = Schedule(steps=100, warmup=10, peak_rate=2.0)
    rates = [schedule.rate(step) for step in range(100)]
    assert max(rates) == pytest.approx(2.0)
    assert rates[:11] == sorted(rates[:11])
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert rates[0] == pytest.approx(0.2)
    assert 0 < rates[-1] < 0.05


@pytest.mark.parametrize(
    ("name", "value"),
    [("steps", 0), ("warmup", -1), ("peak_rate", 0.0), ("clip", float("nan"))],
)
def test_impossible_schedules_are_refused(name: str, value: float) -> None:
    with pytest.raises(ValueError, match=name):
        Schedule(**{"steps": 5, name: value})


@pytest.mark.parametrize("world_size", [1, 2, 3])
def test_shards_are_the_whole_batch(world_size: int) -> None:
    whole = batch_of(0, samples=4)
    parts = [shard(whole, rank, world_size) for rank in range(world_size)]
    assert whole.labels is not None
    found = torch.cat([p.labels for p in parts if p.labels is not None])
    sums = sorted(found.flatten(1).sum(1).tolist())
    assert sums == sorted(whole.labels.flatten(1).sum(1).tolist())


def test_fewer_samples_than_processes_are_refused() -> None:
    with pytest.raises(ValueError, match=r"batch of 1 .* 2 processes"):
        shard(batch_of(0, samples=1), 0, 2)


def test_steps_are_counted_and_terms_detached(tmp_path: Path) -> None:
    steps = list(train(tiny(), Supervised(), STREAMS, SHORT, tmp_path / "c"))
    assert [step for step, _ in steps] == list(range(8))
    assert not any(terms.total.requires_grad for _, terms in steps)


def test_a_finished_run_only_loads(tmp_path: Path) -> None:
    first, second = tiny(), tiny()
    list(train(first, Supervised(), STREAMS, SHORT, tmp_path / "c"))
    assert list(train(second, Supervised(), STREAMS, SHORT, tmp_path / "c")) == []
    assert torch.equal(weights(first), weights(second))


def test_what_the_caller_does_between_steps_changes_nothing(tmp_path: Path) -> None:
    quiet, busy = tiny(), tiny()
    list(train(quiet, Supervised(), STREAMS, SHORT, tmp_path / "a"))
    for _ in train(busy, Supervised(), STREAMS, SHORT, tmp_path / "b"):
        busy.eval()
        torch.rand(5)
    assert torch.equal(weights(quiet), weights(busy))
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_another_seed_gives_other_weights(tmp_path: Path) -> None:
    one, two = tiny(), tiny()
    list(train(one, Supervised(), STREAMS, SHORT, tmp_path / "a"))
    other = replace(SHORT, seed=1)
    list(train(two, Supervised(), STREAMS, other, tmp_path / "b"))
    assert not torch.equal(weights(one), weights(two))


def test_another_recipe_or_schedule_does_not_resume(tmp_path: Path) -> None:
    path = tmp_path / "c"
    list(islice(train(tiny(), Supervised(), STREAMS, SHORT, path), 5))
    with pytest.raises(ValueError, match=r"made with recipe Supervised.*drop=0.1"):
        next(train(tiny(), Supervised(drop=0.2), STREAMS, SHORT, path))
    longer = replace(SHORT, steps=9)
    with pytest.raises(ValueError, match=r"made with schedule .*steps=8.*steps=9"):
        next(train(tiny(), Supervised(), STREAMS, longer, path))


def test_how_often_is_saved_may_change(tmp_path: Path) -> None:
    whole, resumed = tiny(), tiny()
    list(train(whole, Supervised(), STREAMS, SHORT, tmp_path / "a"))
    list(islice(train(tiny(), Supervised(), STREAMS, SHORT, tmp_path / "b"), 5))
    often = replace(SHORT, save_every=1)
    rest = list(train(resumed, Supervised(), STREAMS, often, tmp_path / "b"))
    assert [step for step, _ in rest] == [4, 5, 6, 7]
    assert torch.equal(weights(whole), weights(resumed))


def test_another_network_does_not_resume(tmp_path: Path) -> None:
    list(train(tiny(), Supervised(), STREAMS, SHORT, tmp_path / "c"))
    wider = tiny()
    wider.head = nn.Conv2d(8, 4, 3, padding=1)
    with pytest.raises(ValueError, match=r"head.weight is \[3, .* expected \[4,"):
        next(train(wider, Supervised(), STREAMS, SHORT, tmp_path / "c"))


def test_a_gradient_that_is_not_finite_names_its_step(tmp_path: Path) -> None:
    def broken(step: int) -> Batch:
        batch = batch_of(step)
        if step == 3:
            batch.images["s1"][batch.valid["s1"].unsqueeze(1).expand(-1, 2, -1, -1)] = (
                torch.inf
            )
        return batch

    model = tiny()
    before = deepcopy(model)
    steps = train(
        model, Supervised(drop=0), {"labelled": broken}, SHORT, tmp_path / "c"
    )
    for _ in range(3):
        next(steps)
        before.load_state_dict(model.state_dict())
    with pytest.raises(RuntimeError, match="step 3 is not finite"):
        next(steps)
    assert torch.equal(weights(model), weights(before))
    assert not (tmp_path / "c").exists()


class Centre(State):
    """A learned weight and a running value, neither of the network."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))
        self.register_buffer("settled", torch.zeros((), dtype=torch.int64))

    def after_step(self, model: nn.Module, step: int) -> None:
        self.settled += step


@dataclass(frozen=True)
class Scaled:
    streams: ClassVar[tuple[str, ...]] = ("labelled",)

    def start(self, model: Tiny) -> Centre:
        return Centre()

    def terms(self, model: Tiny, state: Centre, batches: dict[str, Batch]) -> Terms:
        logits = model(batches["labelled"]) * state.scale + state.settled
        return Terms({"size": logits.square().mean()}, {"settled": state.settled * 1.0})


def test_state_is_learned_settled_and_resumed(tmp_path: Path) -> None:
    gauges = [
        terms.gauges["settled"].item()
        for _, terms in train(tiny(), Scaled(), STREAMS, SHORT, tmp_path / "a")
    ]
    assert gauges == [0, 0, 1, 3, 6, 10, 15, 21]
    list(islice(train(tiny(), Scaled(), STREAMS, SHORT, tmp_path / "b"), 6))
    list(train(tiny(), Scaled(), STREAMS, SHORT, tmp_path / "b"))
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


@dataclass(frozen=True)
class Dice:
    """Tells what was drawn in a step, and whether the network was in training."""

    streams: ClassVar[tuple[str, ...]] = ("labelled",)

    def start(self, model: Tiny) -> State:
        return State()

    def terms(self, model: Tiny, state: State, batches: dict[str, Batch]) -> Terms:
        training = torch.tensor(float(model.training))
        loss = model(batches["labelled"]).square().mean()
        return Terms({"size": loss}, {"draw": torch.rand(()), "training": training})


def test_draws_differ_by_step_and_not_by_run(tmp_path: Path) -> None:
    def draws(path: Path, model: Tiny) -> list[float]:
        found = []
        for _, terms in train(model, Dice(), STREAMS, SHORT, path):
            found.append(terms.gauges["draw"].item())
            assert terms.gauges["training"] == 1
            model.eval()
        return found

    whole = draws(tmp_path / "a", tiny())
    assert len(set(whole)) == 8
    list(islice(train(tiny(), Dice(), STREAMS, SHORT, tmp_path / "b"), 5))
    assert draws(tmp_path / "b", tiny()) == whole[4:]


def test_default_fabric_is_one_process() -> None:
    assert default_fabric().world_size == 1


def test_two_processes_have_the_gradients_of_one(tmp_path: Path) -> None:
    one = gradients(Fabric(accelerator="cpu", devices=1), tmp_path / "one")
    fabric = Fabric(accelerator="cpu", devices=2, strategy="ddp_spawn")
    two = fabric.launch(gradients, tmp_path / "two")
    assert one.keys() == two.keys()
    for name, value in one.items():
        np.testing.assert_allclose(two[name], value, 1e-4, 1e-6, err_msg=name)
    # A process that ends while its group lives may be aborted.
    for rank in range(2):
        assert (tmp_path / f"two.{rank}").read_text() == "left"


def test_killed_and_run_again_gives_the_same_bytes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    main(whole)
    command = [sys.executable, "-m", "tests.train.tiny", str(killed)]
    last = random.SystemRandom().randrange(25, 200)
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None
        for line in run.stdout:
            if int(line) == last:
                run.kill()
                break
    assert run.returncode == -signal.SIGKILL
    assert not (killed / "model.safetensors").exists()
    capsys.readouterr()
    main(killed)
    assert int(capsys.readouterr().out.split()[0]) >= 20, "did not resume"
    for name in ("model.safetensors", "checkpoint.safetensors"):
        assert (killed / name).read_bytes() == (whole / name).read_bytes()
    assert sorted(p.name for p in killed.iterdir()) == sorted(
        p.name for p in whole.iterdir()
    )
