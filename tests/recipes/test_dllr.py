"""DLLR: each part can go, masks are asymmetric, and truth is never learned from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from overcast.models.fcn import FCN
from overcast.plan import choose
from overcast.recipes.dllr import DLLR, Cross
from overcast.train.batch import IGNORE, Batch
from overcast.train.recipe import TrainingContext
from tests.train.tiny import batch_of, tiny

KNOWN = DLLR(decay=0.99, ramp=100, cross=Cross(threshold=0.0))
"""What follows the number of steps is given, and every pseudo-label counts."""
BATCHES = {"labelled": batch_of(0), "unlabelled": replace(batch_of(1), labels=None)}


def with_truth(classes: Tensor) -> Mapping[str, Batch]:
    """Both streams with true classes, as they come from a stack with that target."""
    image = (classes / IGNORE)[:, None].float()
    seen = torch.ones_like(classes, dtype=torch.bool)
    return {
        name: replace(
            batch,
            images={**batch.images, "truth": image},
            valid={**batch.valid, "truth": seen},
        )
        for name, batch in BATCHES.items()
    }


def step(recipe: DLLR, batches: Mapping[str, Batch] = BATCHES) -> Any:
    """Terms of a step after one before, which left prototypes and shares behind."""
    model = tiny()
    state = recipe.start(model)
    for number in range(2):
        torch.manual_seed(number)
        terms = recipe.terms(model, state, batches)
        state.after_step(model, number)
    return terms


@pytest.mark.parametrize(
    ("off", "gone", "changed"),
    [
        ({"masking": None}, set(), {"cross", "complementary"}),
        ({"reassignment": None}, set(), {"cross"}),
        ({"complementary": 0.0}, {"complementary"}, set()),
        ({"cross": None}, {"cross"}, set()),
    ],
)
def test_each_part_can_be_left_out(
    off: dict[str, Any], gone: set[str], changed: set[str]
) -> None:
    whole, less = (step(replace(KNOWN, **o)) for o in ({}, off))
    assert whole.losses.keys() - less.losses.keys() == gone
    assert whole.losses["supervised"] == less.losses["supervised"]
    assert all((whole.losses[k] != less.losses[k]).item() for k in changed)


def test_parts_can_be_chosen_in_a_plan() -> None:
    made = choose("recipes", {"name": "dllr", "masking": None, "cross": {"own": 0.5}})
    assert made == DLLR(masking=None, cross=Cross(own=0.5))


def test_truth_is_counted_and_never_learned_from() -> None:
    recipe = replace(KNOWN, truth="truth")
    zeros = torch.zeros(4, 8, 8, dtype=torch.int64)
    plain, some, other = (
        step(KNOWN),
        step(recipe, with_truth(zeros)),
        step(recipe, with_truth(zeros + 2)),
    )
    assert not plain.gauges
    for name, loss in plain.losses.items():
        assert loss == some.losses[name] == other.losses[name]
    assert some.gauges["right after"] != other.gauges["right after"]
    assert some.gauges["right before"] != some.gauges["right after"]


def test_the_scene_is_learned_from_where_it_is_known() -> None:
    """Probabilities of a target image move pseudo-labels, and are no band of an image."""
    recipe = replace(KNOWN, scene="scene", truth="truth")
    truth = torch.full((4, 8, 8), 2)
    sure = torch.zeros(4, 3, 8, 8)
    sure[:, 2] = 1.0
    right = []
    for seen in (torch.ones_like(truth).bool(), torch.zeros_like(truth).bool()):
        given = {
            name: replace(
                batch,
                images={**batch.images, "scene": sure},
                valid={**batch.valid, "scene": seen},
            )
            for name, batch in with_truth(truth).items()
        }
        right.append(step(recipe, given).gauges["right after"].item())
    assert right[0] > 0.9 > right[1]
    told = step(replace(KNOWN, truth="truth"), with_truth(truth)).gauges["right after"]
    with pytest.raises(ValueError, match="no target image 'scene' of 3 class prob"):
        step(recipe, with_truth(truth))
    assert told.item() == pytest.approx(right[1], abs=0.25)


def test_unsure_pseudo_labels_and_ones_own_teach_nothing() -> None:
    """By default a share of .9 counts, and the labels of another prediction."""
    assert (Cross().threshold, Cross().own, Cross().radar) == (0.9, 0.0, 0.0)
    logits = torch.randn(3, 1, 3, 4, 4, requires_grad=True)
    where = torch.ones(3, 1, 4, 4, dtype=torch.bool)
    shares = torch.full((3, 1, 3, 4, 4), 0.06)
    shares[:, :, 0] = 0.88
    assert Cross().loss(logits, shares, where) == 0
    shares[0] = torch.tensor([0.0, 0.05, 0.95])[:, None, None]
    Cross().loss(logits, shares, where).backward()
    assert logits.grad is not None
    learned = logits.grad.abs().sum((1, 2, 3, 4)) > 0
    assert learned.tolist() == [False, True, True], "fused names for the other two"


def test_memory_and_ramp_follow_the_number_of_steps() -> None:
    told = DLLR().configure(TrainingContext(sensors={}, steps=800))
    assert (told.decay, told.ramp) == (0.99, 400)
    given = DLLR(decay=0.5, ramp=3).configure(TrainingContext(sensors={}, steps=800))
    assert (given.decay, given.ramp) == (0.5, 3)
    with pytest.raises(ValueError, match="which is not known; call configure"):
        DLLR().start(tiny())


def test_with_a_branch_per_sensor_each_is_what_its_sensor_alone_says() -> None:
    """As in the paper: the optical prediction has no weight of the radar's branch."""
    bands = {"s1": 2, "s2": 3}
    model = FCN(bands, 3, width=4, branches=True)
    images = {name: torch.rand(1, count, 8, 8) for name, count in bands.items()}
    everywhere = torch.ones(1, 8, 8, dtype=torch.bool)
    alone = Batch(images=images, valid={"s1": ~everywhere, "s2": everywhere})
    model(alone).square().sum().backward()
    grads = {n: p.grad for n, p in model.named_parameters() if n.startswith("branches")}
    assert all(g is None or not g.any() for n, g in grads.items() if ".s1." in n)
    assert any(g is not None and g.any() for n, g in grads.items() if ".s2." in n)


def test_the_teacher_sees_no_mask() -> None:
    """Pseudo-labels, and so their gauges, are those of whole images."""
    recipe = replace(KNOWN, truth="truth", complementary=0.0, cross=None)
    given = with_truth(torch.zeros(4, 8, 8, dtype=torch.int64))
    masked, whole = step(recipe, given), step(replace(recipe, masking=None), given)
    assert masked.gauges == whole.gauges


def test_what_it_learned_is_noted() -> None:
    model, recipe = tiny(), replace(KNOWN, drop=0.0)
    state = recipe.start(model)
    recipe.terms(model, state, BATCHES)
    assert not state.prototypes.sums.any()
    state.after_step(model, 0)
    labels = BATCHES["labelled"].labels
    assert labels is not None
    counts = labels[labels != IGNORE].bincount(minlength=3).float()
    torch.testing.assert_close(state.marginal.shares, counts / counts.sum())
    assert state.prototypes.sums.any(1).all()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"radar": "s2"}, "both called 's2'"),
        ({"drop": 1.5}, "drop is 1.5; expected 0 to 1"),
        ({"complementary": -1.0}, "complementary is -1.0; expected 0 to"),
        ({"scene": "weak", "reassignment": None}, "nothing reads it: leave it out"),
        ({"scene": "weak", "cross": None}, "nothing reads it: leave it out"),
    ],
)
def test_settings_are_checked(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        DLLR(**settings)


def test_weights_of_namers_are_checked() -> None:
    with pytest.raises(ValueError, match=r"radar is -0\.1; expected 0 to"):
        Cross(radar=-0.1)


def test_images_are_named() -> None:
    with pytest.raises(ValueError, match="no image gf1; there are s1, s2; set optical"):
        replace(KNOWN, optical="gf1").start(tiny())
    bare = {**BATCHES, "labelled": BATCHES["unlabelled"]}
    with pytest.raises(ValueError, match="'labelled' gave a batch without labels"):
        step(KNOWN, bare)
