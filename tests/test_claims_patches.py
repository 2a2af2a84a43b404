"""The bench of few patches: what is labelled, and what methods start from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from bench.claims import starts
from bench.claims.blocks import fine, scored
from bench.claims.problems.patches import PROBLEMS, SIDE, patches
from bench.claims.starts import from_images, from_labels, kept, start_of, started

from overcast.geo.raster import UNKNOWN
from overcast.plan import choose
from overcast.progress import quiet
from overcast.train.checkpoint import read_weights
from overcast.worlds.scene import SceneSpec, WorldScene, simulate


@pytest.fixture(scope="module")
def scene() -> WorldScene:
    return simulate(0, 128, wanted=SceneSpec(()))


def test_patches_lie_in_learning_blocks(scene: WorldScene) -> None:
    for count in (1, 5, 8):
        where = patches(scene, count, 0)
        assert where.sum() == count * SIDE**2
        assert not (where & scored(scene)).any()
        tiles = where.reshape(128 // SIDE, SIDE, 128 // SIDE, SIDE).sum((1, 3))
        assert set(np.unique(tiles)) <= {0, SIDE**2}
    assert (patches(scene, 1000, 0) == ~scored(scene)).all()
    assert (patches(scene, 5, 0) != patches(scene, 5, 1)).any()


def test_arms_know_the_labels_of_patches_alone(scene: WorldScene) -> None:
    (stack,) = PROBLEMS["patches10"].naive(scene, 3).learn
    assert stack.labels is not None
    labelled = stack.labels.read(stack.grid).values != UNKNOWN
    assert not (labelled & ~patches(scene, 10, 3)).any()


QUICK = {"name": "network", "window": 16, "batch": 2, "schedule": {"steps": 1}}
CONTRAST = {**QUICK, "recipe": {"name": "contrast"}}


def test_methods_start_from_the_scenes_own_run(
    scene: WorldScene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(starts, "_HERE", tmp_path)

    def run(scene: WorldScene, seed: int) -> Path:
        return kept(from_images, fine(scene, seed).learn, CONTRAST, seed)

    made = started("", run, PROBLEMS["patches10"].naive)
    made(scene, 0)
    first = start_of("").resolve()
    assert {"plan.yaml", "encoder.safetensors"} <= {p.name for p in first.iterdir()}
    made(scene, 0)
    assert start_of("").resolve() == first
    made(scene, 1)
    assert start_of("").resolve() != first


def test_a_network_of_labels_is_a_start_as_well(
    scene: WorldScene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(starts, "_HERE", tmp_path)
    stacks = fine(scene, 0).learn
    run = kept(from_labels, stacks, QUICK, 0)
    assert run != kept(from_images, stacks, CONTRAST, 0)
    network = choose("methods", {**QUICK, "start": str(run), "frozen": True})
    network.fit(stacks, tmp_path, 0, quiet)
    learned = read_weights(tmp_path / "model.safetensors")
    first = read_weights(run / "encoder.safetensors")
    changed = {name for name in learned if (learned[name] != first[name]).any()}
    assert changed == {"head.weight", "head.bias"}
