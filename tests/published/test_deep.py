from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from bench.published.deep import Training
from bench.published.patches import NINE, read_chip
from safetensors.torch import load_file

from overcast.datasets.dataset import Dataset
from overcast.progress import quiet

TRAINING = Training(
    network={"name": "fcn", "width": 8, "dilations": [1]},
    inputs="S1+S2",
    epochs=3,
    batch=4,
    peak_rate=1e-2,
    seed=5,
)


def stop_at(step: int) -> Callable[..., None]:
    def progress(stage: str, done: int, total: int, note: str = "") -> None:
        if done == step:
            raise KeyboardInterrupt

    return progress


def test_a_run_that_was_killed_ends_with_the_same_weights(
    world: Dataset, tmp_path: Path
) -> None:
    patches = world.split("train")  # two steps an epoch
    whole = TRAINING.train(patches, tmp_path / "whole", quiet)
    with pytest.raises(KeyboardInterrupt):
        TRAINING.train(patches, tmp_path / "killed", stop_at(5))
    again = TRAINING.train(patches, tmp_path / "killed", quiet)
    assert [file.name for file in again] == [file.name for file in whole]
    for file, other in zip(whole, again, strict=True):
        one, two = load_file(file), load_file(other)
        assert all(torch.equal(one[name], two[name]) for name in one)


def test_every_epoch_has_its_own_weights(world: Dataset, tmp_path: Path) -> None:
    files = TRAINING.train(world.split("train"), tmp_path, quiet)
    assert len({file.read_bytes() for file in files}) == 3
    assert not (tmp_path / "checkpoint.safetensors").exists()
    before = [file.stat().st_mtime_ns for file in files]
    TRAINING.train((), tmp_path, quiet)  # finished: nothing is read or written
    assert [file.stat().st_mtime_ns for file in files] == before


def test_weights_that_were_lost_are_said(world: Dataset, tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        TRAINING.train(world.split("train"), tmp_path, stop_at(3))
    TRAINING.weights(tmp_path)[0].unlink()
    with pytest.raises(ValueError, match=r"epoch-01.safetensors: lost; .*--overwrite"):
        TRAINING.train(world.split("train"), tmp_path, quiet)


def test_learns_the_nine_classes_of_both_sensors(
    world: Dataset, tmp_path: Path
) -> None:
    training = replace(TRAINING, epochs=1)
    (file,) = training.train(world.split("train"), tmp_path, quiet)
    predictor = training.load(file)
    assert predictor.legend == NINE
    assert list(predictor.sensors) == ["s1", "s2"]
    found = predictor.predict(read_chip(world.split("train")[0], "S1+S2", None))
    assert found.shape == (9, 128, 128)
