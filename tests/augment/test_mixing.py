"""What is pasted, where, and how often."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from overcast.augment.mixing import (
    box_mask,
    class_mask,
    paste,
    rolled,
)
from overcast.train.batch import IGNORE, Batch
from tests.train.tiny import batch_of


def flat(value: float, label: int, shape: tuple[int, ...] = (3, 8, 8)) -> Batch:
    """One value everywhere."""
    return Batch(
        images={"s1": torch.full((shape[0], 2, *shape[1:]), value)},
        valid={"s1": torch.full(shape, value > 0)},
        labels=torch.full(shape, label),
    )


def test_paste_takes_image_validity_and_label_from_one_place() -> None:
    mask = torch.rand(3, 8, 8) > 0.5
    mixed = paste(flat(2.0, 1), flat(-3.0, 0), mask)
    assert torch.equal(mixed.images["s1"][:, 1], torch.where(mask, 2.0, -3.0))
    assert torch.equal(mixed.valid["s1"], mask)
    assert mixed.labels is not None
    assert torch.equal(mixed.labels, mask.long())


def test_paste_keeps_labels_only_if_both_have_them() -> None:
    bare = replace(flat(1.0, 0), labels=None)
    mask = torch.ones(3, 8, 8, dtype=torch.bool)
    assert paste(bare, flat(1.0, 0), mask).labels is None
    assert paste(flat(1.0, 0), bare, mask).labels is None


def test_batches_must_fit() -> None:
    mask = torch.ones(3, 8, 8, dtype=torch.bool)
    with pytest.raises(ValueError, match="same images and sizes"):
        paste(flat(1.0, 0), batch_of(0), mask)


@given(classes=st.integers(1, 7), seed=st.integers(0, 99))
def test_class_mask_takes_the_larger_half_of_the_classes(
    classes: int, seed: int
) -> None:
    torch.manual_seed(seed)
    labels = torch.randint(classes, (4, 6, 6))
    labels[:, 0] = IGNORE
    mask = class_mask(labels)
    for own, chosen in zip(labels, mask, strict=True):
        present = set(own[own != IGNORE].tolist())
        taken = set(own[chosen].tolist())
        assert len(taken) == (len(present) + 1) // 2
        assert torch.equal(chosen, torch.isin(own, torch.tensor(sorted(taken))))


def test_class_mask_draws_each_sample_alone_and_each_class_alike() -> None:
    labels = torch.arange(4).repeat(2000, 3, 1)
    taken = class_mask(labels)[:, 0].float()
    assert torch.equal(taken.sum(1), torch.full((2000,), 2.0))
    assert taken.mean(0).tolist() == pytest.approx([0.5] * 4, abs=0.05)
    assert len(taken.unique(dim=0)) == 6


def test_class_mask_of_unknown_labels_is_empty() -> None:
    assert not class_mask(torch.full((2, 3, 3), IGNORE)).any()


@given(
    height=st.integers(1, 40),
    width=st.integers(1, 40),
    area=st.floats(0, 1),
    seed=st.integers(0, 99),
)
def test_boxes_are_rectangles_inside(
    height: int, width: int, area: float, seed: int
) -> None:
    torch.manual_seed(seed)
    mask = box_mask(torch.Size((5, height, width)), area)
    outline = mask.any(2)[:, :, None] & mask.any(1)[:, None, :]
    assert torch.equal(mask, outline)
    for lines in (mask.any(1).int(), mask.any(2).int()):
        assert (lines.diff(dim=1) == 1).sum(1).max() <= 1


def test_boxes_have_the_area_and_reach_everywhere() -> None:
    mask = box_mask(torch.Size((4000, 32, 32)), 0.3).float()
    assert mask.mean((1, 2)).tolist() == pytest.approx([0.3] * 4000, abs=0.04)
    assert mask.mean(0).min() > 0.003
    assert mask.mean((0, 2)).tolist() == pytest.approx(
        mask.mean((0, 2)).flip(0).tolist(), abs=0.04
    )


@pytest.mark.parametrize(("area", "share"), [(0.0, 0.0), (1.0, 1.0)])
def test_boxes_of_nothing_and_everything(area: float, share: float) -> None:
    assert box_mask(torch.Size((2, 4, 6)), area).float().mean() == share


def test_an_area_is_a_share() -> None:
    with pytest.raises(ValueError, match=r"area is 1\.5"):
        box_mask(torch.Size((2, 4, 6)), 1.5)


def test_rolled_gives_every_sample_another_partner() -> None:
    batch = batch_of(0)
    assert batch.labels is not None
    assert torch.equal(rolled(batch).labels, batch.labels[[3, 0, 1, 2]])
