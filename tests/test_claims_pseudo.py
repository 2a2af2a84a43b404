"""The problems of pseudo-labels: what is wrong is wrong as often, and where, as said."""

from __future__ import annotations

import numpy as np
import pytest
from bench.claims.blocks import scored
from bench.claims.problems import PROBLEMS
from bench.claims.problems.pseudo import hazy, noisy

from overcast.geo.raster import UNKNOWN
from overcast.worlds.scene import SceneSpec, WorldScene, simulate


@pytest.fixture(scope="module")
def scene() -> WorldScene:
    return simulate(1, 192, wanted=SceneSpec(()))


@pytest.mark.parametrize("rate", [0.1, 0.2, 0.4])
def test_so_many_labels_are_wrong_and_in_blobs(scene: WorldScene, rate: float) -> None:
    wrong = noisy(scene.truth, rate, 0).values != scene.truth.values
    assert wrong.mean() == pytest.approx(rate, abs=0.1 * rate + 0.02)
    # Of independent pixels, a share `rate` would have a wrong neighbour too.
    together = (wrong[:, 1:] & wrong[:, :-1]).mean() / wrong.mean()
    assert together > 0.75


def test_grass_is_mistaken_more_often_than_water_and_mostly_for_crops(
    scene: WorldScene,
) -> None:
    truth = scene.truth.values
    labels = noisy(scene.truth, 0.4, 1).values
    wrong = {k: (labels[truth == k] != k).mean() for k in (3, 9)}
    assert wrong[3] > 1.5 * wrong[9]
    taken = np.bincount(labels[(truth == 3) & (labels != 3)], minlength=10)
    assert taken[5] > taken[1] > 0
    assert taken.sum() == taken[5] + taken[1]


def test_noise_is_a_function_of_the_seed(scene: WorldScene) -> None:
    one, same, other = (noisy(scene.truth, 0.2, seed).values for seed in (0, 0, 1))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


def test_haze_is_bluest_and_blur_keeps_the_mean(scene: WorldScene) -> None:
    image = scene.images["s2"]
    made = hazy(image)
    added = made.values.mean((1, 2)) - 0.85 * image.values.mean((1, 2))
    assert (np.diff(added) < 0).all()
    assert added[0] == pytest.approx(0.03, abs=0.002)
    sharpness = [np.abs(np.diff(i.values, axis=2)).mean() for i in (image, made)]
    assert sharpness[1] < 0.6 * sharpness[0]


def test_the_target_has_no_labels_but_for_the_oracle(scene: WorldScene) -> None:
    problem = PROBLEMS["season"]
    assert problem.given is not None
    *sources, target = problem.given(scene, 0).learn
    assert all(source.labels is not None for source in sources)
    assert target.labels is None
    assert list(problem.naive(scene, 0).learn) == sources
    (own,) = problem.oracle(scene, 0).learn
    assert own.labels is not None
    assert (own.labels.read(scene.grid).values[scored(scene)] == UNKNOWN).all()
