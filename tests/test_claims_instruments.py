"""The instruments that show what methods are for: what their arms hold, and a ceiling."""

from __future__ import annotations

import numpy as np
import pytest
from bench.claims.blocks import scored
from bench.claims.problems import PROBLEMS
from bench.claims.problems.archive import OLDER, changed, elsewhere, older_world
from bench.claims.problems.context import FIELDS, network_of
from bench.claims.problems.few import PATIENT, QUICK
from bench.claims.problems.heart import few_misled, misled
from bench.claims.tables import bound_of, recovered
from bench.context_of_tiles import held_out

from overcast.geo.raster import UNKNOWN
from overcast.models.fcn import FCN
from overcast.worlds.scene import SceneSpec, WorldScene, simulate

SIZE = 192


@pytest.fixture(scope="module")
def scene() -> WorldScene:
    return simulate(1, SIZE, wanted=SceneSpec((), cloud=0.5))


@pytest.fixture(scope="module")
def aged(scene: WorldScene) -> WorldScene:
    """With an older image, of which a fifth of the land had another class."""
    prepare = PROBLEMS["archive20"].prepare
    assert prepare is not None
    return prepare(scene, 1)


@pytest.mark.parametrize("name", ["few", "cloud50", "heart", "context"])
def test_a_ceiling_is_told_the_true_class_of_every_pixel(
    name: str, scene: WorldScene
) -> None:
    problem = PROBLEMS[name]
    assert problem.ceiling is not None
    made = problem.ceiling(scene, 0)
    labels = made.learn[0].labels
    assert labels is not None
    np.testing.assert_array_equal(labels.read(scene.grid).values, scene.truth.values)
    # It is shown what the naive arm is shown, and nothing more.
    naive = problem.naive(scene, 0)
    assert made.images.keys() == naive.images.keys()
    for key, image in naive.images.items():
        np.testing.assert_array_equal(made.images[key].values, image.values)


def test_a_ceiling_takes_the_place_of_the_oracle_in_shares() -> None:
    def runs(*values: float) -> list[dict[str, float]]:
        return [{"mean_iou": value} for value in values]

    arms = {"naive": runs(0.2), "method": runs(0.3), "oracle": runs(0.4)}
    assert recovered("method", arms) == pytest.approx([0.5])
    arms["ceiling"] = runs(0.6)
    assert bound_of(arms) == "ceiling"
    assert recovered("method", arms) == pytest.approx([0.25])


def test_patient_networks_are_quick_ones_with_more_steps() -> None:
    steps = PATIENT["schedule"]["steps"]
    assert steps >= 4 * QUICK["schedule"]["steps"]
    same = {**PATIENT["schedule"], "steps": QUICK["schedule"]["steps"]}
    assert {**PATIENT, "schedule": same} == QUICK


def test_labels_are_wrong_as_a_majority_in_half_of_the_land(
    scene: WorldScene,
) -> None:
    truth, labels = scene.truth.values, misled(scene.truth, 0).values
    wrong = labels != truth
    assert wrong.mean() == pytest.approx(0.4, abs=0.06)
    # In blocks of 32 pixels, most labels are wrong in many, and hardly any in others.
    shares = wrong.reshape(SIZE // 32, 32, -1, 32).mean((1, 3))
    assert 0.2 < (shares > 0.5).mean() < 0.6
    assert (shares < 0.2).mean() > 0.2
    # A class is mistaken for one other class alone.
    for k in np.unique(truth[wrong]):
        assert len(np.unique(labels[wrong & (truth == k)])) == 1
    assert (misled(scene.truth, 1).values != labels).any()


def test_few_wrong_labels_are_of_learning_blocks(scene: WorldScene) -> None:
    (stack,) = few_misled(scene, 0).learn
    assert stack.labels is not None
    known = stack.labels.read(scene.grid).values != UNKNOWN
    assert known.sum() == 6 * 32**2
    assert not (known & scored(scene)).any()
    (right,) = PROBLEMS["heart"].oracle(scene, 0).learn
    assert right.labels is not None
    values = right.labels.read(scene.grid).values
    np.testing.assert_array_equal(values[known], scene.truth.values[known])
    np.testing.assert_array_equal(values != UNKNOWN, known)


def test_the_older_image_has_the_lands_outlines_and_not_its_colours(
    scene: WorldScene,
) -> None:
    """As well as the image of the date it tells borders; of colours it tells little."""
    prepare = PROBLEMS["archive"].prepare
    assert prepare is not None
    older, now = (
        s.images[name].values for s, name in ((prepare(scene, 1), OLDER), (scene, "s2"))
    )
    assert older.shape == now.shape
    assert np.isfinite(older).all()
    assert (older > 0).all()
    crops = scene.truth.values == 5
    colour = np.corrcoef(older[2][crops], now[2][crops])[0, 1]
    assert abs(colour) < 0.5
    edges = [np.abs(np.diff(image[2], axis=1)).ravel() for image in (older, now)]
    assert np.corrcoef(np.argsort(np.argsort(edges)))[0, 1] > 0.25
    assert older_world(1, SIZE).region.season == "spring"


@pytest.mark.parametrize("share", [0.0, 0.05, 0.2])
def test_so_much_of_the_land_had_another_class(share: float, scene: WorldScene) -> None:
    truth = scene.truth.values
    where = changed(truth, share, 1)
    assert (where & (elsewhere(truth) != truth)).mean() == pytest.approx(
        share, abs=0.01
    )


def test_land_that_changed_shows_what_lies_elsewhere(
    aged: WorldScene, scene: WorldScene
) -> None:
    prepare = PROBLEMS["archive"].prepare
    assert prepare is not None
    same = prepare(scene, 1).images[OLDER].values
    where = changed(scene.truth.values, 0.2, 1)
    older = aged.images[OLDER].values
    np.testing.assert_array_equal(older[:, ~where], same[:, ~where])
    np.testing.assert_array_equal(older[:, where], elsewhere(same)[:, where])


def test_arms_of_the_archive_see_it_and_others_do_not(aged: WorldScene) -> None:
    problem = PROBLEMS["archive20"]
    assert problem.given is not None
    made = problem.given(aged, 0)
    assert set(made.images) == {"s1", "s2", OLDER}
    assert set(made.learn[0].images) == {"s1", "s2", OLDER}
    np.testing.assert_array_equal(
        made.images["s2"].values, aged.images["s2_cloudy"].values
    )
    assert set(problem.naive(aged, 0).images) == {"s1", "s2"}
    alone = problem.arms["older-alone"](aged, 0)
    np.testing.assert_array_equal(alone.images["s2"].values, aged.images[OLDER].values)


@pytest.mark.parametrize("side", FIELDS)
def test_networks_of_the_question_of_context_have_their_field(side: int) -> None:
    options = {**network_of(side)["model"]}
    options.pop("name")
    assert 2 * FCN({"s1": 2, "s2": 10}, 3, **options).halo + 1 == side
    assert network_of(side)["window"] >= side


def test_half_of_the_blocks_of_a_tile_are_tested() -> None:
    away = held_out((224, 224), 0)
    assert away.mean() == pytest.approx(0.5, abs=0.02)
    assert (away[:32, :32] == away[0, 0]).all()
    assert (held_out((224, 224), 1) != away).any()
