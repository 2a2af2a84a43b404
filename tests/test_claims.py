"""The bench of claims: what its arms may see, and the share it calls recovered."""

from __future__ import annotations

import numpy as np
import pytest
from bench.claims.blocks import BLOCK, blocks_of, scored
from bench.claims.measuring import Asked, measure
from bench.claims.problems import PROBLEMS
from bench.claims.removal import psnr, ssim
from bench.claims.scoring import METHODS
from bench.claims.tables import interval, over, page, recovered

from overcast.geo.raster import UNKNOWN
from overcast.worlds.scene import SceneSpec, WorldScene, simulate


@pytest.fixture(scope="module")
def scene() -> WorldScene:
    return simulate(1, 256, wanted=SceneSpec(("modis", "corine"), cloud=0.5))


def test_half_of_the_blocks_are_tested(scene: WorldScene) -> None:
    tested = scored(scene)
    assert tested.mean() == 0.5
    blocks = tested.reshape(256 // BLOCK, BLOCK, -1, BLOCK)
    assert (blocks.all((1, 3)) | ~blocks.any((1, 3))).all()


@pytest.mark.parametrize(
    ("problem", "arm"),
    [("coarse", "oracle"), ("cloud", "naive"), ("cloud", "oracle"), ("few", "naive")],
)
def test_true_labels_of_tested_pixels_are_never_learned(
    scene: WorldScene, problem: str, arm: str
) -> None:
    made = getattr(PROBLEMS[problem], arm)(scene, 0)
    labels = made.learn[0].labels.read(scene.grid).values
    assert (labels[scored(scene)] == UNKNOWN).all()
    assert (labels != UNKNOWN).any()


def test_clear_twins_of_tested_pixels_are_never_seen(scene: WorldScene) -> None:
    problem = PROBLEMS["cloud50"]
    assert problem.given is not None
    for make in (problem.given, problem.arms["cloudseg-masked"]):
        (stack,) = make(scene, 0).learn
        assert stack.targets == {"s2_clear"}
        seen = stack.images["s2_clear"].read(scene.grid).valid
        np.testing.assert_array_equal(seen, ~scored(scene))


def test_masked_arms_see_no_cloud_and_single_ones_one_sensor(
    scene: WorldScene,
) -> None:
    arms = PROBLEMS["cloud50"].arms
    assert scene.clouds is not None
    valid = {name: make(scene, 0).images for name, make in arms.items()}
    np.testing.assert_array_equal(valid["fusion-masked"]["s2"].valid, scene.clouds == 0)
    assert not valid["sar-alone"]["s2"].valid.any()
    assert not valid["optical-alone"]["s1"].valid.any()
    assert valid["optical-alone"]["s2"].valid.all()


@pytest.mark.parametrize("name", PROBLEMS)
def test_arms_are_of_methods_and_groups_part_the_scene(
    name: str, scene: WorldScene
) -> None:
    problem = PROBLEMS[name]
    assert problem.arms.keys() <= {*METHODS, *problem.methods}
    groups = {group: where(scene) for group, where in problem.groups.items()}
    if groups:
        parts = [
            groups[part].astype(int) for part in ("clear", "under cloud", "shadow")
        ]
        assert (sum(parts) == 1).all()
        assert (groups["thick"] <= groups["under cloud"]).all()


def test_few_is_a_sixteenth_and_changes_with_the_seed(scene: WorldScene) -> None:
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
    # Of two runs, 12.7 standard errors: the interval of one degree of freedom.
    assert over("method", "naive", arms) == pytest.approx([0.1, 0.2])
    assert interval(over("method", "naive", arms)) == "+0.150 ± 0.635"
    assert interval(np.array([0.1])) == "+0.100"
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


def test_groups_have_a_table_of_their_own() -> None:
    def runs(iou: float) -> list[dict[str, object]]:
        scores = {"mean_iou": iou, "overall_accuracy": 0.5, "average_accuracy": 0.5}
        group = {**scores, "calibration_error": 0.25, "share": 0.4}
        groups: dict[str, object] = {"fog": group, "rain": {}}
        return [{**scores, "seconds": 1.0, "iou": {"W": 0.5}, "groups": groups}]

    result = {
        "title": "x",
        "base": "b",
        "command": "c",
        "worlds": [1],
        "seeds": [0],
        "size": 8,
        "made": "today",
        "arms": {"naive": runs(0.2), "method": runs(0.4), "oracle": runs(0.6)},
    }
    text = page([result])
    assert "| arm | fog: mIoU | recovered | calibration error | rain: mIoU |" in text
    row = (
        "| method | 0.400 ± 0.000 | 0.500 ± 0.000 (0.50) | 0.250 | none | none | none |"
    )
    assert row in text


def test_psnr_and_ssim_of_a_known_error() -> None:
    clear = np.random.default_rng(0).uniform(0, 1, (2, 20, 20))
    where = np.zeros((20, 20), np.bool_)
    where[:10] = True
    image = clear + 0.1 * where
    assert psnr(image, clear, where) == pytest.approx(20)
    assert psnr(image, clear, ~where) == np.inf
    np.testing.assert_allclose(ssim(clear, clear), 1)
    # A constant has no structure: what is left is the comparison of means.
    flat, other = np.full((1, 9, 9), 0.4), np.full((1, 9, 9), 0.6)
    likeness = (2 * 0.4 * 0.6 + 1e-4) / (0.4**2 + 0.6**2 + 1e-4)
    np.testing.assert_allclose(ssim(flat, other), likeness, rtol=1e-6)


@pytest.mark.slow
def test_runs_side_by_side_score_as_one_after_the_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")  # so that it is put back
    asked = Asked(
        problem="few8",
        base="plain-forest",
        methods=(),
        size=128,
        before=("oracle", "ceiling"),
    )
    alone, beside = (measure(asked, [1], [0, 1], n) for n in (1, 2))
    assert list(alone) == list(beside) == ["naive"]
    for run in (*alone["naive"], *beside["naive"]):
        run.pop("seconds")
    assert alone == beside
    assert alone["naive"][0] != alone["naive"][1]
