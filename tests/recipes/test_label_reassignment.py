"""Reassignment: what each level adds, and the prototypes it needs."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from overcast.recipes.dllr.label_reassignment import (
    Prototypes,
    Reassignment,
    class_sums,
    split_probabilities,
)
from overcast.train.batch import IGNORE, Batch

ALONE = {"pixel": 1.0, "region": 0.0, "prototype": 0.0}


def scene() -> tuple[Tensor, ...]:
    """Probabilities, cosines, superpixels, where, and shares of the classes."""
    p = (2 * torch.randn(2, 3, 6, 6)).softmax(1)
    ids = (torch.arange(6) // 3).expand(2, 6, 6)
    return p, torch.zeros_like(p), ids, torch.rand(2, 6, 6) > 0.2, torch.ones(3) / 3


def test_without_penalty_one_level_gives_back_the_prediction() -> None:
    p, likeness, ids, where, classes = scene()
    way = Reassignment(**ALONE, penalty=0.0)
    found = way.shares(p, likeness, ids, where, classes)
    torch.testing.assert_close(found, torch.where(where[:, None], p, 0.0))


def test_levels_are_averaged_as_logarithms() -> None:
    p, _, ids, where, classes = scene()
    where[:] = True
    likeness = torch.rand_like(p)
    way = Reassignment(pixel=2, region=1, prototype=1, penalty=0.0, temperature=0.5)
    found = way.shares(p, likeness, ids, where, classes)
    near = (likeness / 0.5).softmax(1)
    region = torch.cat(
        [half.mean((2, 3), True).expand_as(half) for half in near.split(3, 3)], 3
    )
    mixed = 2 * p.log() + region.log() + near.log()
    torch.testing.assert_close(found, (mixed / 4).softmax(1))


def test_the_scene_is_one_more_level() -> None:
    p, likeness, ids, where, classes = scene()
    where[:] = True
    whole = torch.rand_like(p).softmax(1)
    way = Reassignment(**ALONE, scene=3.0, penalty=9.0, scene_penalty=0.0)
    found = way.shares(p, likeness, ids, where, classes, whole)
    mixed = p.log() + 3 * whole.log()
    torch.testing.assert_close(found, (mixed / 4).softmax(1))


def test_probabilities_are_split_off_and_alike_where_not_known() -> None:
    given = torch.tensor([[0.6, torch.nan], [0.2, torch.nan]])[None, :, None]
    known = torch.tensor([[[True, False]]])
    batch = Batch(
        images={"s2": torch.zeros(1, 4, 1, 2), "weak": given},
        valid={"s2": torch.ones_like(known), "weak": known},
    )
    bare, found = split_probabilities(batch, "weak", 2)
    assert set(bare.images) == {"s2"}
    assert found is not None
    assert found[0, :, 0].T.flatten().tolist() == pytest.approx([0.75, 0.25, 0.5, 0.5])
    assert split_probabilities(batch, "", 2) == (batch, None)
    for name, classes in (("prior", 2), ("weak", 3)):
        with pytest.raises(ValueError, match=f"{classes} class probabilities.*s2 of 4"):
            split_probabilities(batch, name, classes)


def test_regions_put_right_a_pixel_that_differs() -> None:
    likeness = torch.tensor([0.8, 0.2])[None, :, None, None].repeat(1, 1, 6, 6)
    likeness[0, :, 2, 2] = torch.tensor([0.4, 0.6])
    p, ids = torch.full_like(likeness, 0.5), torch.zeros(1, 6, 6, dtype=torch.int64)
    where, classes = torch.ones(1, 6, 6, dtype=torch.bool), torch.tensor([0.5, 0.5])
    named = [
        Reassignment(region=region, penalty=0.0, temperature=0.5)
        .shares(p, likeness, ids, where, classes)
        .argmax(1)[0, 2, 2]
        for region in (0.0, 1.0)
    ]
    assert named == [1, 0]


def test_shares_of_labels_pull_as_the_penalty_grows() -> None:
    p, likeness, ids, where, _ = scene()
    where[:] = True
    classes = torch.tensor([0.7, 0.2, 0.1])
    gaps = []
    for penalty in (0.0, 0.5, 5.0, torch.inf):
        way = Reassignment(**ALONE, penalty=penalty, exponent=1, iterations=200)
        found = way.shares(p, likeness, ids, where, classes).mean((2, 3))
        gaps.append((found - classes).abs().sum().item())
    assert gaps == sorted(gaps, reverse=True)
    assert gaps[-1] < 0.01


def test_shares_of_the_scene_are_held_exactly_in_every_image() -> None:
    """Against a plain Sinkhorn in float64: rows are pixels, columns are classes."""
    p, likeness, ids, where, classes = scene()
    whole = (2 * torch.randn_like(p)).softmax(1)
    way = Reassignment(**ALONE, scene=3.0, iterations=2000, tolerance=0.0)
    found = way.shares(p, likeness, ids, where, classes, whole)
    for b, here in enumerate(where):
        cost = -(p[b].log() + 3 * whole[b].log()) / 4
        kernel = (-cost[:, here].double()).exp().T
        wanted = whole[b][:, here].double().mean(1)
        column = torch.ones(3, dtype=torch.float64)
        for _ in range(2000):
            row = 1 / len(kernel) / (kernel @ column)
            column = wanted / (kernel.T @ row)
        plan = row[:, None] * kernel * column
        expected = (plan / plan.sum(1, keepdim=True)).T.float()
        torch.testing.assert_close(found[b][:, here], expected, rtol=1e-3, atol=1e-5)
        torch.testing.assert_close(
            found[b][:, here].mean(1), wanted.float(), rtol=1e-3, atol=1e-4
        )


def test_where_the_scene_knows_nothing_shares_are_those_predicted() -> None:
    """And not alike for all classes, which would name rare ones everywhere."""
    p, likeness, ids, where, classes = scene()
    where[:] = True
    unknown = torch.full_like(p, 1 / 3)
    way = Reassignment(**ALONE, scene=1.0, iterations=500, tolerance=0.0)
    found = way.shares(p, likeness, ids, where, classes, unknown)
    torch.testing.assert_close(found.mean((2, 3)), p.mean((2, 3)), rtol=1e-3, atol=1e-4)


def test_an_image_that_nobody_saw_is_assigned_to_nothing() -> None:
    p, likeness, ids, where, classes = scene()
    where[0] = False
    found = Reassignment().shares(p, likeness, ids, where, classes, p)
    assert found.isfinite().all()
    assert not found[0].any()


@pytest.mark.parametrize(("exponent", "odds"), [(1.0, 4.0), (0.5, 2.0), (0.0, 1.0)])
def test_the_exponent_evens_out_shares_of_classes_that_labels_have(
    exponent: float, odds: float
) -> None:
    p, likeness, ids, where, _ = scene()
    where[:] = True
    way = Reassignment(**ALONE, penalty=torch.inf, exponent=exponent, iterations=500)
    classes = torch.tensor([0.8, 0.2, 0.0])
    found = way.shares(p, likeness, ids, where, classes).mean((2, 3))
    assert (found[:, 0] / found[:, 1]).tolist() == pytest.approx([odds] * 2, rel=2e-3)
    assert found[:, 2].max() < 1e-6


def test_settings_are_checked() -> None:
    with pytest.raises(ValueError, match="pixel, prototype and region are 0"):
        Reassignment(pixel=0, region=0, prototype=0)
    for wrong, message in (
        ({"epsilon": 0}, "epsilon is 0; expected"),
        ({"iterations": 0}, "iterations is 0; expected 1"),
        ({"penalty": -1}, "class_penalty must be 0 or more"),
        ({"scene_penalty": -1}, "scene_penalty must be 0 or more"),
        ({"exponent": -1}, "exponent is -1; expected 0"),
        ({"pitch": 0}, "pitch is 0; expected 1"),
        ({"share_decay": 1}, "share_decay is 1; expected 0"),
    ):
        with pytest.raises(ValueError, match=message):
            Reassignment(**wrong)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"temperature is .*; expected"):
        Reassignment(temperature=0)


def test_class_sums_are_of_unit_features_of_known_pixels() -> None:
    features, labels = torch.randn(2, 5, 4, 4), torch.randint(3, (2, 4, 4))
    labels[0, 0] = IGNORE
    labels[labels == 2] = 1
    features[0, :, 0] = torch.nan
    sums, counts = class_sums(features, labels, 3)
    for k in range(3):
        own = features.movedim(1, -1)[labels == k]
        torch.testing.assert_close(sums[k], F.normalize(own, dim=1).sum(0))
        assert counts[k] == len(own)


def test_prototypes_decay_and_keep_what_a_batch_lacks() -> None:
    prototypes = Prototypes(2, 2, decay=0.5)
    prototypes.update(torch.tensor([[4.0, 0.0], [0.0, 2.0]]))
    prototypes.update(torch.tensor([[0.0, 2.0], [0.0, 0.0]]))
    assert prototypes.sums.tolist() == [[2.0, 2.0], [0.0, 2.0]]


def test_likeness_is_the_cosine_and_lowest_for_classes_never_seen() -> None:
    prototypes = Prototypes(3, 2)
    prototypes.update(torch.tensor([[5.0, 0.0], [1.0, 1.0], [0.0, 0.0]]))
    features = torch.tensor([[3.0, 0.0], [0.0, 2.0]]).T[None, :, None]
    found = prototypes.likeness(features)[0, :, 0]
    half = 0.5**0.5
    expected = torch.tensor([[1.0, 0.0], [half, half], [-1.0, -1.0]])
    torch.testing.assert_close(found, expected)


def test_half_precision_training_leaves_prototypes_in_full() -> None:
    features, labels = torch.randn(2, 5, 4, 4), torch.randint(3, (2, 4, 4))
    prototypes = Prototypes(3, 5)
    prototypes.update(class_sums(features, labels, 3)[0])
    with torch.autocast("cpu", torch.bfloat16):
        sums, counts = class_sums(features, labels, 3)
        found = prototypes.likeness(features)
    assert torch.equal(sums, class_sums(features, labels, 3)[0])
    assert counts.sum() == 32
    assert torch.equal(found, prototypes.likeness(features))
