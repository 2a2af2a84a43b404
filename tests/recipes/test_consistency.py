"""Mean teacher, FixMatch and cross pseudo-supervision: what each learns from."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F

from overcast.recipes.cross_pseudo import CrossPseudo
from overcast.recipes.fixmatch import FixMatch
from overcast.recipes.mean_teacher import MeanTeacher
from overcast.train.batch import Batch
from overcast.train.recipe import TrainingContext
from overcast.train.teacher import seen
from tests.train.tiny import BANDS, Tiny, batch_of, tiny

BATCHES = {"labelled": batch_of(0), "unlabelled": batch_of(1)}


def blind() -> dict[str, Batch]:
    """Unlabelled images of which nothing was seen."""
    batch = BATCHES["unlabelled"]
    unseen = {n: torch.zeros_like(v) for n, v in batch.valid.items()}
    return {**BATCHES, "unlabelled": replace(batch, valid=unseen)}


def test_a_teacher_like_the_network_has_nothing_to_say_but_by_its_view() -> None:
    model, recipe = tiny(), MeanTeacher(drop=0.0, ramp=0)
    state = recipe.start(model)
    same = recipe.terms(model, state, BATCHES).losses["consistency"].item()
    with torch.no_grad():
        state.network.head.bias += torch.tensor([3.0, 0.0, 0.0])
    other = recipe.terms(model, state, BATCHES).losses["consistency"].item()
    assert 0 < same < 0.1 * other


def test_consistency_is_ramped_and_weighted() -> None:
    model = tiny()
    found = []
    for recipe in (MeanTeacher(ramp=0), MeanTeacher(ramp=9), MeanTeacher(weight=0)):
        torch.manual_seed(0)
        terms = recipe.terms(model, recipe.start(model), BATCHES)
        found.append(terms.losses["consistency"].item())
    assert found[1] == pytest.approx(found[0] * 2.718281828**-5, rel=1e-4)
    assert found[2] == 0


def test_fixmatch_learns_only_what_is_sure() -> None:
    model = tiny()
    for threshold, learned in ((1.0, False), (0.0, True)):
        recipe = FixMatch(threshold=threshold)
        terms = recipe.terms(model, recipe.start(model), BATCHES)
        assert (terms.losses["strong"] > 0) == learned
        assert (terms.losses["features"] > 0) == learned
        assert terms.gauges["sure"] == learned


def test_fixmatch_without_disturbance_is_self_training() -> None:
    """No jitter, nothing hidden, one kind of sample: boxes and flips change nothing."""
    model = tiny()
    batch = BATCHES["unlabelled"].map(lambda t: t[:1, ..., :1, :1].expand_as(t))
    valid = {n: torch.ones_like(v) for n, v in batch.valid.items()}
    images = {n: i.nan_to_num(1.0) for n, i in batch.images.items()}
    batch = replace(batch, images=images, valid=valid, labels=None)
    recipe = FixMatch(
        threshold=0, gain=0, bias=0, hidden=0, drop=0, strong_drop=0, features=0
    )
    terms = recipe.terms(model, recipe.start(model), {**BATCHES, "unlabelled": batch})
    logits = model(batch)
    expected = F.cross_entropy(logits, logits.argmax(1))
    torch.testing.assert_close(terms.losses["strong"], expected)


def test_the_twin_starts_elsewhere_and_is_learned() -> None:
    model = tiny()
    state = CrossPseudo().start(model)
    assert isinstance(state.network, Tiny)
    mine, other = model.head.weight, state.network.head.weight
    assert mine.shape == other.shape
    assert not torch.equal(mine, other)
    assert all(p.requires_grad for p in state.parameters())


def test_what_one_starts_from_the_other_one_starts_from_as_well() -> None:
    model = tiny()
    setting = TrainingContext(sensors={}, steps=1, started=frozenset({"body.weight"}))
    state = CrossPseudo().configure(setting).start(model)
    assert isinstance(state.network, Tiny)
    assert torch.equal(model.body.weight, state.network.body.weight)
    assert not torch.equal(model.head.weight, state.network.head.weight)


def test_each_network_learns_the_other_one_s_classes() -> None:
    model, recipe = tiny(), CrossPseudo(weight=1.5, drop=0.0)
    state = recipe.start(model)
    with torch.no_grad():
        for network, bias in ((model, [99.0, 0.0, 0.0]), (state.network, [0, 99, 0])):
            network.head.weight.zero_()
            network.head.bias.copy_(torch.tensor(bias))
    terms = recipe.terms(model, state, BATCHES)
    assert terms.losses["cross"].item() == pytest.approx(1.5 * 99)
    assert terms.losses["cross twin"].item() == pytest.approx(1.5 * 99)
    assert terms.gauges["agreement"] == 0


@pytest.mark.parametrize(
    "recipe", [MeanTeacher(), FixMatch(threshold=0), CrossPseudo()]
)
def test_what_nobody_saw_is_not_learned_from(
    recipe: MeanTeacher | FixMatch | CrossPseudo,
) -> None:
    model = tiny()
    terms = recipe.terms(model, recipe.start(model), blind())  # type: ignore[arg-type]
    assert not seen(blind()["unlabelled"], BANDS).any()
    known = [v for k, v in terms.losses.items() if k.startswith("supervised")]
    torch.testing.assert_close(terms.total, torch.stack(known).sum())


def test_settings_are_checked() -> None:
    with pytest.raises(ValueError, match=r"is 2\.0; expected 0 to 1"):
        FixMatch(hidden=2.0)
    with pytest.raises(ValueError, match="; expected 0 to"):
        MeanTeacher(weight=-1.0)
    with pytest.raises(ValueError, match=r"weight is .*; expected 0 to"):
        CrossPseudo(weight=-1.0)
