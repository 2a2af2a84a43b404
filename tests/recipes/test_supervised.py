"""Losses of the labels as they are."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import pytest
import torch
import torch.nn.functional as F

from overcast.recipes.supervised import Loss, Supervised
from overcast.train import losses
from overcast.train.recipe import State
from tests.train.tiny import batch_of, tiny


def test_without_augmentation_it_is_cross_entropy_on_known_pixels() -> None:
    batch, model = batch_of(1), tiny()
    terms = Supervised(augment=False, drop=0).terms(model, State(), {"labelled": batch})
    expected = F.cross_entropy(model(batch), batch.labels, ignore_index=255)
    torch.testing.assert_close(terms.total, expected)


@pytest.mark.parametrize("name", get_args(Loss))
def test_a_name_is_that_loss(name: Loss) -> None:
    batch, model = batch_of(1), tiny()
    recipe = Supervised(loss=name, augment=False, drop=0)
    terms = recipe.terms(model, State(), {"labelled": batch})
    expected = getattr(losses, name)(model(batch), batch.labels)
    torch.testing.assert_close(terms.total, expected)


def test_other_names_are_refused() -> None:
    with pytest.raises(ValueError, match="expected one of cross_entropy"):
        Supervised(loss="huber")  # type: ignore[arg-type]


def test_a_dropped_sensor_changes_the_loss() -> None:
    batch, model = batch_of(1), tiny()
    found = [
        Supervised(augment=False, drop=drop)
        .terms(model, State(), {"labelled": batch})
        .total.item()
        for drop in (0.0, 1.0)
    ]
    assert found[0] != found[1]


def test_labels_are_required() -> None:
    batch = replace(batch_of(0), labels=None)
    with pytest.raises(ValueError, match="'labelled' gave a batch without labels"):
        Supervised().terms(tiny(), State(), {"labelled": batch})


def test_drop_is_a_probability() -> None:
    with pytest.raises(ValueError, match=r"drop is 1\.5; expected 0 to 1"):
        Supervised(drop=1.5)
