"""The bench of claims: what its arms may see, and the share it calls recovered."""

from __future__ import annotations

import numpy as np
import pytest
from bench.claims.blocks import BLOCK, blocks_of, scored
from bench.claims.problems import PROBLEMS
from bench.claims.tables import page, recovered

from overcast.geo.raster import UNKNOWN
from overcast.worlds.scene import Scene, Wanted, simulate


@pytest.fixture(scope="module")
def scene() -> Scene:
    return simulate(1, 256, wanted=Wanted(("modis", "corine"), cloud=0.5))


def test_half_of_the_blocks_are_tested(scene: Scene) -> None:
    tested = scored(scene)
    assert tested.mean() == 0.5
    blocks = tested.reshape(256 // BLOCK, BLOCK, -1, BLOCK)
    assert (blocks.all((1, 3)) | ~blocks.any((1, 3))).all()


@pytest.mark.parametrize(
    ("problem", "arm"),
    [("coarse", "oracle"), ("cloud", "naive"), ("cloud", "oracle"), ("few", "naive")],
)
def test_true_labels_of_tested_pixels_are_never_learned(
    scene: Scene, problem: str, arm: str
) -> None:
    made = getattr(PROBLEMS[problem], arm)(scene, 0)
    labels = made.learn[0].labels.read(scene.grid).values
    assert (labels[scored(scene)] == UNKNOWN).all()
    assert (labels != UNKNOWN).any()


def test_few_is_a_sixteenth_and_changes_with_the_seed(scene: Scene) -> None:
    kept = [
        PROBLEMS["few"].naive(scene, seed).learn[0].labels.read(scene.grid).values  # type: ignore[union-attr]
        for seed in (0, 1, 2, 3)
    ]
    learning = len(np.unique(blocks_of(scene, 0))) // 2
    for labels in kept:
        assert (labels != UNKNOWN).sum() == max(1, learning // 16) * BLOCK**2
    assert any(not np.array_equal(kept[0], other) for other in kept[1:])


def test_recovered_share_is_paired_and_needs_a_gap() -> None:
    def runs(*values: float) -> list[dict[str, object]]:
        one = {"average_accuracy": 0.5, "overall_accuracy": 0.5, "seconds": 1.0}
        return [{**one, "mean_iou": v, "iou": {"Water": v}} for v in values]

    arms = {"naive": runs(0.2, 0.4), "method": runs(0.3, 0.6), "oracle": runs(0.4, 0.6)}
    assert recovered("method", arms) == pytest.approx([0.5, 1.0])
    close = {**arms, "oracle": runs(0.25, 0.45)}
    assert recovered("method", close) == []
    result = {
        "title": "x",
        "base": "forest",
        "command": "c",
        "worlds": [1],
        "seeds": [0],
        "size": 8,
        "made": "today",
        "arms": close,
    }
    assert "gap below .10" in page([result])
