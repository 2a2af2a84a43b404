"""Self-training on mixed images: whom it trusts, how far, and where."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from overcast.recipes import dacs
from overcast.recipes.dacs import Adapting, Dacs
from overcast.train.batch import Batch
from overcast.train.losses import cross_entropy
from overcast.train.recipe import Terms, TrainingContext
from overcast.train.teacher import Teacher
from tests.train.tiny import CLASSES, batch_of, tiny

STILL: dict[str, Any] = {
    "alignment": 0.0,
    "restyle": 0.0,
    "gain": 0.0,
    "bias": 0.0,
    "decay": 0.9,
    "ramp": 0,
}


def both(step: int = 0) -> dict[str, Batch]:
    target = batch_of(step + 50)
    return {"labelled": batch_of(step), "unlabelled": replace(target, labels=None)}


def terms(**settings: Any) -> Terms:
    recipe, model = Dacs(**{**STILL, **settings}), tiny()
    torch.manual_seed(5)
    return recipe.terms(model, recipe.start(model), both())


class Sure(Teacher):
    """Gives every pixel of sample n the first class with probability ``sure[n]``."""

    def __init__(self, sure: Tensor) -> None:
        super().__init__(tiny())
        self.sure = sure

    def probabilities(self, batch: Batch) -> Tensor:
        first = self.sure.expand(len(batch.valid["s1"]), *batch.extent)
        rest = (1 - first) / (CLASSES - 1)
        return torch.stack([first, *[rest] * (CLASSES - 1)], 1)


def sure_of(sure: float) -> Adapting:
    state = Adapting(tiny(), 0.9)
    state.teacher = Sure(torch.tensor(sure))
    return state


@pytest.mark.parametrize(
    ("weighting", "sure", "trust"),
    [
        ("share", 0.97, 1.0),
        ("share", 0.96, 0.0),
        ("mean", 0.8, 0.8),
        ("pixel", 0.8, 0.8),
    ],
)
def test_trust_is_what_the_weighting_says(
    weighting: Any, sure: float, trust: float
) -> None:
    recipe = Dacs(weighting=weighting, **STILL)
    found = recipe.terms(tiny(), sure_of(sure), both())
    assert found.gauges["trust"].item() == pytest.approx(trust, abs=1e-5)


def test_weightings_differ_where_confidence_does() -> None:
    """Half of the pixels are sure: one knows which, the other two how many."""
    sure = torch.tensor([0.99, 0.5]).repeat(4).expand(8, 8)
    seen = torch.ones(4, 8, 8, dtype=torch.bool)
    taught = Sure(sure).probabilities(both()["unlabelled"])
    share, mean, pixel = (
        Dacs(weighting=name)._trust(taught, seen) for name in ("share", "mean", "pixel")
    )
    torch.testing.assert_close(share, torch.full((4, 1, 1), 0.5))
    torch.testing.assert_close(mean, torch.full((4, 1, 1), 0.745))
    torch.testing.assert_close(pixel, sure.expand(4, 8, 8))


def test_unseen_pixels_have_no_say_in_an_images_trust() -> None:
    sure = torch.tensor([0.99, 0.5]).repeat(4).expand(8, 8)
    taught = Sure(sure).probabilities(both()["unlabelled"])
    found = Dacs(weighting="mean")._trust(taught, (sure > 0.9).expand(4, 8, 8))
    torch.testing.assert_close(found, torch.full((4, 1, 1), 0.99))


def test_source_loss_is_cross_entropy_of_true_labels() -> None:
    recipe, model = Dacs(**STILL), tiny()
    given = both()
    found = recipe.terms(model, recipe.start(model), given).losses["source"]
    batch = given["labelled"]
    assert batch.labels is not None
    # Turning the image turns the loss of a convolution's pixels, but for its weights.
    plain = cross_entropy(model(batch), batch.labels)
    assert found.item() == pytest.approx(plain.item(), rel=0.2)


@pytest.mark.parametrize("weighting", ["share", "mean", "pixel"])
def test_the_loss_of_mixed_images_is_the_published_formula(
    weighting: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pixel by pixel in float64, with nothing turned, blurred or jittered."""
    given, pasted = both(), torch.rand(4, 8, 8) > 0.5
    for name in ("dihedral", "blur"):
        monkeypatch.setattr(dacs, name, lambda batch: batch)
    monkeypatch.setattr(dacs, "class_mask", lambda labels: pasted)
    recipe = Dacs(**{**STILL, "weighting": weighting, "threshold": 0.4, "shares": 0.0})
    model = tiny()
    state = recipe.start(model)
    found = recipe.terms(model, state, given).losses["mixed"]

    source, target = (given[name] for name in ("labelled", "unlabelled"))
    mixed = {
        name: torch.where(pasted[:, None], source.images[name], target.images[name])
        for name in source.images
    }
    valid = {
        name: torch.where(pasted, source.valid[name], target.valid[name])
        for name in source.valid
    }
    p = model(Batch(images=mixed, valid=valid)).detach().double().softmax(1)
    taught = model(target).detach().double().softmax(1)
    shown = target.valid["s1"] | target.valid["s2"]
    learned = source.valid["s1"] | source.valid["s2"]
    losses = []
    for b, y, x in itertools.product(range(4), range(8), range(8)):
        highest = taught[b].amax(0)
        sure = (highest >= 0.4).double() if weighting == "share" else highest
        trust = sure[y, x] if weighting == "pixel" else sure[shown[b]].mean()
        if pasted[b, y, x]:
            label, factor = int(source.labels[b, y, x]), 1.0  # type: ignore[index]
            known = label != 255 and bool(learned[b, y, x])
        else:
            label, factor = int(taught[b, :, y, x].argmax()), float(trust)
            known = bool(shown[b, y, x])
        if known:
            losses.append(-factor * math.log(p[b, label, y, x].item()))
    assert found.item() == pytest.approx(sum(losses) / len(losses), rel=1e-4)


def test_a_teacher_that_is_not_trusted_leaves_pasted_pixels_alone() -> None:
    """With no trust the mixed loss hangs on the source's labels alone."""
    recipe = Dacs(weighting="share", **STILL)
    results = []
    for classes in (1, 2):
        teacher = sure_of(0.9 / classes)
        torch.manual_seed(5)
        results.append(recipe.terms(tiny(), teacher, both()).losses["mixed"])
    torch.testing.assert_close(results[0], results[1])
    assert results[0] > 0


def test_labels_of_the_target_are_never_looked_at() -> None:
    recipe, model, given = Dacs(**STILL), tiny(), both()
    labelled = {**given, "unlabelled": batch_of(50)}
    totals = []
    for batches in (given, labelled):
        torch.manual_seed(5)
        totals.append(recipe.terms(model, recipe.start(model), batches).total)
    assert torch.equal(totals[0], totals[1])


@pytest.mark.parametrize(
    "setting", [{"alignment": 1.0}, {"restyle": 1.0}, {"bias": 0.3}]
)
def test_every_augmentation_reaches_the_loss(setting: dict[str, float]) -> None:
    assert terms(**setting).losses["source"] != terms().losses["source"]


def test_labels_are_required() -> None:
    recipe, model = Dacs(**STILL), tiny()
    bare = {**both(), "labelled": replace(batch_of(0), labels=None)}
    with pytest.raises(ValueError, match="'labelled' gave a batch without labels"):
        recipe.terms(model, recipe.start(model), bare)


def test_class_shares_are_drawn_to_those_of_the_labels() -> None:
    """A teacher that says one class too often says it as often as the labels do."""
    state = Adapting(tiny(), 0.9)
    torch.manual_seed(1)
    p = (
        2 * torch.randn(4, CLASSES, 8, 8) + torch.tensor([2.0, 0, 0])[:, None, None]
    ).softmax(1)
    wanted = torch.tensor([0.2, 0.5, 0.3])
    state.note(100 * wanted, p.sum((0, 2, 3)))
    assert torch.equal(state.aligned(p, 1.0).argmax(1), p.argmax(1)), "not yet taken"
    state.after_step(tiny(), 0)
    torch.testing.assert_close(state.aligned(p, 0.0), p)
    half, whole = (state.aligned(p, power).mean((0, 2, 3)) for power in (0.5, 1.0))
    off = [(found - wanted).abs().max() for found in (p.mean((0, 2, 3)), half, whole)]
    assert off[0] > off[1] > off[2]
    # Of a pixel, by hand.
    ratio = wanted / p.mean((0, 2, 3))
    expected = p[0, :, 3, 4] * ratio
    torch.testing.assert_close(
        state.aligned(p, 1.0)[0, :, 3, 4], expected / expected.sum()
    )


def test_shares_are_of_what_was_seen_and_known() -> None:
    recipe, model = Dacs(**STILL), tiny()
    state = recipe.start(model)
    given = both()
    recipe.terms(model, state, given)
    state.after_step(model, 0)
    batch = given["labelled"]
    assert batch.labels is not None
    there = (batch.valid["s1"] | batch.valid["s2"]) & (batch.labels != 255)
    counts = torch.bincount(batch.labels[there], minlength=CLASSES)
    torch.testing.assert_close(state.labelled.shares, counts / counts.sum())
    assert state.taught.shares.sum().item() == pytest.approx(1)


def test_shares_are_a_power() -> None:
    with pytest.raises(ValueError, match="shares is -1"):
        Dacs(shares=-1)


def test_the_teachers_memory_follows_the_length_of_the_training() -> None:
    """An eighth of the steps, and the paper's .999 where those are tens of thousands."""
    for steps, decay, ramp in ((800, 0.99, 200), (40_000, 0.999, 10_000), (4, 0.0, 1)):
        told = Dacs().configure(TrainingContext(sensors={}, steps=steps))
        assert told.decay == pytest.approx(decay)
        assert told.ramp == ramp
    given = Dacs(decay=0.5, ramp=3).configure(TrainingContext(sensors={}, steps=800))
    assert (given.decay, given.ramp) == (0.5, 3)
    with pytest.raises(ValueError, match="which is not known; call configure"):
        Dacs().start(tiny())


def test_a_short_training_forgets_its_random_start() -> None:
    """Weights of the first eighth count for less than a thousandth at the end."""
    steps = 200
    told = Dacs().configure(TrainingContext(sensors={}, steps=steps))
    model = tiny()
    state = told.start(model)
    with torch.no_grad():
        for step in range(steps):
            for weight in model.parameters():
                weight.fill_(1.0 if step < steps // 8 else 0.0)
            state.after_step(model, step)
    for weight in state.teacher.network.parameters():
        assert weight.abs().max() < 1e-3


def test_trust_grows_from_none_to_all() -> None:
    recipe, state = Dacs(**{**STILL, "ramp": 10}), sure_of(0.8)
    trusts = []
    for age in (0, 5, 10, 99):
        state.teacher.age.fill_(age)
        trusts.append(recipe.terms(tiny(), state, both()).gauges["trust"].item())
    expected = [0.8 * math.exp(-5 * m**2) for m in (1, 0.5, 0, 0)]
    assert trusts == pytest.approx(expected, rel=1e-4)


def test_threshold_is_a_probability() -> None:
    with pytest.raises(ValueError, match=r"threshold is 1\.5"):
        Dacs(threshold=1.5)
