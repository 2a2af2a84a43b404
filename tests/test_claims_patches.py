"""The bench of few patches: what is labelled, and what methods start from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from bench.claims.blocks import scored
from bench.claims.problems import patches as module
from bench.claims.problems.patches import PROBLEMS, SIDE, patches, start_of

from overcast.geo.raster import UNKNOWN
from overcast.worlds.scene import Scene, Wanted, simulate


@pytest.fixture(scope="module")
def scene() -> Scene:
    return simulate(0, 128, wanted=Wanted(()))


def test_patches_lie_in_learning_blocks(scene: Scene) -> None:
    for count in (1, 5, 8):
        where = patches(scene, count, 0)
        assert where.sum() == count * SIDE**2
        assert not (where & scored(scene)).any()
        tiles = where.reshape(128 // SIDE, SIDE, 128 // SIDE, SIDE).sum((1, 3))
        assert set(np.unique(tiles)) <= {0, SIDE**2}
    assert (patches(scene, 1000, 0) == ~scored(scene)).all()
    assert (patches(scene, 5, 0) != patches(scene, 5, 1)).any()


def test_arms_know_the_labels_of_patches_alone(scene: Scene) -> None:
    (stack,) = PROBLEMS["patches10"].naive(scene, 3).learn
    assert stack.labels is not None
    labelled = stack.labels.read(stack.grid).values != UNKNOWN
    assert not (labelled & ~patches(scene, 10, 3)).any()


def test_methods_start_from_the_scenes_own_run(
    scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_HERE", tmp_path)
    quick = {"name": "network", "window": 16, "batch": 2, "schedule": {"steps": 1}}
    monkeypatch.setattr(module, "_PRETRAINING", quick)
    made = module._started("", PROBLEMS["patches10"].naive)
    made(scene, 0)
    first = start_of("").resolve()
    assert {"plan.yaml", "encoder.safetensors"} <= {p.name for p in first.iterdir()}
    made(scene, 0)
    assert start_of("").resolve() == first
    made(scene, 1)
    assert start_of("").resolve() != first
