"""The problems of weak labels: tables of other worlds, relabelling, adding arms."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import pytest
from bench.claims.__main__ import kept_arms, result_of
from bench.claims.areas import cells_of, tables, tables_of
from bench.claims.blocks import arm_of
from bench.claims.problems import PROBLEMS
from bench.claims.taught import _at_first, _in_cells

from overcast.plan import choose
from overcast.worlds.scene import SceneSpec, WorldScene, simulate

RUN = {
    "mean_iou": 0.5,
    "average_accuracy": 0.5,
    "overall_accuracy": 0.5,
    "iou": {"Water": 0.5},
    "seconds": 1.0,
    "groups": {},
}


@pytest.fixture(scope="module")
def scene() -> WorldScene:
    return simulate(1, 192, wanted=SceneSpec(("modis",)))


@pytest.mark.parametrize("name", ["coarse", "corine", "product"])
def test_every_arm_is_a_method_with_known_settings(name: str) -> None:
    assert PROBLEMS[name].placed <= PROBLEMS[name].methods.keys()
    for settings in PROBLEMS[name].methods.values():
        method = choose("methods", settings)
        if settings["name"] == "network":
            choose("recipes", method.recipe)


def test_cells_hold_all_pixels_of_a_label_pixel(scene: WorldScene) -> None:
    labels, counts = cells_of(scene, "modis")
    assert len(labels) == len(counts) >= 4
    side_px = 46.33
    np.testing.assert_allclose(counts.sum(1), side_px**2, rtol=0.1)


def test_tables_are_of_cells_and_of_pixels() -> None:
    labels = np.array([0, 0, 2])
    counts = np.array([[8, 2, 0], [4, 6, 0], [0, 10, 10]], float)
    found = tables_of(labels, counts)
    assert found["mean"][0] == pytest.approx([0.6, 0.4, 0])
    assert found["spread"][0] == pytest.approx([0.2, 0.2, 0])
    assert found["mean"][2] == pytest.approx([0, 0.5, 0.5])
    # A label without a cell: what all cells hold.
    assert found["mean"][1] == pytest.approx([0.4, 0.4333, 0.1667], abs=1e-4)
    assert found["transition"][1] == pytest.approx([8 / 18, 0, 10 / 18], abs=1e-4)


def test_tables_kept_are_shares() -> None:
    known = tables("modis")
    np.testing.assert_allclose(np.sum(known["mean"], 1), 1, atol=1e-3)
    rows = np.sum(known["transition"], 1)
    assert (np.isclose(rows, 1, atol=1e-3) | (rows == 0)).all()


def test_relabelling_starts_at_labels_and_goes_by_cells(scene: WorldScene) -> None:
    (stack,) = arm_of(scene, scene.coarse, "s1", "s2").learn
    assert stack.labels is not None
    given = stack.labels.read(scene.grid).values
    names = scene.truth.legend.names
    shares = _at_first(scene, stack)
    np.testing.assert_allclose(shares.sum(0)[given != names.index("Savanna")], 1, 0.2)
    assert (shares[names.index("Savanna")] == 0).all()
    certain = np.eye(len(names))[scene.truth.values].transpose(2, 0, 1)
    held = _in_cells(certain, scene, stack)
    np.testing.assert_allclose(held.sum(0), 1)
    # Two pixels of one cell are told the same.
    assert len(np.unique(held.reshape(len(held), -1), axis=1).T) < 60


def given(**changed: object) -> argparse.Namespace:
    same = {"worlds": [100], "seeds": [0], "size": 64, "base": "plain-forest"}
    return argparse.Namespace(**{"name": None, **same, **changed})


def test_arms_are_added_to_those_measured_in_the_same_way(tmp_path: Path) -> None:
    path = tmp_path / "coarse-plain-forest.json"
    assert kept_arms(path, given()) == {}
    first = result_of("coarse", {"oracle": [RUN], "naive": [RUN]}, given())
    path.write_text(json.dumps(first))
    assert list(kept_arms(path, given())) == ["naive", "oracle"]
    for changed in ({"worlds": [101]}, {"seeds": [0, 1]}, {"size": 128}):
        with pytest.raises(ValueError, match="leave out --add to measure all anew"):
            kept_arms(path, given(**changed))


def test_the_command_of_a_result_measures_all_of_it() -> None:
    arms = {"oracle": [RUN], "weak, blurred": [RUN], "weak": [RUN], "naive": [RUN]}
    result = result_of("coarse", arms, given())
    assert list(result["arms"]) == ["naive", "weak", "weak, blurred", "oracle"]
    assert result["command"] == (
        "python -m bench.claims coarse --base plain-forest --methods weak "
        "'weak, blurred' --worlds 100 --seeds 0 --size 64 --report"
    )
    named = result_of("coarse", arms, given(name="coarse-again"))["command"]
    assert named == result["command"].replace(
        "--report", "--name coarse-again --report"
    )
