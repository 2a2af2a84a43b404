"""Symmetric cross-entropy and Lovasz on hard and soft pseudo-labels."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from overcast.geo.bands import SENTINEL_1, SENTINEL_2, Band, Sensor
from overcast.recipes.noisy import Noisy
from overcast.train.batch import IGNORE, Batch
from overcast.train.recipe import State, TrainingContext
from tests.train.tiny import CLASSES, batch_of, tiny

PLAIN = {"augment": False, "drop": 0.0}
ALL = {"symmetric": 1, "alpha": 1, "beta": 2, "lovasz": 1}
"""CE, SCE and Lovasz, with the factors of Liu 2025."""


def losses(batch: Batch, **settings: Any) -> Mapping[str, Tensor]:
    recipe = Noisy(**{**PLAIN, **settings})
    return recipe.terms(tiny(), State(), {"labelled": batch}).losses


def soft_batch(soft: Tensor | None = None) -> tuple[Batch, Tensor]:
    """`batch_of` with probabilities as a third image; some pixels have none."""
    batch = batch_of(0)
    assert batch.labels is not None
    shape = (len(batch.labels), CLASSES, *batch.extent)
    soft = torch.rand(shape).softmax(1) if soft is None else soft
    known = torch.rand(batch.labels.shape) > 0.2
    stored = torch.where(known[:, None], soft, torch.nan)
    images, valid = {**batch.images, "p": stored}, {**batch.valid, "p": known}
    return replace(batch, images=images, valid=valid), torch.where(
        known[:, None], soft, 0
    )


def expected(soft: Tensor, batch: Batch, trust: bool) -> Tensor:
    """CE + SCE of the paper, pixel by pixel, with soft labels."""
    seen = replace(
        batch,
        images={n: batch.images[n] for n in ("s1", "s2")},
        valid={n: batch.valid[n] for n in ("s1", "s2")},
    )
    p = tiny()(seen).softmax(1)
    found = []
    for at in soft.sum(1).nonzero().tolist():
        t, q = soft[at[0], :, at[1], at[2]], p[at[0], :, at[1], at[2]]
        plain = -(t * q.log()).sum()
        reverse = -(q * t.clamp_min(1e-4).log()).sum()
        found.append((2 * plain + 2 * reverse) * (t.max() if trust else 1))
    return torch.stack(found).mean()


def test_each_loss_has_its_factor() -> None:
    every = {**ALL, "generalised": 1}
    ones = losses(batch_of(0), **every)
    twos = losses(batch_of(0), **{**every, "cross_entropy": 2, "lovasz": 0.5})
    assert list(ones) == ["cross_entropy", "generalised", "symmetric", "lovasz"]
    torch.testing.assert_close(twos["cross_entropy"], 2 * ones["cross_entropy"])
    torch.testing.assert_close(twos["lovasz"], 0.5 * ones["lovasz"])


def test_the_default_is_cross_entropy_alone() -> None:
    found = losses(batch_of(0))
    assert list(found) == ["cross_entropy"]
    logits, labels = tiny()(batch_of(0)), batch_of(0).labels
    assert labels is not None
    seen = batch_of(0).valid["s1"] | batch_of(0).valid["s2"]
    labels = torch.where(seen, labels, IGNORE)
    plain = torch.nn.functional.cross_entropy(logits, labels, ignore_index=IGNORE)
    torch.testing.assert_close(found["cross_entropy"], plain)


def test_bounded_losses_are_their_formulas_pixel_by_pixel() -> None:
    """In float64: (1 - p^q) / q, and a CE + b 9.21 (1 - p)."""
    batch = batch_of(0)
    assert batch.labels is not None
    p = tiny()(batch).detach().double().softmax(1)
    seen = batch.valid["s1"] | batch.valid["s2"]
    generalised, symmetric = [], []
    for at in ((batch.labels != IGNORE) & seen).nonzero().tolist():
        right = p[at[0], batch.labels[tuple(at)], at[1], at[2]].item()
        generalised.append((1 - right**0.7) / 0.7)
        symmetric.append(-0.1 * math.log(right) - math.log(1e-4) * (1 - right))
    found = losses(batch, cross_entropy=0, generalised=1, symmetric=1)
    for name, each in (("generalised", generalised), ("symmetric", symmetric)):
        assert found[name].item() == pytest.approx(sum(each) / len(each), rel=1e-5)


def test_the_papers_loss_and_what_its_code_computes_have_names() -> None:
    """CE + SCE in the paper, three times cross-entropy in its public code."""
    plain = losses(batch_of(0))["cross_entropy"]
    code = losses(batch_of(0), published="liu2025-code")
    assert list(code) == ["cross_entropy"]
    torch.testing.assert_close(code["cross_entropy"], 3 * plain)
    paper = losses(batch_of(0), published="liu2025")
    by_hand = losses(batch_of(0), symmetric=1, alpha=1, beta=2)
    for name, loss in by_hand.items():
        torch.testing.assert_close(paper[name], loss)
    assert abs(sum(paper.values()) / plain - 3).item() > 0.5
    assert list(losses(batch_of(0), published="liu2025", lovasz=1))[-1] == "lovasz"


@pytest.mark.parametrize("confident", [False, True])
def test_soft_labels_are_learned_pixel_by_pixel(confident: bool) -> None:
    batch, soft = soft_batch()
    found = losses(
        batch, **{**ALL, "lovasz": 0}, probabilities="p", soft=True, confident=confident
    )
    total = torch.stack(list(found.values())).sum()
    torch.testing.assert_close(total, expected(soft, batch, confident))


def test_certain_soft_labels_are_hard_ones() -> None:
    batch = batch_of(0)
    assert batch.labels is not None
    known = batch.labels != IGNORE
    certain = torch.nn.functional.one_hot(
        torch.where(known, batch.labels, 0), CLASSES
    ).movedim(-1, 1)
    images = {**batch.images, "p": certain.float()}
    both = replace(batch, images=images, valid={**batch.valid, "p": known})
    hard = losses(batch, **ALL)
    soft = losses(both, **ALL, probabilities="p", soft=True)
    for name, loss in hard.items():
        torch.testing.assert_close(soft[name], loss, rtol=1e-4, atol=1e-5)


def test_confidence_is_that_of_the_label() -> None:
    """Labels that the probabilities rule out weigh nothing."""
    batch = batch_of(0)
    assert batch.labels is not None
    other = (batch.labels + 1) % CLASSES
    soft = torch.nn.functional.one_hot(other, CLASSES).movedim(-1, 1).float()
    given, _ = soft_batch(soft)
    found = losses(given, probabilities="p", confident=True, symmetric=1)
    assert sum(found.values()).item() == 0  # type: ignore[union-attr]


def test_probabilities_are_not_seen_by_the_network_nor_jittered() -> None:
    batch, _ = soft_batch()
    torch.manual_seed(1)
    one = losses(batch, probabilities="p", augment=True, drop=1.0)
    images = {**batch.images, "p": torch.rand_like(batch.images["p"])}
    torch.manual_seed(1)
    two = losses(
        replace(batch, images=images), probabilities="p", augment=True, drop=1.0
    )
    for name, loss in one.items():
        torch.testing.assert_close(two[name], loss)


def test_speckle_is_on_radar_images_when_asked() -> None:
    sensors = {"s1": SENTINEL_1, "s2": SENTINEL_2.select(("B02", "B03", "B04"))}
    setting = TrainingContext(sensors=sensors, steps=1)
    recipe = Noisy(**PLAIN, looks=4).configure(setting)
    assert list(recipe.radar) == ["s1"]
    still = losses(batch_of(0))
    moved = recipe.terms(tiny(), State(), {"labelled": batch_of(0)}).losses
    assert still["cross_entropy"] != moved["cross_entropy"]
    unasked = Noisy(**PLAIN)
    assert unasked.configure(setting) is unasked


def test_speckle_that_has_no_meaning_is_refused() -> None:
    recipe = Noisy(**PLAIN, looks=4)
    with pytest.raises(ValueError, match="no image is a radar's: s2"):
        recipe.configure(TrainingContext(sensors={"s2": SENTINEL_2}, steps=1))
    numbers = Sensor("x-band", "sar", (Band("HH", "digital number", 0, 255),))
    with pytest.raises(ValueError, match=r"HH of radar .* is in 'digital number'"):
        recipe.configure(
            TrainingContext(sensors={"s2": SENTINEL_2, "radar": numbers}, steps=1)
        )
    with pytest.raises(ValueError, match="configure"):
        losses(batch_of(0), looks=4)


def test_labels_beyond_the_footprint_teach_nothing() -> None:
    """Pseudo-labels are optical: they go on where the radar saw nothing."""
    batch, _ = soft_batch()
    assert batch.labels is not None
    unseen = torch.zeros_like(batch.labels, dtype=torch.bool)
    unseen[:, :3] = True
    valid = {n: v & ~unseen if n != "p" else v for n, v in batch.valid.items()}
    dark = replace(batch, valid=valid)
    cut = replace(dark, labels=torch.where(unseen, IGNORE, batch.labels))
    assert (cut.labels != dark.labels).any()
    assert losses(cut) == losses(dark)
    soft = {"probabilities": "p", "soft": True}
    wrong = torch.where(unseen[:, None], 1 - batch.images["p"], batch.images["p"])
    other = replace(dark, images={**dark.images, "p": wrong})
    assert losses(other, **soft) == losses(dark, **soft)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        (
            {"cross_entropy": 0},
            "cross_entropy, generalised, symmetric and lovasz are 0",
        ),
        ({"published": "liu"}, "published is 'liu'; expected liu2025, liu2025-code"),
        ({"q": 0}, "q is 0; expected"),
        ({"looks": -1}, "looks is -1; expected 0 to"),
        ({"drop": 2}, "drop is 2; expected 0 to 1"),
        ({"soft": True}, "need probabilities"),
        ({"confident": True}, "need probabilities"),
    ],
)
def test_bad_settings_are_refused(settings: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Noisy(**settings)


def test_what_is_missing_is_named() -> None:
    with pytest.raises(ValueError, match="no target image 'p' of class probabilities"):
        losses(batch_of(0), probabilities="p")
    with pytest.raises(ValueError, match="without labels"):
        losses(replace(batch_of(0), labels=None))
