"""Teacher and student: who learns when, from what, and around which pixels."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from overcast.geo.bands import SENTINEL_1, SENTINEL_2, Band, Sensor
from overcast.models.cloudseg import CloudSegNetwork as Network
from overcast.models.segmenter import Segmenter
from overcast.recipes.cloudseg import Apart, CloudSeg, Taught
from overcast.train.batch import Batch
from overcast.train.loop import Schedule, train
from overcast.train.recipe import TrainingContext
from tests.recipes.test_contract import CONTRACT
from tests.train.tiny import BANDS, CLASSES, batch_of, tiny


def setting(sensor: Sensor = SENTINEL_2) -> TrainingContext:
    """Ten steps, with this optical image."""
    return TrainingContext(sensors={"s1": SENTINEL_1, "s2": sensor}, steps=10)


PLAIN = CloudSeg(
    teacher_steps=0,
    removal=1.0,
    distillation=1.0,
    simulate=0.0,
    drop=0.0,
    augment=False,
)


@pytest.mark.parametrize(
    "recipe",
    [
        CloudSeg(teacher_steps=0, drop=0.0),
        CloudSeg(teacher_steps=5, teacher="own"),
    ],
    ids=["student", "own"],
)
@pytest.mark.parametrize("test", CONTRACT, ids=lambda t: t.__name__[5:])
def test_the_student_keeps_the_contract(
    test: Callable[..., None], recipe: CloudSeg, tmp_path: Path
) -> None:
    """The contract's own tests see the first steps alone, without distillation."""
    wants_folder = "tmp_path" in inspect.signature(test).parameters
    test(recipe, tmp_path) if wants_folder else test(recipe)


def network() -> Network:
    torch.manual_seed(3)
    return Network(BANDS, CLASSES, widths=(4, 8))


def pair(cloudy: float = 0.8) -> Batch:
    """Two samples: the left half of the second image is under cloud, all seen."""
    batch = batch_of(1, samples=2, size=16)
    clear = batch.images["s2"].nan_to_num(0.0).clamp(0, 0.5)
    image = clear.clone()
    image[1, :, :, :8] = cloudy + 0.2 * clear[1, :, :, :8]
    seen = torch.ones(2, 16, 16, dtype=torch.bool)
    return replace(
        batch,
        images={"s1": batch.images["s1"], "s2": image, "s2_clear": clear},
        valid={"s1": batch.valid["s1"], "s2": seen, "s2_clear": seen},
    )


def terms(recipe: CloudSeg, model: Segmenter, batch: Batch) -> dict[str, Tensor]:
    state = recipe.start(model)
    return dict(recipe.terms(model, state, {"labelled": batch}).losses)


def test_drawn_clouds_are_those_of_the_sensor() -> None:
    """Clouds are darker in the short wave, and grey where nothing is known."""
    batch = pair(cloudy=0.0)
    swir = tuple(Band(n, "reflectance", 0.0, 0.5, 2200.0) for n in "abc")
    drawn = replace(PLAIN, simulate=1.0)
    told = drawn.configure(setting(Sensor("swir", "optical", swir)))
    brightest = [_brightest(recipe, batch) for recipe in (told, drawn)]
    assert brightest[0] < 0.8 * brightest[1]
    assert (
        PLAIN.configure(TrainingContext(sensors={"s1": SENTINEL_1}, steps=9)) is PLAIN
    )


def _brightest(recipe: CloudSeg, batch: Batch) -> float:
    torch.manual_seed(0)
    clear, seen = recipe._pair(batch)
    cloudy, cloud = recipe._under_clouds(batch, clear, seen)
    assert cloud.any()
    return float(cloudy.images["s2"].max())


def test_clouds_are_not_drawn_over_indices() -> None:
    bands = (*SENTINEL_2.bands, Band("NDVI", "index", -1.0, 1.0))
    sensor = replace(SENTINEL_2, bands=bands)
    with pytest.raises(ValueError, match="s2 has NDVI besides; leave indices out"):
        PLAIN.configure(setting(sensor))


def test_the_teacher_learns_for_half_of_the_steps_or_as_long_as_is_said() -> None:
    half = CloudSeg().configure(setting())
    assert half.teacher_steps == 5
    assert CloudSeg(teacher_steps=2).configure(setting()).teacher_steps == 2
    with pytest.raises(ValueError, match="teacher_steps is 10 of 10 steps"):
        CloudSeg(teacher_steps=10).configure(setting())
    never = CloudSeg(teacher_steps=10, distillation=0.0)
    assert never.configure(setting()).teacher_steps == 10
    with pytest.raises(ValueError, match="of how many: configure"):
        CloudSeg().start(tiny())


def test_a_target_of_another_name_is_not_passed_over() -> None:
    """The cloudy image would be taken to be clear, and clouds learned to be kept."""
    with pytest.raises(ValueError, match=r"not read target twin; .* called 's2_clear'"):
        PLAIN.configure(replace(setting(), targets=frozenset({"twin"})))
    named = replace(PLAIN, clear="twin")
    named.configure(replace(setting(), targets=frozenset({"twin", "cloud_mask"})))


def test_where_the_student_saw_nothing_there_is_nothing_to_distil() -> None:
    """It has to guess there, and the guess counts as much as one under cloud."""
    batch, model = pair(), network()
    blind = replace(batch, valid={**batch.valid, "s2": torch.zeros(2, 16, 16).bool()})
    found = terms(replace(PLAIN, teacher_steps=0), model, blind)
    assert found["distillation"] == 0
    restored = model.restore(blind)[1]
    apart = restored - batch.images["s2_clear"]
    torch.testing.assert_close(found["removal"], 6 * ((apart**2 + 1e-6) ** 0.45).mean())


def test_at_first_some_samples_are_clear_and_nothing_is_distilled() -> None:
    batch, model = pair(), network()
    recipe = replace(PLAIN, teacher_steps=5)
    state = recipe.start(model)
    shares = []
    for _ in range(60):
        found = recipe.terms(model, state, {"labelled": batch})
        assert list(found.losses) == ["classes", "removal"]
        shares.append(float(found.gauges["cloud"]))
    # Half of the second sample is cloud: a quarter of all pixels, or none.
    assert set(shares) == {0.0, 0.25}
    assert 5 < shares.count(0.0) < 28


def test_of_a_clear_pair_it_is_cross_entropy_and_the_copy_of_an_image() -> None:
    batch, model = pair(), network()
    same = replace(batch, images={**batch.images, "s2": batch.images["s2_clear"]})
    found = terms(replace(PLAIN, teacher_steps=5), model, same)
    clear = Batch(
        images={"s1": batch.images["s1"], "s2": batch.images["s2_clear"]},
        valid={"s1": batch.valid["s1"], "s2": batch.valid["s2_clear"]},
    )
    expected = F.cross_entropy(model(clear), batch.labels, ignore_index=255)
    torch.testing.assert_close(found["classes"], expected)
    apart = model.restore(clear)[1] - batch.images["s2_clear"]
    torch.testing.assert_close(found["removal"], ((apart**2 + 1e-6) ** 0.45).mean())


def test_then_it_is_the_three_terms_of_the_cloudy_ones() -> None:
    batch, model = pair(), network()
    found = terms(replace(PLAIN, removal=2.0, distillation=3.0), model, batch)
    seen, clear = (
        Batch(
            images={"s1": batch.images["s1"], "s2": batch.images[name]},
            valid={"s1": batch.valid["s1"], "s2": batch.valid[name]},
        )
        for name in ("s2", "s2_clear")
    )
    features, restored = model.restore(seen)
    entropy = F.cross_entropy(model(seen), batch.labels, ignore_index=255)
    torch.testing.assert_close(found["classes"], entropy)
    cloud = torch.zeros(2, 1, 16, 16)
    cloud[1, :, :, :8] = 1
    apart = restored - batch.images["s2_clear"]
    removal = ((1 + 5 * cloud) * (apart**2 + 1e-6) ** 0.45).mean()
    torch.testing.assert_close(found["removal"], 2 * removal)
    squares = (features - model.encode(clear)).square() * (1 - cloud)
    expected = 3 * squares.sum() / ((1 - cloud).sum() * features.shape[1])
    torch.testing.assert_close(found["distillation"], expected)


def test_a_term_of_weight_zero_is_left_out() -> None:
    found = terms(replace(PLAIN, removal=0.0, distillation=0.0), network(), pair())
    assert list(found) == ["classes"]
    assert list(terms(PLAIN, tiny(), pair())) == ["classes", "distillation"]


def test_a_given_mask_says_where_clouds_are() -> None:
    batch = pair()
    nowhere = torch.zeros(2, 1, 16, 16)
    masked = replace(
        batch,
        images={**batch.images, "cloud_mask": nowhere},
        valid={**batch.valid, "cloud_mask": torch.ones(2, 16, 16).bool()},
    )
    model = network()
    by_difference, by_mask = (
        terms(PLAIN, model, b)["removal"] for b in (batch, masked)
    )
    assert by_mask < by_difference


def test_hidden_clouds_are_not_observed() -> None:
    model, hidden = network(), replace(PLAIN, hidden=1.0)
    dark, bright = pair(0.8), pair(0.7)
    losses = [terms(hidden, model, batch)["classes"] for batch in (dark, bright)]
    assert torch.equal(*losses)
    shown = [terms(PLAIN, model, batch)["classes"] for batch in (dark, bright)]
    assert not torch.equal(*shown)


def test_without_a_twin_clouds_are_drawn() -> None:
    batch, model = batch_of(2, size=16), network()
    recipe = replace(PLAIN, removal=0.0, distillation=0.0)
    drawn = set()
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        state = recipe.start(model)
        found = recipe.terms(model, state, {"labelled": batch})
        drawn.add((seed, float(found.gauges["cloud"])))
    assert len(drawn) == 2


def test_pairs_are_jittered_alike() -> None:
    """Of a pair without cloud, the student sees the very image of the teacher."""
    batch = pair()
    same = replace(batch, images={**batch.images, "s2": batch.images["s2_clear"]})
    recipe = replace(PLAIN, augment=True)
    assert terms(recipe, network(), same)["distillation"] == 0


def test_the_teacher_follows_for_its_steps_and_then_stays(tmp_path: Path) -> None:
    model, seen = tiny(), []
    recipe = CloudSeg(teacher_steps=3)
    state = recipe.start(model)

    class Watched:
        streams = recipe.streams

        def start(self, model: Segmenter) -> Taught:
            return state

        def terms(self, *given: Any) -> Any:
            return recipe.terms(*given)

    schedule = Schedule(steps=6, warmup=1)
    steps = train(model, Watched(), {"labelled": batch_of}, schedule, tmp_path / "c")
    for _, found in steps:
        weights = torch.cat([p.flatten() for p in state.teacher.parameters()])
        seen.append((weights.clone(), set(found.losses)))
    learning = ["distillation" not in losses for _, losses in seen]
    assert learning == [True] * 3 + [False] * 3
    assert not torch.equal(seen[0][0], seen[2][0])
    assert torch.equal(seen[2][0], seen[5][0])


def test_a_teacher_of_its_own_learns_from_clear_images_without_gates() -> None:
    batch, model = pair(), network()
    recipe = replace(PLAIN, teacher="own", teacher_steps=1)
    state = recipe.start(model)
    assert isinstance(state, Apart)
    assert isinstance(state.network, Network)
    assert state.network.gate is None
    assert model.gate is not None, "the student's are as they were"
    first = recipe.terms(model, state, {"labelled": batch}).losses
    assert list(first) == ["classes", "removal", "teacher"]
    clear = Batch(
        images={"s1": batch.images["s1"], "s2": batch.images["s2_clear"]},
        valid={"s1": batch.valid["s1"], "s2": batch.valid["s2"]},
    )
    entropy = F.cross_entropy(state.network(clear), batch.labels, ignore_index=255)
    torch.testing.assert_close(first["teacher"], entropy)

    state.after_step(model, 0)
    then = recipe.terms(model, state, {"labelled": batch}).losses
    assert list(then) == ["classes", "removal", "distillation"]
    cloud = torch.zeros(2, 1, 16, 16)
    cloud[1, :, :, :8] = 1
    seen = replace(clear, images={**clear.images, "s2": batch.images["s2"]})
    apart = model.encode(seen) - state.network.encode(clear)
    expected = (apart.square() * (1 - cloud)).sum() / (1 - cloud).sum() / model.width
    torch.testing.assert_close(then["distillation"], expected)
    then["distillation"].backward()
    assert all(p.grad is None for p in state.network.parameters())


def test_a_teacher_of_its_own_stays_as_it_is_once_it_has_learned(
    tmp_path: Path,
) -> None:
    recipe, states = CloudSeg(teacher="own", teacher_steps=3), []

    class Watched:
        streams = recipe.streams

        def start(self, model: Segmenter) -> Any:
            states.append(recipe.start(model))
            return states[-1]

        def terms(self, *given: Any) -> Any:
            return recipe.terms(*given)

    schedule = Schedule(steps=6, warmup=1)
    steps = train(tiny(), Watched(), {"labelled": batch_of}, schedule, tmp_path / "c")
    seen = []
    for _ in steps:
        (state,) = states
        weights = [p.detach().flatten() for p in state.network.parameters()]
        seen.append(torch.cat(weights).clone())
    assert not torch.equal(seen[0], seen[2])
    assert torch.equal(seen[2], seen[5])
    assert not state.train().network.training


def test_labels_and_the_optical_image_are_required() -> None:
    state = PLAIN.start(tiny())
    with pytest.raises(ValueError, match="without labels"):
        PLAIN.terms(tiny(), state, {"labelled": replace(batch_of(0), labels=None)})
    sar = batch_of(0)
    sar = replace(sar, images={"s1": sar.images["s1"]}, valid={"s1": sar.valid["s1"]})
    with pytest.raises(ValueError, match="gave no 's2', but s1"):
        PLAIN.terms(tiny(), state, {"labelled": sar})
    with pytest.raises(ValueError, match="optical is 'b', the network reads s1, s2"):
        CloudSeg(optical="b").start(tiny())
    with pytest.raises(ValueError, match="give both one name"):
        CloudSeg(optical="s1").start(network())


@pytest.mark.parametrize(
    "bad", [{"hidden": 2.0}, {"removal": -1.0}, {"teacher": "none"}]
)
def test_numbers_are_checked(bad: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"0 to 1|0 or more|own or average|average or"):
        CloudSeg(**bad)
